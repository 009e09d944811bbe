/** The baseline of the relay bench: a relay that only splits frames and writes them on, with nothing kept and nothing checked. */
import * as Net from "node:net"
import { usage } from "../Usage.ts"
import { RawFrames } from "./Frame.ts"

const pipe = (from: Net.Socket, to: Net.Socket) => {
  const frames = new RawFrames()
  from.on("data", (chunk: Buffer) => {
    const out: Array<Buffer> = []
    frames.push(chunk, (buffer, start, end) => out.push(buffer.subarray(start, end)))
    if (out.length > 0) to.write(out.length === 1 ? out[0]! : Buffer.concat(out))
  })
  from.on("close", () => to.destroy())
  from.on("error", () => to.destroy())
}

const server = Net.createServer({ noDelay: true }, (origin) => {
  const target = Net.connect({ host: "127.0.0.1", port: Number(process.argv[2]), noDelay: true })
  pipe(origin, target)
  pipe(target, origin)
})
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as Net.AddressInfo).port }))
process.on("message", () => process.send?.(usage()))
