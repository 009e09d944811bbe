/** Specs of two other libraries' test suites as dialects of ours, or the reason why one cannot be expressed. */
import { type Dialect, derive, type FieldDefinition, type HeaderFormat, iso8583v1987AsciiRaw } from "@jinka/codec"

/** One field of a spec, in the words of its library. */
export interface PeerField {
  readonly enc?: string
  readonly type?: string
  readonly data?: string
  readonly prefix: string
  readonly prefixBytes?: number
  readonly length: number
  readonly counts?: string
  readonly padLeft?: string
  readonly padRight?: string
}

/** One message of a suite. */
export interface PeerMessage {
  readonly source: string
  readonly library: string
  readonly spec: { readonly [field: string]: PeerField }
  readonly hex: string
  readonly fields: { readonly [field: string]: unknown }
}

/** Thrown inside, given back as a text. */
class CannotBe extends Error {}

const cannot = (why: string): never => {
  throw new CannotBe(why)
}

type Prefix = NonNullable<FieldDefinition["prefix"]>

/** Notation of a length prefix of so many bytes. */
const dots = (prefix: Prefix, bytes: number): string => {
  const digits = prefix === "bcd" ? 2 * bytes : prefix === "binary" ? [0, 2, 4, 6][bytes] : bytes
  return digits === undefined || digits > 6 ? cannot("a length prefix of more than 6 digits") : ".".repeat(digits)
}

const pyPrefixes: Record<string, Prefix> = { ascii: "ascii", b: "binary", bcd: "bcd", cp500: "ebcdic" }

const pyField = (field: PeerField, value: unknown): FieldDefinition => {
  const { data, prefix, prefixBytes = 0, length, counts, padLeft, padRight } = field
  const own = pyPrefixes[prefix]!
  const notation = prefixBytes === 0 ? "" : dots(own, prefixBytes)
  const nibbles = counts === "nibbles"
  const base = { name: "x", prefix: own }
  if (data === "b") {
    if (!nibbles) return { ...base, format: `b${notation}${length}` }
    // Half bytes are digits of packed decimal for us: hex digits beyond 9 have no such form.
    if (!/^\d*$/.test(String(value))) cannot("a number of half bytes that are no decimal digits")
    const fill = Number.parseInt((padRight ?? padLeft ?? "0")[0]!, 16)
    const align = padRight === undefined ? "right" : "left"
    return { ...base, format: `n${notation}${length}`, encoding: "bcd", align, fill }
  }
  if (nibbles) cannot("a prefix that counts the half bytes of a text")
  return { ...base, format: `ansb${notation}${length}`, encoding: data === "cp500" ? "ebcdic" : "ascii" }
}

const moovField = ({ enc, type, prefix, length }: PeerField): FieldDefinition => {
  const [own, form] = prefix.split(".")
  const notation = form === "Fixed" ? "" : ".".repeat(form!.length)
  const asPrefix: Prefix = own === "BCD" ? "bcd" : own === "Binary" ? "binary" : "ascii"
  const base = { name: "x", prefix: asPrefix }
  if (enc === "bcdEncoder" || enc === "lBCDEncoder")
    return {
      ...base,
      format: `n${notation}${length}`,
      encoding: "bcd",
      align: enc === "lBCDEncoder" ? "left" : "right"
    }
  if (enc === "binaryEncoder") return { ...base, format: `b${notation}${length}`, encoding: "binary" }
  // An inside that holds raw bytes is text with any byte; a number is filled with zeros.
  return { ...base, format: `${type === "Numeric" ? "n" : "ansb"}${notation}${length}`, encoding: "ascii" }
}

const headerOf = ({ data, prefixBytes, length }: PeerField): HeaderFormat => {
  if (prefixBytes !== 0) cannot("a header of variable length")
  if (data !== "ascii") cannot("a header in another encoding")
  return { name: "peer", parts: [{ name: "header", bytes: length, form: "text" }] }
}

const bitmapOf = ({ library, spec, fields }: PeerMessage): Dialect["bitmap"] => {
  const primary = spec[library === "moov" ? "1" : "p"]!
  const bits = String(fields["1"] ?? "").replaceAll(" ", "")
  const hasThird = library === "moov" ? bits.length === 192 : Object.keys(fields).some((key) => Number(key) > 128)
  // A bitmap that announces itself to be longer, though no field needs it, is moov's fixed one.
  const secondary = library === "moov" && primary.length === 16 ? "fixed" : "optional"
  if (library === "moov") {
    const encoding = primary.enc === "binaryEncoder" ? "binary" : "hex"
    return { encoding, secondary, tertiary: hasThird }
  }
  if (fields["1"] !== undefined && spec["1"] !== undefined && spec["1"].data !== primary.data)
    cannot("two bitmaps in two encodings")
  const encoding = primary.data === "b" ? "binary" : primary.data === "cp500" ? "hex-ebcdic" : "hex"
  const empty = typeof fields["1"] === "string" && /^0*$/.test(fields["1"])
  if (empty) cannot("a second bitmap that announces nothing is read, but not written again")
  return { encoding, secondary, tertiary: hasThird }
}

/** The dialect of a message of a suite, or why there is none. */
export const peerDialect = (message: PeerMessage): Dialect | string => {
  const { library, spec, fields } = message
  const own =
    library === "moov" ? { mti: spec["0"]!, skip: ["0", "1"] } : { mti: spec["t"]!, skip: ["t", "p", "h", "1"] }
  try {
    const begins = Buffer.from(message.hex, "hex").subarray(0, 4).toString("latin1")
    const type = String(fields["t"])
    if (own.mti.data === "ascii" && spec["h"] === undefined && begins !== type) cannot("a header of variable length")
    const bitmap = bitmapOf(message)
    const all = Object.fromEntries(Object.keys(iso8583v1987AsciiRaw.fields).map((de) => [de, null]))
    for (const [de, field] of Object.entries(spec))
      if (!own.skip.includes(de) && !(de === "65" && bitmap.tertiary === true))
        all[de] = (library === "moov" ? moovField(field) : pyField(field, fields[de])) as never
    const mti =
      own.mti.enc === "bcdEncoder" || own.mti.data === "b" ? "bcd" : own.mti.data === "cp500" ? "ebcdic" : "ascii"
    const header = spec["h"] === undefined ? {} : { header: headerOf(spec["h"]) }
    return derive(iso8583v1987AsciiRaw, { name: "peer", mti, bitmap, ...header, fields: all })
  } catch (error) {
    if (error instanceof CannotBe) return error.message
    throw error
  }
}
