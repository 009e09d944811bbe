/** All dialogues of a folder, one after the other against one system: they share its addresses. */
import { Effect, Random } from "effect"
import type { Dialogue } from "./Dialogue.ts"
import { type Outcome, type RunOptions, runDialogue } from "./Runner.ts"

/** Numbers that one dialogue may use up before the next one's begin. */
const NUMBERS_EACH = 100

/** Places where the numbers of a run may begin; STANs have six digits. */
const PLACES = 9000

/**
 * Runs dialogues in order; `onOutcome` is called after each. Numbers for `{stan}` begin at a place drawn by chance: two runs in
 * one second would else send the same STAN and time, and the second would be a repeat of the first.
 */
export const runDialogues = (
  dialogues: ReadonlyArray<Dialogue>,
  options: Omit<RunOptions, "numbersFrom">,
  onOutcome: (outcome: Outcome) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<ReadonlyArray<Outcome>> =>
  Effect.gen(function* () {
    const first = yield* Random.nextIntBetween(0, PLACES)
    return yield* Effect.forEach(dialogues, (dialogue, place) =>
      runDialogue(dialogue, {
        ...options,
        numbersFrom: (first + place) * NUMBERS_EACH + 1
      }).pipe(Effect.tap(onOutcome))
    )
  })
