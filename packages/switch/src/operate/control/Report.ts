/**
 * What a running switch tells over its control socket, as JSON with a schema: both ends read it.
 */
import { Schema } from "effect"

/** Time as an ISO 8601 text in UTC; null: never. */
const When = Schema.NullOr(Schema.String)

/** One link as an operator sees it. */
export const LinkReport = Schema.Struct({
  name: Schema.String,
  institution: Schema.String,
  /** One word or two: ready, down, signing on, suspect, draining ... */
  state: Schema.String,
  /** Requests may be sent on it now. */
  ready: Schema.Boolean,
  /** Counts connections. */
  epoch: Schema.Number,
  local: Schema.String,
  remote: Schema.String,
  /** Since when it is connected, or not. */
  since: When,
  lastReceived: When,
  lastSent: When,
  /** Attempts to connect in a row that failed, and when the next is made. */
  attempts: Schema.Number,
  nextAttempt: When,
  /** Bytes that the partner has not taken. */
  unsent: Schema.Number,
  outstanding: Schema.Number,
  /** Store-and-forward messages that have not ended. */
  stored: Schema.Number,
  /** Why the last connection ended, and what to look at. */
  lastEnd: Schema.NullOr(Schema.Struct({ at: When, reason: Schema.String, why: Schema.String, advice: Schema.String }))
})
export type LinkReport = typeof LinkReport.Type

/** The whole switch. */
export const StatusReport = Schema.Struct({
  name: Schema.String,
  pid: Schema.Number,
  startedAt: Schema.String,
  /** When this was said. */
  at: Schema.String,
  links: Schema.Array(LinkReport),
  /** Journal entries by kind since the journal began. */
  entries: Schema.Record(Schema.String, Schema.Number),
  /** Answers by response code since the start. */
  answers: Schema.Record(Schema.String, Schema.Number),
  /** What is not on disk yet. */
  unwritten: Schema.Struct({ entries: Schema.Number, bytes: Schema.Number })
})
export type StatusReport = typeof StatusReport.Type

/** A request that had not ended when the switch stopped. */
export const UnfinishedReport = Schema.Struct({
  exchange: Schema.Number,
  link: Schema.String,
  /** Unknown: it may have reached the partner, and is reversed at the next start if it is money. */
  outcome: Schema.Literals(["Unknown", "NotSent"])
})

/** The end of a drain. */
export const DrainReport = Schema.Struct({ unfinished: Schema.Array(UnfinishedReport) })
export type DrainReport = typeof DrainReport.Type

/** Why a question was not answered. */
export const Refused = Schema.Struct({ error: Schema.String })
