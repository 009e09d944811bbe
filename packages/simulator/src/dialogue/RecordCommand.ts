/**
 * `jinka-sim dialogue record`: stands on a line, or reads a capture of one, and writes down what goes by as a dialogue.
 * Mounted by the command line.
 */
import { readFileSync } from "node:fs"
import { relative } from "node:path"
import { cups } from "@jinka/codec"
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { endpoint } from "../cli/Flags.ts"
import { StopSignal } from "../cli/StopSignal.ts"
import { frameNamed, frameNames } from "../file/FrameFile.ts"
import { knownNames } from "../file/Nearest.ts"
import { tryToWrite, writeText } from "../file/TextFile.ts"
import { type Endpoint, endpointText } from "../link/Listener.ts"
import { passThrough } from "../link/PassThrough.ts"
import { FileFailed, FileMalformed, reasonOf, SettingInvalid } from "../SimulatorError.ts"
import { passedOf } from "../traffic/Captured.ts"
import { Recorded } from "./Recorded.ts"
import { dialectOf, dialectOfText, isDialectFile, makeWireFormat, wireFormatNames } from "./WireFormat.ts"

const optional = <A>(flag: Flag.Flag<A>): Flag.Flag<A | undefined> =>
  flag.pipe(Flag.optional, Flag.map(Option.getOrUndefined))

const flags = {
  listen: optional(endpoint("listen", "Take connections on this address; port 0 takes a free one and says which")),
  target: optional(endpoint("target", "Pass them on to this address: the system that the dialogue will run against")),
  capture: optional(
    Flag.Path("capture").pipe(
      Flag.withMetavar("file"),
      Flag.withDescription("In place of both: a capture file (pcap, pcapng) of such a line")
    )
  ),
  port: optional(Flag.Int("port").pipe(Flag.withDescription("Port of the listening side in the capture"))),
  out: Flag.Path("out").pipe(
    Flag.withMetavar("file"),
    Flag.withDescription("The dialogue; it is rewritten after each message")
  ),
  dialect: Flag.String("dialect").pipe(
    Flag.withDescription(`Dialect of the line: a name or a dialect file (default cups)`),
    Flag.withDefault("cups")
  ),
  frame: Flag.String("frame").pipe(
    Flag.withDescription("Frame of the line by its name (default: the dialect's usual one)"),
    Flag.withDefault("")
  ),
  rule: Flag.String("rule").pipe(
    Flag.withDescription("What the dialogue shows, in one sentence"),
    Flag.withDefault("What was recorded happens again.")
  ),
  seed: Flag.Int("seed").pipe(
    Flag.withDescription("Seed of the card numbers that stand for the real ones (default 1)"),
    Flag.withDefault(1)
  )
}

const dialectNamed = (name: string) => {
  const wrong = (rule: string) => new SettingInvalid({ setting: "--dialect", rule })
  if (!isDialectFile(name)) {
    const known = dialectOf(name)
    return known ?? wrong(`no dialect "${name}" is known; ${knownNames(name, wireFormatNames)}, and dialect files`)
  }
  try {
    const read = dialectOfText(readFileSync(name, "utf8"))
    return typeof read === "string" ? wrong(`${name} is no dialect file: ${read}`) : read
  } catch (error) {
    return wrong(`${name} cannot be read: ${reasonOf(error)}`)
  }
}

/** What the flags say of where messages come from. */
type Source =
  | { readonly kind: "line"; readonly listen: Endpoint; readonly target: Endpoint }
  | { readonly kind: "capture"; readonly path: string; readonly port: number }

interface Asked {
  readonly listen: Endpoint | undefined
  readonly target: Endpoint | undefined
  readonly capture: string | undefined
  readonly port: number | undefined
}

