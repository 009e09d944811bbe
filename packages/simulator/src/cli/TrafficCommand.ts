/** `jinka-sim record` and `jinka-sim replay`: traffic from captures, and sent again. */
import { readJson } from "@jinka/codec"
import Table from "cli-table3"
import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import {
  dialectOf,
  dialectOfText,
  isDialectFile,
  makeWireFormat,
  type WireFormat,
  wireFormatNames
} from "../dialogue/WireFormat.ts"
import { counted } from "../file/Counted.ts"
import { bytesOfFile, textOfBytes } from "../file/FileBytes.ts"
import type { FileInvalid } from "../file/FileInvalid.ts"
import { frameNamed, frameNames } from "../file/FrameFile.ts"
import { type LinkSide, readLinkFile } from "../file/LinkKeys.ts"
import { suggestion } from "../file/Nearest.ts"
import { tryToWrite, writeText } from "../file/TextFile.ts"
import type { Endpoint } from "../link/Listener.ts"
import type { Way } from "../link/ModeLink.ts"
import { FileFailed, FileMalformed, reasonOf, SettingInvalid } from "../SimulatorError.ts"
import { noTolerance, readTolerance } from "../traffic/Compare.ts"
import { type Imported, isTraced, linesOfPcap, linesOfTrace } from "../traffic/Import.ts"
import { CaptureInvalid } from "../traffic/Packets.ts"
import { type Replayed, replay, replayOutcomes } from "../traffic/Replay.ts"
import { pairsOf, readLine, readTraffic } from "../traffic/Traffic.ts"
import { Unsettled } from "./Conduct.ts"
import { duration, file, optionalEndpoint } from "./Flags.ts"
import { StopSignal } from "./StopSignal.ts"

const text = (name: string, metavar: string, description: string): Flag.Flag<string | undefined> =>
  Flag.String(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(description),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  )

const formFlags = {
  dialect: text("dialect", "name", "A dialect that ships, or a dialect file (default cups)"),
  frame: text("frame", "name", "The frame by its name, where it is not the dialect's usual one")
}

/** How the link of a replay speaks. */
const linkOf = ({
  connect,
  dialect,
  frame,
  link
}: {
  readonly dialect: string | undefined
  readonly frame: string | undefined
  readonly link: string | undefined
  readonly connect: Endpoint | undefined
}): Effect.Effect<LinkSide, FileFailed | FileInvalid | SettingInvalid> => {
  if (link === undefined) {
    return Effect.map(formOf(dialect, frame), (form) => ({ form, mac: undefined, tls: undefined }))
  }
  if (dialect === undefined && frame === undefined) return readLinkFile(link, connect !== undefined)
  const rule = "dialect and frame are said there, or with --dialect and --frame: not both"
  return Effect.fail(new SettingInvalid({ setting: "--link", rule }))
}

const readBytes = (path: string): Effect.Effect<Buffer, FileFailed> =>
  Effect.try({ try: () => bytesOfFile(path), catch: (error) => new FileFailed({ path, reason: reasonOf(error) }) })

const formOf = (name = "cups", frame: string | undefined): Effect.Effect<WireFormat, FileFailed | SettingInvalid> =>
  Effect.gen(function* () {
    const dialect = isDialectFile(name) ? dialectOfText(textOfBytes(yield* readBytes(name))) : dialectOf(name)
    if (dialect === undefined || typeof dialect === "string") {
      const rule =
        dialect ?? `no dialect "${name}" ships, and it is no dialect file; ${suggestion(name, wireFormatNames)}`
      return yield* new SettingInvalid({ setting: "--dialect", rule })
    }
    if (frame !== undefined && frameNamed(frame) === undefined) {
      const rule = `no frame "${frame}" is known; ${suggestion(frame, frameNames)}`
      return yield* new SettingInvalid({ setting: "--frame", rule })
    }
    return makeWireFormat(dialect, frameNamed(frame ?? ""))
  })

