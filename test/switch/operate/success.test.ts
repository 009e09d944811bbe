/** The alarm on the share of approved requests against the same hour on earlier days: in virtual time, with its file. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { RefusedCalls } from "../../../packages/switch/src/operate/admin/RefusedCalls.ts"
import { Conditions } from "../../../packages/switch/src/operate/alarm/Conditions.ts"
import { type SuccessRates, successWords } from "../../../packages/switch/src/operate/alarm/SuccessRates.ts"
import { keepRates } from "../../../packages/switch/src/operate/alarm/SuccessRatesFile.ts"
import * as Platform from "../../../packages/switch/src/Platform.ts"
import type { LinkWork } from "../../../packages/switch/src/SwitchStatus.ts"
import { answerTo, purchase } from "../core/Bench.ts"
import { bench } from "../core/Pair.ts"
import { cleanUp, folder } from "./program.ts"

afterEach(cleanUp)

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** 14:00 UTC on a Monday. */
const start = Date.parse("2026-03-02T14:00:00Z")

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

/** One link that a test counts for, looked at every minute as the alarms do. */
const counted = (file: string, name = "issuer", percent = 20) =>
  Effect.gen(function* () {
    const { look, rates } = yield* keepRates(file, percent)
    const answersIn: Record<string, number> = {}
    const counts = { timeouts: 0, lost: 0 }
    let monotonic = 0
    let wall = start
    const see = (wallMs: number) => {
      const traffic = { ...counts, answersIn: { ...answersIn }, approved: answersIn["00"] ?? 0, approving: ["00"] }
      const status = { links: [{ name, traffic } as unknown as LinkWork], fullBy: undefined }
      return look({ status, now: monotonic, wallMs } as unknown as Parameters<typeof look>[0])
    }
    yield* see(start)
    return {
      rates,
      see,
      counts,
      answersIn,
      /** So many minutes from `from` on, each with these answers. What is between, passed without one, unless the clock leaps. */
      pass: Effect.fnUntraced(function* (
        from: number,
        minutes: number,
        answers: Readonly<Record<string, number>>,
        isLeap = false
      ) {
        if (!isLeap) monotonic += from - wall
        yield* see(from)
        wall = from + minutes * MINUTE_MS
        for (let minute = 1; minute <= minutes; minute++) {
          for (const [code, count] of Object.entries(answers)) {
            if (code === "") counts.timeouts += count
            else answersIn[code] = (answersIn[code] ?? 0) + count
          }
          monotonic += MINUTE_MS
          yield* see(from + minute * MINUTE_MS - 1)
        }
      })
    }
  })

const says = (rates: SuccessRates, name = "issuer") => {
  const status = rates.status(name)
  return status?.isLow === true ? successWords(status) : ""
}

const played = <A, E>(test: Effect.Effect<A, E, Effect.Services<ReturnType<typeof counted>>>) =>
  test.pipe(Effect.scoped, Effect.provide(Platform.layer)) as Effect.Effect<A, E>

