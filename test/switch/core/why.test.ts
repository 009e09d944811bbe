/** What the journal says afterwards: why an answer found no request, whether a late approval was taken back, what was changed. */
import { describe, expect, it } from "@effect/vitest"
import { compile, iso8583v1987Ascii, type Message } from "@jinka/codec"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Journal } from "../../../packages/switch/src/journal/Journal.ts"
import { MemoryStore } from "../../../packages/switch/src/journal/MemoryStore.ts"
import { readingsOf } from "../../../packages/switch/src/journal/SearchKeys.ts"
import { stanOf } from "../../../packages/switch/src/message/Stamp.ts"
import { summarize } from "../../../packages/switch/src/operate/Summary.ts"
import { Dialects } from "../../../packages/switch/src/operate/trace/Dialects.ts"
import { trace } from "../../../packages/switch/src/operate/trace/Trace.ts"
import { traceText } from "../../../packages/switch/src/operate/trace/TraceText.ts"
import { why } from "../../../packages/switch/src/operate/trace/Why.ts"
import { whyText } from "../../../packages/switch/src/operate/trace/WhyText.ts"
import { answerTo, linkOf, purchase, startBench } from "./Bench.ts"
import { acquirer, issuer } from "./Pair.ts"

const pan = "6200000000000005"

/** A switch on a journal that is searched as on a disk. */
const bench = (target = issuer) =>
  Effect.gen(function* () {
    const waiting: Array<() => void> = []
    const disk = {
      isHeld: false,
      waiting,
      store: new MemoryStore({ schedule: (_, run) => schedule(run), keysOf: readingsOf({}).keysOf })
    }
    const schedule = (run: () => void) => (disk.isHeld ? waiting.push(run) : queueMicrotask(run))
    const links = [acquirer, target]
    const started = yield* startBench(links, disk)
    const [a, b] = [started.dial(0), started.dial(1)]
    yield* started.commit
    return { ...started, a, b, plans: links }
  })

type Started = Effect.Success<ReturnType<typeof bench>>

