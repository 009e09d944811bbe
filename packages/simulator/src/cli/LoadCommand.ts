/** `jinka-sim load`: requests by a schedule, and how long their answers took. */
import { Console, Effect, Option, Stdio, Terminal } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { counted } from "../file/Counted.ts"
import { tryToWrite, writeTexts } from "../file/TextFile.ts"
import { LiveLine } from "../load/LiveLine.ts"
import { readLoadFile } from "../load/LoadFile.ts"
import { loadHtml } from "../load/LoadHtml.ts"
import { boundText, kneeTable, liveLine, loadJson, loadTable } from "../load/LoadReport.ts"
import {
  type Bound,
  findKnee,
  judged,
  type LoadResult,
  type LoadWatch,
  parseBound,
  runLoad,
  wentWrong
} from "../load/RunLoad.ts"
import { type FileFailed, SettingInvalid } from "../SimulatorError.ts"
import { Unsettled } from "./Conduct.ts"
import { duration, file } from "./Flags.ts"
import { StopSignal } from "./StopSignal.ts"

const bound = (name: string, description: string): Flag.Flag<Bound | undefined> =>
  Flag.String(name).pipe(
    Flag.withMetavar("bound"),
    Flag.withDescription(description),
    Flag.filterMap(
      (text) => Option.fromNullishOr(parseBound(text)),
      () => `--${name} takes a bound above zero like "p99.9 < 50 ms", "max < 2 s" or "mean < 10 ms"`
    ),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  )

const flags = {
  file: Argument.Path("file").pipe(
    Argument.withDescription("A load file: links, messages, mix and profile (docs/reference/load.md)")
  ),
  findKnee: bound(
    "find-knee",
    'Find the highest rate that keeps this bound, "p99.9 < 50 ms", from the profile\'s first rate up'
  ),
  step: duration("step", "How long each rate of --find-knee is tried", "10 seconds").pipe(
    Flag.filter(
      (ms) => ms > 0,
      () => "--step takes a duration above zero"
    )
  ),
  expect: bound("expect", "Exit code 1 unless the load keeps this bound"),
  html: file("html", "Write the report with its plots here: one file, nothing fetched from elsewhere"),
  json: file("json", "Write the result here as JSON"),
  histogram: file("histogram", "Write the histograms here, as an HdrHistogram log"),
  check: Flag.Boolean("check").pipe(
    Flag.withDescription("Read the file, try each message once, say what is wrong, and send nothing"),
    Flag.withDefault(false)
  ),
  quiet: Flag.Boolean("quiet").pipe(Flag.withDescription("No line for each second"), Flag.withDefault(false))
}

interface Paths {
  readonly html: string | undefined
  readonly json: string | undefined
  readonly histogram: string | undefined
}

const writeReports = ({ histogram, html, json }: Paths, result: LoadResult): Effect.Effect<void, FileFailed> =>
  Effect.flatMap(histogram === undefined ? Effect.succeed("") : logOf(result), (log) =>
    writeTexts([
      [html, () => loadHtml(result)],
      [json, () => `${JSON.stringify(loadJson(result), undefined, 2)}\n`],
      [histogram, () => log]
    ])
  )

const logOf = (result: LoadResult): Effect.Effect<string> =>
  Effect.promise(async () => (await import("../load/HistogramLog.ts")).histogramLog(result))

/** Lines on standard error: in a terminal one that changes, otherwise one a second. */
const makeWatch = (quiet: boolean) =>
  Effect.gen(function* () {
    const stop = yield* StopSignal
    const stdio = yield* Stdio.Stdio
    const { columns } = yield* Terminal.Terminal
    const live = new LiveLine((yield* stdio.stderrIsTerminal) ? yield* columns : undefined)
    const context = yield* Effect.context<never>()
    const run = Effect.runForkWith(context)
    const watch: LoadWatch = {
      tell: (text) => void run(Console.error(live.told(`jinka-sim: ${text}`))),
      onSecond: (second, generator) => {
        if (!quiet) run(Console.error(live.changed(liveLine(second, generator))))
      },
      stop: stop.requested
    }
    return watch
  })