const sourceOf = ({ capture, listen, port, target }: Asked): Source | SettingInvalid => {
  if (capture !== undefined) {
    if (listen !== undefined || target !== undefined) {
      return new SettingInvalid({ setting: "--capture", rule: "a capture takes the place of --listen and --target" })
    }
    if (port !== undefined) return { kind: "capture", path: capture, port }
    return new SettingInvalid({ setting: "--port", rule: "say which port the listening side has in the capture" })
  }
  if (port !== undefined) return new SettingInvalid({ setting: "--port", rule: "it goes with --capture" })
  if (listen !== undefined && target !== undefined) return { kind: "line", listen, target }
  const setting = listen === undefined ? "--listen" : "--target"
  return new SettingInvalid({
    setting,
    rule: "a line needs --listen and --target; a file of packets is given with --capture"
  })
}

/** The command. */
export const recordCommand = Command.make(
  "record",
  flags,
  Effect.fn(function* ({ dialect: name, frame: frameName, out, rule, seed, ...asked }) {
    const stop = yield* StopSignal
    const source = sourceOf(asked)
    if (source instanceof SettingInvalid) return yield* source
    const dialect = dialectNamed(name)
    if (dialect instanceof SettingInvalid) return yield* dialect
    const frame = frameNamed(frameName)
    if (frameName !== "" && frame === undefined) {
      const rule = `no frame "${frameName}" is known; ${knownNames(frameName, frameNames)}`
      return yield* new SettingInvalid({ setting: "--frame", rule })
    }
    const form = makeWireFormat(dialect ?? cups, frame)
    const recorded = new Recorded({
      form,
      dialect: name,
      frame: frameName === "" ? undefined : frameName,
      rule,
      seed
    })
    const write = writeText(out, () => recorded.text())
    yield* tryToWrite([out])
    if (source.kind === "capture") {
      const lacks: Array<string> = []
      const file = yield* Effect.try({
        try: () => readFileSync(source.path),
        catch: (error) => new FileFailed({ path: source.path, reason: reasonOf(error) })
      })
      const passed = yield* Effect.try({
        try: () => passedOf(file, source.port, form.frame, (says) => lacks.push(says)),
        catch: (error) => new FileMalformed({ path: source.path, reason: reasonOf(error) })
      })
      for (const says of lacks) yield* Console.error(`jinka-sim: ${says}`)
      for (const one of passed) recorded.take(one)
      if (recorded.messages === 0) {
        const reason = `it holds no message of a connection to port ${source.port}`
        return yield* new FileMalformed({ path: source.path, reason })
      }
      yield* write
      return yield* Console.log(`${recorded.messages} messages in ${relative(".", out)}`)
    }
    const { listen, target } = source
    let seen = 0
    let written = 0
    const at = yield* passThrough(listen, target, form.frame, (passed) => {
      seen++
      recorded.take(passed)
    })
    // Only now: a second start must not empty what the first one records.
    yield* write
    yield* Console.log(`records ${endpointText(at)} to ${endpointText(target)}; ends with Ctrl-C`)
    const keep = Effect.suspend(() => {
      if (written === seen) return Effect.void
      written = seen
      return write
    })
    const keeping = keep.pipe(Effect.andThen(Effect.sleep(LOOK_MS)), Effect.forever)
    yield* Effect.raceFirst(stop.requested, keeping)
    yield* keep
    yield* Console.log(`${recorded.messages} messages in ${relative(".", out)}`)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Stands between two systems, passes everything on, and writes what went by as a dialogue: what the connecting side sent, and what " +
      "came back as what is expected. STANs, times and references to earlier messages are written so that it runs again. Card numbers " +
      "become made-up ones, tracks, PINs and chip data are left out. With --capture and --port it reads a file of packets instead. Exit codes: 0 ended in order, 2 an address, a dialect or the file is wrong."
  ),
  Command.withShortDescription("Writes a dialogue from live traffic"),
  Command.withExamples([
    {
      command: "jinka-sim dialogue record --listen 127.0.0.1:7101 --target 127.0.0.1:7001 --out purchase.yaml",
      description: "Let the acquirer connect to 7101 instead of 7001"
    },
    {
      command: "jinka-sim dialogue record --capture link.pcapng --port 7001 --out purchase.yaml",
      description: "What went over the listening port 7001"
    }
  ])
)

const LOOK_MS = 100
