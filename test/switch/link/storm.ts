/**
 * A storm of connections as a process of its own: `storm.ts PORT ADDRESS COUNT AT_ONCE`. Each connection is held until the other
 * side ends it. Prints how many it made.
 */
import { connect } from "node:net"

const [port = 0, count = 0, atOnce = 0] = [process.argv[2], process.argv[4], process.argv[5]].map(Number)
const localAddress = process.argv[3]!

const knock = () =>
  new Promise<void>((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress })
    socket.on("error", () => undefined)
    socket.once("close", () => resolve())
  })

let left = count
const one = async () => {
  while (left-- > 0) await knock()
}
await Promise.all(Array.from({ length: atOnce }, one))
process.stdout.write(`${count}\n`)
