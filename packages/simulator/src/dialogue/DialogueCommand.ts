/** `jinka-sim dialogue run`: dialogues against a system at given addresses. Mounted by the command line. */
import { statSync } from "node:fs"
import { relative } from "node:path"
import { Clock, Console, Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Unsettled } from "../cli/Conduct.ts"
import { duration, listOf } from "../cli/Flags.ts"
import { StopSignal } from "../cli/StopSignal.ts"
import { counted } from "../file/Counted.ts"
import { FileInvalid } from "../file/FileInvalid.ts"
import { tryToWrite, writeTexts } from "../file/TextFile.ts"
import { type Endpoint, endpointOfText } from "../link/Listener.ts"
import { FileFailed, FileMalformed, reasonOf, SettingInvalid } from "../SimulatorError.ts"
import type { Dialogue } from "./Dialogue.ts"
import { readDialogues, readFolder } from "./DialogueFile.ts"
import { junitXml, outcomeLine, summaryText } from "./DialogueReport.ts"
import { runDialogues } from "./Folder.ts"
import { htmlReport } from "./HtmlReport.ts"
import { recordCommand } from "./RecordCommand.ts"
import { type Outcome, usualRun } from "./Runner.ts"

const flags = {
  path: Argument.Path("path").pipe(Argument.withDescription("A dialogue file, or a folder of them")),
  target: Flag.String("target").pipe(
    Flag.withMetavar("[name=]host:port"),
    Flag.withDescription(
      "Where the system under test is, or where a partner listens for it: one for each address that the dialogues name, with " +
        "commas between (acquirer=10.0.0.1:7001,issuer=10.0.0.1:7002). Without a name it is the address of every partner " +
        "that connects."
    )
  ),
  within: duration(
    "within",
    "How long an expectation waits that says nothing of it",
    `${usualRun.withinMs / 1000} seconds`
  ),
  pace: Flag.Int("pace").pipe(
    Flag.withMetavar("times"),
    Flag.withDescription(
      "On a slow or busy machine: wait this many times as long as the dialogues say before an expectation is given up (default 1)"
    ),
    Flag.withDefault(1)
  ),
  utcOffset: Flag.Int("utc-offset").pipe(
    Flag.withMetavar("minutes"),
    Flag.withDescription("Minutes to add to UTC for {now:...} (default 0)"),
    Flag.withDefault(0),
    Flag.filter(
      (minutes) => minutes >= -720 && minutes <= 840,
      (minutes) => `--utc-offset takes minutes from -720 to 840, not ${minutes}: 480 is +08:00, -300 is -05:00`
    )
  ),
  junit: Flag.Path("junit").pipe(
    Flag.withMetavar("file"),
    Flag.withDescription("Write a JUnit report"),
    Flag.withDefault("")
  ),
  html: Flag.Path("html").pipe(
    Flag.withMetavar("file"),
    Flag.withDescription("Write one HTML page: all that was said, and of a broken rule both messages side by side"),
    Flag.withDefault("")
  )
}

/** Addresses by name; "" is the one without a name. */
const targetsOf = (text: string): Effect.Effect<ReadonlyMap<string, Endpoint>, SettingInvalid> =>
  Effect.gen(function* () {
    const refuse = (rule: string) => new SettingInvalid({ setting: "--target", rule })
    const targets = new Map<string, Endpoint>()
    for (const part of listOf(text)) {
      const at = part.indexOf("=")
      const name = part.slice(0, Math.max(0, at)).trim()
      const address = part.slice(at + 1).trim()
      const endpoint = endpointOfText(address)
      if (endpoint === undefined || endpoint.port === 0)
        return yield* refuse(`takes [name=]host:port, not "${address}"`)
      if (targets.has(name))
        return yield* refuse(name === "" ? "two addresses have no name: give each its own" : `names ${name} twice`)
      targets.set(name, endpoint)
    }
    if (targets.size === 0) return yield* refuse("takes [name=]host:port, and nothing is given")
    return targets
  })

/** A path as people say it: from here, where it is below. */
const shortPath = (path: string): string => {
  const below = relative(".", path)
  return below.startsWith("..") ? path : below
}

