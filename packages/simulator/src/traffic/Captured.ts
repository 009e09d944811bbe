/** What a capture file holds of the connections to one port, told as if it went by on a line. Pure. */
import { type FrameFormat, Framer } from "@jinka/codec"
import type { Passed, Side } from "../link/PassThrough.ts"
import { segmentsOf } from "./Pcap.ts"

/**
 * In the order of the file; ends of connections are not told. `near` are the sides that connect. `lacks` hears what is
 * missing, in a sentence. Throws `CaptureInvalid`.
 */
export const passedOf = (
  file: Buffer,
  port: number,
  frame: FrameFormat,
  lacks: (says: string) => void = () => undefined
): ReadonlyArray<Passed> => {
  const passed: Array<Passed> = []
  const lines = new Map<string, number>()
  const framers = new Map<string, Framer | undefined>()
  for (const { bytes, from: source, to } of segmentsOf(file, port, lacks)) {
    const from: Side = to.endsWith(`:${port}`) ? "near" : "far"
    const caller = from === "near" ? source : to
    const line = lines.get(caller) ?? lines.size + 1
    if (!lines.has(caller)) passed.push({ _tag: "opened", line, from: "near" })
    lines.set(caller, line)
    const stream = `${line} ${from}`
    if (!framers.has(stream)) framers.set(stream, new Framer(frame))
    const wrong = framers.get(stream)?.push(bytes, {
      frame: (buffer, start, end) =>
        passed.push({ _tag: "message", line, from, bytes: Buffer.from(buffer.subarray(start, end)) }),
      idle: () => passed.push({ _tag: "idle", line, from })
    })
    if (wrong === undefined) continue
    framers.set(stream, undefined)
    passed.push({ _tag: "unreadable", line, from })
  }
  return passed
}
