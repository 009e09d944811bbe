/** What waits to be delivered, or for a person, as it travels; and what is asked and done about it. */
import { Schema } from "effect"
import { pendingStates } from "../../Pending.ts"
import { Reason } from "./Reason.ts"

/** One message that waits to be delivered, or for a person. */
const PendingMessageReport = Schema.Struct({
  exchange: Schema.Number,
  /** The exchange that it reverses; 0: none in this journal. */
  about: Schema.Number,
  link: Schema.String,
  mti: Schema.String,
  stan: Schema.String,
  /**
   * waiting, under way, resting, held: the switch delivers it; read from the journal, sent stands for under way or resting.
   * abandoned, declined, unreversed: a person has to end it.
   */
  state: Schema.String,
  code: Schema.String,
  /** So far; null: it is in doubt, and nobody counts them any more. */
  attempts: Schema.NullOr(Schema.Number),
  /** Milliseconds since 1970: accepted, or in doubt, since. */
  at: Schema.Number
})

const whole = Schema.FiniteFromString.check(Schema.isInt())

/** Which of them are asked for. */
export const PendingQuery = Schema.Struct({
  link: Schema.optionalKey(Schema.String),
  exchange: Schema.optionalKey(whole.check(Schema.isBetween({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }))),
  state: Schema.optionalKey(Schema.Literals(pendingStates)),
  olderMs: Schema.optionalKey(whole.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })))
})

/** What waits, and how much there is in all. `upTo`: the last entry of the journal that says so; left out: the switch did. */
export const PendingReport = Schema.Struct({
  messages: Schema.Array(PendingMessageReport),
  inDoubt: Schema.Number,
  waiting: Schema.Number,
  upTo: Schema.optionalKey(Schema.Number)
})
export type PendingReport = typeof PendingReport.Type

/** Something that a person has ended. */
export const ClosedReport = Schema.Struct({ closed: PendingMessageReport })
export type ClosedReport = typeof ClosedReport.Type

/** Why a person ends something in doubt. */
export const CloseRequest = Schema.Struct({
  reason: Reason
})
