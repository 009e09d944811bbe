/** The issuer of the relay bench: answers every 0200 with a 0210 of the same bytes. One write for each read. */
import * as Net from "node:net"
import { RawFrames } from "./Frame.ts"

const server = Net.createServer({ noDelay: true }, (socket) => {
  const frames = new RawFrames()
  socket.on("error", () => socket.destroy())
  socket.on("data", (chunk: Buffer) => {
    const out: Array<Buffer> = []
    frames.push(chunk, (buffer, from, to) => {
      if (to - from <= 4) return
      // "0200" becomes "0210": the third digit of the MTI.
      buffer[from + 6] = 0x31
      out.push(buffer.subarray(from, to))
    })
    if (out.length > 0) socket.write(out.length === 1 ? out[0]! : Buffer.concat(out))
  })
})
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  process.send?.({ port: (server.address() as Net.AddressInfo).port })
})
