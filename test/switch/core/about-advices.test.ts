import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { answerTo, type LinkAll, makeDisk, purchase } from "./Bench.ts"
import { bench } from "./Pair.ts"

const stan = (n: number) => String(n).padStart(6, "0")
const about = (mti: string, n: number) => `${mti}${stan(n)}1122223829${"00048020000".repeat(2)}`
const authorization = purchase({ 3: "030000", 25: "06" }, "0100")
const completion = purchase({ 11: stan(2), 25: "06", 90: about("0100", 1) }, "0220")
const reversal = purchase({ 11: stan(3), 25: "06", 90: about("0220", 2) }, "0420")

const told = (messages: ReadonlyArray<Message>) => messages.map(({ mti, fields }) => `${mti} ${fields[25]}`)

/** An authorization that was approved. */
const approved = (issuer: Partial<LinkAll>, disk = makeDisk()) =>
  Effect.gen(function* () {
    const started = yield* bench({ issuer }, disk)
    const { a, b, commit } = started
    a.say(authorization)
    yield* commit
    b.say(...b.heard().map((seen) => answerTo(seen, "0110")))
    yield* commit
    a.heard()
    return started
  })

describe("The reversal of a completion, which is about an authorization", () => {
  for (const stan of ["callers", "own"] as const)
    it.effect(`does not overtake the completion that waits, nor its repeat, nor behind a restart: STANs ${stan}`, () =>
      Effect.gen(function* () {
        const disk = makeDisk()
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { a, b, commit } = yield* approved({ stan }, disk)
            a.say(completion)
            yield* commit
            const [seen] = b.heard()
            a.say(reversal)
            yield* commit

            expect(told([seen!])).toEqual(["0220 06"])
            expect(told(b.heard())).toEqual([])

            // It has not taken it yet.
            b.say(answerTo(seen!, "0230", { 39: "96" }))
            yield* commit

            expect(told(b.heard())).toEqual([])

            yield* TestClock.adjust(1020)
            yield* commit

            expect(told(b.heard())).toEqual(["0221 06"])
          })
        )
        const { b, commit } = yield* bench({ issuer: { stan } }, disk)
        const [again, ...more] = b.heard()

        expect([again!.mti, more]).toEqual(["0221", []])

        b.say(answerTo(again!, "0231"))
        yield* commit

        expect(told(b.heard())).toEqual([])

        b.say(answerTo(again!, "0230"))
        yield* commit

        expect(told(b.heard())).toEqual(["0420 06"])
      })
    )
})
