/** `jinka-sim dialogue record`: stands on a line and writes down what goes by as a dialogue. Mounted by the command line. */
import { readFileSync, writeFileSync } from "node:fs"
import { relative } from "node:path"
import { cups } from "@jinka/codec"
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { endpoint } from "../cli/Flags.ts"
import { StopSignal } from "../cli/StopSignal.ts"
import { frameNamed, frameNames } from "../file/FrameFile.ts"
import { knownNames } from "../file/Nearest.ts"
import { endpointText } from "../link/Listener.ts"
import { passThrough } from "../link/PassThrough.ts"
import { FileFailed, reasonOf, SettingInvalid } from "../SimulatorError.ts"
import { Recorded } from "./Recorded.ts"
import { dialectOf, dialectOfText, isDialectFile, makeWireFormat, wireFormatNames } from "./WireFormat.ts"

const flags = {
  listen: endpoint("listen", "Take connections on this address; port 0 takes a free one and says which"),
  target: endpoint("target", "Pass them on to this address: the system that the dialogue will be held against"),
  out: Flag.Path("out").pipe(
    Flag.withMetavar("file"),
    Flag.withDescription("The dialogue, written anew after each message")
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

/** The command. */
export const recordCommand = Command.make(
  "record",
  flags,
  Effect.fn(function* ({ dialect: name, frame: frameName, listen, out, rule, seed, target }) {
    const stop = yield* StopSignal
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
    const write = Effect.try({
      try: () => writeFileSync(out, recorded.text()),
      catch: (error) => new FileFailed({ path: out, reason: reasonOf(error) })
    })
    yield* write
    let seen = 0
    let written = 0
    const at = yield* passThrough(listen, target, form.frame, (passed) => {
      seen++
      recorded.take(passed)
    })
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
      "become made-up ones, tracks, PINs and chip data are left out. Exit codes: 0 ended in order, 2 an address, a dialect or the file is wrong."
  ),
  Command.withShortDescription("Writes a dialogue from live traffic"),
  Command.withExamples([
    {
      command: "jinka-sim dialogue record --listen 127.0.0.1:7101 --target 127.0.0.1:7001 --out purchase.yaml",
      description: "Let the acquirer connect to 7101 instead of 7001"
    }
  ])
)

const LOOK_MS = 100
