/**
 * Whom the messages of a partner name, and whether the partner may speak for them.
 *
 * A link is one partner's, however its connection was made: at a shared door, with a certificate, over HTTP. So each message that
 * comes on it may name the partner's institution and those of its `speaksFor`, and nobody else: as source in its header, as
 * acquirer, as forwarder, and as acquirer and forwarder of the original that it is about. Where these are is the dialect's
 * data. A place that is absent or empty names nobody. An answer repeats the institutions of our request, which the echo check
 * looks at: here only its source counts, and that may be ours, when a partner gives our own header back as it was.
 *
 * It is asked for each message, so what was good last is recognised by its bytes; nothing is allocated for it.
 */
import {
  type Dialect,
  isResponse,
  type MessageIndex,
  type PlacedPart,
  partBytes,
  partValue,
  readOriginalData
} from "@jinka/codec"
import type { LanguageSettings } from "./Language.ts"

/** What a link's settings say of its partner. */
export type Speaker = Pick<
  LanguageSettings,
  "codec" | "institution" | "ourInstitution" | "speaksFor" | "identity" | "mark"
>

/** Longest value whose bytes are kept, and how many values are kept for one place; others are read each time. */
const KEPT_MAX = 32
const VALUES_MAX = 8

/** The bytes that were good last at one place. */
class LastGood {
  private readonly values: Array<Uint8Array> = []
  private next = 0

  is(buffer: Uint8Array, from: number, to: number): boolean {
    const { values } = this
    for (let n = 0; n < values.length; n++) if (isSame(values[n]!, buffer, from, to)) return true
    return false
  }

  keep(buffer: Uint8Array, from: number, to: number): void {
    if (to - from > KEPT_MAX) return
    this.values[this.next] = Uint8Array.from(buffer.subarray(from, to))
    this.next = (this.next + 1) % VALUES_MAX
  }
}

/** A loop is cheaper than a call into C++ at these lengths. */
const isSame = (value: Uint8Array, buffer: Uint8Array, from: number, to: number): boolean => {
  const { length } = value
  if (to - from !== length) return false
  for (let at = 0; at < length; at++) if (buffer[from + at] !== value[at]) return false
  return true
}

/** One data element that names an institution. */
interface Place {
  readonly de: number
  readonly as: string
  /** Bytes of its length: packed digits say only there how many they are. */
  readonly prefix: number
  readonly last: LastGood
}

/** One part of the original data that names an institution. */
interface OriginalPlace {
  readonly de: number
  readonly as: string
}

/** Institution codes are to the left or to the right in their places, between blanks or behind zeros. */
const withoutZeros = (code: string): string => code.replace(/^0+/, "")

/** Digits of a code that are shown: those of an institution, or of an issuer in front of a card number (PCI DSS 4.0.1, 3.4.1). */
const SHOWN_MAX = 8

/** A code is shown; what is none may be anything, and is not. What is longer may be a piece of a card number. */
const names = (said: string, as: string): string => {
  if (!/^\d{1,11}$/.test(said)) return `names as ${as} what is no institution code`
  return `names ${said.slice(0, SHOWN_MAX)}${"*".repeat(Math.max(0, said.length - SHOWN_MAX))} as ${as}`
}

/** A header's part as it is, without its filling. */
const partText = (part: PlacedPart, buffer: Uint8Array, start: number): string => partValue(part, buffer, start).trim()

/** A code as the part shows it when it is written there; none when it does not fit. */
const asWritten = (part: PlacedPart | undefined, code: string): ReadonlyArray<string> => {
  const bytes = part === undefined ? undefined : partBytes(part, code)
  return bytes === undefined ? [] : [partText({ ...part!, offset: 0 }, bytes, 0)]
}

/** What a part says that names nobody: nothing, or zeros in one of digits. */
const isBlank = ({ form }: PlacedPart, said: string): boolean => said === "" || (form !== "text" && /^0+$/.test(said))

/** The names that one link's messages may use. */
export class Naming {
  private readonly dialect: Dialect
  private readonly isChecked: boolean
  private readonly isAny: boolean
  private readonly codes: ReadonlySet<string>
  /** The same without leading zeros, which original data fill up with. */
  private readonly bare: ReadonlySet<string>
  private readonly sources: ReadonlySet<string>
  private readonly source: PlacedPart | undefined
  private readonly lastSource = new LastGood()
  private readonly lastAnswerer = new LastGood()
  private readonly destination: PlacedPart | undefined
  private readonly lastDestination = new LastGood()
  /** Our own code in the header. */
  private readonly ours: ReadonlySet<string>
  /** The same as a destination. */
  private readonly us: ReadonlySet<string>
  private readonly rejectBytes: number
  private readonly mustSay: boolean
  private readonly mark: Place | undefined
  private readonly markValue: string
  private readonly places: ReadonlyArray<Place>
  private readonly originalField: number
  private readonly originals: ReadonlyArray<OriginalPlace>