const isFolder = (path: string): Effect.Effect<boolean, FileFailed> =>
  Effect.try({
    try: () => statSync(path).isDirectory(),
    catch: (error) => new FileFailed({ path, reason: reasonOf(error) })
  })

/** The dialogues of a file or folder; a run of none would be a good run, and is refused. */
const dialoguesAt = (path: string): Effect.Effect<ReadonlyArray<Dialogue>, FileFailed | FileInvalid | FileMalformed> =>
  Effect.gen(function* () {
    const dialogues = (yield* isFolder(path))
      ? yield* readFolder(path)
      : yield* readDialogues(path, { file: shortPath(path) })
    if (dialogues.length > 0) return dialogues
    const reason = "no file in it is a dialogue, a YAML file with the key `rule`"
    return yield* new FileMalformed({ path, reason })
  })

/** An address without a name means all that partners connect to: nobody can listen there. */
const endpointFor =
  (targets: ReadonlyMap<string, Endpoint>, dialogues: ReadonlyArray<Dialogue>) =>
  (address: string): Endpoint | undefined => {
    const isListened = dialogues.some(({ partners }) =>
      partners.some((partner) => partner.address === address && partner.side === "listens")
    )
    return targets.get(address) ?? (isListened ? undefined : targets.get(""))
  }

const count = (outcomes: ReadonlyArray<Outcome>, result: Outcome["result"]): number =>
  outcomes.filter((outcome) => outcome.result === result).length

/** Fails unless the run shows something good: a wrong dialogue first, then a broken rule, then a run that did nothing. */
const judged = (
  outcomes: ReadonlyArray<Outcome>,
  targets: ReadonlyMap<string, Endpoint>,
  dialogues: ReadonlyArray<Dialogue>
): Effect.Effect<void, FileInvalid | Unsettled> => {
  const wrong = outcomes.find(({ result }) => result === "wrong")
  if (wrong?.failure?.step !== undefined) {
    const { failure, dialogue } = wrong
    const { file, line } = failure.step?.place ?? { file: dialogue.file, line: 0 }
    return Effect.fail(new FileInvalid({ file, line, rule: failure.says.join("; ") }))
  }
  const broken = count(outcomes, "broken")
  if (broken > 0) return Effect.fail(new Unsettled({ reason: `${broken} of ${outcomes.length} dialogues are broken` }))
  const skipped = count(outcomes, "skipped")
  if (skipped === outcomes.length)
    return Effect.fail(new Unsettled({ reason: `no dialogue was run: ${whySkipped(outcomes, targets, dialogues)}` }))
  // A name that no dialogue has, beside dialogues that have no address: rather a slip than a wish.
  if (skipped === 0 || strangers(targets, dialogues).length === 0) return Effect.void
  const reason = `${skipped} of ${outcomes.length} dialogues were not run: ${whySkipped(outcomes, targets, dialogues)}`
  return Effect.fail(new Unsettled({ reason }))
}

const namesIn = (dialogues: ReadonlyArray<Dialogue>): ReadonlyArray<string> => [
  ...new Set(dialogues.flatMap(({ partners }) => partners.map(({ address }) => address)))
]

/** Names of `--target` that no dialogue has. */
const strangers = (
  targets: ReadonlyMap<string, Endpoint>,
  dialogues: ReadonlyArray<Dialogue>
): ReadonlyArray<string> => {
  const named = namesIn(dialogues)
  return [...targets.keys()].filter((name) => name !== "" && !named.includes(name))
}

/** Why some were skipped: what `--target` says beside what the dialogues name, or their own reasons. */
const whySkipped = (
  outcomes: ReadonlyArray<Outcome>,
  targets: ReadonlyMap<string, Endpoint>,
  dialogues: ReadonlyArray<Dialogue>
): string => {
  const reasons = [...new Set(outcomes.flatMap(({ result, skipped }) => (result === "skipped" ? [skipped] : [])))].join(
    "; "
  )
  const named = namesIn(dialogues)
  const given = strangers(targets, dialogues)
  if (given.length === 0) return `${reasons}. The dialogues name ${named.join(", ")}`
  return `${reasons}. --target names ${given.join(", ")}, and the dialogues name ${named.join(", ")}`
}

