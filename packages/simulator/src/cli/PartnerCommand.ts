/** `jinka-sim partner FILE`: partners as data, played until a signal; files are read again when they change. */
import { relative } from "node:path"
import { Console, Effect, Queue, Stdio, Terminal } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { counted } from "../file/Counted.ts"
import type { FileInvalid } from "../file/FileInvalid.ts"
import { endpointText } from "../link/Listener.ts"
import { SettingInvalid } from "../SimulatorError.ts"
import { type Partners, startPartners } from "../scripted/Partners.ts"
import { type PartnersFile, readPartners, stateOf } from "../scripted/PlanFile.ts"
import type { Told } from "../scripted/RunningPartner.ts"
import { servePartners } from "../scripted/SayControl.ts"
import { eventText, screenText } from "../scripted/Screen.ts"
import { loopback } from "./Flags.ts"
import { sayCommand } from "./SayCommand.ts"
import { StopSignal } from "./StopSignal.ts"

const flags = {
  files: Argument.Path("file").pipe(
    Argument.withDescription("Partner files, each with one partner or several"),
    Argument.variadic({ min: 1 })
  ),
  screen: Flag.Literals("screen", ["auto", "live", "lines"]).pipe(
    Flag.withDescription(
      "live: a table that is kept up to date; lines: one JSON object for each event (default auto: live on a terminal)"
    ),
    Flag.withDefault("auto" as const)
  ),
  control: loopback("control", "Take commands here, for `partner say`: a loopback address"),
  check: Flag.Boolean("check").pipe(
    Flag.withDescription("Read the files, say what they hold, and end"),
    Flag.withDefault(false)
  )
}

/** A path as people say it: from here, where it is below. */
const shortPath = (path: string): string => {
  const below = relative(".", path)
  return below.startsWith("..") ? path : below
}

/** All files as one: their partners must not share a name. */
export const readAll = (paths: ReadonlyArray<string>): Effect.Effect<PartnersFile, FileInvalid | SettingInvalid> =>
  Effect.gen(function* () {
    const read = yield* Effect.forEach(paths, (path) => readPartners(path, shortPath(path)))
    const plans = read.flatMap((file) => file.plans)
    const twice = plans.find(({ name }, place) => plans.findIndex((one) => one.name === name) < place)
    if (twice !== undefined) {
      return yield* new SettingInvalid({ setting: "file", rule: `two of the files have a partner "${twice.name}"` })
    }
    return { plans, files: [...new Set(read.flatMap(({ files }) => files))] }
  })

/** Where lines and sentences go. */
interface Output {
  readonly telling: Told
  readonly emit: (event: object) => void
  /** The last events, for a live screen. */
  readonly events: ReadonlyArray<string>
  readonly print: Effect.Effect<void>
}

const EVENTS_KEPT = 50

const makeOutput = (isLive: boolean): Effect.Effect<Output> =>
  Effect.gen(function* () {
    const lines = yield* Queue.unbounded<{ readonly text: string; readonly isTrouble: boolean }>()
    const events: Array<string> = []
    const keep = (text: string): void => {
      events.push(text)
      if (events.length > EVENTS_KEPT) events.shift()
    }
    const offer = (text: string, isTrouble = false): void => {
      if (isLive) keep(text)
      else Queue.offerUnsafe(lines, { text, isTrouble })
    }
    return {
      events,
      telling: {
        onLine: (name, line) => {
          if (isLive) keep(eventText(name, line))
          else offer(JSON.stringify({ event: line.what, partner: name, ...line }))
        },
        onTrouble: (text) => offer(isLive ? text : `jinka-sim: ${text}`, true)
      },
      emit: (event) => {
        if (!isLive) offer(JSON.stringify(event))
      },
      print: Effect.gen(function* () {
        for (const { isTrouble, text } of yield* Queue.clear(lines)) {
          yield* isTrouble ? Console.error(text) : Console.log(text)
        }
      })
    }
  })

/** Milliseconds between two looks at the files, and two pictures of the screen. */
const LOOK_MS = 500
const PICTURE_MS = 500
const PRINT_MS = 20

