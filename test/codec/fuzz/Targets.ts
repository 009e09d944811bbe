/**
 * What is fuzzed: each target takes any bytes, throws when a promise of the codec is broken, and gives a short text of what
 * happened, which guides the mutation.
 */
import {
  type Codec,
  checkDialect,
  compile,
  cups,
  type Dialect,
  decodeTlv,
  derive,
  describe,
  dialects,
  encodeTlv,
  examine,
  type FrameFormat,
  Framer,
  frameCandidates,
  interpret,
  isMessageError,
  isTlvInvalid,
  MessageIndex,
  messageFromJson,
  messageToJson,
  readTagged,
  redactTlv,
  resolveDateTime,
  usageLengthValue,
  writeTagged
} from "@jinka/codec"

/** A target: throws on a broken promise, returns what happened. */
export type Target = (bytes: Buffer) => string

const same = (one: unknown, other: unknown, what: string): void => {
  const [left, right] = [JSON.stringify(one), JSON.stringify(other)]
  if (left !== right) throw new Error(`${what}: ${left?.slice(0, 200)} against ${right?.slice(0, 200)}`)
}

const framesOf = (format: FrameFormat, chunks: ReadonlyArray<Buffer>): ReadonlyArray<string> => {
  const found: Array<string> = []
  const sink = {
    frame: (buffer: Buffer, start: number, end: number) => {
      found.push(`m${buffer.toString("hex", start, end)}`)
    },
    idle: (buffer: Buffer, start: number, end: number) => {
      found.push(`i${buffer.toString("hex", start, end)}`)
    }
  }
  const framer = new Framer(format)
  let wrong = undefined as ReturnType<Framer["push"]>
  for (const chunk of chunks) wrong = framer.push(chunk, sink)
  wrong = framer.end(sink)
  return [...found, wrong === undefined ? "good" : `${wrong._tag} ${wrong.rule} ${wrong.offset}`]
}

const formats: ReadonlyArray<FrameFormat> = [
  ...frameCandidates.flatMap(({ format }) => (format === undefined ? [] : [format])),
  { kind: "delimiter", delimiter: "0D0A", lengthMax: 256, idle: "zero-length" },
  { kind: "fixed", bytes: 7 },
  { kind: "until-close", lengthMax: 512 }
]

/** However the bytes are cut, the frames are the same. The first byte chooses the format, the second the cuts. */
const framer: Target = (bytes) => {
  const format = formats[(bytes[0] ?? 0) % formats.length]!
  const stream = bytes.subarray(2)
  const step = 1 + ((bytes[1] ?? 0) % 9)
  const chunks: Array<Buffer> = []
  for (let at = 0; at < stream.length; at += step) chunks.push(Buffer.from(stream.subarray(at, at + step)))
  const whole = framesOf(format, [Buffer.from(stream)])
  same(framesOf(format, chunks), whole, "frames")
  return `${(bytes[0] ?? 0) % formats.length} ${whole.length} ${whole.at(-1)?.replace(/\d+$/, "")}`
}

const tried: ReadonlyArray<Dialect> = [
  ...Object.values(dialects),
  derive(cups, { name: "cupsBare", header: null }),
  derive(cups, {
    name: "third",
    header: null,
    bitmap: { encoding: "hex", secondary: "optional", tertiary: true },
    lenient: true,
    fields: { 65: null }
  })
]

const pairs: ReadonlyArray<readonly [Codec, Codec]> = tried.map((dialect) => [compile(dialect), interpret(dialect)])

/** Parts as JSON give the same message, a redacted copy keeps its length, a description never fails. */
const around = (codec: Codec, bytes: Buffer): void => {
  describe(codec, bytes, { language: "both" })
  describe(codec, bytes, { reveal: true })
  const index = new MessageIndex()
  if (codec.index(bytes, 0, bytes.length, index) !== undefined) return
  const length = index.end - index.start
  const out = Buffer.alloc(length)
  if (codec.redact(index, out, 0) !== length) throw new Error("a redacted copy has another length")
  codec.withoutSad(index)
}

