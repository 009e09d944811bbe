import { describe, expect, it } from "@effect/vitest"
import { cups, cupsFrame, type Dialect, type FrameFormat } from "@jinka/codec"
import { Cause, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { vi } from "vitest"
import { StoreAndForward } from "../../../packages/switch/src/exchange/delivery/StoreAndForward.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { answerTo, linkOf, purchase, settle } from "./Bench.ts"
import { acquirer, bench, codes, types } from "./Pair.ts"

describe("a switch in the hand", () => {
  it.effect("passes a request and its answer, each only when the journal has it", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()
      a.say(purchase())
      yield* settle

      expect(b.heard()).toEqual([])

      yield* commit
      const [seen] = b.heard()
      expect(seen?.mti).toBe("0200")

      b.say(answerTo(seen!, "0210"))
      yield* settle
      expect(a.heard()).toEqual([])

      yield* commit
      expect(codes(a.heard())).toEqual(["00"])
    })
  )

  it.effect("refuses a request whose key holds something else than digits: its reversal could not name it", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()
      const { codec } = acquirer
      for (const de of [7, 11, 32, 33]) {
        const good = codec.encode(purchase({ 11: "000002", 7: "1122223830" })) as Buffer
        const text = String(purchase({ 11: "000002", 7: "1122223830" }).fields[de])
        const at = good.lastIndexOf(text, de < 32 ? good.length : good.lastIndexOf("48020000") + 1)
        good[at + 1] = 0x58
        a.say(good)
        yield* commit
        expect(codes(a.heard())).toEqual(["30"])
        expect(b.heard()).toEqual([])
      }
      a.say(purchase())
      yield* commit
      yield* TestClock.adjust(1100)
      yield* commit

      expect(codes(a.heard())).toEqual(["98"])
      expect(types(b.heard())).toEqual(["0200", "0420"])
    })
  )

  it.effect("stops when the fiber of the deadlines breaks, and does not run on without deadlines", () =>
    Effect.gen(function* () {
      const { running } = yield* bench()
      const failed = yield* Effect.forkChild(running.failed)
      yield* TestClock.adjust(100)

      expect(failed.pollUnsafe()).toBeUndefined()

      const broken = vi.spyOn(StoreAndForward.prototype, "tick").mockImplementation(() => {
        throw new Error("a defect")
      })
      yield* TestClock.adjust(100)
      broken.mockRestore()

      expect(exitText(failed.pollUnsafe())).toContain("a defect")
    })
  )

  it.effect("stops when something breaks that waited for the journal, and sends nothing after it", () =>
    Effect.gen(function* () {
      const { a, b, commit, running } = yield* bench()
      const failed = yield* Effect.forkChild(running.failed)
      yield* TestClock.adjust(100)
      a.say(purchase())
      a.say(purchase({ 11: "000002" }))
      const target = running.links[1]!
      Object.defineProperty(target, "isReady", {
        get: () => {
          throw new Error("a defect")
        }
      })
      yield* commit
      yield* TestClock.adjust(1)

      expect(exitText(failed.pollUnsafe())).toContain("a defect")
      expect(b.heard()).toEqual([])
    })
  )

  it.effect("ends at once and reverses what was written into a connection that broke under the write", () =>
    Effect.gen(function* () {
      const { a, b, commit, dial } = yield* bench({ issuer: { unsentMax: 300 } })
      b.takes = false
      a.say(purchase({ 11: "000009" }))
      yield* commit
      for (let n = 1; n <= 4; n++) a.say(purchase({ 11: `00000${n}` }))
      yield* commit

      expect(b.isOpen).toBe(false)
      expect(codes(a.heard()).sort()).toEqual(["91", "91", "98", "98", "98"])

      const next = dial(1)
      yield* commit
      expect(types(next.heard()).every((mti) => mti === "0421" || mti === "0420")).toBe(true)
    })
  )

  it.effect("answers an echo while nothing gets to disk", () =>
    Effect.gen(function* () {
      const { a } = yield* bench()
      a.say(purchase())
      a.say({
        mti: "0820",
        header: { destination: "00010000", source: "48020000" },
        fields: { 7: "1122223829", 11: "000077", 33: "48020000", 70: "301" }
      })
      yield* settle

      expect(types(a.heard())).toEqual(["0830"])
    })
  )

  it.effect("cuts a partner that floods us with echoes and does not read their answers, as for any other backlog", () =>
    Effect.gen(function* () {
      const { a, commit, running } = yield* bench({ acquirer: { unsentMax: 2000 } })
      a.takes = false
      const echo = {
        mti: "0820",
        header: purchase().header!,
        fields: { 7: "1122223829", 11: "000001", 33: "48020000", 70: "301" }
      }
      a.say(echo)
      yield* commit
      for (let n = 0; n < 10; n++) {
        a.say(...Array.from({ length: 10 }, () => echo))
        yield* commit
      }

      expect(a.isOpen).toBe(false)
      expect(running.status().links[0]!.ends[0]).toMatchObject({
        reason: "SlowPeer",
        why: "more than 2000 bytes are unsent"
      })
    })
  )

  it.effect(
    "says that it refuses everything while the journal's disk is nearly full, although every link is ready",
    () =>
      Effect.gen(function* () {
        const { a, commit, running, store } = yield* bench()
        expect(running.status().fullBy).toBeUndefined()

        store.refuses = "space"
        yield* TestClock.adjust(1000)
        yield* commit
        a.say(purchase())
        yield* commit

        expect(codes(a.heard())).toEqual(["96"])
        expect(running.status()).toMatchObject({ fullBy: "disk", links: [{ state: "ready" }, { state: "ready" }] })

        store.refuses = undefined
        yield* TestClock.adjust(1000)
        yield* commit

        expect(running.status().fullBy).toBeUndefined()

        const said = store.entries.filter(({ code }) => code.includes("the journal's disk")).map(({ code }) => code)
        expect(said).toEqual([
          "the journal's disk is nearly full: new requests are refused until there is room",
          "the journal's disk has room again: requests are taken"
        ])
      })
  )

  it.effect("writes below the disk's reserve what open requests need, and one line a second for all the rest", () =>
    Effect.gen(function* () {
      const { a, b, commit, store } = yield* bench()
      a.say(purchase())
      yield* commit
      const [open] = b.heard()
      store.refuses = "space"
      yield* TestClock.adjust(1000)
      yield* commit
      const before = store.entries.length
      for (let n = 2; n <= 101; n++) a.say(purchase({ 11: `${n}`.padStart(6, "0") }))
      yield* commit
      const refused = codes(a.heard())
      const none = store.entries.length - before
      b.say(answerTo(open!, "0210"))
      yield* commit
      const answered = codes(a.heard())
      b.say(answerTo(open!, "0210"), answerTo(open!, "0210"))
      a.say(purchase({ 11: "000002" }))
      yield* commit
      yield* TestClock.adjust(1000)
      yield* commit

      expect(refused).toEqual(Array.from({ length: 100 }, () => "96"))
      expect(none).toBe(0)
      expect(answered).toEqual(["00"])
      expect(store.entries.slice(before).map(({ kind, code }) => [kind, code])).toEqual([
        [EntryKind.answered, "00"],
        [EntryKind.event, "not journalled, because there is no room for it: 101 refused, 2 duplicateAnswer; 103 in all"]
      ])
    })
  )

  it.effect("does not take a partner for slow because the disk let go more at once than may be unsent", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench({ acquirer: { unsentMax: 300 }, issuer: { unsentMax: 300 } })
      for (let n = 1; n <= 4; n++) a.say(purchase({ 11: `00000${n}` }))
      yield* commit
      const seen = b.heard()

      expect(seen.length).toBe(4)

      for (const message of seen) b.say(answerTo(message, "0210"))
      yield* commit
      expect(codes(a.heard())).toEqual(["00", "00", "00", "00"])
      expect([a.isOpen, b.isOpen]).toEqual([true, true])
    })
  )

  it.effect("delivers an answer that came before a FIN although a write was waiting when it came", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()
      a.say(purchase())
      yield* commit
      const [seen] = b.heard()
      b.takes = false
      a.say(purchase({ 11: "000002" }))
      yield* commit
      b.keep(answerTo(seen!, "0210"))
      b.end(new ConnectionEnded({ how: "fin", cause: "bench" }))
      yield* commit

      expect(codes(a.heard())).toEqual(["00", "98"])
    })
  )

  it.effect("stamps a reversal with the time of the network that it goes to", () =>
    Effect.gen(function* () {
      const hour = 3_600_000
      const { a, b, commit } = yield* bench({ acquirer: { utcOffsetMs: 8 * hour }, issuer: { utcOffsetMs: 2 * hour } })
      a.say(purchase())
      yield* commit
      yield* TestClock.adjust(1100)
      yield* commit
      const reversal = b.heard().find(({ mti }) => mti === "0420")

      // The test's clock begins with 1970.
      expect(reversal?.fields[7]).toBe("0101020001")
    })
  )

  it.effect("takes back an approval that cannot be said in the origin's dialect, and says 98", () =>
    Effect.gen(function* () {
      // The same but for F44, of which the acquirer takes fewer characters.
      const fields = { ...cups.fields, 44: { ...cups.fields[44]!, format: "ans..5" } }
      const narrow: Dialect = { ...cups, name: "narrow", fields }
      const { a, b, commit, store } = yield* bench({ acquirer: linkOf("acquirer", 4802, narrow) })
      a.say(purchase())
      yield* commit
      const [seen] = b.heard()
      b.say(answerTo(seen!, "0210", { 44: "more than five" }))
      yield* commit

      expect(codes(a.heard())).toEqual(["98"])
      expect(types(b.heard())).toEqual(["0420"])
      expect(store.entries.filter(({ kind }) => kind === EntryKind.answered)).toEqual([])
    })
  )

  it.effect("does not take a partner for silent whom it does not read itself, because the disk is slow", () =>
    Effect.gen(function* () {
      const watchdog = { intervalMs: 6000, probe: false, proofs: 0 }
      const { a, commit } = yield* bench({ acquirer: { watchdog, unsentMax: 1 << 23 } })
      const stan = (n: number) => String(n).padStart(6, "0")
      a.say(...Array.from({ length: 9000 }, (_, n) => purchase({ 11: stan(n + 1) })))
      yield* settle
      // Longer than three watchdog intervals, and not yet a disk that has stopped answering.
      yield* TestClock.adjust(25_000)

      expect(a.isOpen).toBe(true)

      // What was not read while the disk was slow is read now, a few at a time.
      let heard = 0
      for (let round = 0; round < 100 && heard < 9000; round++) {
        yield* commit
        heard += a.heard().length
        // The issuer answers nothing: what it was asked ends when its time is up.
        if (round === 50) yield* TestClock.adjust(1100)
      }
      expect(heard).toBe(9000)

      yield* TestClock.adjust(5000)
      expect(a.isOpen).toBe(true)

      yield* TestClock.adjust(60_000)
      expect(a.isOpen).toBe(false)
    })
  )

  it.effect("stops when the disk has not answered for half a minute, and says so", () =>
    Effect.gen(function* () {
      const { a, running } = yield* bench()
      const failed = yield* Effect.forkChild(Effect.flip(running.failed))
      a.say(purchase())
      yield* settle
      yield* TestClock.adjust(29_000)

      expect(failed.pollUnsafe()).toBeUndefined()

      yield* TestClock.adjust(3000)

      const error = yield* Fiber.join(failed)

      expect(error._tag === "JournalError" && error.reason._tag).toBe("DiskStalled")
    })
  )

  it.effect("refuses a message that the target's frame cannot hold, and leaves the target's connection alone", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench({ issuer: { frame: { ...cupsFrame, lengthMax: 220 } as FrameFormat } })
      for (const mti of ["0200", "0220"]) a.say(purchase({ 43: "x".repeat(40), 60: "y".repeat(100) }, mti))
      yield* commit
      const answers = a.heard().map(({ mti, fields }) => `${mti} ${fields[39]}`)

      expect(answers.sort()).toEqual(["0210 30", "0230 30"])
      expect(b.heard()).toEqual([])
      expect(b.isOpen).toBe(true)
    })
  )

  it.effect("refuses a message with the target's delimiter inside: it would be two", () =>
    Effect.gen(function* () {
      const frame: FrameFormat = { kind: "delimiter", delimiter: "7C7C", lengthMax: 1000, idle: "none" }
      const { a, b, commit } = yield* bench({ issuer: { frame } })
      for (const mti of ["0200", "0220"]) a.say(purchase({ 44: "y||0200" }, mti))
      yield* commit
      const answers = a.heard().map(({ mti, fields }) => `${mti} ${fields[39]}`)

      expect(answers.sort()).toEqual(["0210 30", "0230 30"])
      expect(b.heard()).toEqual([])
    })
  )

  it.effect("keeps the requests of a partner apart from those that were sent to it under the same key", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()
      a.say(purchase())
      yield* commit
      const [seen] = b.heard()
      b.say(answerTo(seen!, "0210"))
      yield* commit
      // The issuer is an acquirer too, and its first STAN of the second is ours.
      b.say(purchase())
      yield* commit

      expect(codes(b.heard())).not.toEqual(["00"])
    })
  )
})

const exitText = (exit: Exit.Exit<unknown, unknown> | undefined): string =>
  exit === undefined ? "still running" : Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "succeeded"
