/** All dialogues of a folder, one after the other against one system: they share its addresses. */
import { Clock, Effect } from "effect"
import type { Dialogue } from "./Dialogue.ts"
import { type Outcome, type RunOptions, runDialogue } from "./Runner.ts"

/** Numbers that one dialogue may use up before the next one's begin. */
const NUMBERS_EACH = 100

/** Runs dialogues in order; `onOutcome` is called after each. Numbers for `{stan}` begin at another place every second. */
export const runDialogues = (
  dialogues: ReadonlyArray<Dialogue>,
  options: Omit<RunOptions, "numbersFrom">,
  onOutcome: (outcome: Outcome) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<ReadonlyArray<Outcome>> =>
  Effect.gen(function* () {
    const seconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    return yield* Effect.forEach(dialogues, (dialogue, place) =>
      runDialogue(dialogue, {
        ...options,
        numbersFrom: (seconds % 9000) * NUMBERS_EACH + place * NUMBERS_EACH + 1
      }).pipe(Effect.tap(onOutcome))
    )
  })
