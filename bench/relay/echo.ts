/** The issuer of the relay bench: answers every 0200 with its 0210 and response code 00. One write for each read. */
import * as Net from "node:net"
import { compile, MessageIndex, PatchList, writeFrame } from "@jinka/codec"
import { dialect, frame, RawFrames } from "./Frame.ts"

const codec = compile(dialect)
const approval = new PatchList()
approval.mti(210)
approval.set(39, "00")

/** More than an answer is longer than its request. */
const ROOM = 64

const server = Net.createServer({ noDelay: true }, (socket) => {
  const frames = new RawFrames()
  const index = new MessageIndex()
  socket.on("error", () => socket.destroy())
  socket.on("data", (chunk: Buffer) => {
    let out = Buffer.allocUnsafe(2 * chunk.length + 1024)
    let used = 0
    frames.push(chunk, (buffer, from, to) => {
      if (codec.index(buffer, from + frame.bytes, to, index) !== undefined) return
      if (used + to - from + ROOM > out.length) out = Buffer.concat([out, Buffer.allocUnsafe(out.length)])
      used += writeFrame(frame, out, used, codec.patch(index, approval, out, used + frame.bytes))
    })
    if (used > 0) socket.write(out.subarray(0, used))
  })
})
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as Net.AddressInfo).port })
})
