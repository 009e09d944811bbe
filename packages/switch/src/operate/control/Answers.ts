/**
 * What a running switch answers on its control socket: joins the switch, its journal and the kernel's view.
 */
import { Clock, Deferred, Effect, FileSystem } from "effect"
import { Journal } from "../../journal/Journal.ts"
import type * as Switch from "../../Switch.ts"
import type { Configuration } from "../Configuration.ts"
import { Dialects, trace } from "../trace/Trace.ts"
import { serve } from "./Control.ts"
import type { Earlier } from "./Disagreement.ts"
import { type KernelView, look } from "./KernelSockets.ts"
import type { DrainReport } from "./Report.ts"
import { connectionsOf, type Identity, reportOf } from "./Status.ts"

/** Serves the control socket until the scope ends. */
export const control = Effect.fnUntraced(function* (
  { socket, drainTimeoutMs, journal: { dialects } }: Configuration,
  identity: Identity,
  running: Switch.Running,
  stop: Deferred.Deferred<string>,
  drained: Deferred.Deferred<DrainReport>
) {
  const journal = yield* Journal
  const known = new Dialects(dialects)
  const status = yield* makeStatus(identity, running)
  yield* serve(socket, {
    status,
    act: (link, act, by) => running.operations.act(link, act, by, drainTimeoutMs),
    trace: (key) => trace(journal, known, key),
    drain: Effect.suspend(() => {
      Deferred.doneUnsafe(stop, Effect.succeed("asked over the control socket"))
      return Deferred.await(drained)
    })
  })
})

/** The status with the kernel's view beside ours; remembers the kernel's send queues from one status to the next. */
const makeStatus = Effect.fnUntraced(function* (identity: Identity, running: Switch.Running) {
  const clock = yield* Clock.Clock
  const files = yield* FileSystem.FileSystem
  let earlier: ReadonlyMap<string, Earlier> = new Map()
  return (name?: string) =>
    Effect.gen(function* () {
      const all = running.status()
      const status = name === undefined ? all : { ...all, links: all.links.filter((link) => link.name === name) }
      const view = yield* Effect.provideService(look(connectionsOf(status)), FileSystem.FileSystem, files)
      const now = {
        wallMs: clock.currentTimeMillisUnsafe(),
        monotonicMs: Number(clock.monotonicTimeNanosUnsafe()) / 1e6
      }
      const report = reportOf(identity, status, now, { view, earlier })
      earlier = queues(view, now.monotonicMs)
      return report
    })
})

const queues = (view: KernelView, at: number): ReadonlyMap<string, Earlier> =>
  view._tag === "absent"
    ? new Map()
    : new Map([...view.sockets].map(([key, { sendQueue }]) => [key, { sendQueue, at }] as const))
