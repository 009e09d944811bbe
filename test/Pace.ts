/**
 * How slow this machine is just now, for tests that have to wait in real time. A bound that says what the switch does is in
 * virtual time, or an order of events; a real-time bound only says when a test gives up, and a busy machine gets more of it.
 */
import { readFileSync } from "node:fs"
import { availableParallelism, loadavg } from "node:os"
import { monitorEventLoopDelay } from "node:perf_hooks"

/** Beyond it, a machine cannot be told from one that hangs. */
const PACE_MAX = 20

/** Threads that run, want to, or wait for a disk: on average of the last minute, or at this moment, whichever is more. */
const wanting = (): number => {
  try {
    // proc_pid_loadavg(5): the averages of 1, 5 and 15 minutes, then "runnable/all".
    const [minute, , , now] = readFileSync("/proc/loadavg", "utf8").split(" ")
    return Math.max(Number(minute), Number.parseInt(now ?? "0", 10))
  } catch {
    return loadavg()[0] ?? 0
  }
}

/** At least twice the time of a quiet machine; more for each thread that wants a core which another one has. At most 20. */
export const pace = (): number => Math.min(PACE_MAX, 2 * Math.max(1, wanting() / availableParallelism()))

/** How long to wait here for what takes up to `ms` milliseconds on a quiet machine. */
export const patience = (ms: number): number => ms * pace()

/** Whether `ms` milliseconds of patience have passed since `began`, a time of `performance.now()`; more where it got busy. */
export const isOver = (began: number, ms: number): boolean =>
  performance.now() - began > ms && performance.now() - began > patience(ms)

/** Looks at the clock of this process every so many milliseconds. */
const LOOK_MS = 10

/** Begins to watch this process: the call given back ends it and gives the longest time, in ms, that it stood still meanwhile. */
export const watchStalls = (): (() => number) => {
  const delays = monitorEventLoopDelay({ resolution: LOOK_MS })
  delays.enable()
  return () => {
    delays.disable()
    return Math.max(0, delays.max / 1e6 - LOOK_MS)
  }
}
