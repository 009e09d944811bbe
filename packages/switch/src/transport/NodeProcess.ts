/**
 * How the process is: lateness of the event loop, garbage collection, processor time and memory. From Node's own counters; what
 * it costs is one timer of the loop's histogram, every 20 ms. Several may ask: asking changes nothing.
 */
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks"
import { Effect, type Scope } from "effect"

/** How often the loop's lateness is measured, in milliseconds. */
const EVERY_MS = 20

/** How long one histogram of the loop is filled, in milliseconds: no longer than monitoring systems pause between two looks. */
const TURN_MS = 15_000

/** What it says; seconds and bytes. */
export interface ProcessStatus {
  /** Lateness of the event loop in the last whole quarter of a minute; before there was one: since the start. */
  readonly loop: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly gc: { readonly runs: number; readonly seconds: number }
  readonly cpuSeconds: number
  readonly memory: { readonly rss: number; readonly heap: number; readonly external: number }
}

/** The histogram counts the whole pause between two of its beats; only what is above its own step is lateness. */
const latenessIn = (delay: ReturnType<typeof monitorEventLoopDelay>): ProcessStatus["loop"] => {
  const late = (nanos: number) => Math.max(0, nanos / 1e9 - EVERY_MS / 1000)
  if (delay.count === 0) return { p50: 0, p99: 0, max: 0 }
  return { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) }
}

/** Watches until the scope ends; gives what there is to say at each call. */
export const watchProcess: Effect.Effect<() => ProcessStatus, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const delay = monitorEventLoopDelay({ resolution: EVERY_MS })
    delay.enable()
    const gc = { runs: 0, seconds: 0 }
    const collections = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) {
        gc.runs++
        gc.seconds += duration / 1000
      }
    })
    collections.observe({ entryTypes: ["gc"] })
    return { delay, collections, gc, loop: undefined as ProcessStatus["loop"] | undefined }
  }),
  ({ collections, delay }) =>
    Effect.sync(() => {
      delay.disable()
      collections.disconnect()
    })
).pipe(
  Effect.tap((watched) =>
    Effect.sync(() => {
      watched.loop = latenessIn(watched.delay)
      watched.delay.reset()
    }).pipe(Effect.delay(TURN_MS), Effect.forever, Effect.forkScoped)
  ),
  Effect.map((watched) => () => {
    const { delay, gc, loop } = watched
    const { rss, heapUsed, external } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    return {
      loop: loop ?? latenessIn(delay),
      gc: { ...gc },
      cpuSeconds: (user + system) / 1e6,
      memory: { rss, heap: heapUsed, external }
    }
  })
)
