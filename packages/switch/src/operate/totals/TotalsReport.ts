/** The totals of business days as a running switch and a journal tell them, as JSON with a schema. */
import { Schema } from "effect"

const isDate = (text: string): boolean =>
  !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().slice(0, 10) === text

/** A business date as totals are asked for: `2026-11-28`, a day that there is. */
export const BusinessDate = Schema.String.check(
  Schema.isPattern(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/),
  Schema.makeFilter(isDate, { message: "a date that there is" })
)

/** How many, and how much in minor units of the currency. */
const Sum = Schema.Struct({ count: Schema.Number, amount: Schema.Number })
/** See the schema. */
export type Sum = { -readonly [Key in keyof typeof Sum.Type]: number }

/** One type of transaction of one link on one business day. */
const TotalsRow = Schema.Struct({
  /** `2026-11-28`; empty where neither an answer nor the link's day says one. */
  date: Schema.String,
  link: Schema.String,
  /** Whether the link's partner sent them, or got them. */
  side: Schema.Literals(["from", "to"]),
  /** The message type of the first message: 0100, 0200, 0220. */
  mti: Schema.String,
  /** First two digits of the processing code, and their name in the link's dialect. */
  type: Schema.String,
  name: Schema.String,
  /** As in the messages; empty where they name none. */
  currency: Schema.String,
  /** How many digits of its amounts are behind the point: 2, also where the currency is not known. */
  decimals: Schema.Number,
  /** Approved, with what was approved in part; what was taken back later is among them. */
  approved: Sum,
  /** Of the approved: reversed, and the reversal acknowledged. */
  reversed: Sum,
  declined: Sum,
  /** Nobody knows the outcome, and no reversal has been acknowledged. */
  unknown: Sum,
  /** Nobody knew the outcome, and the reversal was acknowledged. */
  undone: Sum,
  /** Not ended yet. */
  open: Sum
})
/** See the schema. */
export type TotalsRow = typeof TotalsRow.Type

/** The totals of business days, as `jinka totals --json` prints them; amounts in minor units. */
export const TotalsReport = Schema.Struct({
  /** What the journal says last of each link's business day. `state`: open, closing. */
  days: Schema.Array(
    Schema.Struct({ link: Schema.String, date: Schema.String, next: Schema.String, state: Schema.String })
  ),
  /** `isClosed`: the business day of the link is a later one, and nothing of this date is open or unknown any more. */
  dates: Schema.Array(Schema.Struct({ link: Schema.String, date: Schema.String, isClosed: Schema.Boolean })),
  rows: Schema.Array(TotalsRow)
})
/** See the schema. */
export type TotalsReport = typeof TotalsReport.Type
