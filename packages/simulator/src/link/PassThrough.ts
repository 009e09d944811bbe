/**
 * A line that passes everything on as it comes and tells what went by. Owns pairs of sockets; each byte, FIN and RST of one side
 * goes to the other. Knows frames only to tell where messages end, and never holds a byte back for it.
 */
import { connect, type Socket } from "node:net"
import { type FrameFormat, Framer } from "@jinka/codec"
import { Effect, type Scope } from "effect"
import type { ListenFailed } from "../SimulatorError.ts"
import { type Endpoint, endpointOf, listen } from "./Listener.ts"

/** Something that went by. `near` is the side that connected to us, `far` the one that we connect to. */
export type Passed =
  | { readonly _tag: "opened" | "idle" | "unreadable"; readonly line: number; readonly from: Side }
  | { readonly _tag: "message"; readonly line: number; readonly from: Side; readonly bytes: Buffer }
  | { readonly _tag: "closed"; readonly line: number; readonly from: Side; readonly how: "FIN" | "RST" }

/** A side of a line. */
export type Side = "near" | "far"

/** Listens and passes on to a target until the scope ends; where it really listens. */
export const passThrough = (
  at: Endpoint,
  target: Endpoint,
  frame: FrameFormat,
  on: (passed: Passed) => void
): Effect.Effect<Endpoint, ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const open = new Set<Socket>()
    let lines = 0
    const accept = (near: Socket): void => {
      const line = ++lines
      const far = connect({ host: target.host, port: target.port, allowHalfOpen: true })
      open.add(near).add(far)
      on({ _tag: "opened", line, from: "near" })
      carry(line, "near", near, far, frame, on)
      carry(line, "far", far, near, frame, on)
      for (const socket of [near, far]) socket.once("close", () => open.delete(socket))
    }
    const server = yield* listen(at, accept, { allowHalfOpen: true })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        server.close()
        for (const socket of open) socket.destroy()
      })
    )
    return endpointOf(server, at.host)
  })

/** One direction. */
const carry = (
  line: number,
  from: Side,
  source: Socket,
  target: Socket,
  frame: FrameFormat,
  on: (passed: Passed) => void
): void => {
  const framer = new Framer(frame)
  let hasEnded = false
  const ended = (how: "FIN" | "RST"): void => {
    if (hasEnded) return
    hasEnded = true
    on({ _tag: "closed", line, from, how })
  }
  const sink = {
    frame: (buffer: Buffer, start: number, end: number) =>
      on({ _tag: "message", line, from, bytes: Buffer.from(buffer.subarray(start, end)) }),
    idle: () => on({ _tag: "idle", line, from })
  }
  let isReadable = true
  source.setNoDelay(true)
  source.on("data", (chunk: Buffer) => {
    target.write(chunk)
    if (!isReadable) return
    isReadable = framer.push(chunk, sink) === undefined
    if (!isReadable) on({ _tag: "unreadable", line, from })
  })
  source.on("end", () => {
    framer.end(sink)
    ended("FIN")
    target.end()
  })
  source.on("error", () => {
    ended("RST")
    if (!target.destroyed) target.resetAndDestroy()
  })
}
