/**
 * An issuer that runs: its program, its links, its history and ledger files.
 *
 * Owns starting and the orderly end. The ledger file has one line per posting as it is made, and a last line with the
 * totals (`{"totals": ...}`) at the orderly end.
 */
import { Clock, Effect, type Scope } from "effect"
import { chanceOf } from "../chance/Chance.ts"
import type { HistoryLine } from "../history/History.ts"
import { makeLineFile, noLineFile } from "../history/LineFile.ts"
import { type LinkSettings, makePartnerLink, type PartnerLink } from "../link/PartnerLink.ts"
import { timepieceOf, withTick } from "../partner/Session.ts"
import type { FileFailed, ListenFailed } from "../SimulatorError.ts"
import type { BehaviourSettings } from "./Behaviour.ts"
import { Issuer, type IssuerSettings } from "./Issuer.ts"
import type { IssuerTotals } from "./IssuerTotals.ts"

/** Settings of a run. */
export interface IssuerRun {
  readonly issuer: IssuerSettings
  readonly link: LinkSettings
  /** Path of the history; undefined: none is kept. */
  readonly history: string | undefined
  /** Path of the ledger's postings; undefined: none are kept. */
  readonly ledger: string | undefined
  /** Sees every line of the history as it is written. */
  readonly onLine?: (line: HistoryLine) => void
}

/** An issuer at work. */
export interface RunningIssuer {
  readonly link: PartnerLink
  readonly totals: () => IssuerTotals
  /** Changes the mix from now on. */
  readonly behave: (change: Partial<BehaviourSettings>) => void
  /** The orderly end; gives the final totals. */
  readonly finish: Effect.Effect<IssuerTotals>
}

/** Starts an issuer; it lives as long as the scope. */
export const startIssuer = (run: IssuerRun): Effect.Effect<RunningIssuer, FileFailed | ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const time = timepieceOf(yield* Clock.Clock)
    const history = run.history === undefined ? noLineFile : yield* makeLineFile(run.history)
    const ledger = run.ledger === undefined ? noLineFile : yield* makeLineFile(run.ledger)
    const append = (line: HistoryLine): void => {
      history.append(line)
      run.onLine?.(line)
    }
    const issuer = new Issuer(run.issuer, { append }, time, ledger.append)
    const ticked = withTick(issuer, () => {
      ledger.tick()
      history.tick()
    })
    const link = yield* makePartnerLink(run.link, ticked, chanceOf(run.issuer.behaviour.seed, "redial"))
    const finish = Effect.gen(function* () {
      issuer.finish()
      yield* link.close
      const totals = issuer.totals()
      ledger.append({ totals: totals.ledger })
      ledger.flush()
      history.flush()
      return totals
    })
    return { link, totals: () => issuer.totals(), behave: (change) => issuer.behave(change), finish }
  })
