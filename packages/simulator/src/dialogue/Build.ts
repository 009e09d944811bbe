/** Messages and frames of the steps that send: built well by the codec, then corrupted where the step says so. Pure. */
import {
  answerHeader,
  explain,
  frameOverhead,
  fromHex,
  type HeaderValues,
  isMessageError,
  messageFromJson,
  messageToJson,
  mtiText,
  readHeader,
  responseMti,
  wholeFrame,
  writeTotal
} from "@jinka/codec"
import type { Corruption, Dialogue, Template, Values } from "./Dialogue.ts"
import { withMac, withPin } from "./Keys.ts"
import { mtiOf, type Observed, partsOf, told } from "./Observed.ts"
import { fill, namedMessage, type Scope } from "./References.ts"
import { StepInvalid } from "./StepInvalid.ts"
import type { WireFormat } from "./WireFormat.ts"

/** A message before it is encoded: texts, hex for bytes. */
interface Draft {
  readonly mti: string
  readonly header: HeaderValues | undefined
  readonly fields: Values
}

/**
 * Data elements of a request that an answer does not carry: entry and security data of the terminal (CUPS field matrix,
 * response columns). What a dialect holds for authentication data or chip data is not answered either.
 */
const notAnswered = new Set(["14", "22", "26", "35", "36", "45", "48", "52", "53", "55", "61", "63", "96", "128"])

const isAnswered = (form: WireFormat, de: string): boolean => {
  const sensitivity = form.codec.layout.fields[Number(de)]?.sensitivity
  return !notAnswered.has(de) && sensitivity !== "sad" && sensitivity !== "emv"
}

const decoded = (message: Observed): Draft => {
  const { bytes, form, index } = message
  const read = form.codec.decode(bytes, index.start, index.end)
  if (isMessageError(read))
    throw new StepInvalid({ rule: `the message to start from cannot be read: ${explain(read)}` })
  const { fields, header, mti } = messageToJson(read, { reveal: true })
  return { mti, header, fields }
}

const answerDraft = (message: Observed): Draft => {
  const { fields, mti } = decoded(message)
  const { header } = message.form.codec.dialect
  return {
    mti: mtiText(responseMti(Number(mti))),
    header:
      header === undefined ? undefined : answerHeader(header, readHeader(header, message.bytes, message.index.start)),
    fields: Object.fromEntries(Object.entries(fields).filter(([de]) => isAnswered(message.form, de)))
  }
}

const templateDraft = (dialogue: Dialogue, scope: Scope, name: string): Draft => {
  const named = dialogue.messages.get(name)
  if (named !== undefined) return draftOf(dialogue, scope, named)
  const known = [...dialogue.messages.keys()].join(", ")
  throw new StepInvalid({ rule: `the messages file has no "${name}"; it has ${known}` })
}

const startOf = (dialogue: Dialogue, scope: Scope, template: Template): Draft => {
  if (template.like !== undefined) return templateDraft(dialogue, scope, template.like)
  if (template.answerTo !== undefined) return answerDraft(namedMessage(scope, template.answerTo))
  if (template.again !== undefined) return decoded(namedMessage(scope, template.again))
  return { mti: "", header: undefined, fields: {} }
}

const filled = (scope: Scope, values: Values): Values =>
  Object.fromEntries(Object.entries(values).map(([place, value]) => [place, fill(scope, value)]))

const draftOf = (dialogue: Dialogue, scope: Scope, template: Template): Draft => {
  const start = startOf(dialogue, scope, template)
  const fields = { ...start.fields, ...filled(scope, template.fields) }
  for (const de of template.without) delete fields[de]
  const header = { ...start.header, ...filled(scope, template.header) }
  return {
    mti: template.mti === undefined ? start.mti : fill(scope, template.mti),
    header: scope.form.codec.layout.header === undefined ? undefined : header,
    fields
  }
}

const isUnchanged = ({ fields, header, mac, mti, pin, without }: Template): boolean =>
  mac === undefined &&
  pin === undefined &&
  mti === undefined &&
  without.length === 0 &&
  Object.keys(fields).length === 0 &&
  Object.keys(header).length === 0

/** The message of a step, without its frame. Throws `StepInvalid`. */
export const buildMessage = (dialogue: Dialogue, scope: Scope, template: Template): Buffer => {
  const { codec } = scope.form
  if (template.again !== undefined && template.rejected === undefined && isUnchanged(template)) {
    return namedMessage(scope, template.again).bytes
  }
  const { fields, header, mti } = draftOf(dialogue, scope, template)
  const message = messageFromJson(codec, {
    mti,
    fields,
    ...(header === undefined ? {} : { header }),
    ...(template.rejected === undefined ? {} : { rejected: filled(scope, template.rejected) })
  })
  const bytes = isMessageError(message) ? message : codec.encode(message)
  if (!isMessageError(bytes)) return sealed(dialogue, scope, template, bytes)
  throw new StepInvalid({ rule: `the message cannot be built: ${explain(bytes)}` })
}

/** The finished message with its PIN block, and over that its MAC. */
const sealed = ({ keys }: Dialogue, { form }: Scope, { mac, pin }: Template, bytes: Buffer): Buffer => {
  const withBlock = pin === undefined ? bytes : withPin(form, keys, pin, bytes)
  return mac === undefined ? withBlock : withMac(form, keys, mac, withBlock)
}

/** Bytes of a damage: `hex 0A0B`, otherwise the text itself. */
const damageBytes = (text: string): Buffer => {
  if (!text.startsWith("hex ")) return Buffer.from(text, "latin1")
  const bytes = fromHex(text.slice(4).replaceAll(" ", ""))
  if (bytes !== undefined) return Buffer.from(bytes)
  throw new StepInvalid({ rule: "damage: hex needs pairs of hex digits" })
}

