/** `jinka pending ...`: what waits to be delivered, and what is in doubt until a person ends it. */
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { type PendingAct, type PendingAsked, pendingStates } from "../../Pending.ts"
import { durationMs } from "../configuration/text/Units.ts"
import { ask } from "../control/ControlCall.ts"
import { ClosedReport, PendingReport } from "../control/PendingReport.ts"
import { CommandFailed, failedBy } from "../Exit.ts"
import { pendingIn } from "../PendingRead.ts"
import { asJson, socketOf, type Which, whichSwitch } from "./Asked.ts"
import { eitherWay } from "./EitherWay.ts"

type Message = PendingReport["messages"][number]

const link = Flag.String("link").pipe(Flag.withDescription("Only what is meant for this link"), Flag.optional)

const inDoubt = Flag.Boolean("in-doubt").pipe(
  Flag.withDescription("Only what a person has to end"),
  Flag.withDefault(false),
  Flag.withoutNegation
)

const exchange = Flag.Int("exchange").pipe(Flag.withDescription("Its number, as the list shows it"))

const reason = Flag.String("reason").pipe(
  Flag.withDescription(
    "What was found and done, for the journal: 1 to 120 ASCII characters, without a run of 8 digits (no card number is in an event)"
  )
)

const older = Flag.String("older").pipe(
  Flag.withDescription('Only what was accepted, or came into doubt, so long ago: a duration such as "10 minutes"'),
  Flag.optional
)

const state = Flag.Literals("state", pendingStates).pipe(
  Flag.withDescription(
    "Only what is in this state. `sent` is for the list read from the journal of a switch that does not run: under way or resting"
  ),
  Flag.optional
)

/** The milliseconds of `--older`. */
const olderThan = (text: Option.Option<string>): Effect.Effect<number | undefined, CommandFailed> => {
  const ms = Option.isNone(text) ? undefined : durationMs(text.value)
  if (Option.isNone(text) || ms !== undefined) return Effect.succeed(ms)
  const says = `--older ${text.value}: a duration is written such as "10 minutes".`
  return Effect.fail(new CommandFailed({ exit: "usage", says }))
}

const query = (asked: PendingAsked): string => {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(asked)) if (value !== undefined) given.set(name, String(value))
  return given.size === 0 ? "" : `?${given}`
}

/** From the switch where it runs on this node, otherwise from its journal. */
const listed = ({ control, file }: Which, asked: PendingAsked) =>
  eitherWay(
    file,
    control,
    (socket) => ask(socket, "GET", `/pending${query(asked)}`, PendingReport),
    ({ dialects, open }) =>
      Effect.scoped(
        Effect.flatMap(open("unused"), (journal) =>
          Effect.map(
            pendingIn(journal, dialects, asked),
            (found): PendingReport => ({
              ...found,
              upTo: journal.recovered.lastSeq
            })
          )
        )
      ).pipe(Effect.mapError(failedBy))
  )

const list = Command.make("list", { ...whichSwitch, link, state, older, inDoubt, json: asJson }, (flags) =>
  Effect.gen(function* () {
    const { json, link: only, inDoubt: isDoubtful, older: age, state: one, ...which } = flags
    const olderMs = yield* olderThan(age)
    const report = yield* listed(which, {
      link: Option.getOrUndefined(only),
      state: Option.getOrUndefined(one),
      olderMs
    })
    const messages = report.messages.filter((one) => !isDoubtful || isInDoubt(one))
    yield* Console.log(json ? JSON.stringify({ ...report, messages }) : listText({ ...report, messages }))
  })
).pipe(
  Command.withDescription(
    "Lists reversals and advices that have not ended: waiting, under way or resting (the switch delivers them), and abandoned, declined or unreversed (in doubt until a person ends them). At most 1000 of each sort; the last line has the sums, of the link or of all. Asks the running switch; when none runs, or another node runs it, reads the journal itself."
  ),
  Command.withShortDescription("List what waits, and what is in doubt"),
  Command.withExamples([
    { command: "jinka pending list switch.yaml", description: "Everything, what is in doubt first" },
    {
      command: 'jinka pending list switch.yaml --link issuer --older "10 minutes"',
      description: "What waits too long for one partner"
    },
    { command: "jinka pending list switch.yaml --state held", description: "What persons hold back" },
    { command: "jinka pending list switch.yaml --in-doubt --json", description: "For a script" }
  ])
)

const show = Command.make("show", { ...whichSwitch, exchange, json: asJson }, ({ exchange: number, json, ...which }) =>
  Effect.gen(function* () {
    if (number < 1) return yield* new CommandFailed({ exit: "usage", says: noExchange })
    const { messages } = yield* listed(which, { exchange: number })
    const [one] = messages
    if (one === undefined) {
      const says = `Exchange ${number} is not pending. \`jinka pending list\` shows what is.`
      return yield* new CommandFailed({ exit: "bad", says })
    }
    yield* Console.log(json ? JSON.stringify(one) : `${lineText(one)}\n${adviceText(one)}`)
  })
).pipe(
  Command.withDescription("Shows one message that waits or is in doubt, and what to do about it."),
  Command.withShortDescription("Show one of them and what to do"),
  Command.withExamples([{ command: "jinka pending show switch.yaml --exchange 4711", description: "One message" }])
)

