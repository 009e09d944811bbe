/** `jinka decode` and `jinka encode`: messages between bytes and something readable. */
import { type Codec, isMessageError, readJson, toHex } from "@jinka/codec"
import { Console, Effect, FileSystem, Option, Stdio, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { fileWords } from "../../journal/FileWords.ts"
import { frameNames, frames } from "../configuration/Shipped.ts"
import { CommandFailed } from "../Exit.ts"
import { fileBytes } from "../FileBytes.ts"
import { differenceText } from "../message/DifferenceText.ts"
import { type Input, type InputForm, MessageInput } from "../message/MessageInput.ts"
import { encodeJson, messageLine, messageTable, oddities, type Shown } from "../message/MessageText.ts"
import { PastedInput } from "../message/PastedInput.ts"
import { digitsOf } from "../message/paste/HexLine.ts"
import { type Wire, type WireGiven, wireFlags, wireOf } from "./WireFlags.ts"

const input = Argument.String("input").pipe(
  Argument.withDescription("A file; `-` or nothing: standard input"),
  Argument.withDefault("-")
)

/** The bytes of a file or pipe, or of standard input for `-`. */
export const bytesOf = (source: string): Stream.Stream<Uint8Array, CommandFailed, Stdio.Stdio> => {
  const unreadable = (why: string) => new CommandFailed({ exit: "usage", says: `${source} cannot be read: ${why}.` })
  return source === "-"
    ? Stream.unwrap(Effect.map(Stdio.Stdio, ({ stdin }) => stdin)).pipe(
        Stream.mapError(({ reason }) => unreadable(fileWords(reason)))
      )
    : Stream.mapError(fileBytes(source), unreadable)
}

/** Digits of a message type and a bitmap: with fewer, a name is the name of a file that is missing. */
const DIGITS_MIN = 16

const tooFew = ({ exit, says }: CommandFailed) =>
  new CommandFailed({
    exit,
    says: `${says} Hex digits of a message are at least ${DIGITS_MIN}, for its type and bitmap.`
  })

/** The same; where no file has that name and it is hex digits, these. */
const bytesGiven = (source: string): Stream.Stream<Uint8Array, CommandFailed, FileSystem.FileSystem | Stdio.Stdio> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const digits = digitsOf(source)?.length ?? 0
      if (digits === 0) return bytesOf(source)
      if (digits < DIGITS_MIN) return Stream.mapError(bytesOf(source), tooFew)
      const isFile = yield* Effect.orElseSucceed(files.exists(source), () => false)
      return isFile ? bytesOf(source) : Stream.succeed(Buffer.from(source, "latin1"))
    })
  )

/** Some of what was read was bad; each was said where it was. */
const someBad = (bad: number, hint = "") =>
  bad === 0
    ? Effect.void
    : Effect.fail(
        new CommandFailed({ exit: "bad", says: `${bad} ${bad === 1 ? "message is" : "messages are"} wrong.${hint}` })
      )

/** Name of a shipped frame that these bytes are exactly one of. */
const frameThatFits = (bytes: Buffer): string | undefined =>
  frameNames.find((name) => {
    const messages = new MessageInput("binary", frames[name])
    const found = [...messages.push(bytes), ...messages.end()]
    return found.length === 1 && found[0]?._tag === "message"
  })

/** Whether a codec reads bytes to their end. */
const isMessageOf =
  (codec: Codec) =>
  (bytes: Buffer): boolean =>
    !isMessageError(codec.decode(bytes))

/** How `decode` was called, as far as a comparison needs it. */
interface Comparing extends WireGiven {
  readonly input: string
  readonly form: InputForm
  readonly output: "auto" | "table" | "json"
  readonly language: "en" | "zh" | "both"
  readonly unmask: boolean
}

const allMessages = Effect.fnUntraced(function* (source: string, form: InputForm, { codec, frame }: Wire) {
  const messages = new PastedInput(form, frame, isMessageOf(codec))
  const found: Array<Input> = []
  yield* Stream.runForEach(bytesGiven(source), (chunk) => Effect.sync(() => found.push(...messages.push(chunk))))
  return [...found, ...messages.end()]
})

/** Compares the messages of two inputs, the first with the first and so on. */
const showDifferences = Effect.fnUntraced(function* (flags: Comparing, other: string) {
  const wire = yield* wireOf(flags)
  const { codec } = wire
  const left = yield* allMessages(flags.input, flags.form, wire)
  const right = yield* allMessages(other, flags.form, wire)
  const isTerminal = yield* (yield* Stdio.Stdio).stdoutIsTerminal
  const asTable = flags.output === "table" || (flags.output === "auto" && isTerminal)
  const shown = Array.from({ length: Math.max(left.length, right.length) }, (_, at) =>
    differenceText(codec, at + 1, left[at], right[at], { asTable, reveal: flags.unmask, language: flags.language })
  )
  if (shown.length > 0) yield* Console.log(shown.map(({ text }) => text).join("\n"))
  yield* someBad(shown.filter(({ isGood }) => !isGood).length)
})

