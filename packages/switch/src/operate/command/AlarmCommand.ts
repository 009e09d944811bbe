/** `jinka alarm`: what is wrong with a running switch, and which alarms are told to nobody for a while. */
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { AlarmsReport } from "../alarm/Alarms.ts"
import { alarmKinds } from "../alarm/Conditions.ts"
import { daysMs, durationMs } from "../configuration/text/Units.ts"
import { ask } from "../control/ControlCall.ts"
import { CommandFailed } from "../Exit.ts"
import { asJson, socketOf, whichSwitch } from "./Asked.ts"

const which = {
  ...whichSwitch,
  kind: Flag.Literals("kind", alarmKinds).pipe(Flag.withDescription("Which alarm; docs/operate/symptoms.md has them")),
  link: Flag.String("link").pipe(
    Flag.withDescription("Of this link; left out: of every link, and of the whole switch"),
    Flag.optional
  ),
  reason: Flag.String("reason").pipe(
    Flag.withDescription("Why, for the journal: 1 to 120 ASCII characters, no run of 8 digits")
  ),
  json: asJson
}

const minute = (ms: number): string => new Date(ms).toISOString().replace("T", " ").slice(0, 16)

const reportText = ({ alarms, silences }: AlarmsReport): string =>
  [
    ...alarms.map(
      ({ kind, link, says, silenced, since }) =>
        `${silenced ? " " : "!"} ${kind}${link === "" ? "" : ` of ${link}`} since ${minute(since)}: ${says}${silenced ? " (silenced)" : ""}`
    ),
    ...silences.map(
      ({ kind, link, reason, until, user }) =>
        `  ${kind}${link === "" ? "" : ` of ${link}`} is silenced until ${minute(until)} by ${user}: ${reason}`
    ),
    `${alarms.length} ${alarms.length === 1 ? "alarm" : "alarms"}, ${silences.length} silenced`
  ].join("\n")

const show = (report: AlarmsReport, json: boolean) => Console.log(json ? JSON.stringify(report) : reportText(report))

const list = Command.make("list", { ...whichSwitch, json: asJson }, ({ json, ...of }) =>
  Effect.gen(function* () {
    yield* show(yield* ask(yield* socketOf(of), "GET", "/alarms", AlarmsReport), json)
  })
).pipe(
  Command.withDescription("Lists what is wrong now, since when, and what a person has silenced."),
  Command.withShortDescription("What is wrong now"),
  Command.withExamples([{ command: "jinka alarm list switch.yaml", description: "First look" }])
)

/** The longest silence: who wants more changes the configuration. */
const WEEK_MS = 7 * 86_400_000

const silence = Command.make(
  "silence",
  {
    ...which,
    for: Flag.String("for").pipe(
      Flag.withDescription(
        "For how long, such as `2 hours`: or `3 days`: at most a week; after that it is reported again"
      )
    )
  },
  ({ for: duration, json, kind, link, reason, ...of }) =>
    Effect.gen(function* () {
      const ms = durationMs(duration) ?? daysMs(duration)
      if (ms === undefined || ms < 60_000 || ms > WEEK_MS) {
        const says = `--for ${duration}: a duration is written such as "30 minutes", "2 hours" or "3 days", from a minute to a week.`
        return yield* new CommandFailed({ exit: "usage", says })
      }
      const request = { minutes: Math.ceil(ms / 60_000), reason, ...(Option.isSome(link) ? { link: link.value } : {}) }
      yield* show(yield* ask(yield* socketOf(of), "POST", `/alarms/${kind}/silence`, AlarmsReport, request), json)
    })
).pipe(
  Command.withDescription(
    "Silences an alarm for a while: log and webhook say nothing of it. Status, metrics and console still show it. When it lasts longer than the silence, it is reported then. A restart of the switch ends the silence. The journal keeps your name and the reason."
  ),
  Command.withShortDescription("Silence an alarm for a while"),
  Command.withExamples([
    {
      command:
        'jinka alarm silence switch.yaml --kind linkDown --link issuer --for "2 hours" --reason "issuer changes its line"',
      description: "Announced work of a partner"
    }
  ])
)

const unsilence = Command.make("unsilence", which, ({ json, kind, link, reason, ...of }) =>
  Effect.gen(function* () {
    const request = { reason, ...(Option.isSome(link) ? { link: link.value } : {}) }
    yield* show(yield* ask(yield* socketOf(of), "POST", `/alarms/${kind}/unsilence`, AlarmsReport, request), json)
  })
).pipe(
  Command.withDescription("Ends the silence of an alarm early."),
  Command.withShortDescription("End the silence of an alarm"),
  Command.withExamples([
    {
      command: 'jinka alarm unsilence switch.yaml --kind linkDown --link issuer --reason "work is done"',
      description: "Earlier than announced"
    }
  ])
)

/** `jinka alarm`. */
export const alarm = Command.make("alarm").pipe(
  Command.withDescription("Shows the alarms of a running switch, and silences one with a reason and an end."),
  Command.withShortDescription("Alarms: what is wrong, and what is silenced"),
  Command.withExamples([{ command: "jinka alarm list switch.yaml", description: "First look" }]),
  Command.withSubcommands([list, silence, unsilence])
)
