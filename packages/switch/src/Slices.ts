/**
 * Long work beside a running switch, in slices: between two of them messages are handled, so that a change of a thousand links
 * keeps no partner waiting.
 */
import { Clock, Effect } from "effect"
import { monotonicMs } from "./transport/Monotonic.ts"

/** How long a slice takes, in milliseconds: what a message may have to wait for. */
const SLICE_MS = 5

/** Calls `each` for all items in their order. */
export const inSlices = Effect.fnUntraced(function* <A>(
  items: ReadonlyArray<A>,
  each: (item: A, at: number) => void
): Effect.fn.Return<void> {
  const clock = yield* Clock.Clock
  yield* Effect.yieldNow
  let began = monotonicMs(clock)
  for (let at = 0; at < items.length; at++) {
    each(items[at]!, at)
    if (monotonicMs(clock) - began < SLICE_MS) continue
    yield* Effect.yieldNow
    began = monotonicMs(clock)
  }
})
