/**
 * `jinka-sim dialogue record`: is put on a line, or reads a capture of one, and writes down what goes by as a dialogue.
 * Mounted by the command line.
 */
import { dirname, relative } from "node:path"
import { cups } from "@jinka/codec"
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { Unsettled } from "../cli/Conduct.ts"
import { endpoint, file } from "../cli/Flags.ts"
import { StopSignal } from "../cli/StopSignal.ts"
import { counted } from "../file/Counted.ts"
import { bytesOfFile, textOfFile } from "../file/FileBytes.ts"
import type { FileInvalid } from "../file/FileInvalid.ts"
import { frameNamed, frameNames } from "../file/FrameFile.ts"
import { type LineSides, pathFrom, readLineFile } from "../file/LinkKeys.ts"
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
  dialect: optional(
    Flag.String("dialect").pipe(Flag.withDescription(`Dialect of the line: a name or a dialect file (default cups)`))
  ),
  frame: optional(
    Flag.String("frame").pipe(Flag.withDescription("Frame of the line by its name (default: the dialect's usual one)"))
  ),
  link: file("link", "In place of both, a file with dialect, frame, mac, listen tls and target tls of the line"),
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
    const read = dialectOfText(textOfFile(name))
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

/** How the line speaks, and how the dialogue says so. */
const lineOf = ({
  dialect: name,
  frame: frameName,
  link,
  out
}: {
  readonly dialect: string | undefined
  readonly frame: string | undefined
  readonly link: string | undefined
  readonly out: string
}): Effect.Effect<LineSides, FileInvalid | SettingInvalid> => {
  if (link !== undefined) {
    if (name === undefined && frameName === undefined) return readLineFile(link, out)
    const rule = "dialect and frame are said there, or with --dialect and --frame: not both"
    return Effect.fail(new SettingInvalid({ setting: "--link", rule }))
  }
  const dialect = name === undefined ? cups : dialectNamed(name)
  if (dialect instanceof SettingInvalid) return Effect.fail(dialect)
  const frame = frameNamed(frameName ?? "")
  if (frameName !== undefined && frame === undefined) {
    const rule = `no frame "${frameName}" is known; ${knownNames(frameName, frameNames)}`
    return Effect.fail(new SettingInvalid({ setting: "--frame", rule }))
  }
  const seen = name !== undefined && isDialectFile(name) ? pathFrom(dirname(out), name) : name
  return Effect.succeed({
    form: makeWireFormat(dialect, frame),
    ...{ mac: undefined, listenTls: undefined, targetTls: undefined },
    written: { dialect: seen, frame: frameName, tls: undefined }
  })
}

/** The command `jinka-sim dialogue record`. */
export const recordCommand = Command.make(
  "record",
  flags,
  Effect.fn(function* ({ dialect, frame, link, out, rule, seed, ...asked }) {
    const stop = yield* StopSignal
    const source = sourceOf(asked)
    if (source instanceof SettingInvalid) return yield* source
    const { form, listenTls, mac, targetTls, written } = yield* lineOf({ dialect, frame, link, out })
    const { dialect: named = "cups", frame: frameText, tls } = written
    if (mac !== undefined && form.codec.dialect.security?.mac === undefined) {
      const rule = `the dialect ${named} does not say where a MAC is (\`security.mac\`): a dialogue could not make one`
      return yield* new SettingInvalid({ setting: "--link", rule: `mac: ${rule}` })
    }
    const recorded = new Recorded({ form, dialect: named, frame: frameText, rule, seed, mac, tls })
    const write = writeText(out, () => recorded.text())
    yield* tryToWrite([out])
    if (source.kind === "capture") {
      const lacks: Array<string> = []
      const file = yield* Effect.try({
        try: () => bytesOfFile(source.path),
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
      return yield* Console.log(`${counted(recorded.messages, "message")} in ${relative(".", out)}`)
    }
    const { listen, target } = source
    let seen = 0
    let kept = 0
    const told = new Set<string>()
    const untold: Array<string> = []
    const refused = (why: string): void => {
      if (!told.has(why)) untold.push(why)
      told.add(why)
    }
    const at = yield* passThrough(
      listen,
      target,
      form.frame,
      (passed) => {
        seen++
        recorded.take(passed)
      },
      { listen: listenTls, target: targetTls, refused }
    )
    yield* Console.log(`records ${endpointText(at)} to ${endpointText(target)}; ends with Ctrl-C`)
    const keep = Effect.suspend(() => {
      // Nothing before a message: a file without one is no dialogue, and what is there stays.
      if (kept === seen || recorded.messages === 0) return Effect.void
      kept = seen
      return write
    })
    const tell = Effect.suspend(() =>
      Effect.forEach(untold.splice(0), (why) => Console.error(`jinka-sim: no connection: ${why}`), { discard: true })
    )
    const keeping = Effect.andThen(tell, keep).pipe(Effect.andThen(Effect.sleep(LOOK_MS)), Effect.forever)
    yield* Effect.raceFirst(stop.requested, keeping)
    yield* keep
    if (recorded.messages === 0) {
      return yield* new Unsettled({ reason: `no message went by: ${relative(".", out)} was not written` })
    }
    yield* Console.log(`${counted(recorded.messages, "message")} in ${relative(".", out)}`)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Runs between two systems, passes everything on, and writes the traffic as a dialogue: what the connecting side sent, and what " +
      "came back as what is expected. STANs, times and references to earlier messages are written so that it runs again. Card numbers " +
      "become made-up ones, tracks, PINs and chip data are left out. With --capture and --port it reads a file of packets instead. Exit codes: 0 ended in order, 1 no message went by, 2 an address, a dialect or the file is wrong."
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
