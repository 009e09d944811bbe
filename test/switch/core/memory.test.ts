import { describe, expect, it } from "@effect/vitest"
import { cups, type Dialect, type Message } from "@jinka/codec"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { JournalStore, type StoreEvents } from "../../../packages/switch/src/journal/JournalStore.ts"
import type { MemoryStore } from "../../../packages/switch/src/journal/MemoryStore.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { codes, types } from "./Pair.ts"

const stan = (n: number) => String(n).padStart(6, "0")
/** Purchase `n`; every one is later than the one before, as an honest clock has it. */
const one = (n: number, fields: Message["fields"] = {}): Message => ({
  ...purchase({ 11: stan(n), 7: String(1_122_000_000 + n), ...fields }),
  header: { destination: "00010000", source: String(fields[32] ?? "48020000") }
})
/** The reversal of purchase `n`. */
const reversalOf = (n: number, mti = "0420") =>
  purchase(
    { 11: stan(n), 7: String(1_122_500_000 + n), 90: `0200${stan(n)}${1_122_000_000 + n}${"00048020000".repeat(2)}` },
    mti
  )

/** More accepted requests than memory holds in these tests (2,048 to 4,096 for each link). */
const MORE_THAN_MEMORY = 4300

/** More transactions than a start reads back: 30,000 entries. */
const MORE_THAN_A_START_READS = 15_500

/** Two acquirers and an issuer, all up. */
const bench = (
  change: { readonly issuer?: Partial<LinkAll>; readonly dialect?: Dialect; readonly repeatsMs?: number } = {},
  disk = makeDisk()
) =>
  Effect.gen(function* () {
    const { dialect = cups, repeatsMs = 86_400_000 } = change
    const room = { unwrittenRefuse: 1 << 26, unwrittenStop: 1 << 27 }
    const limits = { requestTimeoutMs: 1000, recentKeys: 1024, repeatsMs, ...room }
    const started = yield* startBench(
      [
        { ...linkOf("a", 4802, dialect), window: 1 << 15 },
        { ...linkOf("issuer", 103, dialect), window: 1 << 15, ...change.issuer },
        linkOf("b", 4803, dialect)
      ],
      disk,
      { limits }
    )
    const [a, issuer, b] = [started.dial(0), started.dial(1), started.dial(2)]
    yield* started.commit
    /** Purchases of `wire` from `first` on, all approved. */
    const approve = (wire: typeof a, first: number, count: number, fields: Message["fields"] = {}) =>
      Effect.gen(function* () {
        for (let done = 0; done < count; done += 500) {
          wire.say(...Array.from({ length: Math.min(500, count - done) }, (_, n) => one(first + done + n, fields)))
          yield* started.commit
          issuer.say(...issuer.heard().map((seen) => answerTo(seen, "0210")))
          yield* started.commit
        }
        return wire.heard()
      })
    return { ...started, a, b, issuer, approve }
  })

/** Lets the journal keep what it is asked for repeats to itself. */
const silentJournal = (store: MemoryStore) => {
  const journal = { isSilent: false }
  const wrapped = Effect.map(JournalStore, ({ open }) => ({
    open: (events: StoreEvents) =>
      Effect.map(open(events), (opened) => ({
        ...opened,
        recall: (...asked: Parameters<typeof opened.recall>) =>
          journal.isSilent ? Effect.never : opened.recall(...asked)
      }))
  }))
  Object.defineProperty(store, "layer", { value: Layer.effect(JournalStore, wrapped).pipe(Layer.provide(store.layer)) })
  return journal
}

const fromB = { 32: "48030000", 33: "48030000" }

