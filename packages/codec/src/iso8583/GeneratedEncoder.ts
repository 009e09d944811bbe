/**
 * Writes the source of an encoder for one set of fields of one dialect: no table of fields, no list of what is
 * there. Neighbouring
 * ASCII fields are joined into one text and written by one native call; their content is checked in the bytes
 * written, four at a
 * time. Characters of other encodings go through a table that gives the byte or says that the field must not hold
 * it. Everything
 * unusual (another set of fields, a short value to be filled, a wrong type, a forbidden character) gives
 * `undefined` and is left
 * to the reference.
 *
 * Offsets: `p + ahead` is the next byte of `out`; `p` moves behind a variable field, `ahead` is constant between
 * them. `w + p`
 * is the same byte in the view `v`.
 */
import type { Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import { declared, fixedLines, tableLines, variableLines, variableTableLines, wrong } from "./GeneratedChecks.ts"
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

/** Whether a field is written as part of a joined ASCII text. */
const isJoined = ({ encoding, content, bytes, fixed, prefix, prefixBytes }: FieldLayout): boolean =>
  !bytes && encoding === "ascii" && content !== "xn" && (fixed >= 0 || (prefix === "ascii" && prefixBytes <= 3))

/** Whether a character is mostly one byte that a table gives. */
const isCharacters = ({ encoding, content, bytes }: FieldLayout): boolean =>
  !bytes && content !== "xn" && encoding !== "bcd"

const isPacked = ({ encoding, content }: FieldLayout): boolean => content !== "xn" && encoding === "bcd"

/** Lines that write a text of mostly one byte a character. `x` gathers what is not right: anything above 255. */
const characterLines = ({ de, fixed, encoding, content }: FieldLayout, at: string): ReadonlyArray<string> => {
  const loop = [
    `for (let i = 0; i < ${fixed >= 0 ? fixed : `u${de}`}; i++) {`,
    `c = v${de}.charCodeAt(i)`,
    `d = bytesOf_${encoding === "gbk" ? "ascii" : encoding}_${content}[c & 255]`,
    "x |= c | d",
    `out[${at} + i] = d`,
    "}"
  ]
  // A Chinese character takes two bytes; without one the text is ASCII.
  if (encoding !== "gbk") return loop
  return [`if (u${de} !== v${de}.length) {`, `if (!putValue(F[${de}], v${de}, out, ${at})) return`, "} else", ...loop]
}

/** Lines that write packed digits; an odd number has its filling nibble in front or at the end. */
const packedLines = (field: FieldLayout, at: string): ReadonlyArray<string> => {
  const { de, fixed, align, fill } = field
  const nibble = (index: string): string => {
    return `c = v${de}.charCodeAt(${index})\nd = nibblesOf_${field.content}[c & 255]\nx |= c | d`
  }
  const units = fixed >= 0 ? String(field.units) : `u${de}`
  const odd = fixed >= 0 ? String(field.units % 2 === 1) : `(u${de} & 1) === 1`
  const lines = ["i = 0", `q = ${at}`]
  if (align === "right" && odd !== "false")
    lines.push(`if (${odd}) {`, nibble("0"), `out[q++] = ${fill << 4} | d`, "i = 1", "}")
  lines.push(`for (; i + 1 < ${units}; i += 2) {`, nibble("i"), "h = d << 4", nibble("i + 1"), "out[q++] = h | d", "}")
  if (align === "left" && odd !== "false") lines.push(`if (${odd}) {`, nibble("i"), `out[q] = d << 4 | ${fill}`, "}")
  return lines
}

/** Lines that write a b field. */
const byteLines = ({ de, fixed, encoding }: FieldLayout, at: string): ReadonlyArray<string> => {
  const bytes = fixed >= 0 ? fixed / (encoding === "hex" ? 2 : 1) : Number.POSITIVE_INFINITY
  if (encoding === "hex")
    return [
      `for (let i = 0; i < u${de}; i++) {`,
      `out[${at} + 2 * i] = hexDigit[v${de}[i] >> 4]`,
      `out[${at} + 2 * i + 1] = hexDigit[v${de}[i] & 15]`,
      "}"
    ]
  // A short copy costs less than a call.
  return bytes <= 16 ? [`for (let i = 0; i < ${bytes}; i++) out[${at} + i] = v${de}[i]`] : [`out.set(v${de}, ${at})`]
}

const valueLines = (field: FieldLayout, at: string): ReadonlyArray<string> => {
  if (field.bytes) return byteLines(field, at)
  if (isCharacters(field)) return characterLines(field, at)
  if (isPacked(field)) return packedLines(field, at)
  return [`if (!putValue(F[${field.de}], v${field.de}, out, ${at})) return`]
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

/** Source being written, and the run of joined fields in the making. */
interface Draft {
  readonly lines: Array<string>
  ahead: number
  /** Where the joined text begins, its parts, and the lines that check it and move `p`. */
  from: string
  parts: Array<string>
  checks: Array<string>
  /** Begin of the run of digits that ends at `ahead`, -1: none. */
  digitsFrom: number
}

/** Checks the run of digits that ends here, in the bytes that will have been written. */
const endDigits = (draft: Draft): void => {
  const { digitsFrom: from, ahead: to, checks } = draft
  draft.digitsFrom = -1
  if (from >= 0) checks.push(...fixedLines("digits", `w + p + ${from}`, to - from))
}

/** Lines that check the bytes of a field that is not made of digits; a variable one is `u<de>` long. */
const checkLines = ({ de, content, fixed }: FieldLayout, from: number): ReadonlyArray<string> => {
  const rule = content === "z" ? "track" : "ascii"
  const to = `${from} + u${de}`
  if (content === "an" || content === "a" || content === "ansb") {
    // Bytes of UTF-8 from 0x80 on: the text was not ASCII.
    const table = content === "ansb" ? "asciiOnly" : `bytesOf_ascii_${content}`
    if (fixed < 0) return variableTableLines(table, "out", `p + ${from}`, `p + ${to}`)
    return tableLines(table, "out", `p + ${from}`, fixed)
  }
  if (fixed >= 0 && fixed <= 40) return fixedLines(rule, `w + p + ${from}`, fixed)
  return variableLines(rule, `w + p + ${from}`, `w + p + ${to}`)
}

const joinField = (draft: Draft, field: FieldLayout): void => {
  const { de, content, fixed, prefixBytes } = field
  if (draft.parts.length === 0) draft.from = `p + ${draft.ahead}`
  if (content !== "n") endDigits(draft)
  else if (draft.digitsFrom < 0) draft.digitsFrom = draft.ahead
  if (fixed < 0) draft.parts.push(`decimals${prefixBytes}[u${de}]`)
  draft.parts.push(`v${de}`)
  const from = draft.ahead + prefixBytes
  draft.ahead += prefixBytes + Math.max(fixed, 0)
  if (content !== "n") draft.checks.push(...checkLines(field, from))
  if (fixed >= 0) return
  if (content === "n")
    draft.checks.push(...variableLines("digits", `w + p + ${draft.digitsFrom}`, `w + p + ${draft.ahead} + u${de}`))
  draft.digitsFrom = -1
  draft.checks.push(`p += u${de}`)
}

/** Writes the joined text and its checks. */
const endText = (draft: Draft): void => {
  endDigits(draft)
  const { lines, parts, from, checks } = draft
  if (parts.length === 0) return
  // Written as UTF-8 a character outside ASCII becomes bytes from 0x80 on, which none of the checks lets pass.
  lines.push(`s = ${parts.join(" + ")}`, `if (out.utf8Write(s, ${from}, s.length) !== s.length) return`, ...checks)
  draft.parts = []
  draft.checks = []
}

const putField = (draft: Draft, field: FieldLayout): void => {
  endText(draft)
  const { lines } = draft
  if (field.fixed < 0) lines.push(...writePrefixLines(field, `p + ${draft.ahead}`))
  draft.ahead += field.prefixBytes
  lines.push(...valueLines(field, `p + ${draft.ahead}`))
  if (field.fixed >= 0) draft.ahead += field.fixed
  else lines.push(`p += ${wireExpression(field)}`)
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
  lines.push(declared, 'let p = 0, c = 0, h = 0, q = 0, s = ""')
  const draft: Draft = { lines, ahead: start, from: "", parts: [], checks: [], digitsFrom: -1 }
  for (const field of fields) {
    if (isJoined(field)) joinField(draft, field)
    else putField(draft, field)
  }
  endText(draft)
  lines.push(`if (${wrong}) return`, "return out")
  return `return (message, f, mti) => {\n${lines.join("\n")}\n}`
}
