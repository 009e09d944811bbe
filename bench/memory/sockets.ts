/** As many plain sockets as the switch has links. Arguments: port, count. */
import * as Net from "node:net"
import { usage } from "../Usage.ts"

const [port, count] = process.argv.slice(2, 4).map(Number)
const opened = Array.from({ length: count! }, () => {
  const socket = Net.connect({ host: "127.0.0.1", port: port!, noDelay: true })
  return new Promise((resolve) => socket.once("connect", resolve))
})
await Promise.all(opened)
setTimeout(() => {
  globalThis.gc?.()
  process.send?.(usage())
}, 1000)