/** A key of at least 32 hex digits: what fewer give, can be found by trying. */
const keyOf = (path: string | undefined): Effect.Effect<Buffer | undefined, FileFailed | FileMalformed> =>
  path === undefined
    ? Effect.succeed(undefined)
    : Effect.flatMap(readBytes(path), (bytes) => {
        const digits = textOfBytes(bytes).trim()
        if (/^([0-9A-Fa-f]{2}){16,}$/.test(digits)) return Effect.succeed(Buffer.from(digits, "hex"))
        return Effect.fail(new FileMalformed({ path, reason: "at least 32 hex digits are expected, an even number" }))
      })

const isJsonLines = (text: string): boolean => "json" in readJson(text.trimStart().split("\n", 1)[0]!)

const imported = (
  path: string,
  bytes: Buffer,
  port: number | undefined,
  form: WireFormat,
  key: Buffer | undefined
): Effect.Effect<Imported, FileMalformed | SettingInvalid> => {
  const text = textOfBytes(bytes.subarray(0, 64)).trimStart()
  if (text === "" && bytes.length < 64) return Effect.fail(new FileMalformed({ path, reason: "it is empty" }))
  const isJson = text.startsWith("{")
  if (!isJson && port === undefined) {
    const rule = "say which port the listening side has in the capture"
    return Effect.fail(new SettingInvalid({ setting: "--port", rule }))
  }
  return Effect.try({
    try: () => {
      if (!isJson) return linesOfPcap(bytes, port!, form, key)
      const whole = textOfBytes(bytes)
      const read = readJson(whole)
      if ("wrong" in read && isJsonLines(whole)) {
        throw new CaptureInvalid(
          "it has one JSON object a line, as recorded traffic has: that goes to `jinka-sim replay` as it is"
        )
      }
      if ("wrong" in read) throw new CaptureInvalid(read.wrong)
      if (isTraced(read.json)) return linesOfTrace(read.json, form, key)
      throw new CaptureInvalid("it is no capture, and not what `jinka trace --json` prints")
    },
    catch: (error) => new FileMalformed({ path, reason: reasonOf(error) })
  })
}

/** `jinka-sim record`. */
export const recordCommand = Command.make(
  "record",
  {
    path: Argument.Path("file").pipe(
      Argument.withDescription("A pcap or pcapng file, or what `jinka trace --json` printed")
    ),
    ...formFlags,
    port: Flag.Int("port").pipe(
      Flag.withDescription("Port of the listening side in a capture file"),
      Flag.optional,
      Flag.map(Option.getOrUndefined)
    ),
    key: file("key-file", "A key in hex: card numbers become others of the same issuer, so that it can be replayed"),
    out: file("out", "Write the traffic here, one JSON object a line (default: standard output)")
  },
  Effect.fn(function* (input) {
    const form = yield* formOf(input.dialect, input.frame)
    const key = yield* keyOf(input.key)
    const { lines, says } = yield* imported(input.path, yield* readBytes(input.path), input.port, form, key)
    for (const sentence of says) yield* Console.error(`jinka-sim: ${sentence}`)
    if (lines.length === 0)
      return yield* new FileMalformed({ path: input.path, reason: ["it holds no message", ...says].join("; ") })
    const printed = lines.map((line) => JSON.stringify(line)).join("\n")
    if (input.out === undefined) return yield* Console.log(printed)
    const { out } = input
    yield* writeText(out, () => `${printed}\n`)
    yield* Console.log(
      `${counted(lines.length, "message")} of ${counted(new Set(lines.map(({ connection }) => connection)).size, "connection")}`
    )
  })
).pipe(
  Command.withDescription(
    "Turns a capture into traffic: one JSON object a line for each message, card data covered. With --key-file each " +
      "card number is replaced by another one of the same issuer, always the same one for the same card, and tracks and " +
      "PIN blocks by zeros. A proxy records by itself (`record:` in its file)."
  ),
  Command.withShortDescription("Traffic from a capture file or a journal, made safe"),
  Command.withExamples([
    {
      command: "jinka-sim record capture.pcap --port 7801 --key-file card.key --out traffic.jsonl",
      description: "What went over the listening port 7801, with other cards"
    }
  ])
)