/** `jinka decode`. */
export const decode = Command.make(
  "decode",
  {
    input: Argument.String("input").pipe(
      Argument.withDescription("A file; hex digits themselves; `-` or nothing: standard input"),
      Argument.withDefault("-")
    ),
    ...wireFlags,
    form: Flag.Literals("form", ["auto", "hex", "binary"]).pipe(
      Flag.withDescription(
        "How the input is written: hex (lines of digits, dumps of xxd, hexdump -C, od, tcpdump -X, tshark, Wireshark, jPOS; numbers and characters of od, hexdump and gdb, Intel HEX; lines of a log and documents of JSON with digits or base64 in them; arrays, escapes and decimal numbers of programs; base32, uuencode, quoted-printable, percent signs) or binary; auto (the default) looks at it, and takes base64, pcap and pcapng files too"
      ),
      Flag.withDefault("auto")
    ),
    output: Flag.Literals("output", ["auto", "table", "json"]).pipe(
      Flag.withDescription(
        "A table for people, a line of JSON for each message; auto (the default): a table on a terminal"
      ),
      Flag.withDefault("auto")
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("The same as --output json"),
      Flag.withDefault(false),
      Flag.withoutNegation
    ),
    language: Flag.Literals("language", ["en", "zh", "both"]).pipe(
      Flag.withDescription("Language of the names in the table; en when left out"),
      Flag.withDefault("en")
    ),
    unmask: Flag.Boolean("unmask").pipe(
      Flag.withDescription("Show card data as it is; think of who looks at the screen and where it is kept"),
      Flag.withDefault(false),
      Flag.withoutNegation
    ),
    diff: Flag.String("diff").pipe(
      Flag.withDescription(
        "Another file of messages, read the same way: show what differs instead, message by message"
      ),
      Flag.optional
    )
  },
  ({ json, ...given }) =>
    Effect.gen(function* () {
      const flags: typeof given = json ? { ...given, output: "json" } : given
      if (Option.isSome(flags.diff)) return yield* showDifferences(flags, flags.diff.value)
      const isTerminal = yield* (yield* Stdio.Stdio).stdoutIsTerminal
      const show = flags.output === "table" || (flags.output === "auto" && isTerminal) ? messageTable : messageLine
      const { codec, frame } = yield* wireOf(flags)
      const showing = { reveal: flags.unmask, language: flags.language }
      const messages = new PastedInput(flags.form, frame, isMessageOf(codec))
      let flow: string | undefined
      let bad = 0
      let count = 0
      let hint: string | undefined
      let isLossy = false
      const read = (bytes: Buffer): Shown => {
        const shown = show(codec, bytes, showing)
        if (!shown.isGood && frame === undefined) hint ??= frameThatFits(bytes)
        if (!shown.isGood) isLossy ||= isWithoutBytes(bytes)
        return shown
      }
      const print = (found: ReadonlyArray<Input>) => {
        const shown = found.map((one) => (one._tag === "message" ? read(one.bytes) : wrongInput(one)))
        count += shown.length
        bad += shown.filter(({ isGood }) => !isGood).length
        return Effect.forEach(shown, ({ text }, at) => showIn(found[at]!.flow, text), { discard: true })
      }
      // Which direction of which connection it is is beside the messages, so that they can be built again.
      const showIn = (now: string | undefined, text: string) => {
        const isOther = now !== undefined && now !== flow
        flow = now
        return isOther ? Effect.andThen(Console.error(`# ${now}`), Console.log(text)) : Console.log(text)
      }
      yield* Stream.runForEach(bytesGiven(flags.input), (chunk) => print(messages.push(chunk)))
      yield* print(messages.end())
      if (count === 0) {
        const what = flags.input === "-" ? "The standard input" : flags.input
        return yield* new CommandFailed({ exit: "bad", says: `${what} holds no message.` })
      }
      if (messages.passedOver !== undefined) yield* Console.error(messages.passedOver)
      const header = hint === undefined ? "" : ` They seem to have a length header: try --frame ${hint}.`
      yield* someBad(bad, isLossy ? lossy : bad < count ? header : `${header}${doctorFinds}`)
    })
).pipe(
  Command.withDescription(
    "Reads ISO 8583 messages and shows their fields, with card data covered. Takes what people paste: lines of hex with any marks between the pairs, one message over several lines, hex dumps with offsets and text, lines of a log and of source text, base64, messages that are text themselves; and captures of tcpdump and Wireshark (pcap, pcapng), of which each direction of each TCP connection is put together. Lines of words beside messages, as a log has them, are passed over and counted on standard error. A message that is wrong gives a line that says where and why, and in the end the exit code 1."
  ),
  Command.withShortDescription("Show the fields of messages"),
  Command.withExamples([
    { command: "jinka decode message.hex --dialect cups", description: "A table on a terminal" },
    {
      command: "jinka decode 08002038000000200002... --dialect nac",
      description: "A message from a log; the shell keeps what is typed, so with a card in it rather a file"
    },
    { command: "jinka decode capture.bin --frame cups --json", description: "Every message of a raw capture" },
    {
      command: "jinka decode capture.bin --link switch.yaml:issuer",
      description: "As a link of a configuration reads it"
    },
    { command: "jinka decode link.pcap --frame cups", description: "Both directions of every connection in a capture" },
    { command: "xxd message.bin | jinka decode", description: "A dump from the clipboard or from a tool" },
    { command: "jinka decode sent.hex --diff received.hex", description: "What differs between two messages" },
    {
      command: "tail -f hex.log | jinka decode --dialect iso8583v1987Ascii",
      description: "A line of JSON for each line of hex"
    }
  ])
)