const judge = (result: LoadResult, expected: Bound | undefined): Effect.Effect<void, Unsettled> => {
  if (result.invalid.length > 0)
    return Effect.fail(new Unsettled({ reason: `the run is INVALID: ${result.invalid[0]}` }))
  if (expected === undefined) {
    const wrong = wentWrong(result.measure)
    return wrong === undefined ? Effect.void : Effect.fail(new Unsettled({ reason: wrong }))
  }
  if (result.isStopped) {
    return Effect.fail(
      new Unsettled({ reason: `${expected.text} was expected of the whole profile: the load was stopped` })
    )
  }
  const { isKept, says } = judged(expected, result)
  return isKept ? Effect.void : Effect.fail(new Unsettled({ reason: `${expected.text} was expected: ${says}` }))
}

/** The command `jinka-sim load`. */
export const loadCommand = Command.make(
  "load",
  flags,
  Effect.fn(function* (input) {
    const settings = yield* readLoadFile(input.file)
    if (input.check)
      return yield* Console.log(
        `${input.file}: ${counted(settings.links.length, "link")}, ${counted(settings.mix.length, "line")} of mix, good`
      )
    if (input.findKnee !== undefined && input.expect !== undefined) {
      const rule = "it is for one load: with --find-knee the bound is the one that it names"
      return yield* new SettingInvalid({ setting: "--expect", rule })
    }
    yield* tryToWrite([input.html, input.json, input.histogram])
    const watch = yield* makeWatch(input.quiet)
    if (input.findKnee !== undefined) {
      const onStep = ({
        isKept,
        rate,
        value
      }: {
        readonly isKept: boolean
        readonly rate: number
        readonly value: number
      }) => watch.tell(`${rate}/s: ${boundText(value)}, ${isKept ? "kept" : "not kept"}`)
      const knee = yield* findKnee(
        settings,
        input.findKnee,
        input.step,
        { ...watch, onSecond: () => undefined },
        onStep
      )
      yield* Console.log(kneeTable(knee))
      if (knee.last !== undefined) yield* writeReports(input, knee.last)
      const found =
        knee.rate === 0
          ? `no rate kept ${knee.bound.text}, and no report is written`
          : "the highest rate may be above the one found"
      if (knee.isStopped) return yield* new Unsettled({ reason: `the search was stopped: ${found}` })
      if (knee.isInvalid) {
        const reason = "the search is INVALID: the generator was the limit, and the system may carry more"
        return yield* new Unsettled({ reason })
      }
      if (knee.rate === 0) return yield* new Unsettled({ reason: found })
      return
    }
    const result = yield* runLoad(settings, watch)
    yield* Console.log(loadTable(result))
    yield* writeReports(input, result)
    yield* judge(result, input.expect)
  })
).pipe(
  Command.withDescription(
    "Sends requests by a schedule, whatever became of those before (an open model), and measures each answer from the instant at " +
      "which its request was meant to leave: a system that stalls cannot hide it. Any dialect, frame and mode, connections that it makes " +
      "or that the system makes to it, several links, a mix of messages with values from a file. When the generator itself was too " +
      "slow, or nobody took or made the connections of a link, the run is INVALID and ends with 1. " +
      "A load fails when more than one request in a thousand has no answer or an error code, or none is approved, however fast it was. " +
      "Exit codes: 0 as asked, 1 failed, invalid or a bound was not kept, 2 the file is wrong or a link did not come up."
  ),
  Command.withShortDescription("Load by a schedule, with latencies from the intended start"),
  Command.withExamples([
    { command: "jinka-sim load load.yaml --html load.html", description: "Run it, and write a report with plots" },
    {
      command: 'jinka-sim load load.yaml --find-knee "p99.9 < 50 ms" --step "20 seconds"',
      description: "The highest rate with 99.9 % of the answers in 50 ms"
    }
  ])
)