describe("The share of approved requests", () => {
  it.effect("is an alarm when it is a fifth below this hour's of yesterday, and over when it is back", () =>
    played(
      Effect.gen(function* () {
        const { pass, rates } = yield* counted(folder())
        yield* pass(start, 59, { "00": 19, "51": 1 })
        expect(says(rates)).toBe("")

        yield* pass(start + DAY_MS, 15, { "00": 18, "51": 2 })
        expect(says(rates)).toBe("")
        yield* pass(start + DAY_MS + 15 * MINUTE_MS, 15, { "00": 6, "91": 13, "05": 1, "": 1 })
        expect(says(rates)).toBe(
          "90 of 315 requests of the last 15 minutes were approved (29 of 100); at this hour 95 of 100 are, by an earlier day. " +
            "Most often instead: 91 (195 times), 05 (15 times), no answer (15 times)"
        )
        yield* pass(start + DAY_MS + 30 * MINUTE_MS, 15, { "00": 19, "51": 1 })
        expect(says(rates)).toBe("")
      })
    )
  )

  it.effect("goes by the middle of the last seven days: neither one bad day nor a weekend makes what is usual", () =>
    played(
      Effect.gen(function* () {
        const { pass, rates } = yield* counted(folder())
        const days = [0.95, 0.2, 0.95, 0.94, 0.7, 0.72, 0.96]
        for (const [day, share] of days.entries()) {
          yield* pass(start + day * DAY_MS, 20, { "00": 100 * share, "51": 100 - 100 * share })
        }
        yield* pass(start + 7 * DAY_MS, 1, { "00": 80, "51": 20 })

        expect(rates.status("issuer")).toMatchObject({ usual: 0.94, days: 7, isLow: false })

        yield* pass(start + 7 * DAY_MS, 15, { "00": 70, "51": 30 })

        expect(rates.status("issuer")).toMatchObject({ days: 7, isLow: true })

        // The day before the seven is forgotten.
        yield* pass(start + 14 * DAY_MS, 1, { "00": 1 })

        expect(rates.status("issuer")).toMatchObject({ days: 1, isLow: false })
      })
    )
  )

  it.effect("says nothing of a new link, of too few requests, of what may be chance, and of another hour", () =>
    played(
      Effect.gen(function* () {
        const { pass, rates } = yield* counted(folder())
        yield* pass(start, 30, { "00": 8, "51": 2 })
        expect(rates.status("issuer")).toMatchObject({ usual: undefined, days: 0 })
        expect(successWords(rates.status("issuer")!)).toContain("what is usual at this hour is not known yet")

        // Three of ten, of 29 requests: too few. 16 of 30 where eight of ten are usual: less than four deviations.
        yield* pass(start + DAY_MS, 1, { "00": 9, "51": 20 })
        expect(rates.status("issuer")).toMatchObject({ usual: 0.8, ended: 29, isLow: false })
        yield* pass(start + 2 * DAY_MS, 2, { "00": 8, "51": 7 })
        expect(rates.status("issuer")).toMatchObject({ ended: 30, approved: 16, isLow: false })
        yield* pass(start + 2 * DAY_MS + 2 * MINUTE_MS, 1, { "51": 2 })
        expect(rates.status("issuer")).toMatchObject({ ended: 32, approved: 16, isLow: true })
        yield* pass(start + 2 * DAY_MS + 90 * MINUTE_MS, 16, { "00": 1, "51": 3 })
        expect(rates.status("issuer")).toMatchObject({ usual: undefined, isLow: false })
      })
    )
  )

  it.effect("compares with the poorer hour while its 15 minutes reach back into the one before", () =>
    played(
      Effect.gen(function* () {
        const { pass, rates } = yield* counted(folder())
        // Every day instalments are drawn from 14:00 to 15:00, and half of the cards have no money.
        yield* pass(start, 60, { "00": 50, "51": 50 })
        yield* pass(start + HOUR_MS, 60, { "00": 95, "51": 5 })
        yield* pass(start + DAY_MS, 60, { "00": 50, "51": 50 })
        yield* pass(start + DAY_MS + HOUR_MS, 1, { "00": 95, "51": 5 })

        expect(rates.status("issuer")).toMatchObject({ usual: 0.5, isLow: false })

        yield* pass(start + DAY_MS + HOUR_MS + MINUTE_MS, 15, { "00": 50, "51": 50 })

        expect(rates.status("issuer")).toMatchObject({ usual: 0.95, isLow: true })
      })
    )
  )

  it.effect("can be turned off, and is forgotten with its link", () =>
    played(
      Effect.gen(function* () {
        const off = yield* counted(folder(), "issuer", 0)
        yield* off.pass(start, 30, { "00": 20 })
        yield* off.pass(start + DAY_MS, 30, { "51": 20 })
        expect(off.rates.status("issuer")).toMatchObject({ approved: 0, usual: 1, isLow: false })

        off.rates.look([], 1e9, start + 2 * DAY_MS)
        expect(off.rates.status("issuer")).toBeUndefined()
        expect([...off.rates.kept()]).toEqual([])
      })
    )
  )

  it.effect("survives a leap of the clock: a future hour says nothing of the days before it", () =>
    played(
      Effect.gen(function* () {
        const { pass, rates } = yield* counted(folder())
        yield* pass(start, 30, { "00": 20 })
        yield* pass(start + 3650 * DAY_MS, 5, { "51": 20 }, true)
        yield* pass(start + DAY_MS, 15, { "51": 20 }, true)

        expect(rates.status("issuer")).toMatchObject({ usual: 1, days: 1, isLow: true })

        yield* pass(start - DAY_MS, 1, { "51": 20 }, true)

        expect(rates.status("issuer")).toMatchObject({ usual: undefined, days: 0 })

        yield* pass(-1, 1, { "51": 20 }, true)

        expect(rates.status("issuer")).toMatchObject({ usual: undefined })
      })
    )
  )
})