/** Requests that a replay shows one by one. */
const SHOWN = 10

const table = (ended: ReadonlyArray<Replayed>): string => {
  const byPlace = new Map<string, number>()
  for (const { differences } of ended) {
    for (const { name, place } of differences)
      byPlace.set(`${place} ${name}`, (byPlace.get(`${place} ${name}`) ?? 0) + 1)
  }
  const counts = new Table({
    head: ["outcome", "requests"],
    colAligns: ["left", "right"],
    style: { compact: true, head: [], border: [] }
  })
  for (const outcome of replayOutcomes) {
    counts.push([outcome, ended.filter((one) => one.outcome === outcome).length])
  }
  const places = [...byPlace]
    .sort((one, other) => other[1] - one[1])
    .map(([place, times]) => `  ${place}: ${counted(times, "time")}`)
  const wrong = ended.filter(({ outcome }) => outcome === "differs" || outcome === "unanswered")
  const shown = wrong.slice(0, SHOWN).map(({ differences, mti, outcome, rrn, stan }) => {
    const what = differences.map(({ one, other, place }) => `${place} "${one}" became "${other}"`).join(", ")
    return `  ${mti} STAN ${stan}${rrn === "" ? "" : ` RRN ${rrn}`}: ${outcome === "unanswered" ? outcome : what}`
  })
  const more = wrong.length > SHOWN ? [`  and ${wrong.length - SHOWN} more: --report writes all of them`] : []
  const differing = places.length > 0 ? ["places that differ:", ...places] : []
  return [counts.toString(), ...differing, ...shown, ...more].join("\n")
}

/** Who makes the connection, and where: exactly one of the two is given. */
const wayOf = ({
  connect,
  listen
}: {
  readonly connect: Endpoint | undefined
  readonly listen: Endpoint | undefined
}): Effect.Effect<Way, SettingInvalid> => {
  if (connect !== undefined && listen === undefined) return Effect.succeed({ role: "dial", endpoint: connect })
  if (listen !== undefined && connect === undefined) return Effect.succeed({ role: "listen", endpoint: listen })
  return Effect.fail(new SettingInvalid({ setting: "--connect, --listen", rule: "give exactly one of the two" }))
}