/** Reads what is on disk, beside the switch. */
const reading = <A, E>({ store }: Started, use: (journal: Journal["Service"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(Journal, use).pipe(Effect.provide(Journal.layer.pipe(Layer.provide(store.copy().layer))))

const answered = (started: Started, fields: Message["fields"], waitMs = 0) =>
  Effect.gen(function* () {
    const { a, b, commit } = started
    a.say(purchase({ 37: "000000004711" }))
    yield* commit
    const request = b.heard()[0]!
    yield* TestClock.adjust(waitMs)
    yield* commit
    b.say(answerTo(request, "0210", fields))
    yield* commit
    return request
  })

describe("An answer that found no request", () => {
  it.effect("is told with the nearest request, and the field of the key that differs", () =>
    Effect.gen(function* () {
      const started = yield* bench()
      yield* answered(started, { 11: "000002", 37: "000000004711" })
      const { dialects, report } = yield* reading(started, (journal) => {
        const dialects = new Dialects({}, started.plans)
        const readable = { ...journal, names: journal.names, last: () => journal.recovered.lastSeq }
        return Effect.map(why(readable, dialects, undefined), (report) => ({ dialects, report }))
      })
      const [answer] = report.answers

      expect(dialects).toBeDefined()
      expect(answer).toMatchObject({ kind: "unmatched", link: "issuer", mti: "0210", code: "00" })
      expect(answer!.nearest).toMatchObject({ same: ["7", "32", "33"] })
      expect(answer!.nearest!.differs).toMatchObject([{ id: "11", request: "000001", answer: "000002" }])
      expect(whyText(report)).toContain("is 000002, and was 000001")
      expect(whyText(report)).not.toContain(pan)
    })
  )

  it.effect("after its time is joined to its request and its reversal, and even once that is acknowledged", () =>
    Effect.gen(function* () {
      const started = yield* bench()
      const { b, commit } = started
      yield* answered(started, { 39: "00" }, 1100)
      const before = yield* told(started)
      const reversal = b.heard().find(({ mti }) => mti === "0420")!
      b.say(answerTo(reversal, "0430"))
      yield* commit
      const after = yield* told(started)

      expect(before.trace.exchanges[0]!.late).toMatchObject({ isEven: false })
      expect(before.why).toContain("is being delivered: even when it is acknowledged")
      expect(before.totals).toMatchObject({ lateApproved: 1, lateUneven: 1 })
      expect(after.trace.exchanges[0]!.late).toMatchObject({ isEven: true })
      expect(traceText(after.trace)).toContain("late approval: issuer approved with 00 when the request had ended")
      expect(after.why).toMatch(/It is the answer of exchange \d+, which had ended \d+ ms before \(timedOut timeout\)/)
      expect(after.why).toContain("was acknowledged: both sides are even")
      expect(after.totals).toMatchObject({ lateApproved: 1, lateUneven: 0 })
    })
  )
})

const told = (started: Started) =>
  reading(started, (journal) =>
    Effect.gen(function* () {
      const dialects = new Dialects({}, started.plans)
      const readable = { ...journal, last: () => journal.recovered.lastSeq }
      return {
        trace: yield* trace(readable, dialects, { rrn: "000000004711" }, true),
        why: whyText(yield* why(readable, dialects, { stan: 1 })),
        totals: yield* summarize(journal, dialects, () => true, Effect.void)
      }
    })
  )

describe("Both sides of a message", () => {
  it.effect(
    "are shown with each change and its reason: a STAN of our own, names in the header, the caller's STAN put back",
    () =>
      Effect.gen(function* () {
        const started = yield* bench({ ...issuer, stan: "own" })
        const request = yield* answered(started, { 39: "00" })
        const { trace } = yield* told(started)
        const [exchange] = trace.exchanges
        const [sent, given] = exchange!.changes!
        const stan = stanOf(exchange!.exchange)

        expect(request.fields[11]).toBe(stan)
        expect(sent).toMatchObject({ what: "request", from: "acquirer", to: "issuer", note: "" })
        expect(sent!.fields.find(({ id }) => id === "11")).toMatchObject({
          before: "000001",
          after: stan,
          why: "link issuer has STANs of its own (stan: own)"
        })
        expect(sent!.fields.map(({ id }) => id)).toContain("header.destination")
        expect(given!.fields.find(({ id }) => id === "11")).toMatchObject({
          before: stan,
          after: "000001",
          why: "the caller's own STAN is put back"
        })
        expect(sent!.before).toMatch(/^[0-9a-f]+$/)
        for (const { before, after } of [sent!, given!])
          expect(Buffer.from(before + after, "hex").toString("latin1")).not.toContain(pan)
        expect(traceText(trace)).toContain("request, acquirer to issuer: ")
      })
  )

  it.effect("are shown across dialects, and a reversal beside its request", () =>
    Effect.gen(function* () {
      const plain = linkOf("issuer", 103, iso8583v1987Ascii)
      const started = yield* bench({ ...plain, codec: compile(iso8583v1987Ascii) })
      yield* answered(started, { 39: "00" }, 1100)
      const { trace } = yield* told(started)
      const [sent, reversal] = trace.exchanges[0]!.changes!

      expect(sent).toMatchObject({ what: "request", note: "" })
      expect(sent!.fields.some(({ id, why }) => id.startsWith("header.") && why.includes("the header names us"))).toBe(
        true
      )
      expect(reversal).toMatchObject({ what: "reversal" })
      expect(reversal!.fields.find(({ id }) => id === "mti")).toMatchObject({
        before: "0200",
        why: "a reversal of the switch's own"
      })
      expect(reversal!.fields.find(({ id }) => id === "90")?.why).toBe("names the request that is taken back")
    })
  )
})