/** Whether a message is a text in which a viewer shows bytes as dots (Wireshark) or as `M-^B` (cat -v). */
const isWithoutBytes = (bytes: Buffer): boolean => {
  const text = bytes.toString("latin1")
  return /^[ -~\s]*$/.test(text) && (text.slice(0, TEXT_BEGINS).includes(".") || /M-.|\^@/.test(text))
}

/** Characters in which the type and the bitmap of a message are. */
const TEXT_BEGINS = 24

const lossy =
  " A viewer has put other characters in place of bytes that cannot be printed: copy the bytes as hex (in Wireshark as a hex stream), or dump them with `xxd`."

/** Where no message could be read. */
const doctorFinds = " `jinka doctor` finds which length header and dialect fit."

const wrongInput = ({ at, why }: Input & { readonly _tag: "wrong" }): Shown => ({
  isGood: false,
  text: JSON.stringify({ at, says: why })
})

/** `jinka encode`. */
export const encode = Command.make(
  "encode",
  {
    input,
    ...wireFlags,
    form: Flag.Literals("form", ["hex", "binary"]).pipe(
      Flag.withDescription("How the messages are written: a line of hex each (the default), or their bytes"),
      Flag.withDefault("hex")
    )
  },
  (flags) =>
    Effect.gen(function* () {
      const { codec, frame } = yield* wireOf(flags)
      const text = yield* Stream.mkString(Stream.decodeText(bytesOf(flags.input)))
      const given = jsonOf(text)
      if (given.length === 0)
        return yield* new CommandFailed({ exit: "bad", says: "The list on the input holds no message." })
      const built = given.map((json) => (json instanceof Error ? json.message : encodeJson(codec, json, frame)))
      const { stdout } = yield* Stdio.Stdio
      const good = built.filter((one) => typeof one !== "string")
      const out = flags.form === "binary" ? good : good.map((bytes) => `${toHex(bytes)}\n`)
      yield* Effect.mapError(
        Stream.run(Stream.fromIterable<string | Uint8Array>(out), stdout()),
        () => new CommandFailed({ exit: "bad", says: "Standard output cannot be written." })
      )
      for (const [at, one] of built.entries()) {
        const says = typeof one === "string" ? [one] : oddities(codec, given[at])
        for (const what of says) yield* Console.error(`message ${at + 1}: ${what}`)
      }
      yield* someBad(built.length - good.length)
    })
).pipe(
  Command.withDescription(
    'Builds messages from JSON: {"mti": "0200", "fields": {"2": "...", "11": "000001"}}, one document, a list, or a document a line. Texts are texts, bytes are hex. What `decode --unmask --output json` prints can be built again.'
  ),
  Command.withShortDescription("Build messages from JSON"),
  Command.withExamples([
    {
      command: "jinka encode request.json --dialect cups --frame cups",
      description: "A line of hex with its length header"
    },
    { command: "jinka encode requests.jsonl --form binary | nc 127.0.0.1 7001", description: "Bytes onto a connection" }
  ])
)

/** The documents of a text: the text itself, the entries of a list, or one for each line. */
const jsonOf = (text: string): ReadonlyArray<unknown> => {
  const bare = text.replace(/^\ufeff/, "")
  const whole = readJson(bare)
  if ("json" in whole) return Array.isArray(whole.json) ? whole.json : [whole.json]
  const lines = bare.split("\n").flatMap((line, at) => (line.trim() === "" ? [] : [readJson(line, at + 1)]))
  if (lines.length === 0) return [new Error("there is no JSON on the input.")]
  // Of a document over several lines no line is one by itself: what is wrong with the whole says more.
  const isWhole = whole.kind === "twice" || lines.every((line) => "wrong" in line && line.kind === "syntax")
  return (isWhole ? [whole] : lines).map((read) =>
    "json" in read ? read.json : new Error(`${read.wrong}.${read.hint === "" ? "" : ` ${read.hint}`}`)
  )
}
