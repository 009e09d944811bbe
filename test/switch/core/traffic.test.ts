/** What a link says of its own traffic: counts both ways, answers by code, and whose time it was. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { entriesByKind, reportOf } from "../../../packages/switch/src/operate/control/Status.ts"
import { statusText } from "../../../packages/switch/src/operate/control/StatusText.ts"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { codecOf } from "../LinkSettings.ts"
import { answerTo, purchase } from "./Bench.ts"
import { acquirer, bench } from "./Pair.ts"

const stan = (n: number) => String(n).padStart(6, "0")

describe("a connection", () => {
  it.effect("on which no byte has come or gone has never carried any, however long it is there", () =>
    Effect.gen(function* () {
      const { a, commit, running } = yield* bench()
      yield* TestClock.adjust(20_000)
      yield* commit
      const carried = () => running.status().links.map(({ lastReceived, lastSent }) => [lastReceived, lastSent])

      expect(carried()).toEqual([
        [0, 0],
        [0, 0]
      ])

      a.say(purchase())
      yield* commit
      expect(carried().map((times) => times.map((time) => time > 0))).toEqual([
        [true, false],
        [false, true]
      ])
    })
  )
})

/** One answered after 40 ms, one declined, one without an answer that comes late and twice, one refused, one lost. */
const played = Effect.gen(function* () {
  const started = yield* bench()
  const { a, b, commit } = started
  const ask = (n: number, fields = {}) =>
    Effect.gen(function* () {
      a.say(purchase({ 11: stan(n), 3: "300000", ...fields }))
      yield* commit
      return b.heard().at(-1)
    })
  const first = yield* ask(1)
  yield* TestClock.adjust(40)
  b.say(answerTo(first!, "0210"))
  yield* commit
  b.say(answerTo((yield* ask(2))!, "0210", { 39: "51" }))
  yield* commit
  const third = yield* ask(3)
  yield* TestClock.adjust(1100)
  yield* commit
  b.say(answerTo(third!, "0210"))
  b.say(answerTo(first!, "0210"))
  yield* commit
  yield* ask(4, { 2: "5100000000000006" })
  yield* ask(5)
  b.end(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" }))
  yield* commit
  return started
})

const told = (running: Effect.Success<typeof played>["running"]) =>
  reportOf(
    { name: "test", pid: 1, startedAt: 0 },
    running.status(),
    { wallMs: 10_000, monotonicMs: 10_000 },
    { view: { _tag: "absent", why: "a test" }, earlier: new Map() },
    { alarms: [], success: () => undefined }
  )

describe("the traffic of a link", () => {
  it.effect("is counted for the link that it belongs to, in both directions and by code", () =>
    Effect.gen(function* () {
      const { running } = yield* played
      const [asking, asked] = running.status().links.map(({ traffic }) => traffic)

      expect(asking).toMatchObject({
        requestsIn: 5,
        refused: 1,
        answersOut: { "00": 1, "51": 1, "92": 1, "98": 2 },
        undelivered: 0,
        requestsOut: 0,
        answersIn: {}
      })
      expect(asked).toMatchObject({
        requestsIn: 0,
        requestsOut: 4,
        answersIn: { "00": 1, "51": 1 },
        timeouts: 1,
        lost: 1,
        late: 1,
        duplicates: 1,
        unmatched: 0
      })
    })
  )

  it.effect("counts advices and reversals apart, which may be refused, too: no more are refused than came", () =>
    Effect.gen(function* () {
      const { a, commit, running } = yield* bench()
      for (const [n, mti] of ["0220", "0220", "0420", "0421"].entries())
        a.say(purchase({ 2: "4000000000000002", 11: `00010${n}` }, mti))
      yield* commit
      const { othersIn, refused, requestsIn } = running.status().links[0]!.traffic

      expect([requestsIn, othersIn]).toEqual([0, 4])
      expect(refused).toBeGreaterThan(0)
      expect(refused).toBeLessThanOrEqual(othersIn)
    })
  )

  it.effect("that we refused whole says so, whatever was wrong with it: no more are refused than came", () =>
    Effect.gen(function* () {
      const { a, commit, running } = yield* bench()
      const tooLong = codecOf(acquirer.dialect).encode(purchase({ 11: "000201", 62: "ABC" })) as Buffer
      // Its last field says that it is shorter than it is.
      tooLong.write("002", tooLong.length - 6, "latin1")
      a.say(purchase({ 11: "000202" }, "0240"), purchase({ 11: "000203", 32: "01030000" }), tooLong)
      a.say(purchase({ 2: "4000000000000002", 11: "000204" }, "0220"))
      yield* commit
      const { answersOut, othersIn, refused, requestsIn } = running.status().links[0]!.traffic

      expect(a.heard().length).toBe(4)
      expect([requestsIn, othersIn, refused]).toEqual([1, 3, 4])
      expect(Object.values(answersOut).reduce((sum, count) => sum + count, 0)).toBe(4)
      expect(statusText(told(running))).toMatch(
        / {4}1 request in, 3 other messages, 4 refused \(formatError 2, identity 1, noRoute 1\); answered 30: 2, /
      )
    })
  )

  it.effect("says how long the partner took, and how long we took besides", () =>
    Effect.gen(function* () {
      const { running } = yield* played
      const [asking, asked] = running.status().links.map(({ traffic }) => traffic)

      expect(asked!.partnerTime).toMatchObject({ count: 2 })
      expect(asked!.partnerTime.p99).toBeGreaterThanOrEqual(39)
      expect(asked!.partnerTime.p99).toBeLessThan(42)
      expect(asking!.ourTime).toMatchObject({ count: 2 })
      expect(asking!.ourTime.p99).toBeLessThan(5)
    })
  )

  it.effect("is in the status as text", () =>
    Effect.gen(function* () {
      const { running } = yield* played
      const text = statusText(told(running))

      expect(text).toMatch(
        / {4}5 requests in, 1 refused \(noRoute 1\); answered 00: 1, 51: 1, 92: 1, 98: 2; we took p50 [\d.]+ ms, p99/
      )
      expect(text).toMatch(
        / {4}4 requests out, 1 without an answer in time, 1 lost with its connection, 1 late answer, 1 second answer; answered 00: 1, 51: 1; the partner took p50/
      )
    })
  )
})

describe("an answer that is nobody's", () => {
  it.effect("names the key field that it lacks, in journal and log, and is counted", () =>
    Effect.gen(function* () {
      const { a, b, commit, store, running } = yield* bench()
      a.say(purchase())
      yield* commit
      const answer = answerTo(b.heard()[0]!, "0210")
      const { 32: _, ...fields } = answer.fields
      b.say({ ...answer, fields })
      yield* commit
      const entries = store.entries.filter(({ kind }) => kind === EntryKind.unmatched || kind === EntryKind.event)

      expect(entries.map(({ code }) => code)).toContain("DE 32 is missing")
      expect(entries.map(({ code }) => code)).toContain(
        "an answer 0210 is nobody's: DE 32, a field of the key, is missing"
      )
      expect(running.status().links[1]!.traffic.unmatched).toBe(1)
      expect(entriesByKind(running.status().entries)["unmatched"]).toBe(1)
      expect(a.heard()).toEqual([])
    })
  )

  it.effect("names what differs when it has the key of a request", () =>
    Effect.gen(function* () {
      const { a, b, commit, store } = yield* bench()
      a.say(purchase())
      yield* commit
      b.say(answerTo(b.heard()[0]!, "0210", { 41: "T0000002" }))
      yield* commit
      const events = store.entries.filter(({ kind }) => kind === EntryKind.event).map(({ code }) => code)

      expect(events.at(-1)).toMatch(/^an answer 0210 with the key of exchange \d+ is not its answer: DE 41 differs$/)
    })
  )

  it.effect("that acknowledges a reversal without its key is said in the same way", () =>
    Effect.gen(function* () {
      const { a, b, commit, store } = yield* bench()
      a.say(purchase())
      yield* commit
      yield* TestClock.adjust(1100)
      yield* commit
      const reversal = b.heard().find(({ mti }) => mti === "0420")!
      const { 7: _, ...fields } = reversal.fields
      b.say({ ...reversal, mti: "0430", fields: { ...fields, 39: "00" } })
      yield* commit
      const events = store.entries.filter(({ kind }) => kind === EntryKind.event).map(({ code }) => code)

      expect(events).toContain("an answer 0430 is nobody's: DE 7, a field of the key, is missing")
    })
  )
})
