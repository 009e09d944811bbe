/** `jinka bundle`: what a partner or a colleague needs to see of a link or a transaction, as files. */
import { Console, Effect, FileSystem, Option, Path } from "effect"
import { Command, Flag } from "effect/cli"
import { evidencePage } from "../Bundle.ts"
import { ask } from "../control/ControlCall.ts"
import { StatusReport } from "../control/Report.ts"
import { CommandFailed } from "../Exit.ts"
import { fileWords } from "../FileWords.ts"
import { TraceReport } from "../trace/TraceReport.ts"
import { noSuchLink, socketOf, whichSwitch } from "./Asked.ts"

const flags = {
  ...whichSwitch,
  link: Flag.String("link").pipe(Flag.withDescription("The link that it is about"), Flag.optional),
  stan: Flag.String("stan").pipe(Flag.withDescription("A transaction by its STAN, DE 11"), Flag.optional),
  rrn: Flag.String("rrn").pipe(Flag.withDescription("A transaction by its RRN, DE 37"), Flag.optional),
  to: Flag.String("to").pipe(Flag.withDescription("Directory for the files; made when it is not there"))
}

const usage = (says: string) => new CommandFailed({ exit: "usage", says })

const traced = Effect.fnUntraced(function* (socket: string, stan: Option.Option<string>, rrn: Option.Option<string>) {
  const key = {
    ...(Option.isSome(stan) ? { stan: stan.value } : {}),
    ...(Option.isSome(rrn) ? { rrn: rrn.value } : {})
  }
  return Object.keys(key).length === 0 ? undefined : yield* ask(socket, "POST", "/trace", TraceReport, key)
})

/** `jinka bundle FILE --to DIRECTORY`. */
export const bundle = Command.make("bundle", flags, ({ link: name, rrn, stan, to, ...which }) =>
  Effect.gen(function* () {
    if ([name, rrn, stan].every(Option.isNone)) return yield* usage("Say what it is about: --link, --stan or --rrn.")
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const socket = yield* socketOf(which)
    const status = yield* ask(socket, "GET", "/status", StatusReport)
    const link = status.links.find((one) => Option.isSome(name) && one.name === name.value)
    if (Option.isSome(name) && link === undefined) {
      return yield* noSuchLink(
        name.value,
        status.links.map((one) => one.name)
      )
    }
    const trace = yield* traced(socket, stan, rrn)
    const pages: Readonly<Record<string, string>> = {
      "evidence.md": evidencePage({ status, link, trace }),
      ...(link === undefined ? {} : { "link.json": `${JSON.stringify(link, undefined, 2)}\n` }),
      ...(trace === undefined ? {} : { "transaction.json": `${JSON.stringify(trace, undefined, 2)}\n` })
    }
    yield* Effect.gen(function* () {
      if (!(yield* files.exists(to))) yield* files.makeDirectory(to, { mode: 0o700 })
      for (const [file, text] of Object.entries(pages)) {
        yield* files.writeFileString(path.join(to, file), text, { mode: 0o600 })
        yield* Console.log(path.join(to, file))
      }
    }).pipe(Effect.catchTag("PlatformError", ({ reason }) => Effect.fail(usage(`--to ${to}: ${fileWords(reason)}.`))))
    if (trace?.exchanges.length === 0) {
      return yield* new CommandFailed({ exit: "bad", says: "No transaction in this journal has these keys." })
    }
  })
).pipe(
  Command.withDescription(
    "Writes the evidence about one link, or one transaction, for the partner: times, states, ends of connections, both sides' messages with card data covered, in English and 中文 (evidence.md), and the same for programs (JSON). It holds nothing of other partners, and nothing of the configuration."
  ),
  Command.withShortDescription("Evidence of a link or a transaction, to be sent to the partner"),
  Command.withExamples([
    { command: "jinka bundle switch.yaml --link issuer --to case-12", description: "Why is the link down?" },
    { command: "jinka bundle switch.yaml --link issuer --stan 4711 --to case-12", description: "And what of this one?" }
  ])
)