describe("what is remembered of a partner", () => {
  it.effect("is not pushed out by another partner's refusals, however many", () =>
    Effect.gen(function* () {
      const { a, approve, b, commit, issuer } = yield* bench()
      expect(codes(yield* approve(b, 1, 1, fromB))).toEqual(["00"])

      for (let round = 0; round < 12; round++) {
        a.say(...Array.from({ length: 500 }, (_, n) => one(1 + 500 * round + n, { 2: "9900000000000005" })))
        yield* commit
      }
      expect(new Set(codes(a.heard()))).toEqual(new Set(["92"]))

      b.say(one(1, fromB))
      yield* commit

      expect(issuer.heard()).toEqual([])
      expect(codes(b.heard())).toEqual(["00"])
    })
  )

  it.effect("is not pushed out by another partner's accepted requests", () =>
    Effect.gen(function* () {
      const { a, approve, b, commit, issuer, store } = yield* bench()
      yield* approve(b, 1, 1, fromB)
      yield* approve(a, 10, MORE_THAN_MEMORY)
      b.say(one(1, fromB))
      yield* commit

      expect(issuer.heard()).toEqual([])
      expect(codes(b.heard())).toEqual(["00"])
      expect(store.entries.filter(({ kind }) => kind === EntryKind.duplicateRequest).length).toBe(1)
    })
  )

  it.effect(
    "is found in the journal where memory has forgotten it: the first answer is given again, and no advice is delivered twice",
    () =>
      Effect.gen(function* () {
        const { a, approve, commit, issuer } = yield* bench()
        const advice = (mti: string) => purchase({ 11: stan(900_000), 7: "1122000001" }, mti)
        a.say(advice("0220"))
        yield* commit
        issuer.say(...issuer.heard().map((seen) => answerTo(seen, "0230")))
        yield* commit
        yield* approve(a, 1, MORE_THAN_MEMORY)
        a.say(one(1), one(2, { 4: "000000099999" }), advice("0221"))
        yield* commit

        expect(issuer.heard()).toEqual([])
        expect(
          a
            .heard()
            .map(({ mti, fields }) => `${mti} ${fields[39]}`)
            .sort()
        ).toEqual(["0210 00", "0210 94", "0230 00"])
      })
  )

  it.effect(
    "is found there although the key says nothing of the time; a fresh request is only put aside for a moment, and of two with one key only one is taken",
    () =>
      Effect.gen(function* () {
        const timeless: Dialect = { ...cups, name: "timeless", match: { ...cups.match, transaction: [11, 32, 33] } }
        const { a, approve, commit, issuer } = yield* bench({ dialect: timeless })
        yield* approve(a, 1, MORE_THAN_MEMORY)
        a.say(one(1), one(900_000), one(900_001), one(900_001))
        yield* commit

        expect(issuer.heard().map(({ fields }) => fields[11])).toEqual(["900000", "900001"])
        expect(codes(a.heard())).toEqual(["00"])
      })
  )

  it.effect("is left unanswered while the journal does not say what it was answered: never with another code", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      const journal = silentJournal(disk.store)
      const { a, approve, commit, issuer, running } = yield* bench({}, disk)
      yield* approve(a, 1, MORE_THAN_MEMORY)
      journal.isSilent = true
      // The first 768 of them wait for the journal; there is no place for the rest.
      a.say(...Array.from({ length: 800 }, (_, n) => one(1 + n)))
      yield* commit
      yield* TestClock.adjust("3 seconds")
      yield* commit

      expect(issuer.heard()).toEqual([])
      expect(codes(a.heard())).toEqual([])
      expect(running.status().links[0]!.perhapsRepeats).toBe(800)

      journal.isSilent = false
      a.say(one(1))
      yield* commit

      expect(codes(a.heard())).toEqual(["00"])
    })
  )

  it.effect("forgets after the time for which repeats are recognised", () =>
    Effect.gen(function* () {
      const { a, approve, commit, issuer } = yield* bench({ repeatsMs: 60_000 })
      yield* approve(a, 1, 1)
      yield* TestClock.adjust("59 seconds")
      a.say(one(1))
      yield* commit

      expect(codes(a.heard())).toEqual(["00"])

      yield* TestClock.adjust("2 seconds")
      a.say(one(1))
      yield* commit

      expect(types(issuer.heard())).toEqual(["0200"])
    })
  )
})