/** Generated code and table agree; what was decoded is encoded to a message that says the same. */
const decode: Target = (bytes) => {
  const [fast, slow] = pairs[(bytes[0] ?? 0) % pairs.length]!
  const message = Buffer.from(bytes.subarray(1))
  around(slow, message)
  const expected = slow.decode(message)
  if (isMessageError(expected)) {
    same(fast.decode(message), expected, "errors")
    return `${(bytes[0] ?? 0) % pairs.length} ${expected._tag} ${"de" in expected ? expected.de : ""} ${"rule" in expected ? expected.rule : ""}`
  }
  const json = messageToJson(expected, { reveal: true })
  for (let turn = 0; turn < 4; turn++) {
    const decoded = fast.decode(message)
    if (isMessageError(decoded)) throw new Error("generated code refuses what the table reads")
    same(messageToJson(decoded, { reveal: true }), json, "values")
  }
  const again = slow.encode(expected)
  for (let turn = 0; turn < 5; turn++) same(fast.encode(expected), again, "bytes")
  if (isMessageError(again)) return `encode ${again._tag}`
  const twice = slow.decode(again)
  if (isMessageError(twice)) throw new Error("what was encoded cannot be decoded")
  same(messageToJson(twice, { reveal: true }).fields, json.fields, "values written again")
  const parts = messageFromJson(
    slow,
    JSON.parse(JSON.stringify(messageToJson(expected, { reveal: true, parts: slow })))
  )
  if (isMessageError(parts)) throw new Error("parts cannot be read")
  same(messageToJson(parts, { reveal: true }).fields, json.fields, "values from parts")
  return `${(bytes[0] ?? 0) % pairs.length} ${Object.keys(expected.fields).join(" ")}`
}

/** Never throws, keeps its bounds, and never says a value. */
const doctor: Target = (bytes) => {
  const found = examine(bytes)
  for (const { score, decoded, messages } of found)
    if (!(score >= 0 && score <= 100) || decoded > messages) throw new Error("a diagnosis outside its bounds")
  const [best] = found
  return best === undefined ? "none" : `${best.looks} ${best.frame.name} ${best.dialect?.name} ${best.decoded}`
}

/** What was read is built again to the same bytes; covering keeps the length and never fails. */
const tlv: Target = (bytes) => {
  const items = decodeTlv(bytes)
  redactTlv(Buffer.from(bytes), 0, bytes.length)
  const tagged = readTagged(usageLengthValue, bytes)
  if (!("_tag" in tagged)) {
    const built = writeTagged(usageLengthValue, tagged)
    if (isTlvInvalid(built) || !built.equals(bytes)) throw new Error("tagged values lose bytes")
  }
  resolveDateTime(bytes.toString("latin1"), 1_767_225_600_000, 480)
  if (isTlvInvalid(items)) return `${items.rule} ${"_tag" in tagged ? tagged.rule : tagged.length}`
  const built = encodeTlv(items)
  if (isTlvInvalid(built) || !built.equals(bytes)) throw new Error("BER-TLV loses bytes")
  return `good ${items.length}`
}

/** Any text is a dialect that compiles, or mistakes with their places. */
const dialectFile: Target = (bytes) => {
  const { dialect, errors } = checkDialect(bytes.toString("utf8"))
  if (dialect === undefined) {
    if (errors.length === 0) throw new Error("no dialect and no mistake")
    return errors
      .map(({ path }) => path)
      .join(" ")
      .slice(0, 60)
  }
  const codec = compile(dialect)
  const message = codec.encode({ mti: "0800", fields: {} })
  if (isMessageError(message)) return `no message ${message._tag}`
  around(codec, message)
  return `good ${codec.layout.defined.length}`
}

/** All targets by name. */
export const targets: Readonly<Record<string, Target>> = { framer, decode, doctor, tlv, dialectFile }
