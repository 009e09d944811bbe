/**
 * All partners in one process: takes every connection, counts the bytes of idle frames, and resets every connection when
 * told.
 */
import * as Net from "node:net"

/** Bytes of an idle frame of the benches' frame. */
const IDLE_BYTES = 4

const open = new Set<Net.Socket>()
let bytes = 0
const server = Net.createServer({ noDelay: true }, (socket) => {
  open.add(socket)
  socket.on("error", () => socket.destroy())
  socket.on("close", () => open.delete(socket))
  socket.on("data", (chunk) => {
    bytes += chunk.length
  })
})
server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () =>
  process.send?.({ port: (server.address() as Net.AddressInfo).port })
)

process.on("message", (what) => {
  if (what === "idle") process.send?.({ idle: bytes / IDLE_BYTES })
  if (what !== "reset") return
  for (const socket of open) socket.resetAndDestroy()
  process.send?.({ reset: true })
})
