/** Purchases of the examples with keys, as many as go through while something else happens. */
import { Effect, Fiber } from "effect"

/** What came of a purchase: DE 39, and whether the answer's MAC was right. */
type Result = readonly [code: string, isRight: boolean]

/** Terminals, how many purchases each makes at least, and how long it waits before its next one. */
const TERMINALS = 4
const LEAST = 20
const pause = "40 millis"

/** Four terminals buy for as long as `work` takes, each at least twenty times; gives what came of each purchase. */
export const boughtDuring = Effect.fnUntraced(function* (
  work: Effect.Effect<void>,
  buy: Effect.Effect<Result>
): Effect.fn.Return<ReadonlyArray<Result>> {
  const results: Array<Result> = []
  const working = yield* Effect.forkChild(work)
  const terminal = Effect.gen(function* () {
    for (let bought = 0; bought < LEAST || working.pollUnsafe() === undefined; bought++) {
      results.push(yield* buy)
      yield* Effect.sleep(pause)
    }
  })
  yield* Effect.all(
    Array.from({ length: TERMINALS }, () => terminal),
    { concurrency: "unbounded", discard: true }
  )
  yield* Fiber.join(working)
  return results
})

/** `20 of 00, 1 of 91`; one whose answer had a wrong MAC says so. */
export const codesOf = (results: ReadonlyArray<Result>): string => {
  const codes = new Map<string, number>()
  for (const [code, isRight] of results) {
    const seen = isRight ? code : `${code} with a wrong MAC`
    codes.set(seen, (codes.get(seen) ?? 0) + 1)
  }
  return [...codes].map(([code, count]) => `${count} of ${code}`).join(", ")
}
