/**
 * What a running switch tells of its journal over its control socket, and what it is asked to do with it, as JSON with a
 * schema.
 */
import { Schema } from "effect"
import { Reason } from "./Reason.ts"

/** Time as an ISO 8601 text in UTC; null: never. */
export const When = Schema.NullOr(Schema.String)

/** How much the journal holds: bytes, as of the last minute. */
export const RetentionReport = Schema.Struct({
  /** When its oldest entry was written. */
  since: When,
  /** Room of its files; what of that is free for new entries; of the last 24 hours; of what may be dropped. */
  size: Schema.Number,
  free: Schema.Number,
  perDay: Schema.Number,
  droppable: Schema.Number,
  /** `journal.keep` in days; null: everything is kept. */
  keepDays: Schema.NullOr(Schema.Number),
  /** What keeps old days from being dropped, and why they could not be; empty: nothing, and they could. */
  heldBy: Schema.String,
  trouble: Schema.String,
  /** All of it in a sentence. */
  says: Schema.String
})

/** Where a backup goes. */
export const BackupRequest = Schema.Struct({
  directory: Schema.String.check(Schema.isPattern(/^\//)),
  reason: Schema.optionalKey(Reason)
})

/** A backup: the entries that it holds. */
export const BackupReport = Schema.Struct({ entries: Schema.Number })
export type BackupReport = typeof BackupReport.Type

/** What of a journal is archived and dropped: days before `before` (YYYY-MM-DD, UTC). */
export const ArchiveRequest = Schema.Struct({
  directory: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^\//))),
  before: Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\d$/)),
  drop: Schema.Boolean,
  reason: Reason
})

/** What was done: entries, files, and what keeps more from being dropped. */
export const ArchiveReport = Schema.Struct({
  archived: Schema.Number,
  dropped: Schema.Number,
  files: Schema.Array(Schema.String),
  heldBy: Schema.String
})
export type ArchiveReport = typeof ArchiveReport.Type