/** Reads the files again when one has changed or a hang-up came. What is wrong is told, and all stays as it was. */
const reloading = (
  paths: ReadonlyArray<string>,
  first: PartnersFile,
  partners: Partners,
  output: Output,
  hangUps: () => number
): Effect.Effect<never> => {
  let { files } = first
  let state = stateOf(files)
  let hungUp = hangUps()
  const look = Effect.gen(function* () {
    const now = stateOf(files)
    if (now === state && hangUps() === hungUp) return
    hungUp = hangUps()
    state = now
    yield* readAll(paths).pipe(
      Effect.flatMap((read) =>
        Effect.gen(function* () {
          files = read.files
          state = stateOf(files)
          const changes = yield* partners.apply(read.plans)
          output.emit({ event: "reloaded", ...changes })
          for (const sentence of changes.failed) output.telling.onTrouble(sentence)
        })
      ),
      Effect.catch((error) =>
        Effect.sync(() => {
          output.emit({ event: "notReloaded", reason: error.message })
          output.telling.onTrouble(`the changed file is not used, the partner goes on as before: ${error.message}`)
        })
      )
    )
  })
  return look.pipe(Effect.andThen(Effect.sleep(LOOK_MS)), Effect.forever)
}

/** Home, each line to its end, and what was below: the picture is laid over the last one, and nothing flickers. */
const overLast = (picture: string): string => `\u001b[H${picture.replaceAll("\n", "\u001b[K\n")}\u001b[K\u001b[J`

const picturing = (
  partners: Partners,
  output: Output,
  paths: ReadonlyArray<string>
): Effect.Effect<never, never, Terminal.Terminal> =>
  Effect.gen(function* () {
    const { columns, rows } = yield* Terminal.Terminal
    const room = { columns: yield* columns, rows: yield* rows }
    const title = `jinka-sim partner ${paths.map(shortPath).join(" ")}   (ends with Ctrl-C)`
    yield* Console.log(overLast(screenText(partners.all(), output.events, title, room)))
  }).pipe(Effect.andThen(Effect.sleep(PICTURE_MS)), Effect.forever)

/** What the files hold, one partner a line. */
const held = ({ plans }: PartnersFile): string =>
  plans
    .map(({ form, link, name, rules }) => {
      const { mode } = link.mode
      return `${name}: ${form.codec.dialect.name}, ${mode}, ${counted(rules.length, "rule")}`
    })
    .join("\n")

/** The command `jinka-sim partner`. */
export const partnerCommand = Command.make(
  "partner",
  flags,
  Effect.fn(function* ({ check, control, files: paths, screen }) {
    const read = yield* readAll(paths)
    if (check) return yield* Console.log(held(read))
    const stdio = yield* Stdio.Stdio
    const stop = yield* StopSignal
    const isLive = screen === "live" || (screen === "auto" && (yield* stdio.stdoutIsTerminal))
    const output = yield* makeOutput(isLive)
    let hangUps = 0
    yield* Effect.acquireRelease(
      Effect.sync(() => stop.onHangUp(() => void hangUps++)),
      (forget) => Effect.sync(forget)
    )
    const partners = yield* startPartners(read.plans, output.telling)
    for (const partner of partners.all()) {
      const { name } = partner.plan()
      const { endpoints } = partner.link()
      const endpoint = endpoints.map(endpointText).join(" and ")
      output.emit({ event: "started", partner: name, endpoint, port: endpoints[0]!.port })
    }
    if (control !== undefined) {
      const at = yield* servePartners(() => partners.all(), control)
      output.emit({ event: "listening", control: endpointText(at) })
    }
    if (!isLive) yield* output.print.pipe(Effect.andThen(Effect.sleep(PRINT_MS)), Effect.forever, Effect.forkScoped)
    else yield* Effect.forkScoped(picturing(partners, output, paths))
    yield* Effect.forkScoped(reloading(paths, read, partners, output, () => hangUps))
    yield* Effect.raceFirst(stop.requested, partners.broken)
    for (const [name, totals] of yield* partners.finish) output.emit({ event: "summary", partner: name, ...totals })
    yield* output.print
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Partners as data: each file says who it is, its dialect and frame, its link in any of the five modes, its " +
      "accounts, and by which rules it answers well, late, twice, wrongly or not at all. It keeps a ledger of what it " +
      "has posted, and a history for `jinka-sim check`. A file that changes is read again (also on SIGHUP); a file with " +
      "an error is reported, and the partner goes on as before. Runs until SIGTERM or Ctrl-C. Exit codes: 0 ended in " +
      "order, 2 a file or port is wrong."
  ),
  Command.withShortDescription("Partners from files: rules, accounts, faults, any dialect and link mode"),
  Command.withExamples([
    { command: "jinka-sim partner issuer.yaml", description: "Stand in for an issuer, with a live screen" },
    {
      command: "jinka-sim partner issuer.yaml acquirer.yaml --screen lines",
      description: "Two of them, with one JSON object for each event"
    },
    { command: "jinka-sim partner branches.yaml --check", description: "What a file holds, or what is wrong with it" }
  ]),
  Command.withSubcommands([sayCommand])
)
