/**
 * Long work beside a running switch, in slices: between two of them messages are handled, so that a change of a thousand links
 * keeps no partner waiting, and a start over a hundred thousand open requests no beat of the owner.
 */
import { Clock, Effect } from "effect"

/** How long a slice takes, in nanoseconds: what a message may have to wait for. */
const SLICE_NS = 5_000_000n

const nothing = (): void => undefined

/** Calls `each` for all items in their order, and `between` behind each slice. */
export const inSlices = Effect.fnUntraced(function* <A>(
  items: Iterable<A>,
  each: (item: A, at: number) => void,
  between: () => void = nothing
): Effect.fn.Return<void> {
  const clock = yield* Clock.Clock
  yield* Effect.yieldNow
  let began = clock.monotonicTimeNanosUnsafe()
  let at = 0
  for (const item of items) {
    each(item, at++)
    if (clock.monotonicTimeNanosUnsafe() - began < SLICE_NS) continue
    between()
    yield* Effect.yieldNow
    began = clock.monotonicTimeNanosUnsafe()
  }
})
