/**
 * The partner that floods: as much as its socket takes, or so many a second. Arguments: port, name of the flood, where its
 * numbers begin. It has a low priority on the machine, so that the switch is measured and not who gets the processor.
 */
import * as Net from "node:net"
import { setPriority } from "node:os"
import { floods } from "./Floods.ts"

/** Bytes of one write. */
const WRITE = 1 << 16

const [, , port, name, first] = process.argv
setPriority(10)
const { source, perSecond = 0, isSame } = floods[name!]!
const fits = Math.floor(WRITE / source.bytes.length)
let n = Number(first)
let sent = 0
let answered = 0
const socket = Net.connect({ host: "127.0.0.1", port: Number(port), noDelay: true })
const slab = (count: number): Buffer => {
  const out = Buffer.allocUnsafe(count * source.bytes.length)
  let at = 0
  for (let i = 0; i < count; i++) at = source.write(out, at, isSame ? Number(first) : ++n)
  sent += count
  return out
}
const pour = () => {
  while (socket.write(slab(fits)));
}
socket.on("data", (chunk: Buffer) => {
  answered += chunk.length
})
socket.on("error", () => undefined)
socket.on("connect", () => {
  if (perSecond > 0) {
    const from = performance.now()
    setInterval(() => {
      const due = Math.floor(((performance.now() - from) * perSecond) / 1000) - sent
      if (due > 0) socket.write(slab(due))
    }, 2)
  } else {
    socket.on("drain", pour)
    pour()
  }
})
socket.on("close", () => process.send?.({ cut: true }))
process.on("message", () => process.send?.({ sent: sent - socket.writableLength / source.bytes.length, answered }))
process.on("disconnect", () => process.exit())
