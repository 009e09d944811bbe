/** Watches the loop of the process that it is loaded into, for the bench that started it: "begin" starts anew, "end" asks. */
import { monitorEventLoopDelay } from "node:perf_hooks"

/** How often it looks, in ms; what is above that is a stall. */
const LOOK_MS = 1
const delays = monitorEventLoopDelay({ resolution: LOOK_MS })

process.on("message", (asked) => {
  if (asked === "begin") {
    delays.reset()
    delays.enable()
  }
  if (asked !== "end") return
  delays.disable()
  process.send?.({ stalledMs: Math.max(0, delays.max / 1e6 - LOOK_MS) })
})
