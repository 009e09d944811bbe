/**
 * Writes the source of an encoder for one set of fields of one dialect: no table of fields, no list of what is there. Digits are
 * read and checked four at a time and written as one word; other characters go through a table that gives the byte or says
 * that the field must not hold it. Everything unusual (another set of fields, a short value to be filled, a wrong type, a
 * forbidden character) gives `undefined` and is left to the reference.
 *
 * Offsets: `p + ahead` is the next byte of `out`; `p` moves behind a variable field, `ahead` is constant between them. `w + p`
 * is the same byte in the view `v`.
 */
import type { Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import { characterLines } from "./GeneratedCharacters.ts"
import { declared, wrong } from "./GeneratedChecks.ts"
import { prefixMax } from "./Value.ts"

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
  return `if (${others.map((de) => `f[${de}] !== undefined`).join(" || ")}) return`
}

/** Lines that take a value out of its cover and check type and length; `u<de>` are its units. */
const takeValue = (field: FieldLayout): ReadonlyArray<string> => {
  const { de } = field
  const lines = [`let v${de} = f[${de}]`]
  const right = field.bytes ? `v${de} instanceof Uint8Array` : `typeof v${de} === "string"`
  lines.push(`if (!(${right})) {`, `if (!(v${de} instanceof Sensitive)) return`, `v${de} = v${de}.reveal()`)
  lines.push(`if (!(${right})) return`, "}")
  const units = field.encoding === "gbk" ? `gbkLength(v${de})` : `v${de}.length`
  lines.push(`const u${de} = ${units}`)
  const max = field.countsBytes ? field.units : Math.min(field.units, prefixMax(field))
  lines.push(field.fixed >= 0 ? `if (u${de} !== ${field.units}) return` : `if (u${de} < 0 || u${de} > ${max}) return`)
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
  if (encoding === "hex") return [`for (i = 0; i < u${de}; i++) v.setInt16(w + ${at} + 2 * i, hexPairs[v${de}[i]])`]
  // A short copy costs less than a call.
  return bytes <= 16 ? [`for (let i = 0; i < ${bytes}; i++) out[${at} + i] = v${de}[i]`] : [`out.set(v${de}, ${at})`]
}

const valueLines = (field: FieldLayout, at: string): ReadonlyArray<string> => {
  if (field.bytes) return byteLines(field, at)
  if (field.content === "xn") return [`if (!putValue(F[${field.de}], v${field.de}, out, ${at})) return`]
  return characterLines(field, at)
}

/** Lines that write the header: mostly that of the dialect, `H`, with its length field made right. */
const headerLines = (layout: Layout): ReadonlyArray<string> => {
  if (layout.header === undefined) return []
  const lines = ["if (message.header !== undefined || H === undefined) {"]
  lines.push("if (writeHeader(layout.header, message.header, total, out, 0) !== undefined) return")
  lines.push("} else {", "out.set(H, 0)")
  if (layout.totalLength !== undefined) {
    const { offset, bytes } = layout.totalLength
    lines.push(`if (total >= ${10 ** bytes}) return`)
    for (let index = 0; index < bytes; index++)
      lines.push(`out[${offset + index}] = 48 + (total / ${10 ** (bytes - 1 - index)} | 0) % 10`)
  }
  return [...lines, "}"]
}

/** Lines that write MTI and bitmaps, whose bytes are constants of the set; the fields begin at the constant `from`. */
const headLines = (layout: Layout, fields: ReadonlyArray<FieldLayout>, maps: number): ReadonlyArray<string> => {
  const at = layout.headerBytes
  const from = at + layout.mtiBytes
  if (layout.bitmapBytes !== 8) return [`writeMti(layout, mti, out, ${at})`, `writeBitmaps(layout, bits, out, ${from})`]
  const zero = layout.dialect.mti === "ascii" ? 0x30 : 0xf0
  const digit = (place: number): string => `(mti / ${10 ** place} | 0) % 10`
  const lines =
    layout.mtiBytes === 2
      ? [0, 1].map((byte) => `out[${at + byte}] = ${digit(3 - 2 * byte)} << 4 | ${digit(2 - 2 * byte)}`)
      : [0, 1, 2, 3].map((byte) => `out[${at + byte}] = ${zero} + ${digit(3 - byte)}`)
  const bitmap = Buffer.alloc(8 * maps)
  if (maps > 1 && layout.dialect.bitmap.secondary !== "fixed") bitmap[0] = 0x80
  if (maps > 2) bitmap[8] = 0x80
  for (const { de } of fields) bitmap[(de - 1) >> 3]! |= 0x80 >> ((de - 1) & 7)
  for (let at = 0; at < bitmap.length; at += 4) lines.push(`v.setInt32(w + ${from + at}, ${bitmap.readInt32BE(at)})`)
  return lines
}

/** Source of a function body, for a message with `maps` bitmaps, that makes `(message, f, mti) => Buffer | undefined`. */
export const encoderSource = (layout: Layout, fields: ReadonlyArray<FieldLayout>, maps: number): string => {
  const lines = [refuseOthers(layout, fields)]
  for (const field of fields) lines.push(...takeValue(field))
  const start = layout.headerBytes + layout.mtiBytes + maps * layout.bitmapBytes
  const fixed = fields.reduce((sum, { fixed, prefixBytes }) => sum + (fixed >= 0 ? fixed : prefixBytes), start)
  const variable = fields.filter(({ fixed }) => fixed < 0).map(wireExpression)
  lines.push(`const total = ${[fixed, ...variable].join(" + ")}`, "const out = room(total)")
  lines.push("const v = viewOf(out), w = out.byteOffset")
  lines.push(...headerLines(layout), ...headLines(layout, fields, maps))
  lines.push(declared, "let p = 0, a = 0, c = 0, h = 0, q = 0")
  let ahead = start
  for (const field of fields) {
    if (field.fixed < 0) lines.push(...writePrefixLines(field, `p + ${ahead}`))
    ahead += field.prefixBytes
    lines.push(...valueLines(field, `p + ${ahead}`))
    if (field.fixed >= 0) ahead += field.fixed
    else lines.push(`p += ${wireExpression(field)}`)
  }
  lines.push(`if (${wrong}) return`, "return out")
  return `return (message, f, mti) => {\n${lines.join("\n")}\n}`
}
