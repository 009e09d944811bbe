/**
 * An acquirer that runs: its program, its links, its history file.
 *
 * Owns starting and the orderly end: no new requests, what is under way ends, reversals are acknowledged (up to a
 * limit), sign-off, links closed, history flushed.
 */
import { Clock, Effect, Latch, type Scope } from "effect"
import { chanceOf } from "../chance/Chance.ts"
import type { HistoryLine } from "../history/History.ts"
import { makeLineFile, noLineFile } from "../history/LineFile.ts"
import { type LinkSettings, makePartnerLink, type PartnerLink } from "../link/PartnerLink.ts"
import { timepieceOf, withTick } from "../partner/Session.ts"
import type { FileFailed, ListenFailed } from "../SimulatorError.ts"
import { Acquirer, type AcquirerSettings } from "./Acquirer.ts"
import type { AcquirerTotals } from "./AcquirerTotals.ts"

/** Settings of a run. Times in milliseconds. */
export interface AcquirerRun {
  readonly acquirer: AcquirerSettings
  readonly link: LinkSettings
  /** Path of the history; undefined: none is kept. */
  readonly history: string | undefined
  /** How long the end may take until reversals are given up as unacknowledged. */
  readonly drainLimit: number
  /** Sees every line of the history as it is written. */
  readonly onLine?: (line: HistoryLine) => void
}

/** An acquirer at work. */
export interface RunningAcquirer {
  readonly link: PartnerLink
  readonly totals: () => AcquirerTotals
  /** No new requests; everything else goes on. */
  readonly stopLoad: () => void
  /** Ends when the load is over (its duration, its count, or stopLoad). */
  readonly loaded: Effect.Effect<void>
  /** The orderly end; gives the final totals. */
  readonly finish: Effect.Effect<AcquirerTotals>
}

/** How often a wait looks again, and how long the partner has to confirm a sign-off; milliseconds. */
const LOOK = 5
const SIGN_OFF_LIMIT = 1_000

/** Waits until the condition holds, at most so many milliseconds. */
const until = (condition: () => boolean, limit: number): Effect.Effect<void> =>
  Effect.sleep(LOOK).pipe(Effect.repeat({ until: condition }), Effect.timeoutOption(limit), Effect.asVoid)

/** Starts an acquirer; it lives as long as the scope. */
export const startAcquirer = (
  run: AcquirerRun
): Effect.Effect<RunningAcquirer, FileFailed | ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const time = timepieceOf(yield* Clock.Clock)
    const file = run.history === undefined ? noLineFile : yield* makeLineFile(run.history)
    const append = (line: HistoryLine): void => {
      file.append(line)
      run.onLine?.(line)
    }
    const acquirer = new Acquirer(run.acquirer, { append }, time)
    const { seed } = run.acquirer.workload
    const loaded = Latch.makeUnsafe(false)
    const ticked = withTick(acquirer, () => {
      file.tick()
      if (!acquirer.isLoading) loaded.openUnsafe()
    })
    const stopLoad = (): void => {
      acquirer.stopLoad()
      loaded.openUnsafe()
    }
    const link = yield* makePartnerLink(run.link, ticked, chanceOf(seed, "redial"))
    const finish = Effect.gen(function* () {
      stopLoad()
      yield* until(() => acquirer.isDrained, run.drainLimit)
      acquirer.finish()
      yield* until(() => acquirer.isSignedOff, SIGN_OFF_LIMIT)
      yield* link.close
      file.flush()
      return acquirer.totals()
    })
    return {
      link,
      totals: () => acquirer.totals(),
      stopLoad,
      loaded: loaded.await,
      finish
    }
  })
