/** An issuer that acknowledges every advice at once. Arguments: port. Says each second how many it has acknowledged. */
import * as Net from "node:net"
import { compile, MessageIndex } from "@jinka/codec"
import { dialect, frame, RawFrames } from "../relay/Frame.ts"
import { acknowledgement } from "./Advice.ts"

const codec = compile(dialect)
const index = new MessageIndex()
const { bytes: answer, stanAt } = acknowledgement()
let count = 0

Net.createServer({ noDelay: true }, (socket) => {
  const frames = new RawFrames()
  socket.on("error", () => socket.destroy())
  socket.on("data", (chunk) => {
    const answers: Array<Buffer> = []
    frames.push(chunk, (buffer, from, to) => {
      if (to - from <= frame.bytes) return
      codec.index(buffer, from + frame.bytes, to, index)
      buffer.copy(answer, stanAt, index.from(11), index.from(11) + 6)
      answers.push(Buffer.from(answer))
      count++
    })
    socket.write(Buffer.concat(answers))
  })
}).listen(Number(process.argv[2]), "127.0.0.1")
setInterval(() => process.send?.({ count, at: performance.now() }), 100)
