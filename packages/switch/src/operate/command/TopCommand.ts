/** `jinka top` and `jinka watch`: a running switch, looked at for as long as somebody wants. */
import { Console, Effect, Option, Stdio, Terminal } from "effect"
import { Command, Flag } from "effect/cli"
import { durationMs } from "../configuration/text/Units.ts"
import { ask } from "../control/ControlCall.ts"
import { StatusReport } from "../control/Report.ts"
import { topText } from "../control/TopText.ts"
import { changes } from "../control/WatchText.ts"
import { CommandFailed } from "../Exit.ts"
import { ProcessEdge } from "../ProcessEdge.ts"
import { socketOf, whichSwitch } from "./Asked.ts"

const every = Flag.String("every").pipe(
  Flag.withDescription('How often it looks: a duration such as "2 seconds"'),
  Flag.withDefault("1 seconds")
)

const times = Flag.Int("times").pipe(
  Flag.withDescription("Ends after so many looks; left out: when it is interrupted (Ctrl-C)"),
  Flag.optional
)

const everyMs = (text: string) => {
  const ms = durationMs(text)
  return ms === undefined
    ? Effect.fail(new CommandFailed({ exit: "usage", says: `--every: "${text}" is no duration; write "2 seconds".` }))
    : Effect.succeed(ms)
}

/** Looks again and again, for as long as somebody reads what is shown; `shown` gets each report with the one before it. */
const looking = <E, R>(
  flags: { readonly every: string; readonly times: Option.Option<number> } & Parameters<typeof socketOf>[0],
  shown: (before: StatusReport, after: StatusReport) => Effect.Effect<void, E, R>
) =>
  Effect.gen(function* () {
    const { unread = Effect.never } = yield* ProcessEdge
    const pause = yield* everyMs(flags.every)
    const socket = yield* socketOf(flags)
    let before = yield* ask(socket, "GET", "/status", StatusReport)
    let left = Option.getOrElse(flags.times, () => Number.POSITIVE_INFINITY)
    const looks = Effect.gen(function* () {
      while (left-- > 0) {
        yield* Effect.sleep(pause)
        const after = yield* ask(socket, "GET", "/status", StatusReport)
        yield* shown(before, after)
        before = after
      }
    })
    yield* Effect.raceFirst(looks, unread)
  })

/** Clears the screen and goes to its corner (ECMA-48, ED and CUP). */
const clear = "\u001b[H\u001b[2J"

/** Lines where the output is no terminal: everything is shown. */
const ENDLESS = 10_000

/** `jinka top`. */
export const top = Command.make("top", { ...whichSwitch, every, times }, (flags) =>
  Effect.gen(function* () {
    const isScreen = yield* (yield* Stdio.Stdio).stdoutIsTerminal
    const rows = isScreen ? yield* (yield* Terminal.Terminal).rows : ENDLESS
    yield* looking(flags, (before, after) => Console.log(`${isScreen ? clear : ""}${topText(before, after, rows)}`))
  })
).pipe(
  Command.withDescription(
    "Shows the links of a running switch on one screen of 80 columns, once a second: requests in and out a second, what is outstanding and stored, the share of answers that approve, the 99th percentile of the partner's and of our own time in milliseconds. Links that need somebody come first. Ctrl-C ends it; the switch does not notice."
  ),
  Command.withShortDescription("The links of a running switch, live"),
  Command.withExamples([
    { command: "jinka top switch.yaml", description: "Beside the log, all night" },
    { command: "jinka top switch.yaml --times 1", description: "One look, for a ticket" }
  ])
)

/** `jinka watch`. */
export const watch = Command.make("watch", { ...whichSwitch, every, times }, (flags) =>
  looking(flags, (before, after) =>
    Effect.forEach(changes(before, after), (line) => Console.log(`${after.at.slice(11, 19)} ${line}`), {
      discard: true
    })
  )
).pipe(
  Command.withDescription(
    "Prints a line for each change in a running switch that a person would want to know: states of links, ends of connections with their reason and what to look at, missing and late answers, messages that are now in doubt, a full disk. Ctrl-C ends it."
  ),
  Command.withShortDescription("What changes in a running switch, a line each"),
  Command.withExamples([{ command: "jinka watch switch.yaml", description: "While a partner is on the telephone" }])
)
