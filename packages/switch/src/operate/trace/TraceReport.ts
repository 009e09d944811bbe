/**
 * The life of a transaction as the journal has it, in a form that travels: the control socket and `--json` print it.
 */
import { Schema } from "effect"

/** One part of a message, card data covered. */
export const TraceField = Schema.Struct({
  /** `mti`, a header part, or the data element's number. */
  id: Schema.String,
  name: Schema.String,
  value: Schema.String,
  /** What the value means, where the dialect knows. */
  meaning: Schema.String
})
export type TraceField = typeof TraceField.Type

/** One journal entry. */
export const TraceEntry = Schema.Struct({
  seq: Schema.Number,
  /** ISO 8601, UTC. */
  at: Schema.String,
  /** Milliseconds since the exchange was opened. */
  sinceMs: Schema.Number,
  kind: Schema.String,
  link: Schema.String,
  epoch: Schema.Number,
  code: Schema.String,
  /** The entry in a sentence. */
  says: Schema.String,
  /** The message; empty when the entry has none. */
  fields: Schema.Array(TraceField),
  /** Why the message could not be read to its end; null when it could. */
  unreadable: Schema.NullOr(Schema.String)
})
export type TraceEntry = typeof TraceEntry.Type

/** A message on both sides of the switch, card data covered. */
export const Changed = Schema.Struct({
  what: Schema.Literals(["request", "answer", "reversal"]),
  /** Links by name. */
  from: Schema.String,
  to: Schema.String,
  /** Bytes in hexadecimal; "": they cannot be made again. */
  before: Schema.String,
  after: Schema.String,
  /** Each change with its reason; "" where a side does not have the field. */
  fields: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      name: Schema.String,
      before: Schema.String,
      after: Schema.String,
      why: Schema.String
    })
  ),
  /** Why there is nothing to show; "": there is. */
  note: Schema.String
})
export type Changed = typeof Changed.Type

/** An exchange, and the deliveries that it caused: its reversal with every attempt. */
export const TraceExchange = Schema.Struct({
  exchange: Schema.Number,
  entries: Schema.Array(TraceEntry),
  /** An approval that came too late: whether it was taken back. Null: none came. */
  late: Schema.NullOr(Schema.Struct({ isEven: Schema.Boolean, says: Schema.String })),
  deliveries: Schema.Array(Schema.Struct({ exchange: Schema.Number, entries: Schema.Array(TraceEntry) })),
  /** Both sides of its messages, where that was asked for. */
  changes: Schema.optionalKey(Schema.Array(Changed))
})
export type TraceExchange = typeof TraceExchange.Type

/** All exchanges that fit, newest first. */
export const TraceReport = Schema.Struct({
  exchanges: Schema.Array(TraceExchange),
  /** Exchanges that fit and are not among these. */
  more: Schema.Number
})
export type TraceReport = typeof TraceReport.Type
