/** A system under test for the simulator's own tests: it answers every CUPS request, and keeps what it has seen. */
import { type AddressInfo, createServer, type Socket } from "node:net"
import {
  cups,
  cupsFrame,
  Framer,
  interpret,
  type Message,
  MessageIndex,
  PatchList,
  responseMti,
  wholeFrame
} from "@jinka/codec"
import { Effect } from "effect"

export const codec = interpret(cups)

/** Published test number. */
export const pan = "6200000000000005"

/** A purchase or its answer, without its frame. */
export const message = (mti: string, stan: number, amount: number, more: Message["fields"] = {}): Buffer =>
  codec.encode({
    header: { destination: "00010000   ", source: "48020000   " },
    mti,
    fields: {
      ...{
        2: pan,
        3: "000000",
        4: String(amount).padStart(12, "0"),
        7: "0301120000",
        11: String(stan).padStart(6, "0")
      },
      ...{ 32: "48020000", 33: "48020000", 37: String(stan).padStart(12, "0"), 41: "T0000001", 42: "M00000000000001" },
      ...more
    }
  } as Message) as Buffer

export const framed = (bytes: Buffer): Buffer => wholeFrame(cupsFrame, bytes)

/** How it answers: milliseconds until it does and the code, or not at all. */
export type Manner = (
  index: MessageIndex,
  count: number
) => { readonly ms?: number; readonly code?: string } | undefined

/** A system that answers requests. It closes with the scope. */
export const system = (manner: Manner = () => ({})) =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    const seen: Array<MessageIndex> = []
    const answer = (socket: Socket, buffer: Buffer, start: number, end: number): void => {
      const index = new MessageIndex()
      if (codec.index(buffer, start, end, index) !== undefined)
        throw new Error("the system cannot read what it was sent")
      seen.push(index)
      const how = manner(index, seen.length)
      if (how === undefined) return
      const patches = new PatchList()
      patches.mti(responseMti(index.mti))
      patches.answer()
      patches.set(39, how.code ?? "00")
      const frame = framed(codec.patched(index, patches))
      if ((how.ms ?? 0) <= 0) socket.write(frame)
      else setTimeout(() => socket.write(frame), how.ms)
    }
    const server = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const made = createServer((socket) => {
          sockets.add(socket)
          const framer = new Framer(cupsFrame)
          socket.on("error", () => undefined)
          socket.on("data", (chunk: Buffer) => {
            framer.push(chunk, { frame: (...at) => answer(socket, ...at), idle: () => undefined })
          })
        })
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (made) =>
        Effect.sync(() => {
          made.close()
          for (const socket of sockets) socket.destroy()
        })
    )
    return { port: (server.address() as AddressInfo).port, seen, sockets }
  })
