/**
 * The baseline: plain sockets that dial, send an idle frame each second, and dial again after the same pause as a link when
 * they are closed. Arguments: port, count.
 */
import * as Net from "node:net"
import { delayMs } from "../../packages/switch/src/link/Backoff.ts"
import { begin, tell } from "./Measured.ts"

const [port, count] = process.argv.slice(2, 4).map(Number)
const open = new Set<Net.Socket>()
const idle = Buffer.from("0000")
/** Spread evenly, not by chance: the same in every run. */
const chanceOf = (n: number): number => ((n * 7919) % 1000) / 1000

const dial = (n: number): void => {
  const socket = Net.connect({ host: "127.0.0.1", port: port!, noDelay: true })
  let timer: NodeJS.Timeout | undefined
  socket.on("connect", () => {
    open.add(socket)
    timer = setInterval(() => socket.write(idle), 1000)
  })
  socket.on("error", () => undefined)
  socket.on("close", () => {
    open.delete(socket)
    clearInterval(timer)
    setTimeout(() => dial(n), delayMs({ minMs: 100, maxMs: 1000 }, 0, chanceOf(n)))
  })
  socket.resume()
}

begin()
for (let n = 0; n < count!; n++) dial(n)
tell(() => open.size)