/** A dialogue that a stopped run did not come to, or did not end. */
const notRun = (dialogue: Dialogue, startedWall: number): Outcome => ({
  ...{
    dialogue,
    startedWall,
    failure: undefined,
    transcript: [],
    startedAt: 0,
    endedAt: 0,
    numbersTo: 1,
    cardData: []
  },
  result: "skipped",
  skipped: "the run was stopped"
})

const runCommand = Command.make(
  "run",
  flags,
  Effect.fn(function* (input) {
    const dialogues = yield* dialoguesAt(input.path)
    if (input.pace < 1) return yield* new SettingInvalid({ setting: "--pace", rule: "takes a whole number from 1 on" })
    const targets = yield* targetsOf(input.target)
    const options = {
      endpoint: endpointFor(targets, dialogues),
      withinMs: input.within,
      pace: () => input.pace,
      utcOffsetMs: input.utcOffset * 60_000
    }
    yield* tryToWrite([input.junit, input.html])
    const ended: Array<Outcome> = []
    const stop = yield* StopSignal
    const { currentTimeMillis } = yield* Clock.Clock
    const running = runDialogues(dialogues, options, (outcome) => {
      ended.push(outcome)
      return Console.log(outcomeLine(outcome))
    })
    const isStopped = yield* Effect.raceFirst(Effect.as(running, false), Effect.as(stop.requested, true))
    const startedWall = yield* currentTimeMillis
    const outcomes = [...ended, ...dialogues.slice(ended.length).map((one) => notRun(one, startedWall))]
    yield* Console.log(`\n${summaryText(outcomes)}`)
    yield* writeTexts([
      [input.junit, () => junitXml(outcomes)],
      [input.html, () => htmlReport(outcomes)]
    ])
    if (isStopped) {
      const left = dialogues.length - ended.length
      return yield* new Unsettled({
        reason: `the run was stopped: ${left} of ${dialogues.length} dialogues were not run`
      })
    }
    yield* judged(outcomes, targets, dialogues)
  })
).pipe(
  Command.withDescription(
    "Runs dialogues against a running system: each file is one rule, with what the partners send and expect. A broken " +
      "rule is shown as a transcript of both sides, card data covered. Exit codes: 0 all that could be run were kept, 1 " +
      "a rule was broken or some could not be run that were meant to be, 2 a file is wrong."
  ),
  Command.withShortDescription("Runs dialogue files against a system"),
  Command.withExamples([
    {
      command:
        "jinka-sim dialogue run dialogues/ --target acquirer=127.0.0.1:7001,issuer=127.0.0.1:7002 --junit report.xml --html report.html",
      description: "All dialogues of a folder against a switch with two links"
    }
  ])
)

const checkFileCommand = Command.make(
  "check",
  { path: flags.path },
  Effect.fn(function* ({ path }) {
    const dialogues = yield* dialoguesAt(path)
    const files = new Map<string, Array<Dialogue>>()
    for (const dialogue of dialogues) files.set(dialogue.file, [...(files.get(dialogue.file) ?? []), dialogue])
    for (const [file, all] of files) {
      const steps = all.reduce((sum, dialogue) => sum + dialogue.steps.length, 0)
      yield* Console.log(`${file}: ${counted(all.length, "dialogue")}, ${counted(steps, "step")}`)
    }
    if (files.size > 1) yield* Console.log(`${counted(files.size, "file")}, ${counted(dialogues.length, "dialogue")}`)
  })
).pipe(
  Command.withDescription(
    "Reads dialogues and runs nothing: how many there are, a case of a table counted as one, or the first that is wrong, with its " +
      "line. Exit codes: 0 all can be read, 2 a file is wrong."
  ),
  Command.withShortDescription("Reads dialogue files and says what is wrong with them"),
  Command.withExamples([{ command: "jinka-sim dialogue check dialogues/", description: "All files of a folder" }])
)

/** The command with its subcommands. */
export const dialogueCommand = Command.make("dialogue").pipe(
  Command.withDescription(
    "Tests whether a system keeps the rules of its links. A dialogue is one rule in one file, with both sides' " +
      "messages in it; it runs against anything that has an address."
  ),
  Command.withShortDescription("Holds a system to rules, one rule a file"),
  Command.withSubcommands([runCommand, checkFileCommand, recordCommand])
)
