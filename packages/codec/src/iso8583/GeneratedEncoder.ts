/**
 * Writes the source of an encoder for one set of fields of one dialect. Neighbouring ASCII fields are joined into one text and
 * written by one native call; their content is checked in the bytes written, four at a time. Everything unusual (a short value
 * to be filled, a wrong type, a character outside ASCII) gives `undefined` and is left to the reference.
 */
import type { Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import { prefixMax } from "./Value.ts"

/** Whether a field is written as part of a joined ASCII text. */
const isJoined = (field: FieldLayout): boolean =>
  field.encoding === "ascii" && field.content !== "xn" && (field.fixed >= 0 || joinedPrefix(field))

const joinedPrefix = (field: FieldLayout): boolean => field.prefix === "ascii" && field.prefixBytes <= 3

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

/** Source being written: lines, the joined text in the making and what is to be checked in it. */
interface Draft {
  readonly lines: Array<string>
  parts: Array<string>
  checks: Array<string>
  /** Constant part of the joined text's length, and the names of the variable part. */
  fixed: number
  variable: Array<string>
  /** Where the run of digits began, as an expression; "" for none. */
  digitsFrom: string
  texts: number
}

const offset = (draft: Draft): string => ["p", ...draft.variable, String(draft.fixed)].join(" + ")

const endDigits = (draft: Draft): void => {
  if (draft.digitsFrom !== "")
    draft.checks.push(`if (!areDigits(v, w + ${draft.digitsFrom}, w + ${offset(draft)})) return`)
  draft.digitsFrom = ""
}

/** Writes the joined text and its checks. */
const endText = (draft: Draft): void => {
  endDigits(draft)
  if (draft.parts.length > 0) {
    const name = `s${draft.texts++}`
    draft.lines.push(
      `const ${name} = ${draft.parts.length === 1 ? draft.parts[0] : `[${draft.parts.join(", ")}].join("")`}`
    )
    // Written as UTF-8 a character outside ASCII becomes bytes from 0x80 on, which none of the checks lets pass.
    draft.lines.push(`if (out.utf8Write(${name}, p, ${name}.length) !== ${name}.length) return`)
    draft.lines.push(...draft.checks)
  }
  const moved = [...draft.variable, String(draft.fixed)].join(" + ")
  if (moved !== "0") draft.lines.push(`p += ${moved}`)
  draft.parts = []
  draft.checks = []
  draft.fixed = 0
  draft.variable = []
}

const checkOf = (field: FieldLayout, from: string, to: string): string => {
  switch (field.content) {
    case "z":
      return `if (!areTrack(v, w + ${from}, w + ${to})) return`
    case "an":
      return `if (!areAlphanumeric(out, ${from}, ${to})) return`
    case "a":
      return `if (!areLetters(out, ${from}, ${to})) return`
    case "ansb":
      return `if (!areAscii(out, ${from}, ${to})) return`
    default:
      return `if (!arePrintable(v, w + ${from}, w + ${to})) return`
  }
}

const joinField = (draft: Draft, field: FieldLayout): void => {
  const { de, content } = field
  if (content !== "n") endDigits(draft)
  else if (draft.digitsFrom === "") draft.digitsFrom = offset(draft)
  if (field.fixed < 0) {
    draft.parts.push(`decimals${field.prefixBytes}[u${de}]`)
    draft.fixed += field.prefixBytes
  }
  draft.parts.push(`v${de}`)
  const from = offset(draft)
  if (field.fixed >= 0) draft.fixed += field.fixed
  else draft.variable.push(`u${de}`)
  if (content !== "n") draft.checks.push(checkOf(field, from, offset(draft)))
}

const putField = (draft: Draft, field: FieldLayout): void => {
  endText(draft)
  const { lines } = draft
  const { de } = field
  if (field.fixed < 0) {
    const count = field.countsBytes ? wireExpression(field) : `u${de}`
    if (field.prefix === "ascii")
      for (let index = 0; index < field.prefixBytes; index++)
        lines.push(`out[p + ${index}] = 48 + (${count} / ${10 ** (field.prefixBytes - 1 - index)} | 0) % 10`)
    else lines.push(`writePrefix(F[${de}], ${count}, out, p)`)
    lines.push(`p += ${field.prefixBytes}`)
  }
  const bytes = field.fixed >= 0 ? String(field.fixed) : wireExpression(field)
  if (field.encoding === "binary")
    lines.push(field.fixed >= 0 && field.fixed <= 16 ? copyLoop(field) : `out.set(v${de}, p)`)
  else lines.push(`if (!putValue(F[${de}], v${de}, out, p)) return`)
  lines.push(`p += ${bytes}`)
}

const copyLoop = ({ de, fixed }: FieldLayout): string => `for (let i = 0; i < ${fixed}; i++) out[p + i] = v${de}[i]`

/** Writes MTI and bitmaps, whose bytes are constants of the set; `p` is then the first field's offset. */
const headLines = (layout: Layout, fields: ReadonlyArray<FieldLayout>, maps: number): ReadonlyArray<string> => {
  const from = layout.headerBytes
  if (layout.mtiBytes !== 4 || layout.bitmapBytes !== 8)
    return [`writeMti(layout, mti, out, ${from})`, `let p = writeBitmaps(layout, bits, out, ${from + layout.mtiBytes})`]
  const zero = layout.dialect.mti === "ascii" ? 48 : 240
  const lines = [1000, 100, 10, 1].map((power, index) => `out[${from + index}] = ${zero} + (mti / ${power} | 0) % 10`)
  const bitmap = new Uint8Array(8 * maps)
  if (maps > 1 && layout.dialect.bitmap.secondary !== "fixed") bitmap[0] = 0x80
  if (maps > 2) bitmap[8] = 0x80
  for (const { de } of fields) bitmap[(de - 1) >> 3]! |= 0x80 >> ((de - 1) & 7)
  for (const [index, byte] of bitmap.entries()) lines.push(`out[${from + 4 + index}] = ${byte}`)
  return [...lines, `let p = ${from + 4 + bitmap.length}`]
}

/** Source of a function body, for a message with `maps` bitmaps, that makes `(message, f, mti) => Buffer | undefined`. */
export const encoderSource = (layout: Layout, fields: ReadonlyArray<FieldLayout>, maps: number): string => {
  const draft: Draft = { lines: [], parts: [], checks: [], fixed: 0, variable: [], digitsFrom: "", texts: 0 }
  const { lines } = draft
  lines.push("if (mti < 0) return")
  for (const field of fields) lines.push(...takeValue(field))
  const start = layout.headerBytes + layout.mtiBytes + maps * layout.bitmapBytes
  const fixed = fields.reduce((sum, { fixed, prefixBytes }) => sum + (fixed >= 0 ? fixed : prefixBytes), start)
  const variable = fields.filter(({ fixed }) => fixed < 0).map(wireExpression)
  lines.push(`const total = ${[fixed, ...variable].join(" + ")}`)
  lines.push("const out = room(total)", "const w = out.byteOffset", "const v = roomView()")
  if (layout.headerBytes > 0)
    lines.push("if (writeHeader(layout.header, message.header, total, out, 0) !== undefined) return")
  lines.push(...headLines(layout, fields, maps))
  for (const field of fields) {
    if (isJoined(field)) joinField(draft, field)
    else putField(draft, field)
  }
  endText(draft)
  lines.push("return out")
  return `return (message, f, mti) => {\n${lines.join("\n")}\n}`
}
