/**
 * Messages of a load: encoded once, then only what changes is written for each of them.
 *
 * Owns the places in values (`{stan}`, `{rrn}`, `{time}`, `{amount 100..9999}`, `{row.pan}`) and writing a message with its frame
 * into a buffer. Draws from a seed; knows no socket and no clock.
 */
import {
  type Codec,
  compile,
  explain,
  type FieldLayout,
  type FrameFormat,
  frameOverhead,
  isMessageError,
  MessageIndex,
  type MessageJson,
  messageFromJson,
  PatchList,
  writeFrame
} from "@jinka/codec"
import { type Chance, chanceOf } from "../chance/Chance.ts"
import type { WireFormat } from "../dialogue/WireFormat.ts"
import { type MacSettings, writeMac } from "../message/MessageMac.ts"

/** Why a template cannot be used. */
export class TemplateInvalid extends Error {}

/** The rows of a data file: columns by name. */
export interface Rows {
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
}

/** A message as a file gives it. */
export interface TemplateSource {
  readonly name: string
  readonly mti: string
  readonly header: MessageJson["header"]
  /** What its answers say when all is well; left out: the dialect's classes decide. */
  readonly codes?: ReadonlySet<string> | undefined
  /** Values with places in braces. */
  readonly fields: { readonly [de: string]: string }
}

/** What differs from message to message. */
export interface Draws {
  stan: number
  /** MMDDhhmmss. */
  time: string
  row: ReadonlyArray<string>
  reference: number
}

type Place = (draws: Draws, chance: Chance) => string

const isHex = (text: string): boolean => /^(?:[0-9A-Fa-f]{2})*$/.test(text)

const placePattern = /\{([^{}]*)\}/g

const placeNames = "{stan}, {rrn}, {time}, {time hhmmss}, {time MMDD}, {amount 100..9999}, {digits 6}, {row.<column>}"

/** Digits of the number that a field has room for. */
const counted = (value: number, digits: number): string => String(value % 10 ** digits).padStart(digits, "0")

const placeOf = (text: string, digits: number, { columns }: Rows): Place => {
  if (text === "stan") return ({ stan }) => counted(stan, digits)
  if (text === "rrn") return ({ reference }) => counted(reference, 12)
  if (text === "time" || text === "time MMDDhhmmss") return ({ time }) => time
  if (text === "time hhmmss") return ({ time }) => time.slice(4)
  if (text === "time MMDD") return ({ time }) => time.slice(0, 4)
  const amount = /^amount (\d{1,12})\.\.(\d{1,12})$/.exec(text)
  if (amount !== null) {
    if (Number(amount[1]) > Number(amount[2])) {
      throw new TemplateInvalid(`"{${text}}": the larger amount comes after the dots`)
    }
    const [from, to] = [Number(amount[1]), Number(amount[2])]
    if (String(to).length > digits) throw new TemplateInvalid(`"{${text}}": the field has room for ${digits} digits`)
    return (_, chance) => String(chance.between(from, to)).padStart(digits, "0")
  }
  const drawn = /^digits (\d{1,2})$/.exec(text)
  if (drawn !== null) return (_, chance) => chance.digits(Number(drawn[1]))
  const column = /^row\.(\S+)$/.exec(text)?.[1]
  if (column === undefined) throw new TemplateInvalid(`"{${text}}" is not known; known are ${placeNames}`)
  const at = columns.indexOf(column)
  if (at >= 0) return ({ row }) => row[at] ?? ""
  throw new TemplateInvalid(`the data has no column "${column}"; it has ${columns.join(", ") || "none: say data:"}`)
}

/** A value as its fixed texts and places, in turn. */
const valueOfText = (text: string, digits: number, rows: Rows): Place | undefined => {
  const parts: Array<string | Place> = []
  let at = 0
  for (const found of text.matchAll(placePattern)) {
    parts.push(text.slice(at, found.index), placeOf(found[1]!, digits, rows))
    at = found.index + found[0].length
  }
  if (parts.length === 0) return undefined
  parts.push(text.slice(at))
  const [only] = parts.filter((part) => part !== "")
  if (typeof only === "function" && parts.filter((part) => part !== "").length === 1) return only
  return (draws, chance) => parts.map((part) => (typeof part === "string" ? part : part(draws, chance))).join("")
}

const codecs = new Map<WireFormat, Codec>()

/** The generated codec of a form: what a load needs to keep up. */
export const fastCodec = (form: WireFormat): Codec => {
  const known = codecs.get(form)
  if (known !== undefined) return known
  const made = compile(form.codec.dialect)
  codecs.set(form, made)
  return made
}