const close = Command.make("close", { ...whichSwitch, exchange, reason, json: asJson }, (flags) =>
  Effect.gen(function* () {
    const { exchange: number, json, reason: why, ...which } = flags
    const path = `/pending/${number}/close`
    const report = yield* ask(yield* socketOf(which), "POST", path, ClosedReport, { reason: why })
    const text = `ended: ${lineText(report.closed)}\nIt stays in the journal, with your name and the reason.`
    yield* Console.log(json ? JSON.stringify(report) : text)
  })
).pipe(
  Command.withDescription(
    "Ends what is in doubt, once you know what became of the money: the partner told you, it was corrected by hand, or reconciliation showed it. The mark in the status goes away; the journal keeps the message, its end, your user name and the reason. What is still being delivered cannot be ended."
  ),
  Command.withShortDescription("End what is in doubt, with a reason"),
  Command.withExamples([
    {
      command: 'jinka pending close switch.yaml --exchange 4711 --reason "issuer has reversed by hand, case 12"',
      description: "After the partner was asked"
    }
  ])
)

/** What the three acts on a message that is being delivered have in common. */
const acting = (act: PendingAct, done: string) =>
  Command.make(act, { ...whichSwitch, exchange, reason, json: asJson }, (flags) =>
    Effect.gen(function* () {
      const { exchange: number, json, reason: why, ...which } = flags
      const path = `/pending/${number}/${act}`
      const report = yield* ask(yield* socketOf(which), "POST", path, ClosedReport, { reason: why })
      yield* Console.log(json ? JSON.stringify(report) : `${done}: ${lineText(report.closed)}`)
    })
  )

const example = (act: PendingAct, why: string, description: string) =>
  Command.withExamples([{ command: `jinka pending ${act} switch.yaml --exchange 4711 --reason "${why}"`, description }])

const hold = acting("hold", "held back").pipe(
  Command.withDescription(
    "Holds a message back: the switch makes no attempt to send it until it is released, also after a restart. What is under way goes on, and later messages about the same transaction wait behind it. The journal keeps your name and the reason."
  ),
  Command.withShortDescription("Hold a message back until it is released"),
  example("hold", "issuer repairs its books, case 12", "The partner asks for a pause of this one")
)

const release = acting("release", "released").pipe(
  Command.withDescription("Lets a message go that was held back: it leaves when its link is ready."),
  Command.withShortDescription("Let a message go that was held back"),
  example("release", "issuer is ready, case 12", "The pause is over")
)

const retry = acting("retry", "to be sent again").pipe(
  Command.withDescription(
    "Makes the next attempt of a message now, without its pause. Of one that was given up (abandoned) it makes one more attempt, as a repeat: it stays in doubt until the partner acknowledges it."
  ),
  Command.withShortDescription("Make the next attempt now, or one more"),
  example("retry", "issuer is back, case 12", "The partner says that it is ready")
)

/** `jinka pending`. */
export const pending = Command.make("pending").pipe(
  Command.withDescription(
    "Looks at the reversals and advices of a switch, steers them while it runs, and ends what is in doubt. `list` and `show` read the journal where the switch does not run; everything else is done where it runs. Exit codes: 0 done, 1 it is not in doubt or another node runs the switch, 4 no switch answers."
  ),
  Command.withShortDescription("Reversals and advices that wait, or wait for a person"),
  Command.withExamples([{ command: "jinka pending list switch.yaml", description: "First look" }]),
  Command.withSubcommands([list, show, retry, hold, release, close])
)

const noExchange = "--exchange is a number from 1 on: `jinka pending list` shows it."

const doubtful = new Set(["abandoned", "declined", "unreversed"])
const isInDoubt = ({ state }: Message): boolean => doubtful.has(state)

const lineText = ({ exchange: number, about, link: name, mti, stan, state, code, attempts, at }: Message): string =>
  [
    `exchange ${number}`,
    name,
    `${mti || "message"} STAN ${stan || "unknown"}`,
    ...(about === 0 ? [] : [`reverses ${about}`]),
    `${state}${code === "" ? "" : ` (${code})`} since ${new Date(at).toISOString().replace("T", " ").slice(0, 19)}`,
    ...(attempts === 0 || attempts === null ? [] : [`${attempts} attempts`])
  ].join("  ")

const advice: Readonly<Record<string, string>> = {
  waiting: "It goes out when its link is ready and what is before it has gone.",
  sent: "It was sent: its answer is awaited, or it is sent again after `storeAndForward.retry`.",
  "under way": "It was sent, and its answer is awaited.",
  held: "A person holds it back: `jinka pending release` lets it go.",
  resting: "It is sent again after `storeAndForward.retry`.",
  abandoned:
    "Nobody acknowledged it in all its attempts, so it is not known whether the partner did it. Ask the partner by STAN and time, correct what has to be corrected, then `jinka pending close`.",
  declined:
    "The partner answered with a code that settles nothing, so what it is about remains. Ask the partner why, correct what has to be corrected, then `jinka pending close`.",
  unreversed:
    "The request may have moved money and no dialect on its way has a reversal for it. Ask the partner, correct what has to be corrected, then `jinka pending close`."
}

const adviceText = ({ state, stan }: Message): string =>
  `  ${advice[state] ?? ""}${stan === "" ? "" : `\n  Its life: jinka trace FILE --stan ${Number(stan)}`}`

const listText = ({ messages, inDoubt: doubts, upTo, waiting }: PendingReport): string =>
  [
    ...(upTo === undefined ? [] : [`as the journal has it up to entry ${upTo}: the switch does not run on this node`]),
    ...messages.map((one) => (isInDoubt(one) ? `! ${lineText(one)}` : `  ${lineText(one)}`)),
    `${doubts} in doubt until a person ends it; ${waiting} being delivered`
  ].join("\n")
