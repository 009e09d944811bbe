/**
 * Writes the source of an encoder for one set of fields of one dialect: no table of fields, no list of what is there. Digits are
 * read and checked four at a time and written as one word; other characters go through a table that gives the byte or says
 * that the field must not hold it. Everything unusual (another set of fields, a short value to be filled, a wrong type, a
 * forbidden character) gives -1 and is left to the reference.
 *
 * Offsets: `p + ahead` is the next byte of `out`; `p` begins where the message does and moves behind a variable field, `ahead` is
 * constant between them. `w + p` is the same byte in the view `v`.
 */
import { bitmapCount, writeBitmaps } from "../Bitmap.ts"
import type { Layout } from "../Dialect.ts"
import type { FieldLayout } from "../Field.ts"
import type { HeaderLayout } from "../Header.ts"
import type { PlacedPart } from "../HeaderPart.ts"
import { announcedUnits, canCount, prefixMax } from "../Value.ts"
import { characterLines, leave } from "./CharacterSource.ts"
import { declared, wrong } from "./CheckSource.ts"

/** Source of `(fields, words) => boolean`: sets the bit of each field that is there; false when the dialect lacks it. */
export const fieldSetSource = (layout: Layout): string => {
  const deMax = Math.max(layout.deMax, 128)
  const lines: Array<string> = []
  for (let word = 0; word < deMax / 32; word++) {
    lines.push(`a = ${word === 0 && layout.dialect.bitmap.secondary === "always" ? "-2147483648" : "0"}`)
    for (let bit = 0; bit < 32; bit++) {
      const de = word * 32 + bit + 1
      if (layout.fields[de] === undefined) lines.push(`if (f[${de}] !== undefined) return false`)
      else lines.push(`if (f[${de}] !== undefined) a |= ${(0x80000000 >>> bit) | 0}`)
    }
    lines.push(`w[${word}] = a`)
  }
  if (layout.deMax > 128) lines.push("if (w[4] !== 0 || w[5] !== 0) w[2] |= -2147483648")
  if (layout.dialect.bitmap.secondary === "optional") lines.push("if (w[2] !== 0 || w[3] !== 0) w[0] |= -2147483648")
  return `return (f, w) => {\nlet a = 0\n${lines.join("\n")}\nreturn true\n}`
}

/**
 * Leaves when a field is there that is not of the set. It costs less here than in `fieldSetSource`: a set's messages mostly
 * come from the same places of a program, so that V8 knows the shape of their `fields` in this function.
 */
const refuseOthers = (layout: Layout, fields: ReadonlyArray<FieldLayout>): string => {
  const ofSet = new Set(fields.map(({ de }) => de))
  const others = Array.from({ length: Math.max(layout.deMax, 128) }, (_, index) => index + 1).filter(
    (de) => !ofSet.has(de)
  )
  return `if (${others.map((de) => `f[${de}] !== undefined`).join(" || ")}) ${leave}`
}

/** Lines that take a value out of its cover and check type and length; `u<de>` are its units. */
const takeValue = (field: FieldLayout): ReadonlyArray<string> => {
  const { de } = field
  const lines = [`let v${de} = f[${de}]`]
  const right = field.bytes ? `v${de} instanceof Uint8Array` : `typeof v${de} === "string"`
  lines.push(`if (!(${right})) {`, `if (!(v${de} instanceof Sensitive)) ${leave}`, `v${de} = v${de}.reveal()`)
  lines.push(`if (!(${right})) ${leave}`, "}")
  const units = field.encoding === "gbk" ? `gbkLength(v${de})` : `v${de}.length`
  lines.push(`const u${de} = ${units}`)
  if (field.fixed >= 0) return [...lines, `if (u${de} !== ${field.units}) ${leave}`]
  const max = Math.min(field.units, announcedUnits(field, prefixMax(field)))
  lines.push(`if (u${de} < 0 || u${de} > ${max}) ${leave}`)
  for (const parity of [0, 1]) if (!canCount(field, parity)) lines.push(`if ((u${de} & 1) === ${parity}) ${leave}`)
  return lines
}

