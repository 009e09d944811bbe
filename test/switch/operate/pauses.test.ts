/** The alarm on a partner that sends nothing, against the pauses of this hour on earlier days: days in virtual time. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { isUnusual, Pauses, pauseWords } from "../../../packages/switch/src/operate/alarm/Pauses.ts"
import { keepRates } from "../../../packages/switch/src/operate/alarm/SuccessRatesFile.ts"
import * as Platform from "../../../packages/switch/src/Platform.ts"
import type { LinkWork } from "../../../packages/switch/src/SwitchStatus.ts"
import { cleanUp, folder } from "./program.ts"

afterEach(cleanUp)

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Midnight UTC of a Monday. */
const start = Date.parse("2026-03-02T00:00:00Z")

type Seconds = number

/** A partner that a test lets send: `every` gives the seconds between two requests at a time; infinite for none. */
class Played {
  readonly pauses: Pauses
  requestsIn = 0
  ready = true
  since = 0
  private sentAt = 0
  now = 0

  constructor(pauses = new Pauses()) {
    this.pauses = pauses
  }

  /** Looks once a minute until so many milliseconds after the start. */
  until(end: number, every: (at: number) => Seconds): void {
    for (; this.now < end; this.now += MINUTE_MS) {
      if (this.ready && this.now - this.sentAt >= every(this.now) * 1000) {
        this.requestsIn++
        this.sentAt = this.now
      }
      this.see()
    }
  }

  see(): void {
    const { ready, requestsIn, since } = this
    const link = { name: "acquirer", ready, since, traffic: { requestsIn } } as unknown as LinkWork
    this.pauses.look([link], this.now, start + this.now)
  }

  get says(): string {
    const status = this.pauses.status("acquirer")
    return status !== undefined && isUnusual(status) ? pauseWords(status) : ""
  }
}

const hourOf = (at: number): number => Math.floor((at % DAY_MS) / HOUR_MS)
const isWeekend = (at: number): boolean => Math.floor(at / DAY_MS) % 7 >= 5

/** A request a minute by day; from 1 to 5 none; at weekends none at all. */
const office = (at: number): Seconds =>
  isWeekend(at) || (hourOf(at) >= 1 && hourOf(at) < 5) ? Number.POSITIVE_INFINITY : 60

describe("A partner's pause", () => {
  it("is an alarm when it is three times as long as any that is usual at this hour, and over with a request", () => {
    const played = new Played()
    played.until(7 * DAY_MS + 10 * HOUR_MS, office)
    expect(played.says).toBe("")

    played.until(7 * DAY_MS + 10 * HOUR_MS + 4 * MINUTE_MS, () => Number.POSITIVE_INFINITY)
    expect(played.says).toBe("")
    played.until(7 * DAY_MS + 10 * HOUR_MS + 6 * MINUTE_MS, () => Number.POSITIVE_INFINITY)
    expect(played.says).toBe(
      "no request for 6 minutes; at this hour 60 seconds are the longest that is usual, by 7 earlier days"
    )
    played.until(7 * DAY_MS + 10 * HOUR_MS + 9 * MINUTE_MS, office)
    expect(played.says).toBe("")
  })

  it("is none in a night or at a weekend that are quiet every week, nor in the first week", () => {
    const played = new Played()
    const told: Array<string> = []
    for (let at = 0; at < 21 * DAY_MS; at += 10 * MINUTE_MS) {
      played.until(at, office)
      if (played.says !== "") told.push(`${new Date(start + at).toISOString()} ${played.says}`)
    }

    expect(told).toEqual([])
  })

  it("is none of a partner that sends once an hour, until it has left out three", () => {
    const played = new Played()
    played.until(8 * DAY_MS, () => 3600)

    const hours = [1, 2, 3, 4].map((hour) => {
      played.until(8 * DAY_MS + hour * HOUR_MS, () => Number.POSITIVE_INFINITY)
      return played.says
    })
    expect(hours.map((says) => says !== "")).toEqual([false, false, true, true])
  })

  it("counts from when the link is ready again: while it was down nobody could send", () => {
    const played = new Played()
    played.until(8 * DAY_MS + 10 * HOUR_MS, () => 60)
    played.ready = false
    played.until(8 * DAY_MS + 11 * HOUR_MS, () => 60)
    expect(played.says).toBe("")

    played.ready = true
    played.since = played.now
    played.until(8 * DAY_MS + 11 * HOUR_MS + 4 * MINUTE_MS, () => Number.POSITIVE_INFINITY)
    expect(played.says).toBe("")
    played.until(8 * DAY_MS + 11 * HOUR_MS + 8 * MINUTE_MS, () => Number.POSITIVE_INFINITY)
    expect(played.says).not.toBe("")
  })

  it("of earlier days outlasts a restart, also of a partner that is never asked; a file of before has none", async () => {
    const directory = folder()
    mkdirSync(directory, { recursive: true })
    const file = join(directory, "success-rates.jsonl")
    const kept = <A>(run: (kept: Effect.Success<ReturnType<typeof keepRates>>) => A) =>
      Effect.runPromise(
        Effect.map(keepRates(directory, 20), run).pipe(
          Effect.scoped,
          Effect.provide(Platform.layer)
        ) as Effect.Effect<A>
      )
    await kept(({ pauses }) => new Played(pauses).until(8 * DAY_MS, () => 60))
    const line = JSON.parse(readFileSync(file, "utf8"))

    const says = await kept(({ pauses }) => {
      const played = new Played(pauses)
      played.now = 8 * DAY_MS + 10 * HOUR_MS
      played.since = played.now
      played.until(8 * DAY_MS + 10 * HOUR_MS + 8 * MINUTE_MS, () => Number.POSITIVE_INFINITY)
      return played.says
    })
    writeFileSync(file, `${JSON.stringify({ link: line.link, hours: [] })}\n`)
    const before = await kept(({ pauses }) => [...pauses.kept("acquirer")])

    expect(line).toMatchObject({ link: "acquirer", hours: [] })
    expect(line.pauses).toHaveLength(192)
    expect(says).toMatch(/^no request for 7 minutes; at this hour 60 seconds are/)
    expect(before).toEqual([])
  })
})
