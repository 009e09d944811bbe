/**
 * The partner that floods: so many messages a second, whatever comes back. What its socket does not take it keeps back, and
 * offers later. Arguments: port, name of the flood, where its numbers begin, messages a second (left out: its own). It has a low
 * priority on the machine, so that the switch is measured and not who gets the processor.
 */
import * as Net from "node:net"
import { setPriority } from "node:os"
import { FLOOD_PER_SECOND, floods } from "./Floods.ts"

/** Messages of one write. */
const WRITE_MAX = 200

/** Bytes that wait in this process at most. */
const WAITING_MAX = 1 << 20

/** How often more is offered, milliseconds. */
const OFTEN_MS = 2

const [, , port, name, first, rate] = process.argv
setPriority(10)
const { source, isSame, ...usual } = floods[name!]!
const perSecond = rate === undefined ? (usual.perSecond ?? FLOOD_PER_SECOND) : Number(rate)
let n = Number(first)
let sent = 0
const socket = Net.connect({ host: "127.0.0.1", port: Number(port), noDelay: true })
const slab = (count: number): Buffer => {
  const out = Buffer.allocUnsafe(count * source.bytes.length)
  let at = 0
  for (let i = 0; i < count; i++) at = source.write(out, at, isSame ? Number(first) : ++n)
  sent += count
  return out
}
socket.on("data", () => undefined)
socket.on("error", () => undefined)
socket.on("connect", () => {
  let last = performance.now()
  let due = 0
  setInterval(() => {
    const now = performance.now()
    // What the switch has not taken in half a second is not offered in one go later: the rate is the rate.
    due = Math.min(due + ((now - last) * perSecond) / 1000, perSecond / 2)
    last = now
    while (due >= 1 && socket.writableLength < WAITING_MAX) {
      const count = Math.min(WRITE_MAX, Math.floor(due))
      due -= count
      socket.write(slab(count))
    }
  }, OFTEN_MS)
})
socket.on("close", () => process.send?.({ cut: true }))
process.on("message", () => process.send?.({ sent: sent - socket.writableLength / source.bytes.length }))
process.on("disconnect", () => process.exit())
