/**
 * Watches the loop of the process that it is loaded into, for the bench that started it: "begin" starts anew, "end" asks. Beside
 * the longest stall it says how much processor time the busiest pass of the loop took: that is ours, also on a busy machine.
 */
import { monitorEventLoopDelay } from "node:perf_hooks"

/** How often it looks, in ms; what is above that is a stall. */
const LOOK_MS = 1
const delays = monitorEventLoopDelay({ resolution: LOOK_MS })

/** Processor time of this thread, in ms. */
const used = (): number => {
  const { system, user } = process.threadCpuUsage()
  return (system + user) / 1000
}

let looks: NodeJS.Timeout | undefined
let busiestMs = 0

const begin = (): void => {
  delays.reset()
  delays.enable()
  busiestMs = 0
  let before = used()
  looks = setInterval(() => {
    const now = used()
    busiestMs = Math.max(busiestMs, now - before)
    before = now
  }, LOOK_MS)
}

process.on("message", (asked) => {
  if (asked === "begin") begin()
  if (asked !== "end") return
  delays.disable()
  clearInterval(looks)
  process.send?.({ stalled: { ms: Math.max(0, delays.max / 1e6 - LOOK_MS), busiestMs } })
})
