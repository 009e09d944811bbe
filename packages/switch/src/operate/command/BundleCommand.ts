/** `jinka bundle`: what a partner or a colleague needs to see of a link or a transaction, as files. */
import { Clock, Console, Effect, FileSystem, Option, Path } from "effect"
import { Command, Flag } from "effect/cli"
import { fileWords } from "../../journal/FileWords.ts"
import { evidencePage } from "../Bundle.ts"
import { load } from "../Configuration.ts"
import { ask } from "../control/ControlCall.ts"
import { StatusReport } from "../control/Report.ts"
import { CommandFailed } from "../Exit.ts"
import { noSuchLink, socketOf, type Which, whichSwitch } from "./Asked.ts"
import { searchKey, transactionsOf } from "./TraceCommand.ts"

const flags = {
  ...whichSwitch,
  link: Flag.String("link").pipe(Flag.withDescription("The link that it is about"), Flag.optional),
  stan: Flag.Int("stan").pipe(Flag.withDescription("A transaction by its STAN, DE 11"), Flag.optional),
  rrn: Flag.String("rrn").pipe(Flag.withDescription("A transaction by its RRN, DE 37"), Flag.optional),
  to: Flag.String("to").pipe(Flag.withDescription("Directory for the files; made when it is not there"))
}

const usage = (says: string) => new CommandFailed({ exit: "usage", says })

const nameOf = (file: Option.Option<string>) =>
  Option.isNone(file)
    ? Effect.succeed("")
    : load(file.value).pipe(
        Effect.map(({ document }) => document.name),
        Effect.orElseSucceed(() => "")
      )

/** The status of a running switch. A transaction needs none: of a switch that does not run its journal tells of it. */
const statusOf = Effect.fnUntraced(function* (which: Which, isOfLink: boolean) {
  const socket = yield* socketOf(which)
  return yield* ask(socket, "GET", "/status", StatusReport).pipe(
    Effect.catch((failed) => {
      if (failed.exit !== "network") return Effect.fail(failed)
      const says = `${failed.says} Without --link the evidence of a transaction comes from the journal.`
      return isOfLink ? Effect.fail(new CommandFailed({ exit: failed.exit, says })) : statusWithout(which)
    })
  )
})

/** What is known of a switch that does not run. */
const statusWithout = Effect.fnUntraced(function* ({ file }: Which) {
  const at = new Date(yield* Clock.currentTimeMillis).toISOString()
  return { name: yield* nameOf(file), at, kernelAbsent: "", links: [] }
})

/** A transaction's keys; `undefined`: none is asked for. */
const keyOf = Effect.fnUntraced(function* (stan: Option.Option<number>, rrn: Option.Option<string>) {
  return Option.isNone(stan) && Option.isNone(rrn) ? undefined : yield* searchKey(stan, rrn, Option.none())
})

/** `jinka bundle FILE --to DIRECTORY`. */
export const bundle = Command.make("bundle", flags, ({ link: name, rrn, stan, to, ...which }) =>
  Effect.gen(function* () {
    if (Option.isNone(name) && Option.isNone(rrn) && Option.isNone(stan))
      return yield* usage("Say what it is about: --link, --stan or --rrn.")
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const key = yield* keyOf(stan, rrn)
    const status = yield* statusOf(which, Option.isSome(name))
    const link = status.links.find((one) => Option.isSome(name) && one.name === name.value)
    if (Option.isSome(name) && link === undefined) {
      return yield* noSuchLink(
        name.value,
        status.links.map((one) => one.name)
      )
    }
    const trace = key === undefined ? undefined : yield* transactionsOf(which.file, which.control, key)
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
    "Writes the evidence about one link, or one transaction, for the partner: times, states, ends of connections, both sides' messages with card data covered, in English and 中文 (evidence.md), and the same for programs (JSON). A link's comes from the running switch; a transaction's from the journal, too, when the switch does not run. A link's evidence holds nothing of other partners; a transaction's shows both of its sides, so read it before you send it to one of them. Neither holds anything of the configuration."
  ),
  Command.withShortDescription("Evidence of a link or a transaction, to be sent to the partner"),
  Command.withExamples([
    { command: "jinka bundle switch.yaml --link issuer --to case-12", description: "Why is the link down?" },
    { command: "jinka bundle switch.yaml --link issuer --stan 4711 --to case-12", description: "And what of this one?" }
  ])
)