/** A text made to fit its fixed field, as the codec does where it encodes: zeros in front of digits, spaces behind text. */
const fitted = (field: FieldLayout | undefined, text: string): string => {
  if (field === undefined || field.bytes || field.fixed < 0 || text.length >= field.units) return text
  if (field.content === "n") return text.padStart(field.units, "0")
  return field.content === "xn" || field.content === "z" ? text : text.padEnd(field.units)
}

/** A data element whose value has places. */
interface Changing {
  readonly de: number
  readonly field: FieldLayout | undefined
  readonly place: Place
}

/** A message that is sent again and again; see the module header. */
export class Template {
  readonly name: string
  readonly mti: number
  private readonly form: WireFormat
  private readonly codec: Codec
  private readonly frame: FrameFormat
  private readonly before: number
  private readonly around: number
  private readonly index = new MessageIndex()
  private readonly written = new MessageIndex()
  private readonly patches = new PatchList()
  private readonly places: ReadonlyArray<Changing>
  private readonly chance: Chance
  private readonly mac: MacSettings | undefined
  /** Most bytes of it in its frame. */
  readonly roomMax: number

  /** Throws `TemplateInvalid` when the dialect does not allow a value that some row gives. */
  constructor(source: TemplateSource, form: WireFormat, rows: Rows, seed: number, mac: MacSettings | undefined) {
    this.name = source.name
    this.mti = Number(source.mti)
    this.codec = fastCodec(form)
    this.frame = form.frame
    this.form = { codec: this.codec, frame: form.frame }
    this.mac = mac
    this.chance = chanceOf(seed, "template", source.name)
    const { layout } = this.codec
    const first: Draws = { stan: 1, time: "0101000000", row: rows.rows[0] ?? [], reference: 1 }
    const probe = chanceOf(seed, "probe")
    const fields: Record<string, string> = {}
    const places: Array<Changing> = []
    for (const [de, text] of Object.entries(source.fields)) {
      const place = valueOfText(text, layout.fields[Number(de)]?.units ?? 12, rows)
      if (place !== undefined) places.push({ de: Number(de), field: layout.fields[Number(de)], place })
      fields[de] = place === undefined ? text : place(first, probe)
    }
    this.places = places
    const { header, mti } = source
    const message = messageFromJson(this.codec, { mti, fields, ...(header === undefined ? {} : { header }) })
    const bytes = isMessageError(message) ? message : this.codec.encode(message)
    if (isMessageError(bytes)) throw new TemplateInvalid(`message ${source.name}: ${explain(bytes)}`)
    this.codec.index(bytes, 0, bytes.length, this.index)
    const { after, before } = frameOverhead(form.frame)
    this.before = before
    this.around = before + after
    // Rows may hold longer values than the first one.
    const widest = rows.columns.map((_, at) => Math.max(0, ...rows.rows.map((row) => (row[at] ?? "").length)))
    this.checkRows(rows, first)
    this.roomMax = 2 * bytes.length + this.around + 2 * widest.reduce((sum, one) => sum + one, 0) + 256
  }

  /** Writes one message in its frame; gives its bytes. `out` has the room. */
  write(draws: Draws, out: Buffer, at: number): number {
    const { before, chance, codec, index, patches } = this
    this.change(draws, chance)
    const length = codec.patch(index, patches, out, at + before)
    if (this.mac !== undefined) this.makeRight(this.mac, out, at + before, length)
    return writeFrame(this.frame, out, at, length)
  }

  /** Sets what is new in the next message. */
  private change(draws: Draws, chance: Chance): void {
    const { patches } = this
    patches.clear()
    for (const { de, field, place } of this.places) {
      const text = place(draws, chance)
      patches.set(de, field?.bytes === true ? Buffer.from(text, "hex") : fitted(field, text))
    }
  }

  /** Holds every row against the dialect, so that none is found out under load. */
  private checkRows({ columns, rows }: Rows, first: Draws): void {
    if (columns.length === 0) return
    const probe = chanceOf(1, "probe")
    for (const [at, row] of rows.entries()) {
      const draws = { ...first, row }
      const odd = this.places.find(({ field, place }) => field?.bytes === true && !isHex(place(draws, probe)))
      this.change(draws, probe)
      const error = odd === undefined ? this.codec.checkPatches(this.patches) : undefined
      const why = odd === undefined ? error && explain(error) : `field ${odd.de}: pairs of hex digits are expected`
      if (why !== undefined) throw new TemplateInvalid(`message ${this.name} with row ${at + 1} of the data: ${why}`)
    }
  }

  private makeRight(mac: MacSettings, out: Buffer, from: number, length: number): void {
    if (this.codec.index(out, from, from + length, this.written) === undefined) writeMac(this.form, this.written, mac)
  }
}