/** Expression of the bytes a variable value takes, prefix not counted. */
const wireExpression = (field: FieldLayout): string => {
  const { de } = field
  if (field.encoding === "hex") return `2 * u${de}`
  if (field.encoding !== "bcd") return `u${de}`
  return field.content === "xn" ? `(1 + (u${de} >> 1))` : `(u${de} + 1 >> 1)`
}

/** Lines that write the length prefix of a value at the expression `at`. */
const writePrefixLines = (field: FieldLayout, at: string): ReadonlyArray<string> => {
  const { de, prefix, prefixBytes } = field
  const count = field.countsBytes ? wireExpression(field) : `u${de}`
  if (prefix === "hex") return [`writePrefix(F[${de}], ${count}, out, ${at})`]
  if (prefix === "ascii" && prefixBytes === 2) return [`v.setInt16(w + ${at}, asciiPairs[${count}])`]
  return Array.from({ length: prefixBytes }, (_, index) => {
    const place = prefixBytes - 1 - index
    const byte = `out[${at} + ${index}]`
    if (prefix === "binary") return `${byte} = ${count} >> ${8 * place}`
    if (prefix === "bcd") {
      const two = `(${count} / ${100 ** place} | 0) % 100`
      return `d = ${two}\n${byte} = (d / 10 | 0) << 4 | d % 10`
    }
    return `${byte} = ${prefix === "ascii" ? 0x30 : 0xf0} + (${count} / ${10 ** place} | 0) % 10`
  })
}

/** Lines that write a b field. */
const byteLines = ({ de, fixed, encoding }: FieldLayout, at: string): ReadonlyArray<string> => {
  const bytes = fixed >= 0 ? fixed / (encoding === "hex" ? 2 : 1) : Number.POSITIVE_INFINITY
  if (encoding === "hex") return [`putHex(v${de}, v, w + ${at})`]
  // A short copy costs less than a call.
  return bytes <= 16 ? [`for (let i = 0; i < ${bytes}; i++) out[${at} + i] = v${de}[i]`] : [`out.set(v${de}, ${at})`]
}

const valueLines = (field: FieldLayout, at: string): ReadonlyArray<string> => {
  if (field.bytes) return byteLines(field, at)
  if (field.content === "xn") return [`if (!putValue(F[${field.de}], v${field.de}, out, ${at})) ${leave}`]
  return characterLines(field, at)
}

/** Lines that write the header: that of the dialect, `H`, with the parts that the message gives and the length made right. */
const headerLines = ({ header }: Layout): ReadonlyArray<string> => {
  if (header === undefined) return []
  const given = header.parts.filter((part) => part !== header.total)
  return [
    `if (H === undefined) ${leave}`,
    "out.set(H, at)",
    "const m = message.header",
    "if (m !== undefined) {",
    "let y = ''",
    ...given.flatMap((part) => partLines(part, header)),
    "}",
    ...totalLines(header)
  ]
}

/** Lines that write the length of the message, where the header has it. */
const totalLines = ({ total: part, notCounted }: HeaderLayout): ReadonlyArray<string> => {
  if (part === undefined) return []
  const { offset, bytes, form } = part
  if (form !== "digits") return [`if (!writeTotal(layout.header, total, out, at)) ${leave}`]
  const said = notCounted === 0 ? "total" : `(total - ${notCounted})`
  const lines = [`if (${said} >= ${10 ** bytes}) ${leave}`]
  for (let index = 0; index < bytes; index++)
    lines.push(`out[at + ${offset + index}] = 48 + (${said} / ${10 ** (bytes - 1 - index)} | 0) % 10`)
  return lines
}

