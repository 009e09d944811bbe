/**
 * Where a flood goes that is not to reach the switch: a process that reads it, and nothing else. What the good partner notices
 * of that one is the machine's part: two cores that have more to do.
 */
import * as Net from "node:net"

const server = Net.createServer((socket) => {
  socket.on("error", () => socket.destroy())
  socket.on("data", () => undefined)
})
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as Net.AddressInfo).port }))
process.on("disconnect", () => process.exit())
