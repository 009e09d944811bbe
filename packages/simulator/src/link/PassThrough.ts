/**
 * A line that passes everything on as it comes and tells what went by. Owns pairs of sockets; each byte, FIN and RST of one side
 * goes to the other. Knows frames only to tell where messages end, and never holds a byte back for it.
 */
import { type FrameFormat, Framer } from "@jinka/codec"
import { Effect, type Scope } from "effect"
import { type ListenFailed, reasonOf } from "../SimulatorError.ts"
import { type Endpoint, endpointOf, listen } from "./Listener.ts"
import { dialSocket, type OpenSocket, type TlsMaterial, takeSocket } from "./TlsSide.ts"

/** Something that went by. `near` is the side that connected to us, `far` the one that we connect to. */
export type Passed =
  | { readonly _tag: "opened" | "idle" | "unreadable"; readonly line: number; readonly from: Side }
  | { readonly _tag: "message"; readonly line: number; readonly from: Side; readonly bytes: Buffer }
  | { readonly _tag: "closed"; readonly line: number; readonly from: Side; readonly how: "FIN" | "RST" }

/** A side of a line. */
export type Side = "near" | "far"

/** TLS of a line that is read on its way: ended on the side that we listen on, and begun on the one that we connect to. */
export interface LineTls {
  readonly listen?: TlsMaterial | undefined
  readonly target?: TlsMaterial | undefined
  /** Hears why a connection or a handshake came to nothing. */
  readonly refused?: (why: string) => void
}

/** Listens and passes on to a target until the scope ends; where it really listens. */
export const passThrough = (
  at: Endpoint,
  target: Endpoint,
  frame: FrameFormat,
  on: (passed: Passed) => void,
  tls: LineTls = {}
): Effect.Effect<Endpoint, ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const open = new Set<OpenSocket>()
    let lines = 0
    const refused = tls.refused ?? (() => undefined)
    const accept = (near: OpenSocket): void => {
      const line = ++lines
      let isUp = false
      const far = dialSocket(target, tls.target, { allowHalfOpen: true }, (error) => {
        if (!isUp) refused(`the target: ${reasonOf(error)}`)
      })
      far.socket.once(far.isUpAt, () => {
        isUp = true
      })
      open.add(near).add(far)
      on({ _tag: "opened", line, from: "near" })
      carry(line, "near", near, far, frame, on)
      carry(line, "far", far, near, frame, on)
      for (const end of [near, far]) end.raw.once("close", () => open.delete(end))
    }
    const server = yield* listen(at, takeSocket(tls.listen, accept, refused), { allowHalfOpen: true })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        server.close()
        for (const { raw } of open) raw.destroy()
      })
    )
    return endpointOf(server, at.host)
  })

/** One direction. */
const carry = (
  line: number,
  from: Side,
  { socket: source }: OpenSocket,
  { raw, socket: target }: OpenSocket,
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
    if (!raw.destroyed) raw.resetAndDestroy()
  })
}
