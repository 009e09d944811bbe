/** A partner that accepts every connection and never says a word. */
import * as Net from "node:net"

const server = Net.createServer((socket) => {
  socket.on("error", () => socket.destroy())
  socket.resume()
})
server.listen(0, "127.0.0.1", 4096, () => process.send?.({ port: (server.address() as Net.AddressInfo).port }))
