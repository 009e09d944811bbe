/**
 * What operators' programs may ask of a running switch, as a contract: the routes, what they take, what they answer and how they
 * refuse. `/openapi.json` of the administrative listener is made from it. `Answers` fills it.
 */
import { Context, Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"
import { dayActs } from "../../exchange/day/BusinessDay.ts"
import { acts } from "../../Operations.ts"
import { pendingActs } from "../../Pending.ts"
import { AlarmsReport, SilenceRequest, UnsilenceRequest } from "../alarm/Alarms.ts"
import { alarmKinds } from "../alarm/Conditions.ts"
import { DayMovedReport, DayRequest } from "../control/DayReport.ts"
import { AskedKeyReport, AskKeyRequest, KeysReport, RetiredKeyReport, RetireKeyRequest } from "../control/KeyReport.ts"
import { ClosedReport, CloseRequest, PendingQuery, PendingReport } from "../control/PendingReport.ts"
import { DrainReport, OperatedReport, ReloadReport, StatusReport } from "../control/Report.ts"
import { BusinessDate, TotalsReport } from "../totals/TotalsReport.ts"
import { TraceReport } from "../trace/TraceReport.ts"
import { WhyReport } from "../trace/WhyReport.ts"
import { AuditReport } from "./Audit.ts"
import type { User } from "./Users.ts"

/** Who asks is none of the configuration's users. */
export class Unknown extends Schema.TaggedError<Unknown>()(
  "Unknown",
  { error: Schema.String },
  { httpApiStatus: 401 }
) {}

/** His role is not enough. */
export class Forbidden extends Schema.TaggedError<Forbidden>()(
  "Forbidden",
  { error: Schema.String },
  { httpApiStatus: 403 }
) {}

/** There is no such thing. */
export class NotThere extends Schema.TaggedError<NotThere>()(
  "NotThere",
  { error: Schema.String },
  { httpApiStatus: 404 }
) {}

/** The switch is not in a state for it, or its partner did not answer. */
export class Refused extends Schema.TaggedError<Refused>()(
  "Refused",
  { error: Schema.String },
  { httpApiStatus: 409 }
) {}

/** What was sent is not what the route takes. */
export class Wrong extends Schema.TaggedError<Wrong>()("Wrong", { error: Schema.String }, { httpApiStatus: 400 }) {}

/** The journal cannot be read. */
export class Unreadable extends Schema.TaggedError<Unreadable>()(
  "Unreadable",
  { error: Schema.String },
  { httpApiStatus: 503 }
) {}

/** The user behind the request that is being answered. */
export class Asking extends Context.Service<Asking, User>()("@jinka/switch/operate/admin/Asking") {}

/** Finds out who asks, before anything is answered. */
export class Known extends HttpApiMiddleware.Service<Known, { provides: Asking }>()(
  "@jinka/switch/operate/admin/Known",
  { error: Unknown, security: { token: HttpApiSecurity.bearer } }
) {}

/** Says in our words what is wrong with a request. */
export class Checked extends HttpApiMiddleware.Service<Checked>()("@jinka/switch/operate/admin/Checked", {
  error: Wrong
}) {}

const means = (description: string) => OpenApi.annotations({ description })

/** What a transaction is looked for by; a card number is never in an address. */
const keyFields = {
  stan: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^\d{1,12}$/))),
  rrn: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[ -~]{1,12}$/))),
  pan: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^\d{8,19}$/)))
}

const view = HttpApiGroup.make("view")
  .add(
    HttpApiEndpoint.get("status", "/status", { success: StatusReport, error: Forbidden }).annotateMerge(
      means("The whole switch, as `jinka status --json` prints it. Role view.")
    )
  )
  .add(
    HttpApiEndpoint.get("link", "/links/:name", {
      params: { name: Schema.String },
      success: StatusReport,
      error: [Forbidden, NotThere]
    }).annotateMerge(means("One link, in a status whose `links` has this one alone. Role view."))
  )
  .add(
    HttpApiEndpoint.get("pending", "/pending", {
      query: PendingQuery.fields,
      success: PendingReport,
      error: [Forbidden, NotThere]
    }).annotateMerge(
      means(
        "Reversals and advices that wait, and what is in doubt: all, or those of a link, of an exchange, in a state, or that are older than so many milliseconds. At most 1000 of each sort; the sums are of the link, or of all. Role view."
      )
    )
  )
  .add(
    HttpApiEndpoint.get("totals", "/totals", {
      query: { date: Schema.optionalKey(BusinessDate) },
      success: TotalsReport,
      error: [Forbidden, Unreadable]
    }).annotateMerge(
      means(
        "The totals of one business day (`date`), or of all that the journal holds, as `jinka totals` shows them. Role view."
      )
    )
  )
  .add(
    HttpApiEndpoint.get("alarms", "/alarms", { success: AlarmsReport, error: Forbidden }).annotateMerge(
      means("What is wrong now, by the rules of the configuration's `alarms`, and since when. Role view.")
    )
  )
  .add(
    HttpApiEndpoint.get("audit", "/audit/:before", {
      params: { before: Schema.NumberFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0)) },
      success: AuditReport,
      error: [Forbidden, Unreadable]
    }).annotateMerge(
      means(
        "Who did what and why, from the journal's entries before `before` (0: all of them), newest first, a stretch at a time. Role view."
      )
    )
  )
  .add(
    HttpApiEndpoint.post("trace", "/trace", {
      payload: Schema.Struct({ ...keyFields, diff: Schema.optionalKey(Schema.Boolean) }).check(
        Schema.makeFilter(({ pan, rrn, stan }) => (pan ?? rrn ?? stan) !== undefined)
      ),
      success: TraceReport,
      error: [Forbidden, Unreadable]
    }).annotateMerge(
      means(
        "The life of transactions, card data covered; `diff`: with both sides of each message and every change with its reason. Noted in the journal with who looked. Role view."
      )
    )
  )
  .add(
    HttpApiEndpoint.post("why", "/why", {
      payload: Schema.Struct(keyFields),
      success: WhyReport,
      error: [Forbidden, Unreadable]
    }).annotateMerge(
      means(
        "Why answers matched no open request, and which request is nearest; without a key the last ten. Noted in the journal with who looked. Role view."
      )
    )
  )

