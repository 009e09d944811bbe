/** How long the journal is kept, in virtual time: what goes, what stays and why, and what a wrong clock may do. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { RefusedCalls } from "../../../packages/switch/src/operate/admin/RefusedCalls.ts"
import { Conditions } from "../../../packages/switch/src/operate/alarm/Conditions.ts"
import { reportOf } from "../../../packages/switch/src/operate/control/Status.ts"
import { statusText } from "../../../packages/switch/src/operate/control/StatusText.ts"
import { answerTo, makeDisk, purchase, startBench } from "./Bench.ts"
import { acquirer, issuer } from "./Pair.ts"

const DAY_MS = 86_400_000
const ATTEMPTS = 3
const links = [acquirer, { ...issuer, delivery: { ...issuer.delivery, attemptsMax: ATTEMPTS } }]
const start = Date.UTC(2026, 0, 1)

type Started = Effect.Success<ReturnType<typeof startBench>>

/** The switch runs on a day of the calendar, counted from the first. */
const on = <A, E>(
  day: number,
  disk: ReturnType<typeof makeDisk>,
  live: (started: Started) => Effect.Effect<A, E, never>
) =>
  Effect.scoped(
    Effect.gen(function* () {
      yield* TestClock.setTime(start + day * DAY_MS)
      return yield* live(yield* startBench(links, disk))
    })
  )

/** A purchase and its answer; without an answer its reversal is given up, too. */
const traded =
  (stan: string, isAnswered = true) =>
  (started: Started) =>
    Effect.gen(function* () {
      const { commit, dial } = started
      const [a, b] = [dial(0), dial(1)]
      yield* commit
      a.say(purchase({ 11: stan }))
      yield* commit
      const [request] = b.heard()
      if (isAnswered) b.say(answerTo(request!, "0210"))
      else {
        for (let step = 0; step < 12; step++) {
          yield* TestClock.adjust(1100)
          yield* commit
        }
      }
      yield* commit
      a.heard()
    })

/** Keeps so many days from now on, and looks once. */
const keeping = (days: number) => (started: Started) =>
  Effect.gen(function* () {
    const { commit, running } = started
    yield* Effect.forkScoped(running.retention.watch({ keepMs: days * DAY_MS, archive: undefined, keys: [] }))
    for (let step = 0; step < 20; step++) {
      yield* commit
      yield* TestClock.adjust(100)
    }
    return started
  }).pipe(Effect.scoped)

const days = ({ store }: Pick<Started, "store">) =>
  store.entries.filter(({ kind }) => kind === EntryKind.accepted).map(({ at }) => Math.round((at - start) / DAY_MS))

const told = (running: Started["running"]) => {
  const kernel = { view: { _tag: "absent", why: "bench" } as const, earlier: new Map() }
  const clocks = { wallMs: start, monotonicMs: 0 }
  return statusText(
    reportOf({ name: "bench", pid: 1, startedAt: 0 }, running.status(), clocks, kernel, {
      alarms: [],
      success: () => undefined
    })
  )
}

describe("the journal of a switch that keeps thirty days", () => {
  it.effect("loses whole days that are older, says so first, and counts and traces go on", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      for (const [n, day] of [0, 40, 69, 71, 99].entries()) yield* on(day, disk, traded(`00000${n + 1}`))
      const counts = disk.store.entries.filter(({ kind }) => kind === EntryKind.accepted).length
      const seen = yield* on(100, disk, (started) =>
        Effect.map(keeping(30)(started), ({ running }) => ({
          status: running.status(),
          text: told(running)
        }))
      )

      expect(counts).toBe(5)
      expect(days(disk)).toEqual([71, 99])
      expect(seen.status.entries[EntryKind.accepted]).toBe(5)
      expect(seen.status.retention).toMatchObject({ heldBy: "", trouble: "", droppable: 0 })
      expect(seen.text).toContain("kept       since 2026-03-13, for 30 days; the journal takes")
      const events = disk.store.entries.filter(({ code }) => code.startsWith("dropping entries 1 to "))
      expect(events.length).toBe(1)
      yield* on(101, disk, traded("000009"))
      expect(days(disk)).toEqual([71, 99, 101])
    })
  )

  it.effect(
    "keeps what is in doubt and all behind it, raises an alarm that names it, and drops it when a person has ended it",
    () =>
      Effect.gen(function* () {
        const disk = makeDisk()
        yield* on(0, disk, traded("000001"))
        yield* on(10, disk, traded("000002", false))
        yield* on(20, disk, traded("000003"))
        yield* on(99, disk, traded("000004"))
        yield* on(100, disk, (started) =>
          Effect.gen(function* () {
            const { running, commit } = yield* keeping(30)(started)
            expect(days(disk)).toEqual([10, 20, 99])
            const { heldBy } = running.status().retention!
            expect(heldBy).toContain("for issuer is abandoned since 2026-01-11: end it (jinka pending list)")
            expect(told(running)).toContain("more is kept because exchange")
            const limits = {
              linkDownMs: 1e9,
              noTrafficMs: 1e9,
              isTrafficUsual: true,
              timeoutsPercent: 0,
              refusalsPercent: 10,
              queueAgeMs: 1e9,
              macFailures: 0,
              clockMs: 1e9
            }
            const look = {
              status: running.status(),
              now: 0,
              wallMs: start,
              startedAt: 0,
              certificates: [],
              refusedCalls: new RefusedCalls(),
              success: () => undefined,
              pause: () => undefined
            }
            const [alarm] = new Conditions(limits).look(look).filter(({ kind }) => kind === "retention")
            expect(alarm?.says).toContain(heldBy)

            const [doubt] = running.pending.list().messages
            yield* running.pending.close(doubt!.exchange, "anna", "settled")
            yield* commit
          })
        )
        expect(days(disk)).toEqual([10, 20, 99])
        yield* on(101, disk, keeping(30))
        expect(days(disk)).toEqual([99])
      })
  )

  it.effect("is not emptied by a clock that stands years ahead", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* on(0, disk, traded("000001"))
      yield* on(35, disk, traded("000002"))
      yield* on(3650, disk, keeping(30))

      expect(days(disk)).toEqual([35])
    })
  )

  it.effect("keeps the last whole day also when a person asks for more", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* on(0, disk, traded("000001"))
      yield* on(2.5, disk, traded("000002"))
      yield* on(3.2, disk, ({ commit, running }) =>
        Effect.gen(function* () {
          const far = Date.UTC(2030, 0, 1)
          const asked = yield* Effect.forkScoped(
            running.retention.byHand({ archive: undefined, before: far, isDropped: true })
          )
          for (let step = 0; step < 10; step++) {
            yield* commit
            yield* TestClock.adjust(100)
          }
          expect(asked.pollUnsafe()?._tag).toBe("Success")
        }).pipe(Effect.scoped)
      )

      expect(days(disk)).toEqual([3])
    })
  )
})
