/** `jinka doctor`: which length headers and dialects would fit captured bytes. */
import { type Diagnosis, type Dialect, dialects, EXAMINED_MAX, type ExamineOptions, examine } from "@jinka/codec"
import { Console, Effect, FileSystem, type Stdio, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { isDialectFile } from "../configuration/Shipped.ts"
import { CommandFailed } from "../Exit.ts"
import { type Flow, flowsOf } from "../message/CapturedFlows.ts"
import { diagnosisText } from "../message/DiagnosisText.ts"
import { bytesOfLine } from "../message/paste/HexLine.ts"
import { otherReadings, WHOLE_TEXT_MAX } from "../message/paste/OtherReadings.ts"
import { pastedText } from "../message/paste/PastedForm.ts"
import { asJson } from "./Asked.ts"
import { bytesOf } from "./MessageCommand.ts"
import { codecOf } from "./WireFlags.ts"

const capture = Argument.String("capture").pipe(
  Argument.withDescription(
    "A file of bytes, hex or a hex dump, or of packets (pcap, pcapng); hex digits themselves; `-` for standard input"
  )
)

const bad = (says: string): CommandFailed => new CommandFailed({ exit: "usage", says })

/** A dump is some four times as long as its bytes, and a capture has headers. */
const READ_MAX = 64 * EXAMINED_MAX

/** The directions of what was captured, or why there are none; and the text that it may be, to be read in another way. */
interface Captured {
  readonly flows: ReadonlyArray<Flow> | string
  readonly text: string
}

/** Reads what was captured. */
const captured = Effect.fnUntraced(function* (
  source: string
): Effect.fn.Return<Captured, CommandFailed, FileSystem.FileSystem | Stdio.Stdio> {
  const files = yield* FileSystem.FileSystem
  const isFile = source === "-" || (yield* Effect.orElseSucceed(files.exists(source), () => false))
  if (!isFile) {
    const bytes = bytesOfLine(source)
    if (bytes !== undefined && bytes.length > 0)
      return { flows: [{ title: "", bytes, others: [Buffer.from(source, "latin1")] }], text: "" }
    return yield* bad("The capture is no file and no pairs of hex digits.")
  }
  const chunks: Array<Uint8Array> = []
  let length = 0
  yield* Stream.runForEachWhile(bytesOf(source), (chunk) =>
    Effect.sync(() => {
      chunks.push(chunk)
      length += chunk.length
      return length < READ_MAX
    })
  )
  const bytes = Buffer.concat(chunks)
  const flows = flowsOf(bytes)
  return {
    flows: typeof flows === "string" ? `${source} cannot be read: ${flows}.` : flows,
    text: length > WHOLE_TEXT_MAX ? "" : pastedText(bytes)
  }
})

/** Most readings that are looked at where the usual one explains nothing. */
const READINGS_MAX = 64

/** Of a text that explains nothing line by line: what its other readings say; nothing where they say nothing either. */
const diagnosedOtherwise = (text: string, options: ExamineOptions): ReadonlyArray<Diagnosis> =>
  otherReadings(text)
    .flat()
    .slice(0, READINGS_MAX)
    .map((bytes) => examine(bytes, options))
    .filter(([best]) => best !== undefined && best.decoded > 0 && best.score >= GOOD_MIN)
    .reduce((best, one) => (worth(one) > worth(best) ? one : best), [])

/** A score below is a guess. */
const GOOD_MIN = 50

/** The diagnoses of a direction, read in the way that makes most sense: a text that is data of another kind is one of them. */
const diagnosed = ({ bytes, others }: Flow, options: ExamineOptions): ReadonlyArray<Diagnosis> =>
  others
    .map((other) => examine(other, options))
    .reduce((best, one) => (worth(one) > worth(best) ? one : best), examine(bytes, options))

/** A dialect that came from a file is named by that file, as a link does. Behind another header its own file has to say so. */
const ofFile = (diagnosis: Diagnosis, paths: ReadonlyMap<string, string>): Diagnosis => {
  const path = diagnosis.dialect === undefined ? undefined : paths.get(diagnosis.dialect.name)
  if (path === undefined || diagnosis.link === undefined) return diagnosis
  const { file, frame } = diagnosis.link
  const changed = file === undefined ? {} : { file: { name: file.extends ?? file.name, header: file.header } }
  return { ...diagnosis, link: { frame, dialect: path, ...changed } }
}

/** A message that is found inside of a text says more than that the text is JSON or XML. */
const worth = ([best]: ReadonlyArray<Diagnosis>): number =>
  best === undefined ? 0 : best.score / (best.looks === "json" || best.looks === "xml" ? 2 : 1)

const noneIsGood =
  "No explanation of these bytes is better than a guess. Give whole frames of one direction, from the first byte of one, and the partner's own table with --dialect. Of what follows a message the doctor knows bytes that are always the same, and ETX with an XOR check byte; a check value of another kind, and STX without a length, are in no frame of a configuration: ask the partner to leave them out. Messages of one size are found where they fill it."

/** The explanations as JSON: sizes and rules only. */
const json = (diagnoses: ReadonlyArray<Diagnosis>): string =>
  diagnoses.map((diagnosis) => JSON.stringify(diagnosis)).join("\n")

/** `jinka doctor`. */
export const doctor = Command.make(
  "doctor",
  {
    capture,
    dialect: Flag.String("dialect").pipe(
      Flag.withDescription("A dialect file to try before the shipped dialects; may be given several times"),
      Flag.atLeast(0)
    ),
    json: asJson
  },
  (flags) =>
    Effect.gen(function* () {
      const own: Record<string, Dialect> = {}
      const paths = new Map<string, string>()
      for (const name of flags.dialect) {
        const { dialect } = yield* codecOf(name)
        own[dialect.name] = dialect
        if (isDialectFile(name)) paths.set(dialect.name, name)
      }
      const { flows: given, text } = yield* captured(flags.capture)
      const options = { dialects: { ...own, ...dialects } }
      const found = typeof given === "string" ? [] : given.map((flow) => diagnosed(flow, options))
      const isExplained = found.some((one) => worth(one) >= GOOD_MIN)
      const otherwise = isExplained ? [] : diagnosedOtherwise(text, options)
      if (typeof given === "string" && otherwise.length === 0) return yield* bad(given)
      const flows = typeof given === "string" || otherwise.length > 0 ? [{ title: "" }] : given
      let best = 0
      for (const [at, flow] of flows.entries()) {
        const diagnoses = (otherwise.length > 0 ? otherwise : found[at]!).map((one) => ofFile(one, paths))
        best = Math.max(best, diagnoses[0]?.score ?? 0)
        if (flows.length > 1) yield* Console.error(`# ${flow.title.trim() === "" ? "a direction" : flow.title}`)
        const isSaid = !flags.json || diagnoses.length > 0
        if (isSaid) yield* Console.log(flags.json ? json(diagnoses) : diagnosisText(diagnoses))
      }
      if (best < GOOD_MIN) {
        return yield* new CommandFailed({ exit: "bad", says: noneIsGood })
      }
    })
).pipe(
  Command.withDescription(
    "Looks at bytes captured on a link, from the first byte of a frame, and says which length headers and dialects would fit, best first, with the evidence. Takes whatever `jinka decode` takes. Of a capture of packets each direction is looked at by itself; anything else holds one direction only. Never shows a value of a message. Ends with 1 when nothing fits well."
  ),
  Command.withShortDescription("Find the length header and dialect of captured bytes"),
  Command.withExamples([
    { command: "jinka doctor capture.bin", description: "What does this partner send?" },
    { command: "jinka doctor link.pcap", description: "The same of tcpdump's file, each direction by itself" },
    { command: "jinka doctor 003A30383030...", description: "The same of a few bytes from a log" },
    { command: "jinka doctor capture.bin --dialect partner.yaml --json", description: "Does my dialect fit? As JSON" }
  ])
)
