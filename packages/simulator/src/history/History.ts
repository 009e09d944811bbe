/**
 * The history that each partner keeps of its own side: one JSON object a line, appended, never changed.
 *
 * Owns the line's form and reading it back. Does not write files (HistoryFile) and judges nothing (checker). A line
 * never holds a card number in clear, a track or a PIN block.
 */
import { Schema } from "effect"
import { eachLine } from "../file/Lines.ts"

const Optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(schema)

/**
 * What happened. Acquirer: `sent` opens a request, `approved` .. `linkLost` end it (exactly one), `reversal` and
 * `advice` are attempts, `acknowledged` .. `unacknowledged` end those. Issuer: `received` with the `rule` of the ledger
 * and what became of the answer.
 */
export const What = Schema.Literals([
  "sent",
  "approved",
  "declined",
  "failed",
  "rejected",
  "notSent",
  "timedOut",
  "linkLost",
  "reversal",
  "advice",
  "acknowledged",
  "refused",
  "unacknowledged",
  "late",
  "duplicateAnswer",
  "unmatched",
  "mismatch",
  "received",
  "doubled",
  "answered",
  "answerLost",
  "linkUp",
  "linkDown",
  "signedOn",
  "signedOff",
  "cutOver",
  "totals",
  "echo",
  "key"
])
export type What = typeof What.Type

/**
 * One line. `op` is the Jepsen kind: `invoke` begins, `ok` happened, `fail` did certainly not happen, `info` may have
 * happened or is only an observation.
 */
export const HistoryLine = Schema.Struct({
  /** Milliseconds since 1970, the partner's own clock. */
  at: Schema.Finite,
  op: Schema.Literals(["invoke", "ok", "fail", "info"]),
  what: What,
  /** Number of the connection, 0 when there was none. */
  epoch: Schema.Finite,
  kind: Optional(Schema.String),
  mti: Optional(Schema.String),
  /** DE 11, 7, 32, 33 as in DE 90. */
  key: Optional(Schema.String),
  /** DE 37. */
  rrn: Optional(Schema.String),
  /** Minor units, as in DE 4. */
  amount: Optional(Schema.Finite),
  /** Of a partial approval: what it approves of the amount, in minor units. */
  approved: Optional(Schema.Finite),
  /** Of a reversal of a part: what remains of the amount, in minor units. */
  remains: Optional(Schema.Finite),
  /** DE 39. */
  code: Optional(Schema.String),
  /** DE 15 of the answer, the business day in which this side counts the exchange: MMDD, or longer in later editions. */
  day: Optional(Schema.String),
  /** Masked. */
  pan: Optional(Schema.String),
  /** Key that DE 90 points to. */
  original: Optional(Schema.String),
  /** 1 for the first sending of an advice or reversal. */
  attempt: Optional(Schema.Finite),
  /** Issuer: which rule of the ledger decided. */
  rule: Optional(Schema.String),
  /** Issuer: sent, delayed, dropped (processed, never answered) or ignored (never processed). */
  answer: Optional(Schema.Literals(["sent", "delayed", "dropped", "ignored"])),
  /** Why a link fell, an answer does not fit, a message was not sent. */
  reason: Optional(Schema.String)
})
export type HistoryLine = typeof HistoryLine.Type

/** Where a partner puts its lines. */
export interface History {
  readonly append: (line: HistoryLine) => void
}

const decodeLine = Schema.decodeUnknownSync(Schema.fromJsonString(HistoryLine))

/** Lines of a history file's text. Throws `LineInvalid` for the first line that is not one. */
export const parseHistory = (text: string): ReadonlyArray<HistoryLine> => eachLine(text, (line) => decodeLine(line))

/** A history in memory, for tests and short runs. */
export const memoryHistory = (): History & { readonly lines: Array<HistoryLine> } => {
  const lines: Array<HistoryLine> = []
  return { lines, append: (line) => lines.push(line) }
}