describe("What is usual", () => {
  it.effect(
    "is known again after a restart, in order or after a crash within the hour, and the file is ours alone",
    () =>
      played(
        Effect.gen(function* () {
          const directory = folder()
          const file = join(directory, "success-rates.jsonl")
          yield* Effect.scoped(
            Effect.gen(function* () {
              const { pass } = yield* counted(directory)
              yield* pass(start, 59, { "00": 19, "51": 1 })
              expect(existsSync(file)).toBe(false)
              yield* pass(start + HOUR_MS, 1, { "00": 19, "51": 1 })
              expect(readFileSync(file, "utf8")).toContain('"link":"issuer"')
              expect(statSync(file).mode & 0o777).toBe(0o600)
            })
          )
          const again = yield* counted(directory)
          yield* again.pass(start + DAY_MS, 15, { "00": 1, "91": 19 })

          expect(again.rates.status("issuer")).toMatchObject({ usual: 0.95, days: 1, isLow: true })
        })
      )
  )

  it.effect(
    "is learned anew from a file that is damaged, forged, foreign or not to be read, and the switch runs on",
    () =>
      played(
        Effect.gen(function* () {
          const directory = folder()
          const file = join(directory, "success-rates.jsonl")
          const hour = Math.floor((start - DAY_MS) / HOUR_MS)
          const good = JSON.stringify({
            link: "issuer",
            hours: [
              [hour, 100, 90],
              [hour - 24, 10, 90]
            ]
          })
          for (const [text, days] of [
            [`${good}\n{"link":"is`, 1],
            ["\u0000\u0001 not ours", 0],
            [JSON.stringify({ link: "issuer", hours: [[hour, -1, 5]] }), 0],
            [
              JSON.stringify({
                link: "issuer",
                hours: [
                  [1e300, 100, 5],
                  [hour, 1e12, 1]
                ]
              }),
              0
            ],
            ["", 0]
          ] as const) {
            writeFileSync(file, text)
            const { rates } = yield* Effect.scoped(counted(directory))
            expect([text, rates.status("issuer")?.days]).toEqual([text, days])
          }
          rmSync(file)
          mkdirSync(file)
          const { pass, rates } = yield* counted(directory)
          yield* pass(start, 59, { "00": 20 })

          expect(rates.status("issuer")).toMatchObject({ days: 0 })
        })
      )
  )

  it.effect("takes the same room for ever", () =>
    played(
      Effect.gen(function* () {
        const { rates } = yield* counted(folder())
        for (let hour = 0; hour < 24 * 60; hour++) rates.learn("issuer", [hour, 100, 90])
        const [[, hours]] = [...rates.kept()] as [readonly [string, ReadonlyArray<unknown>]]
        expect(hours.length).toBe(8 * 24)
      })
    )
  )
})

describe("A switch whose issuer declines", () => {
  it.effect("raises an alarm that names the code", () =>
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      yield* TestClock.setTime(start)
      const { a, b, commit, running } = yield* bench()
      const { look, rates } = yield* keepRates(folder(), 20)
      const conditions = new Conditions(limits)
      const alarms = Effect.gen(function* () {
        const now = clock.currentTimeMillisUnsafe()
        const seen = {
          status: running.status(),
          now,
          wallMs: now,
          startedAt: start,
          certificates: [],
          refusedCalls: new RefusedCalls()
        }
        yield* look(seen)
        const success = (link: string) => rates.status(link)
        return conditions
          .look({ ...seen, success, pause: () => undefined })
          .filter(({ kind }) => kind === "successRate")
      })
      expect(yield* alarms).toEqual([])
      for (const [n, code] of [..."0".repeat(10), ..."1".repeat(30)].entries()) {
        a.say(purchase({ 11: String(n + 1).padStart(6, "0") }))
        yield* commit
        b.say(answerTo(b.heard().at(-1)!, "0210", { 39: code === "0" ? "00" : "91" }))
        yield* commit
      }

      expect(yield* alarms).toEqual([])
      rates.learn("issuer", [rates.hour - 24, 1000, 930])
      expect(yield* alarms).toEqual([
        {
          kind: "successRate",
          link: "issuer",
          says: "10 of 40 requests of the last 15 minutes were approved (25 of 100); at this hour 93 of 100 are, by an earlier day. Most often instead: 91 (30 times)"
        }
      ])
    }).pipe(Effect.scoped, Effect.provide(Platform.layer))
  )
})
