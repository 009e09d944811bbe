/** All dialogues of a folder, one after the other against one system: they share its addresses. */
import { Effect, Random } from "effect"
import type { Dialogue } from "./Dialogue.ts"
import { type Outcome, type RunOptions, runDialogue } from "./Runner.ts"

/** Places where the numbers of a run may begin, so many apart; STANs have six digits. */
const PLACES = 9000
const APART = 100

/**
 * Runs dialogues in order; `onOutcome` is called after each. Numbers for `{stan}` begin at a place drawn by chance: two runs in
 * one second would else send the same STAN and time, and the second would be a repeat of the first. Those of a dialogue begin
 * where the one before has ended, however many that used.
 */
export const runDialogues = (
  dialogues: ReadonlyArray<Dialogue>,
  options: Omit<RunOptions, "numbersFrom">,
  onOutcome: (outcome: Outcome) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<ReadonlyArray<Outcome>> =>
  Effect.gen(function* () {
    const first = yield* Random.nextIntBetween(0, PLACES)
    let numbersFrom = first * APART + 1
    return yield* Effect.forEach(dialogues, (dialogue) =>
      Effect.suspend(() => runDialogue(dialogue, { ...options, numbersFrom })).pipe(
        Effect.tap((outcome) => {
          numbersFrom = outcome.numbersTo
          return onOutcome(outcome)
        })
      )
    )
  })
