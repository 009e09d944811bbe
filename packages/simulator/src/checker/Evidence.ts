/**
 * What the checker judges: both partners' histories, the ledger, and the switch's own account in a neutral form.
 *
 * Owns the types. The switch's side is filled in by whoever ran the switch (the main job), from what the switch prints:
 * the checker itself knows nothing of the switch's code or files.
 */
import type { HistoryLine } from "../history/History.ts"
import type { LedgerTotals, Posting } from "../issuer/Ledger.ts"
import type { FaultLine } from "../proxy/FaultHistory.ts"
import type { TrafficLine } from "../traffic/Traffic.ts"

/** What a transaction is in the switch's journal at the end of the run. */
export type JournalEnd = "Answered" | "Rejected" | "TimedOut" | "Acknowledged" | "Abandoned" | "Declined" | "Open"

/** One message that the switch accepted or refused: a request, an advice, a partner's reversal or its own. */
export interface JournalTransaction {
  /** MTI of the first sending: 0200, 0220, 0420. */
  readonly mti: string
  /** `transactionKey` of the message as the acquirer sent it; of an own reversal, its own. */
  readonly key: string
  /** DE 37; "" when unknown. */
  readonly rrn: string
  readonly end: JournalEnd
  /** DE 39 given to the acquirer (requests) or taken from the issuer (store-and-forward); "" when there was none. */
  readonly code: string
  /** The switch itself wrote a reversal for it. */
  readonly reversed: boolean
  /** How that reversal ended; left out: it was acknowledged, or there is none. */
  readonly reversalEnd?: "Acknowledged" | "Abandoned" | "Declined" | "Open" | null
}

/** Counters that the switch shows; those that are given must agree with its journal. */
export interface SwitchCounters {
  readonly answered?: number
  readonly rejected?: number
  readonly timedOut?: number
  readonly acknowledged?: number
  readonly abandoned?: number
  readonly declined?: number
  /** Requests for which the switch wrote a reversal. */
  readonly reversed?: number
}

/** A working key of a partner, by what it is for and its check value. */
export interface KeyInUse {
  /** The partner's history, as it was named. */
  readonly partner: string
  readonly side: "acquirer" | "issuer"
  readonly purpose: string
  readonly checkValue: string
}

/** Everything about one run. Lists of several acquirers or issuers are simply joined. */
export interface Evidence {
  readonly acquirer: ReadonlyArray<HistoryLine>
  readonly issuer: ReadonlyArray<HistoryLine>
  readonly postings: ReadonlyArray<Posting>
  /** At the end of the run; undefined when the issuer could not print it. */
  readonly ledger: LedgerTotals | undefined
  /** Undefined: no journal was given, and the rules about it are not applied. */
  readonly journal: ReadonlyArray<JournalTransaction> | undefined
  readonly counters: SwitchCounters | undefined
  /** The journal's store was away for a time: refusals then may have been lost with the switch before they were written. */
  readonly wasAway?: boolean | undefined
  /** What proxies did between acquirers and the switch, or the system in its place; undefined: none was given. */
  readonly faults?: ReadonlyArray<FaultLine> | undefined
  /** The same between the switch and issuers. */
  readonly issuerFaults?: ReadonlyArray<FaultLine> | undefined
  /** What proxies recorded of the messages that passed. */
  readonly traffic?: ReadonlyArray<TrafficLine> | undefined
  /** Longest time that a request may take at its acquirer, milliseconds; undefined: it is not looked at. */
  readonly withinMs?: number | undefined
  /** Working keys that partners say they have in use, each with who says so. */
  readonly keysInUse?: ReadonlyArray<KeyInUse> | undefined
  /** Files in which card data was sought, and the places where some was found. */
  readonly cardData?: ReadonlyArray<string> | undefined
}