/** `jinka-sim replay`. */
export const replayCommand = Command.make(
  "replay",
  {
    path: Argument.Path("file").pipe(Argument.withDescription("Traffic, as a proxy or `jinka-sim record` wrote it")),
    connect: optionalEndpoint("connect", "Send the requests to this address"),
    listen: optionalEndpoint("listen", "The system under test connects itself: wait for it on this address"),
    signOn: Flag.Boolean("expect-sign-on").pipe(
      Flag.withDescription("Send nothing before the system under test has signed on"),
      Flag.withDefault(false)
    ),
    ...formFlags,
    link: file(
      "link",
      "In place of both, a file with dialect, frame, mac and tls of the link, as a load file has them: MACs are made anew"
    ),
    direction: Flag.Literals("direction", ["toTarget", "fromTarget"]).pipe(
      Flag.withDescription(
        "Whose requests are sent: those of the side that made the connection (toTarget, the default with --connect), or of the " +
          "side that listened (fromTarget, the default with --listen)"
      ),
      Flag.optional,
      Flag.map(Option.getOrUndefined)
    ),
    speed: Flag.Finite("speed").pipe(
      Flag.withDescription(
        "1 as it was recorded, 10 ten times as fast, 0 each when the one before was answered (default 1)"
      ),
      Flag.withDefault(1),
      Flag.filter(
        (value) => value >= 0,
        (value) => `--speed takes 0 or more, not ${value}`
      )
    ),
    asRecorded: Flag.Boolean("as-recorded").pipe(
      Flag.withDescription("Send STANs, dates and times as they were; without it they are new"),
      Flag.withDefault(false)
    ),
    timeout: duration("timeout", "Wait this long for an answer", "10 seconds"),
    tolerance: file("tolerance", "What answers may differ in (docs/reference/traffic.md)"),
    report: file("report", "Write what became of each request here, one JSON object a line")
  },
  Effect.fn(function* (input) {
    const way = yield* wayOf(input)
    const direction = input.direction ?? (way.role === "dial" ? "toTarget" : "fromTarget")
    const { form, mac, tls } = yield* linkOf(input)
    const tolerance = input.tolerance === undefined ? noTolerance : yield* readTolerance(input.tolerance)
    const lines = yield* readTraffic(input.path)
    const pairs = pairsOf(form.codec, lines, direction)
    if (pairs.length === 0) {
      const reason = `it holds no request ${direction} that the dialect can read`
      return yield* new FileMalformed({ path: input.path, reason })
    }
    const unread = lines.filter((line) => readLine(form.codec, line) === undefined).length
    if (unread > 0) {
      const says = `${unread} of ${lines.length} messages cannot be read in this dialect, and are left out`
      yield* Console.error(`jinka-sim: ${says}`)
    }
    if (pairs.some(({ request }) => request.line.cards === "masked")) {
      yield* Console.error(
        "jinka-sim: card data of this traffic is covered: requests go out with stars in their card numbers"
      )
    }
    yield* tryToWrite([input.report])
    const ended: Array<Replayed> = []
    const { asRecorded, signOn: isSignOnExpected, speed, timeout: timeoutMs } = input
    const secured = tls === undefined ? way : { ...way, tls }
    const settings = {
      ...{ form, mac, way: secured, isSignOnExpected },
      ...{ speed, isRenewed: !asRecorded, timeoutMs, tolerance }
    }
    const stop = yield* StopSignal
    const context = yield* Effect.context<never>()
    const tell = (text: string) => void Effect.runForkWith(context)(Console.error(`jinka-sim: ${text}`))
    const early = yield* replay(settings, pairs, (one) => ended.push(one), stop.requested, tell)
    yield* Console.log(table(ended))
    if (input.report !== undefined) {
      yield* writeText(input.report, () => ended.map((one) => `${JSON.stringify(one)}\n`).join(""))
    }
    const notSent = ended.filter(({ outcome }) => outcome === "not sent").length
    if (early !== undefined) {
      return yield* new Unsettled({ reason: `${early}: ${notSent} of ${ended.length} requests were not sent` })
    }
    const wrong = ended.filter(({ outcome }) => outcome === "differs" || outcome === "unanswered").length
    if (wrong > 0) return yield* new Unsettled({ reason: `${wrong} of ${ended.length} answers are not as recorded` })
    if (!ended.some(({ outcome }) => outcome === "same"))
      return yield* new Unsettled({ reason: "no answer was compared: none is recorded for a request that was sent" })
    if (unread > 0)
      return yield* new Unsettled({
        reason: `${unread} of ${lines.length} messages were left out: not all was compared`
      })
  })
).pipe(
  Command.withDescription(
    "Sends recorded requests again and compares each answer with the recorded one, field by field, card data covered. Numbers and " +
      "dates are new unless --as-recorded; they are not compared. Ctrl-C ends it with what was compared so far. Exit codes: 0 all " +
      "as recorded, 1 answers differ or are missing, messages were left out, nothing was compared, or it ended early, " +
      "2 a file is wrong or no connection came up."
  ),
  Command.withShortDescription("Recorded requests sent again, their answers compared"),
  Command.withExamples([
    {
      command: "jinka-sim replay traffic.jsonl --connect 127.0.0.1:7801 --speed 10 --tolerance tolerance.yaml",
      description: "Ten times as fast, for a new version of a host"
    },
    {
      command: "jinka-sim replay traffic.jsonl --listen 127.0.0.1:7801 --expect-sign-on",
      description: "For a system that connects itself and signs on"
    }
  ])
)
