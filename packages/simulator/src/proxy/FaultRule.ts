/**
 * A fault rule: what is done, to which messages or bytes, how often and when. Plain values; `RuleText` reads them from a line,
 * `FaultRules` carries them out.
 */
import type { Direction } from "../link/FaultProxy.ts"

/** What is done to bytes as long as the rule is in force. */
export type ByteFault =
  | { readonly kind: "latency"; readonly ms: number; readonly jitterMs: number }
  | { readonly kind: "bandwidth"; readonly bytesPerSecond: number }
  | { readonly kind: "slice"; readonly bytes: number }
  | { readonly kind: "corrupt"; readonly every: number }
  | { readonly kind: "hold" }
  | { readonly kind: "black-hole" }
  | { readonly kind: "refuse" }

/** What is done to a connection: at a moment, or when a message comes that the rule is about. */
export type CutFault = { readonly kind: "reset" } | { readonly kind: "close" } | { readonly kind: "half-close" }

/** How what surrounds a changed value is left: right for the new value, or as if nothing had changed. */
export interface Leaving {
  readonly prefix: boolean
  readonly mac: boolean
}

/** What is done to a message. */
export type MessageFault =
  | { readonly kind: "drop" }
  | { readonly kind: "duplicate"; readonly times: number }
  | { readonly kind: "reorder" }
  | { readonly kind: "delay"; readonly ms: number; readonly jitterMs: number }
  /** `by` adds to a number; `wrong` names what is left wrong. */
  | {
      readonly kind: "change"
      readonly de: number
      readonly to: string | undefined
      readonly by: number
      readonly wrong: Leaving
    }
  | { readonly kind: "remove"; readonly de: number; readonly wrong: Leaving }
  /** The length header says another length: so many bytes more, or exactly this. */
  | { readonly kind: "lie"; readonly by: number; readonly to: number | undefined }
  | { readonly kind: "swallow" }

/** Anything that a rule does. */
export type Fault = ByteFault | CutFault | MessageFault

/** How a value of a message is looked at. Numbers compare as numbers where both sides are digits. */
export type Comparison = "=" | "!=" | ">" | ">=" | "<" | "<=" | "begins" | "holds"

/** One condition on a message. `de` 0 is its MTI. */
export type Condition =
  | { readonly de: number; readonly is: Comparison; readonly value: string }
  | { readonly de: number; readonly is: "present" | "absent" }

/** Which of the messages that fit meet the fault. */
export interface Frequency {
  /** Every so manieth; 1: each. */
  readonly every: number
  /** Chance in percent, drawn from the seed. */
  readonly percent: number
  /** How many are left alone first. */
  readonly after: number
  /** How many meet it at most. */
  readonly most: number
}

/** One rule. Times in milliseconds from the proxy's start, or from the moment when the rule was set. */
export interface FaultRule {
  /** As it was written. */
  readonly text: string
  readonly fault: Fault
  readonly direction: Direction
  /** MTIs, x for any digit; none: any message. */
  readonly mtis: ReadonlyArray<string>
  readonly conditions: ReadonlyArray<Condition>
  readonly frequency: Frequency
  /** Of this connection alone, counted from 1; 0: of any. */
  readonly connection: number
  readonly from: number
  readonly until: number
}

const byteKinds: ReadonlySet<Fault["kind"]> = new Set([
  "latency",
  "bandwidth",
  "slice",
  "corrupt",
  "hold",
  "black-hole",
  "refuse"
])
const cutKinds: ReadonlySet<Fault["kind"]> = new Set(["reset", "close", "half-close"])

/** Whether it acts on the bytes of a direction as long as it is in force. */
export const isByteFault = (fault: Fault): fault is ByteFault => byteKinds.has(fault.kind)

/** Whether it ends a connection. */
export const isCutFault = (fault: Fault): fault is CutFault => cutKinds.has(fault.kind)

/** Whether the rule waits for a message; a cut without any choice of messages happens when its time comes. */
export const needsMessages = ({ fault, mtis, conditions, frequency }: FaultRule): boolean => {
  if (isByteFault(fault)) return false
  const { after, every, most, percent } = frequency
  const isChosen = every > 1 || percent < 100 || after > 0 || Number.isFinite(most)
  return !isCutFault(fault) || mtis.length > 0 || conditions.length > 0 || isChosen
}
