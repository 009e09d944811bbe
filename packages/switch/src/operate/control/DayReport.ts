/** What an operator asks about a business day over the control socket, and what comes of it, as JSON with a schema. */
import { Schema } from "effect"
import { dayActs } from "../../exchange/day/BusinessDay.ts"
import { BusinessDate } from "../totals/TotalsReport.ts"
import { CloseRequest } from "./PendingReport.ts"

/** Moves a business day. */
export const DayRequest = Schema.Struct({ to: BusinessDate, reason: CloseRequest.fields.reason })

const Day = Schema.Struct({
  date: Schema.String,
  next: Schema.String,
  state: Schema.Literals(["unknown", "open", "closing"])
})

/** What came of it. */
export const DayMovedReport = Schema.Struct({
  link: Schema.String,
  act: Schema.Literals(dayActs),
  before: Day,
  after: Day,
  did: Schema.String
})
