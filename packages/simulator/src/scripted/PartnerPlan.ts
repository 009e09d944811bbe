/**
 * A partner as data: who it is, its link, its accounts, and by which rules it answers well or badly. Plain values; `PlanFile`
 * reads them from YAML, `ScriptedPartner` plays them. Durations are milliseconds, amounts minor units.
 */
import type { DialogueKeys } from "../dialogue/Keys.ts"
import type { WireFormat } from "../dialogue/WireFormat.ts"
import type { Mode } from "../link/ModeLink.ts"
import type { KeyConduct, KeyPlan, KeyWish } from "./keys/KeyPlan.ts"
import type { SendPlan } from "./sends/SendPlan.ts"

/** A time to wait, drawn for each answer. */
export type Delay =
  | { readonly _tag: "fixed"; readonly ms: number }
  | { readonly _tag: "uniform"; readonly fromMs: number; readonly toMs: number }
  /** Exponential: most are short, a few are many times the mean. */
  | { readonly _tag: "exponential"; readonly meanMs: number }
  /** Log-normal, by its median and its 99th percentile: the usual shape of a host's answer times. */
  | { readonly _tag: "logNormal"; readonly medianMs: number; readonly p99Ms: number }

/** What a text has to look like: `*` means any characters. */
export interface Pattern {
  readonly text: string
  readonly fits: (value: string) => boolean
}

/** When a rule applies: everything that it says has to hold. Lists are alternatives; what is left out always holds. */
export interface Conditions {
  readonly cards: ReadonlyArray<Pattern> | undefined
  readonly amount: ((minor: number) => boolean) | undefined
  /** MTIs such as 0200 or 02xx, classes and transactions by name (`Facts`). */
  readonly types: ReadonlyArray<string> | undefined
  /** Values by data element. */
  readonly fields: ReadonlyArray<{ readonly de: number; readonly patterns: ReadonlyArray<Pattern> }>
  /** Minutes of the partner's day; `to` before `from` goes over midnight. */
  readonly time: { readonly from: number; readonly to: number } | undefined
  readonly isRepeat: boolean | undefined
  /** Which of the messages that fulfil all the rest, counted from 1. */
  readonly nth: ReadonlyArray<{ readonly from: number; readonly to: number }> | undefined
  readonly every: number | undefined
  /** Percent of them, drawn by the seed. */
  readonly share: number | undefined
}

/**
 * What the answer says. `ledger`: what the accounts allow. `part`: so much of the amount is approved, in percent. `approve`:
 * whatever the account says, with the dialect's own code or another one that approves.
 */
export type Verdict =
  | { readonly _tag: "ledger" }
  | { readonly _tag: "part"; readonly percent: number }
  | { readonly _tag: "approve"; readonly code?: string }
  | { readonly _tag: "decline"; readonly code: string }

/** How a connection is ended by a rule, and whether the answer leaves before. */
export interface Disconnect {
  readonly how: "fin" | "reset"
  readonly isAfterAnswer: boolean
}

/** What becomes of a message: the verdict, and what is done to its answer on the way. */
export interface Conduct {
  readonly verdict: Verdict
  readonly delay: Delay | undefined
  /** Later than the far side waits, by this much. */
  readonly lateMs: number | undefined
  /** `answer`: in the ledger, and never answered. `lost`: as if it had never come. */
  readonly silence: "answer" | "lost" | undefined
  /** A second time, so long after the first. */
  readonly twiceMs: number | undefined
  /** Held until so many other answers have left. */
  readonly heldFor: number | undefined
  /** What is wrong in the answer although all else is right. */
  readonly wrong: ReadonlyArray<"stan" | "amount" | "mac">
  readonly mti: string | undefined
  readonly fields: { readonly [de: string]: string }
  readonly without: ReadonlyArray<number>
  readonly malformed: number | undefined
  readonly disconnect: Disconnect | undefined
  /** How a key is given that the message asks for. */
  readonly key: KeyConduct | undefined
}

/** A rule: the first one whose conditions hold says what becomes of a message. */
export interface PlannedRule {
  readonly when: Conditions
  readonly conduct: Conduct
  /** `partner.yaml:12`, for the history. */
  readonly place: string
  /** All that it says, without its place. */
  readonly text: string
}

/** An account of the ledger. */
export interface AccountPlan {
  readonly balance: number
  /** Most for one transaction, and for one business day. */
  readonly transactionMax: number
  readonly dayMax: number
  readonly dayCount: number
  /** Digits; `undefined`: no PIN is compared. */
  readonly pin: string | undefined
  /** Wrong ones in a row, after which every one is refused. */
  readonly pinTries: number
}

/** Accounts by card number, and what every other card has; `undefined`: no account. */
export interface Accounts {
  readonly cards: ReadonlyMap<string, AccountPlan>
  readonly others: AccountPlan | undefined
}

/** Network management that a partner begins by itself. */
export type OwnAct = "sign-on" | "sign-off" | "echo" | "cut-over" | "cut-over end" | "totals" | "key"

/** Something that a partner says by itself. */
export interface OwnWish {
  readonly act: OwnAct
  /** Which key, and how it is given. */
  readonly key: KeyWish
}

/** When a partner says it by itself: once after a while, again and again, or at a time of the day. */
export interface Scheduled extends OwnWish {
  readonly afterMs: number | undefined
  readonly everyMs: number | undefined
  /** Minutes of the partner's day. */
  readonly atMinute: number | undefined
}

/** The link of a partner. */
export interface LinkPlan {
  readonly mode: Mode
  readonly idleMs: number
  readonly silenceMs: number
  readonly redialMs: number
}

/** One partner, whole. */
export interface PartnerPlan {
  readonly name: string
  readonly form: WireFormat
  /** Our code: source of what we send. */
  readonly institution: string
  /** Code of the far side: destination of what we send. */
  readonly farSide: string
  readonly link: LinkPlan
  readonly signOn: { readonly isSent: boolean; readonly isExpected: boolean; readonly timeoutMs: number }
  /** How long the far side waits for an answer: what `late` counts from. */
  readonly timeoutMs: number
  readonly utcOffsetMs: number
  readonly seed: number
  /** Keys by name, and the one that makes and checks MACs; `undefined`: nobody does. */
  readonly keys: DialogueKeys
  readonly macKey: string | undefined
  /** The key that opens PIN blocks; `undefined`: nobody looks at them. */
  readonly pinKey: string | undefined
  /** How its keys are exchanged; `undefined`: those of the file stay. */
  readonly keyPlan: KeyPlan | undefined
  readonly accounts: Accounts
  readonly rules: ReadonlyArray<PlannedRule>
  readonly schedule: ReadonlyArray<Scheduled>
  /** What it sends by itself; `undefined`: nothing but what its schedule has. */
  readonly sends: SendPlan | undefined
  readonly history: string | undefined
  readonly ledger: string | undefined
  /** All that its file and the files that this one names say of it: another text is another plan. */
  readonly identity: string
}
