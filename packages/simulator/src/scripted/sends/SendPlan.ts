/** Transactions that a partner sends by itself: how many, which, on which cards. Plain values; times in milliseconds. */
import type { Mix } from "../../acquirer/Workload.ts"

/** What a partner sends besides what it answers. */
export interface SendPlan {
  /** Transactions a second, from the moment its link is ready. */
  readonly rate: number
  readonly mix: Mix
  /** Minor units. */
  readonly amountFrom: number
  readonly amountTo: number
  readonly cards: ReadonlyArray<string>
  readonly terminals: number
  /** How long, and how many at most; `Infinity`: no bound. */
  readonly durationMs: number
  readonly count: number
  /** Until a request is given up, and reversed where it can be. */
  readonly timeoutMs: number
  /** Between two sendings of a reversal or advice. */
  readonly repeatMs: number
  /** The PIN of its PIN blocks; `undefined`: none are sent. */
  readonly pin: string | undefined
  /** Values by data element besides those that it makes. */
  readonly fields: Readonly<Record<string, string>>
}