/** Lines that write a part of the header, where the message gives one: as `writeHeader` does. */
const partLines = (part: PlacedPart, header: HeaderLayout): ReadonlyArray<string> => {
  const { name, offset, bytes, form } = part
  const lines = [`y = m[${JSON.stringify(name)}]`, "if (y !== undefined) {"]
  if (form !== "text" && form !== "hex") {
    const place = `layout.header.parts[${header.parts.indexOf(part)}]`
    return [...lines, `if (writePart(${place}, y, out, at + ${offset}) !== undefined) ${leave}`, "}"]
  }
  if (form === "text") {
    lines.push(`if (y.length > ${bytes}) ${leave}`)
    lines.push(`for (i = 0; i < y.length; i++) { c = y.charCodeAt(i); x |= c; out[at + ${offset} + i] = c }`)
    lines.push(`for (; i < ${bytes}; i++) out[at + ${offset} + i] = 32`)
  } else {
    lines.push(`if (y.length !== ${2 * bytes}) ${leave}`)
    lines.push(`for (i = 0; i < ${bytes}; i++) {`, "a = y.charCodeAt(2 * i), c = y.charCodeAt(2 * i + 1); x |= a | c")
    lines.push(
      "d = hexValue[a & 255] << 4 | hexValue[c & 255]",
      `if (d < 0) ${leave}`,
      `out[at + ${offset} + i] = d`,
      "}"
    )
  }
  return [...lines, "}"]
}

/** Lines that write MTI and bitmaps; the bytes of the bitmaps are constants of the set. */
const headLines = (layout: Layout, words: Int32Array): ReadonlyArray<string> => {
  const { dialect, headerBytes, mtiBytes } = layout
  const digit = (place: number): string => `(mti / ${10 ** place} | 0) % 10`
  const lines =
    mtiBytes === 2
      ? [0, 1].map((byte) => `out[at + ${headerBytes + byte}] = ${digit(3 - 2 * byte)} << 4 | ${digit(2 - 2 * byte)}`)
      : [0, 1, 2, 3].map(
          (byte) => `out[at + ${headerBytes + byte}] = ${dialect.mti === "ascii" ? 0x30 : 0xf0} + ${digit(3 - byte)}`
        )
  const bitmaps = Buffer.alloc(bitmapCount(layout, words) * layout.bitmapBytes)
  writeBitmaps(layout, words, bitmaps, 0)
  for (let byte = 0; byte < bitmaps.length; byte += 4)
    lines.push(`v.setInt32(w + at + ${headerBytes + mtiBytes + byte}, ${bitmaps.readInt32BE(byte)})`)
  return lines
}

/**
 * Source of a function body, for messages with the bitmap bits `words`, that makes `(message, f, mti, out, at) => number`: the
 * bytes of the message at `at`, or that it would have (nothing is written when `out` has not the room), -1 for what the
 * reference decides.
 */
export const encoderSource = (layout: Layout, fields: ReadonlyArray<FieldLayout>, words: Int32Array): string => {
  const lines = [refuseOthers(layout, fields)]
  for (const field of fields) lines.push(...takeValue(field))
  const start = layout.headerBytes + layout.mtiBytes + bitmapCount(layout, words) * layout.bitmapBytes
  const fixed = fields.reduce((sum, { fixed, prefixBytes }) => sum + (fixed >= 0 ? fixed : prefixBytes), start)
  const variable = fields.filter(({ fixed }) => fixed < 0).map(wireExpression)
  lines.push(`const total = ${[fixed, ...variable].join(" + ")}`, "if (total > out.length - at) return total")
  lines.push("const v = outViewOf(out), w = out.byteOffset")
  lines.push(declared, "let p = at, a = 0, c = 0, h = 0, q = 0")
  lines.push(...headerLines(layout), ...headLines(layout, words))
  let ahead = start
  for (const field of fields) {
    if (field.fixed < 0) lines.push(...writePrefixLines(field, `p + ${ahead}`))
    ahead += field.prefixBytes
    lines.push(...valueLines(field, `p + ${ahead}`))
    if (field.fixed >= 0) ahead += field.fixed
    else lines.push(`p += ${wireExpression(field)}`)
  }
  lines.push(`if (${wrong}) ${leave}`, "return total")
  return `return (message, f, mti, out, at) => {\nright: {\n${lines.join("\n")}\n}\nreturn -1\n}`
}