/** Where the bytes of a damage are put: `prefix 2` is the length prefix of DE 2, `2` its value. */
const damagedRange = (form: WireFormat, message: Observed, place: string): readonly [number, number] => {
  const isPrefix = place.startsWith("prefix ")
  const id = isPrefix ? place.slice("prefix ".length) : place
  const part = partsOf(message).find((one) => one.id === id)
  if (part === undefined) throw new StepInvalid({ rule: `damage: the message has no ${id}` })
  const prefixBytes = form.codec.layout.fields[Number(id)]?.prefixBytes ?? 0
  return isPrefix ? [part.from, part.from + prefixBytes] : [part.from + prefixBytes, part.to]
}

const setBits = (form: WireFormat, message: Observed, bits: ReadonlyArray<number>): void => {
  const bitmap = partsOf(message).find(({ id }) => id === "bitmap")
  if (bitmap === undefined) throw new StepInvalid({ rule: "bits on: the message has no bitmap" })
  if (form.codec.dialect.bitmap.encoding !== "binary") throw new StepInvalid({ rule: "bits on: needs a binary bitmap" })
  for (const bit of bits) {
    const at = bitmap.from + ((bit - 1) >> 3)
    if (at >= bitmap.to) throw new StepInvalid({ rule: `bits on: the bitmap has no bit ${bit}` })
    message.bytes[at] = message.bytes[at]! | (0x80 >> ((bit - 1) & 7))
  }
}

/** The message with its damage done. Lengths stay as they are, but for what is appended. Throws `StepInvalid`. */
export const corrupted = (form: WireFormat, message: Buffer, corruption: Corruption): Buffer => {
  const good = told(form, Buffer.from(message), 0)
  for (const [place, text] of Object.entries(corruption.damage)) {
    const [from, to] = damagedRange(form, good, place)
    const bytes = damageBytes(text)
    if (bytes.length !== to - from) {
      throw new StepInvalid({ rule: `damage: ${place} has ${to - from} bytes, ${bytes.length} are given` })
    }
    bytes.copy(good.bytes, from)
  }
  if (corruption.bitsOn.length > 0) setBits(form, good, corruption.bitsOn)
  if (corruption.append === "") return good.bytes
  const whole = Buffer.concat([good.bytes, Buffer.from(corruption.append, "hex")])
  const { header } = form.codec.layout
  // The header's own length stays right, so that only the message's end is wrong.
  if (header !== undefined && mtiOf(good) !== "") writeTotal(header, whole.length, whole, 0)
  return whole
}

/** The message in its frame. Throws `StepInvalid`. */
export const framed = (form: WireFormat, message: Buffer, corruption: Corruption): Buffer => {
  if (corruption.length === undefined) {
    try {
      return wholeFrame(form.frame, message)
    } catch (error) {
      throw new StepInvalid({ rule: error instanceof Error ? error.message : String(error) })
    }
  }
  const { after, before } = frameOverhead(form.frame)
  if (corruption.length.length !== before) throw new StepInvalid({ rule: `length: needs ${before} characters` })
  return Buffer.concat([Buffer.from(corruption.length, "latin1"), message, Buffer.alloc(after)])
}

/** The writes of a frame: how it is cut and split. */
export const writesOf = (frame: Buffer, { cutAt, slowlyMs, splitAt }: Corruption): ReadonlyArray<Buffer> => {
  const bytes = cutAt === undefined ? frame : frame.subarray(0, cutAt)
  const borders = slowlyMs === undefined ? [...splitAt, bytes.length] : [...bytes.keys(), bytes.length].slice(1)
  let from = 0
  return borders.map((to) => {
    const piece = bytes.subarray(from, to)
    from = to
    return piece
  })
}

/** What a system asks by itself to keep a link in order. Keys are no part of it: who answers them has to take them. */
const upkeep = ["signOn", "signOff", "echo", "cutoverStart", "cutoverEnd"] as const

/** What a system asks of its own accord, and the answer that accepts it. */
export interface UpkeepAnswer {
  readonly meaning: (typeof upkeep)[number]
  readonly answer: Buffer
}

/**
 * The answer to what the system under test asks by itself: sign-on, sign-off, echo, cut-over; `undefined` when a message is none
 * of them. `keeps` are fields of the request that are in the answer as they came, besides the usual ones.
 */
export const upkeepAnswer = (
  form: WireFormat,
  message: Observed,
  keeps: ReadonlyArray<number> = []
): UpkeepAnswer | undefined => {
  const { answers, roles } = form.codec.layout
  const { network } = form.codec.dialect
  if (network === undefined || message.wrong !== undefined || message.index.mti !== network.mti) return undefined
  const code = message.index.text(network.field)
  const meaning = upkeep.find((one) => network.codes[one] === code)
  if (meaning === undefined) return undefined
  const { fields } = decoded(message)
  const kept = Object.fromEntries(keeps.flatMap((de) => (fields[de] === undefined ? [] : [[de, fields[de]]])))
  const draft = answerDraft(message)
  const answer = messageFromJson(form.codec, {
    ...draft,
    fields: { ...draft.fields, ...kept, [roles.responseCode]: answers.accepted }
  })
  const bytes = isMessageError(answer) ? answer : form.codec.encode(answer)
  return isMessageError(bytes) ? undefined : { meaning, answer: bytes }
}

/** The answer to an echo request of the system under test, or `undefined` when the message is none. */
export const echoAnswer = (form: WireFormat, message: Observed): Buffer | undefined => {
  const answered = upkeepAnswer(form, message)
  return answered?.meaning === "echo" ? answered.answer : undefined
}