  constructor({ codec, identity, institution, mark, ourInstitution, speaksFor }: Speaker) {
    const { dialect, fields, header, roles } = codec.layout
    this.dialect = dialect
    this.isChecked = identity === "checked"
    this.isAny = speaksFor === "any"
    this.codes = new Set([institution, ...(speaksFor === "any" ? [] : speaksFor)])
    this.bare = new Set([...this.codes].map(withoutZeros))
    // A door by header has told the partner by one code: that one it is for good.
    this.mustSay = mark?._tag === "header"
    // Such a door reads a part of that name, also where it is no institution's code but that of a station.
    this.source = header?.source ?? (this.mustSay ? header?.byName["source"] : undefined)
    const sources = this.mustSay ? [institution] : [...this.codes]
    this.sources = new Set(sources.flatMap((code) => asWritten(this.source, code)))
    this.ours = new Set(asWritten(this.source, ourInstitution))
    this.destination = header?.destination
    this.us = new Set(asWritten(this.destination, ourInstitution))
    this.rejectBytes = header?.outer.bytes ?? 0
    this.mark =
      mark?._tag === "field" ? { de: mark.field, as: `DE ${mark.field}`, prefix: 0, last: new LastGood() } : undefined
    this.markValue = mark?._tag === "field" ? mark.value : ""
    const places = [
      { de: roles.acquirer, as: "acquirer" },
      { de: roles.forwarder, as: "forwarder" }
    ]
    this.places = places.map(({ de, as }) => ({
      de,
      as: `${as} (DE ${de})`,
      prefix: fields[de]?.prefixBytes ?? 0,
      last: new LastGood()
    }))
    const original = dialect.reversal?.originalData
    this.originalField = original?.field ?? 0
    this.originals = places
      .filter(({ de }) => original?.parts.some((part) => part.de === de))
      .map(({ de, as }) => ({ de, as: `the original's ${as} (DE ${original!.field})` }))
  }

  /** What the message does with the first name that the partner may not use: `names 48030000 as acquirer (DE 32)`. */
  misnamed(index: MessageIndex): string | undefined {
    if (!this.isChecked) return undefined
    const isAnswer = index.rejectCode !== 0 || isResponse(index.mti)
    const source = this.wrongSource(index, isAnswer)
    if (source !== undefined || isAnswer) return source
    return this.wrongMark(index) ?? this.wrongPlace(index) ?? this.wrongOriginal(index)
  }

  /** Whom the header names as destination where that is not us: `names 00010344 as the destination in its header`. */
  elsewhere(index: MessageIndex): string | undefined {
    const { destination, isChecked } = this
    if (destination === undefined || !isChecked || index.rejectCode !== 0) return undefined
    const from = index.start + destination.offset
    const to = from + destination.bytes
    if (this.lastDestination.is(index.buffer, from, to)) return undefined
    const said = partText(destination, index.buffer, index.start)
    if (!isBlank(destination, said) && !this.us.has(said)) return names(said, "the destination in its header")
    this.lastDestination.keep(index.buffer, from, to)
    return undefined
  }

  private wrongSource(index: MessageIndex, isAnswer: boolean): string | undefined {
    const { source } = this
    if (source === undefined) return undefined
    // A reject brings our own message back: the partner speaks in the header before it.
    const start = index.start - (index.rejectCode === 0 ? 0 : this.rejectBytes)
    const from = start + source.offset
    const to = from + source.bytes
    const last = isAnswer ? this.lastAnswerer : this.lastSource
    if (last.is(index.buffer, from, to)) return undefined
    const said = partText(source, index.buffer, start)
    const isKnown = this.sources.has(said) || (isAnswer && this.ours.has(said))
    const isGood = isKnown || (isBlank(source, said) && !this.mustSay)
    if (!isGood) return names(said, "the source in its header")
    last.keep(index.buffer, from, to)
    return undefined
  }

  private wrongMark(index: MessageIndex): string | undefined {
    const { mark } = this
    if (mark === undefined || !index.has(mark.de)) return undefined
    if (mark.last.is(index.buffer, index.from(mark.de), index.to(mark.de))) return undefined
    // The value of a data element that a file has chosen may be anything: it is not shown.
    if (index.text(mark.de).trim() !== this.markValue)
      return `has another ${mark.as} than the one that the door knows its sender by`
    mark.last.keep(index.buffer, index.from(mark.de), index.to(mark.de))
    return undefined
  }

  private wrongPlace(index: MessageIndex): string | undefined {
    if (this.isAny) return undefined
    for (let n = 0; n < this.places.length; n++) {
      const { as, de, last, prefix } = this.places[n]!
      if (!index.has(de)) continue
      const from = index.from(de) - prefix
      if (last.is(index.buffer, from, index.to(de))) continue
      const said = index.text(de).trim()
      if (said !== "" && !this.codes.has(said)) return names(said, as)
      last.keep(index.buffer, from, index.to(de))
    }
    return undefined
  }

  private wrongOriginal(index: MessageIndex): string | undefined {
    if (this.isAny || this.originals.length === 0 || !index.has(this.originalField)) return undefined
    // What cannot be read as original data names nobody; it is refused as a format error.
    const original = readOriginalData(this.dialect, index.text(this.originalField))
    if (original === undefined) return undefined
    for (const { as, de } of this.originals) {
      const code = withoutZeros(original[de] ?? "")
      if (code !== "" && !this.bare.has(code)) return names(code, as)
    }
    return undefined
  }
}
