/** `jinka doctor`: which length headers and dialects would fit captured bytes. */
import { type Diagnosis, type Dialect, dialects, examine, examinedMax, fromHex } from "@jinka/codec"
import { Console, Effect, FileSystem, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CommandFailed } from "../Exit.ts"
import { diagnosisText } from "../message/DiagnosisText.ts"
import { asJson } from "./Asked.ts"
import { bytesOf, codecOf } from "./MessageCommand.ts"

const capture = Argument.String("capture").pipe(
  Argument.withDescription("A file of bytes or of hex digits, hex digits themselves, or `-` for standard input")
)

/** Bytes of a text of hex digits and blanks; of anything else the bytes as they are. */
const plain = (bytes: Uint8Array): Uint8Array => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")
  return /^[0-9a-fA-F\s]*$/.test(text) ? (fromHex(text.replace(/\s/g, "")) ?? bytes) : bytes
}

const captured = Effect.fnUntraced(function* (source: string) {
  const files = yield* FileSystem.FileSystem
  const isFile = source === "-" || (yield* Effect.orElseSucceed(files.exists(source), () => false))
  if (!isFile) {
    const bytes = fromHex(source.replace(/\s/g, ""))
    if (bytes !== undefined && bytes.length > 0) return bytes
    return yield* new CommandFailed({ exit: "usage", says: "The capture is no file and no pairs of hex digits." })
  }
  const chunks: Array<Uint8Array> = []
  let length = 0
  // Twice: the input may be hex digits.
  yield* Stream.runForEachWhile(bytesOf(source), (chunk) =>
    Effect.sync(() => {
      chunks.push(chunk)
      length += chunk.length
      return length < 2 * examinedMax
    })
  )
  return plain(Buffer.concat(chunks))
})

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
      for (const name of flags.dialect) {
        const { dialect } = yield* codecOf(name)
        own[dialect.name] = dialect
      }
      const bytes = yield* captured(flags.capture)
      const diagnoses = examine(bytes, { dialects: { ...own, ...dialects } })
      const good = diagnoses[0]
      if (!flags.json || good !== undefined) yield* Console.log(flags.json ? json(diagnoses) : diagnosisText(diagnoses))
      if (good === undefined || good.score < 50) {
        return yield* new CommandFailed({ exit: "bad", says: "No explanation of these bytes is better than a guess." })
      }
    })
).pipe(
  Command.withDescription(
    "Looks at bytes captured on a link, from the first byte of a frame and of one direction only, and says which length headers and dialects would fit, best first, with the evidence. Never shows a value of a message. Ends with 1 when nothing fits well."
  ),
  Command.withShortDescription("Find the length header and dialect of captured bytes"),
  Command.withExamples([
    { command: "jinka doctor capture.bin", description: "What does this partner send?" },
    { command: "jinka doctor 003A30383030...", description: "The same of a few bytes from a log" },
    { command: "jinka doctor capture.bin --dialect partner.yaml --json", description: "Does my dialect fit? As JSON" }
  ])
)