describe("a reversal of what memory has forgotten, to a link with STANs of ours", () => {
  it.effect(
    "finds its original in the journal, also where what names it looks like a card number and is covered there",
    () =>
      Effect.gen(function* () {
        const { a, approve, commit, issuer } = yield* bench({ issuer: { stan: "own" } })
        const times = Array.from({ length: 24 }, (_, n) => ({
          11: stan(777 + n),
          7: `1021${stan(100_000 + 4321 * n)}`
        }))
        a.say(...times.map((fields) => purchase(fields)))
        yield* commit
        issuer.say(...issuer.heard().map((seen) => answerTo(seen, "0210")))
        yield* approve(a, 2000, MORE_THAN_MEMORY)
        a.say(
          ...times.map((fields, n) =>
            purchase(
              {
                11: stan(900_000 + n),
                7: String(1_122_900_000 + n),
                90: `0200${fields[11]}${fields[7]}${"00048020000".repeat(2)}`
              },
              "0420"
            )
          )
        )
        yield* commit

        const reversed: Array<Message> = []
        for (let turn = 0; turn < times.length; turn++) {
          const heard = issuer.heard()
          reversed.push(...heard)
          issuer.say(...heard.map((seen) => answerTo(seen, "0430")))
          yield* commit
        }

        expect(types(reversed)).toEqual(times.map(() => "0420"))
        expect(codes(a.heard())).toEqual(times.map(() => "00"))
      })
  )
})

describe("a restart with more behind it than it reads", () => {
  it.effect(
    "knows a repeat by the journal, forwards what is new, and reverses a posted purchase on a link with STANs of ours",
    () =>
      Effect.gen(function* () {
        const own = { issuer: { stan: "own" as const } }
        const disk = makeDisk()
        const posted = yield* Effect.scoped(
          Effect.gen(function* () {
            const { a, approve, commit, issuer } = yield* bench(own, disk)
            a.say(one(1))
            yield* commit
            const [seen] = issuer.heard()
            issuer.say(answerTo(seen!, "0210"))
            yield* approve(a, 2, MORE_THAN_A_START_READS)
            return seen!
          })
        )
        const { a, commit, issuer } = yield* bench(own, disk)
        a.say(one(1), one(999_000), reversalOf(1))
        yield* commit

        const sent = issuer.heard()

        expect(types(sent)).toEqual(["0200", "0420"])
        expect(sent[0]!.fields[11]).not.toBe(posted.fields[11])
        expect(String(sent[1]!.fields[90]).slice(4, 10)).toBe(posted.fields[11])
        expect(
          a
            .heard()
            .map(({ mti, fields }) => `${mti} ${fields[39]}`)
            .sort()
        ).toEqual(["0210 00", "0430 00"])
      })
  )
})

describe("a reversal of a request that never came, to a link with STANs of ours", () => {
  const own = { issuer: { stan: "own" as const } }

  it.effect("is acknowledged and not sent on, and its request is refused when it comes after all", () =>
    Effect.gen(function* () {
      const { a, commit, issuer, running, store } = yield* bench(own)
      a.say(reversalOf(5))
      yield* commit
      a.say(reversalOf(5, "0421"))
      yield* commit
      a.say(one(5))
      yield* commit

      expect(a.heard().map(({ mti, fields }) => `${mti} ${fields[39]}`)).toEqual(["0430 00", "0430 00", "0210 98"])
      expect(issuer.heard()).toEqual([])
      expect(running.status().links[1]!.stored.size).toBe(0)

      const ends = store.entries.filter(({ kind }) => kind === EntryKind.acknowledged).map(({ code }) => code)
      expect(ends).toEqual(["no original"])
    })
  )

  it.effect("stays acknowledged over a restart, and so does the refusal of its request", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { a, commit } = yield* bench(own, disk)
          a.say(reversalOf(5))
          yield* commit
        })
      )
      const { a, commit, issuer } = yield* bench(own, disk)
      a.say(reversalOf(5, "0421"), one(5))
      yield* commit

      expect(a.heard().map(({ mti, fields }) => `${mti} ${fields[39]}`)).toEqual(["0430 00", "0210 98"])
      expect(issuer.heard()).toEqual([])
    })
  )
})
