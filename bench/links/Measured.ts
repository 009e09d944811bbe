/** What a process of this bench says of itself when its parent asks. */
import { monitorEventLoopDelay } from "node:perf_hooks"

/**
 * Answers every "measured" with what `up` counts and what the process has used; the loop's delay is the longest since the last
 * answer.
 */
export const tell = (up: () => number): void => {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  process.on("message", (what) => {
    if (what !== "measured") return
    const { system, user } = process.cpuUsage()
    const loopDelayMs = delay.max / 1e6
    delay.reset()
    const measured = { up: up(), at: Date.now(), cpuUs: system + user, rss: process.memoryUsage.rss(), loopDelayMs }
    process.send?.({ measured })
  })
}

/** The work begins now. */
export const begin = (): void => void process.send?.({ begun: Date.now() })
