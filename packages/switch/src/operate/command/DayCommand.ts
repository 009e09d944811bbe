/** `jinka day ...`: the business days of partners: look, cut over by hand, put a wrong date right. */
import { Console, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import type { DayAct } from "../../exchange/day/BusinessDay.ts"
import { ask } from "../control/ControlCall.ts"
import { DayMovedReport } from "../control/DayReport.ts"
import { StatusReport } from "../control/Report.ts"
import { CommandFailed } from "../Exit.ts"
import { BusinessDate } from "../totals/TotalsReport.ts"
import { asJson, linkOf, noSuchLink, socketOf, whichLink, withoutFile } from "./Asked.ts"

const to = Flag.String("to").pipe(
  Flag.withDescription("The date that is the business day from now on, like 2026-11-29")
)

const reason = Flag.String("reason").pipe(
  Flag.withDescription("Why, for the journal: 1 to 120 ASCII characters, without a run of 8 digits")
)

const show = Command.make("show", { ...whichLink, json: asJson }, (flags) =>
  Effect.gen(function* () {
    const { json, link, ...which } = withoutFile(flags)
    const { links } = yield* ask(yield* socketOf(which), "GET", "/status", StatusReport)
    const names = links.map(({ name }) => name)
    if (Option.isSome(link) && !names.includes(link.value)) return yield* noSuchLink(link.value, names)
    const days = links
      .filter(({ name }) => Option.isNone(link) || name === link.value)
      .map(({ businessDay, name }) => ({ link: name, day: businessDay }))
    yield* Console.log(json ? JSON.stringify({ days }) : days.map(dayText).join("\n"))
  })
).pipe(
  Command.withDescription(
    "Shows the business day of each link of a running switch, or of one: the date, and the one that comes while a cut-over is under way. `jinka totals` sums up what was settled on a day."
  ),
  Command.withShortDescription("Show the business days"),
  Command.withExamples([{ command: "jinka day show switch.yaml", description: "Has everybody cut over?" }])
)

interface Words {
  readonly short: string
  readonly long: string
  readonly example: string
}

const words: Readonly<Record<DayAct, Words>> = {
  "cut-over": {
    short: "Cut a link's business day over by hand",
    long: "Moves a link's business day to a later date, at most ten days ahead, when the partner's cut-over messages did not come; or ends the cut-over that they began. Nothing is sent to the partner, no other link is touched, and no transaction waits: an answer that names its date counts for that date in any case.",
    example:
      'jinka day cut-over switch.yaml centre --to 2026-11-29 --reason "its 202 did not come, they confirm the date"'
  },
  correct: {
    short: "Put a wrong business day right",
    long: "Moves a link's business day to a date at most ten days from today, back as well as forward, and ends a cut-over that was begun: for a date that a slip or a wrong message has set. What was counted for a date stays there.",
    example: 'jinka day correct switch.yaml centre --to 2026-11-28 --reason "cut over a day too early"'
  }
}

const one = (act: DayAct) =>
  Command.make(act, { ...whichLink, to, reason, json: asJson }, (flags) =>
    Effect.gen(function* () {
      const { json, link: named, reason: why, to: date, ...which } = withoutFile(flags)
      const link = yield* linkOf(named)
      if (!Schema.is(BusinessDate)(date))
        return yield* new CommandFailed({ exit: "usage", says: `--to is a date like 2026-11-29; "${date}" is none.` })
      const path = `/days/${encodeURIComponent(link)}/${act}`
      const report = yield* ask(yield* socketOf(which), "POST", path, DayMovedReport, { to: date, reason: why })
      yield* Console.log(json ? JSON.stringify(report) : report.did)
    })
  ).pipe(
    Command.withDescription(
      `${words[act].long} It is safe to repeat, and in the journal with your user name and reason.`
    ),
    Command.withShortDescription(words[act].short),
    Command.withExamples([{ command: words[act].example, description: "The reason is kept" }])
  )

/** `jinka day`. */
export const day = Command.make("day").pipe(
  Command.withDescription(
    "The business days of a running switch's partners. They move by the partners' own messages; here an operator looks at them, and moves one by hand. Exit codes: 0 done (or so already), 1 the date is not allowed, or the link keeps no day, 2 a wrong call, 4 no switch answers."
  ),
  Command.withShortDescription("Business days of partners: show, cut over, correct"),
  Command.withExamples([{ command: "jinka day show switch.yaml", description: "First look" }]),
  Command.withSubcommands([show, one("cut-over"), one("correct")])
)

interface Shown {
  readonly link: string
  readonly day: StatusReport["links"][number]["businessDay"]
}

const dayText = ({ day: kept, link }: Shown): string => {
  if (kept === null) return `${link}  none is kept`
  if (kept.state === "unknown") return `${link}  not known yet: neither a cut-over nor an answer with a date has come`
  return `${link}  ${kept.date === "" ? "unknown date" : kept.date}${kept.next === "" ? "" : `, closing: ${kept.next} comes`}`
}
