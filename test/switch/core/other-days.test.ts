/** Reversals where STANs begin anew with the day: the key of something that never came today may be that of yesterday's. */
import { describe, expect, it } from "@effect/vitest"
import { cups, type Dialect, type Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { codes } from "./Pair.ts"

const { reversal: _, ...words } = cups
const match = { ...cups.match, transaction: [11, 41] }
const businessDay = { cutOver: "accept", stan: "begins-anew", reconcile: "pass" } as const

/** How a reversal says what it is about: by original data, or by having its key. */
const ways: ReadonlyArray<readonly [string, Dialect, (fields: Message["fields"]) => Message]> = [
  [
    "by original data",
    { ...cups, name: "named", match },
    (fields) => purchase({ 11: "000900", 90: `02000000011122223829${"00048020000".repeat(2)}`, ...fields }, "0420")
  ],
  ["by its key", { ...words, name: "terminals", match }, (fields) => purchase(fields, "0400")]
]

/** A purchase of yesterday that was approved, behind the cut-over. */
const yesterday = (dialect: Dialect, stan: LinkAll["stan"]) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(Date.UTC(2026, 10, 27, 14, 38, 29))
    const disk = makeDisk()
    const links = [
      { ...linkOf("acquirer", 4802, dialect), businessDay },
      { ...linkOf("issuer", 103, dialect), stan }
    ]
    const started = yield* startBench(links, disk)
    const [a, b] = [started.dial(0), started.dial(1)]
    yield* started.commit
    a.say(purchase())
    yield* started.commit
    const [request] = b.heard()
    b.say(answerTo(request!, "0210"))
    for (const code of ["201", "202"])
      a.say({
        mti: "0820",
        header: { destination: "00010000", source: "48020000" },
        fields: { 7: "1127223829", 11: "000801", 41: "T0000001", 15: "1128", 70: code, 100: "00010000" }
      })
    yield* started.commit
    a.heard()
    return { ...started, a, b, stan: request!.fields[11] }
  })

/** The STAN that a reversal names its original by. */
const named = ({ fields }: Message) => (fields[90] === undefined ? fields[11] : String(fields[90]).slice(4, 10))

describe("A reversal behind the cut-over, where STANs begin anew,", () => {
  for (const [way, dialect, reversalOf] of ways) {
    it.effect(`does not hit what had its number yesterday and another card or amount; named ${way}`, () =>
      Effect.gen(function* () {
        for (const other of [{ 2: "6200000000000013" }, { 4: "000000045600" }]) {
          const { a, b, commit } = yield* yesterday(dialect, "own")
          a.say(reversalOf(other))
          yield* commit
          const told = codes(a.heard())
          // What never came must not come behind it.
          a.say(purchase(other))
          yield* commit

          expect([told, codes(a.heard()), b.heard()]).toEqual([["00"], ["98"], []])
        }
      })
    )

    for (const stan of ["callers", "own"] as const)
      it.effect(`takes back what was bought before it, when it says the same of it; named ${way}, STANs ${stan}`, () =>
        Effect.gen(function* () {
          const { a, b, commit, stan: there } = yield* yesterday(dialect, stan)
          a.say(reversalOf({}))
          yield* commit

          expect(codes(a.heard())).toEqual(["00"])
          expect(b.heard().map(named)).toEqual([there])
        })
      )
  }
})