const operate = HttpApiGroup.make("operate")
  .add(
    HttpApiEndpoint.post("silence", "/alarms/:kind/silence", {
      params: { kind: Schema.Literals(alarmKinds) },
      payload: SilenceRequest,
      success: AlarmsReport,
      error: [Forbidden, NotThere, Refused]
    }).annotateMerge(
      means(
        "Silences an alarm for some minutes, of one link or of all; when it lasts longer, it is reported then. Role operate."
      )
    )
  )
  .add(
    HttpApiEndpoint.post("unsilence", "/alarms/:kind/unsilence", {
      params: { kind: Schema.Literals(alarmKinds) },
      payload: UnsilenceRequest,
      success: AlarmsReport,
      error: [Forbidden, Refused]
    }).annotateMerge(means("Ends the silence of an alarm. Role operate."))
  )
  .add(
    HttpApiEndpoint.post("act", "/links/:name/:act", {
      params: { name: Schema.String, act: Schema.Literals(acts) },
      payload: CloseRequest,
      success: OperatedReport,
      error: [Forbidden, NotThere, Refused]
    }).annotateMerge(means(`Does something to one link: ${acts.join(", ")}. Role operate.`))
  )
  .add(
    HttpApiEndpoint.post("moveDay", "/days/:name/:act", {
      params: { name: Schema.String, act: Schema.Literals(dayActs) },
      payload: DayRequest,
      success: DayMovedReport,
      error: [Forbidden, NotThere, Refused]
    }).annotateMerge(
      means(
        "cut-over moves a partner's business day forward when its own messages did not come; correct mends a wrong date. Role operate."
      )
    )
  )
  .add(
    HttpApiEndpoint.post("settle", "/pending/:exchange/:act", {
      params: {
        exchange: Schema.NumberFromString.check(Schema.isInt(), Schema.isGreaterThan(0)),
        act: Schema.Literals(pendingActs)
      },
      payload: CloseRequest,
      success: ClosedReport,
      error: [Forbidden, Refused]
    }).annotateMerge(
      means(
        "close ends what is in doubt; hold keeps a message back, release lets it go, retry makes its next attempt now. Role operate."
      )
    )
  )
  .add(
    HttpApiEndpoint.post("reload", "/reload", {
      payload: Schema.Struct({ dryRun: Schema.Boolean, reason: CloseRequest.fields.reason }),
      success: ReloadReport,
      error: [Forbidden, Refused]
    }).annotateMerge(means("Reads the configuration again, or says what that would change. Role operate."))
  )
  .add(
    HttpApiEndpoint.post("drain", "/drain", {
      payload: CloseRequest,
      success: DrainReport,
      error: Forbidden
    }).annotateMerge(means("Stops the switch in order; answers when nothing is open any more. Role operate."))
  )

const keys = HttpApiGroup.make("keys")
  .add(
    HttpApiEndpoint.get("keys", "/keys", { success: KeysReport, error: Forbidden }).annotateMerge(
      means(
        "The keys of all links by their check values: in use, still good, given and not yet acknowledged. Role view."
      )
    )
  )
  .add(
    HttpApiEndpoint.post("askKey", "/keys/:name/ask", {
      params: { name: Schema.String },
      payload: Schema.Struct({ purpose: AskKeyRequest.fields.purpose, reason: CloseRequest.fields.reason }),
      success: AskedKeyReport,
      error: [Forbidden, NotThere, Refused]
    }).annotateMerge(
      means("Asks a partner for new keys, or gives it some; answers when they are in use, or none comes. Role keys.")
    )
  )
  .add(
    HttpApiEndpoint.post("retireKey", "/keys/:name/retire", {
      params: { name: Schema.String },
      payload: RetireKeyRequest,
      success: RetiredKeyReport,
      error: [Forbidden, NotThere, Refused]
    }).annotateMerge(
      means("Destroys the keys of a slot. Components of keys are brought over the control socket only. Role keys.")
    )
  )

/** The contract. Every act takes a reason, which is in the journal with the user. */
export const api = HttpApi.make("jinka")
  .add(view, operate, keys)
  .prefix("/api")
  .middleware(Checked)
  .middleware(Known)
  // A word that is not known is a mistake, and perhaps one that would silence every link.
  .annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error" })
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error" })
  .annotateMerge(
    OpenApi.annotations({
      title: "Jinka, administration",
      version: "1",
      description:
        "What operators and their programs may look at and do while a switch runs. Every act takes a reason and is in the journal with its user. More than a hundred calls a second, or ten about the journal, are answered 429."
    })
  )
