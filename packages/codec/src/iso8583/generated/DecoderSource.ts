/**
 * Writes the source of a decoder for one bitmap of one dialect: straight code without a table, a loop over fields or a branch
 * on the encoding. It decides only what is certainly right; `undefined` leaves the message to the reference.
 *
 * It has two parts. The first finds the fields, checks them and translates EBCDIC; nothing is made in it, so a wrong message
 * costs nothing more. The second makes the values. Texts are cut from texts of the message: `s` of its bytes, `h` of its hex
 * digits, `y` of its EBCDIC as Latin-1; a native call for each field would cost more.
 *
 * Offsets: `p` and, behind the variable field <de>, `p<de>` count from the message's start; `o` is added to them in the bytes
 * `b`, `w` in the view `v`. EBCDIC is translated into the bytes `Y` and their view `V` from offset 0 on. Every read is behind a
 * check that the fields up to the next length prefix fit, so no read leaves the message.
 */
import type { Layout } from "../Dialect.ts"
import type { FieldLayout } from "../Field.ts"
import {
  declared,
  fixedLines,
  tableLines,
  trackLines,
  variableLines,
  variableTableLines,
  wrong,
  wrongTrack
} from "./CheckSource.ts"
import { ebcdicDigits, translationLines } from "./EbcdicSource.ts"
import { headerMember } from "./HeadSource.ts"
import { announcedBytes, bytesAhead, prefixLines } from "./LengthSource.ts"

/** The text that values are cut from: of the bytes, of their hex digits, of what has been translated. */
type Text = "s" | "h" | "y"

const texts: { readonly [Name in Text]: (to: string) => string } = {
  s: (to) => `const s = latin1(b, start, start + ${to})`,
  h: (to) => `const h = nativeHex(b, start, start + ${to})`,
  y: (to) => `const y = latin1(Y, 0, ${to})`
}

/** What a run of fixed fields is made of. */
type RunOf = "ascii" | "ebcdic" | "packed"

/** Source being written, and where the next field is: `base + ahead`. */
interface Draft {
  /** The first part. */
  readonly lines: Array<string>
  /** The second part. */
  readonly values: Array<string>
  /** Texts that are needed, and where they end. */
  readonly ends: Map<Text, string>
  /** Whether EBCDIC is translated. */
  translates: boolean
  base: string
  ahead: number
  /** A run of fixed fields of digits, which are checked together: where it began. */
  run: { readonly from: number; readonly of: RunOf } | undefined
}

const at = (draft: Draft, more = 0): string => {
  const ahead = draft.ahead + more
  return ahead === 0 ? draft.base : `${draft.base} + ${ahead}`
}

/** Begins a run of digits here, or goes on with one. */
const goOn = (draft: Draft, of: RunOf): void => {
  if (draft.run?.of !== of) endRun(draft)
  draft.run ??= { from: draft.ahead, of }
}

/** Checks the run of digits that ends here. */
const endRun = (draft: Draft): void => {
  const { run, ahead: to, base, lines } = draft
  draft.run = undefined
  if (run === undefined) return
  const { from, of } = run
  if (of === "ebcdic") {
    draft.translates = true
    lines.push(...ebcdicDigits(base, from, to))
  } else lines.push(...fixedLines(of === "ascii" ? "digits" : "packed", `w + ${base} + ${from}`, to - from))
}

/** Lines that check the ASCII of a field in `[from, to)`. */
const checkLines = ({ content, fixed }: FieldLayout, from: string, to: string): ReadonlyArray<string> => {
  switch (content) {
    case "n":
      return fixed >= 0
        ? fixedLines("digits", `w + ${from}`, fixed)
        : variableLines("digits", `w + ${from}`, `w + ${to}`)
    case "a":
    case "an": {
      const table = `bytesOf_ascii_${content}`
      if (fixed >= 0) return tableLines(table, "b", `o + ${from}`, fixed)
      return variableTableLines(table, "b", `o + ${from}`, `o + ${to}`)
    }
    case "ansb":
      return []
    default:
      if (fixed >= 0 && fixed <= 40) return fixedLines("printable", `w + ${from}`, fixed)
      return variableLines("printable", `w + ${from}`, `w + ${to}`)
  }
}

const covered = (field: FieldLayout, source: string, from: string, to: string): string =>
  `new Sensitive(${source}, "${field.sensitivity}", ${from}, ${to})`

/** Expression of the part `[from, to)` of a text, covered where the field is. */
const cut = (field: FieldLayout, text: string, from: string, to: string): string =>
  field.sensitivity === "none" ? `${text}.substring(${from}, ${to})` : covered(field, text, from, to)

/** Makes the value a part of a text; `end` is the offset in bytes where it ends. */
const cutValue = (draft: Draft, field: FieldLayout, text: Text, from: string, to: string, end: string): void => {
  draft.ends.set(text, end)
  draft.values.push(`const f${field.de} = ${cut(field, text, from, to)}`)
}

/** Takes a value by a call that gives `undefined` for what the reference shall decide. */
const takeValue = ({ lines }: Draft, { de, sensitivity }: FieldLayout, call: string): void => {
  lines.push(`let f${de} = ${call}`, `if (f${de} === undefined) return`)
  if (sensitivity !== "none") lines.push(`f${de} = new Sensitive(f${de}, "${sensitivity}")`)
}

/** The same, only where a check has said so; otherwise the value is cut from the text `s`. */
const takeOrCut = (draft: Draft, field: FieldLayout, when: string, call: string, from: string, to: string): void => {
  const { de } = field
  draft.lines.push(`let f${de}`, `if (${when}) {`, `f${de} = ${call}`, `if (f${de} === undefined) return`)
  if (field.sensitivity !== "none") draft.lines.push(`f${de} = new Sensitive(f${de}, "${field.sensitivity}")`)
  draft.lines.push("}")
  draft.ends.set("s", to)
  draft.values.push(`if (f${de} === undefined) f${de} = ${cut(field, "s", from, to)}`)
}

/**
 * A text of up to four digits is taken from a table instead of being cut: no allocation. Digits that are none give some
 * other text or `undefined`; the check of the run they are in then refuses the message.
 */
const fromTable = (digits: ReadonlyArray<string>): string => {
  const terms = digits.map((digit, index) => {
    const worth = 10 ** (digits.length - 1 - index)
    return worth === 1 ? `(${digit})` : `(${digit}) * ${worth}`
  })
  return `decimals${digits.length}[${terms.join(" + ")}]`
}

/** Fixed field of ASCII or EBCDIC digits, checked with its neighbours. */
const fixedDigits = (draft: Draft, field: FieldLayout): void => {
  const { de, fixed, encoding } = field
  const isAscii = encoding === "ascii"
  goOn(draft, isAscii ? "ascii" : "ebcdic")
  if (fixed >= 1 && fixed <= 4 && field.sensitivity === "none") {
    const digits = Array.from({ length: fixed }, (_, n) => `b[o + ${at(draft, n)}] ${isAscii ? "- 48" : "& 15"}`)
    draft.values.push(`const f${de} = ${fromTable(digits)}`)
  } else cutValue(draft, field, isAscii ? "s" : "y", at(draft), at(draft, fixed), at(draft, fixed))
}

/** Condition under which the filling nibble, an expression, is none that the field takes. */
const wrongFilling = ({ fills }: FieldLayout, nibble: string): string => `(${fills} >> (${nibble}) & 1) === 0`

/** Fixed field of packed digits, checked with its neighbours; the filling nibble of an odd number is checked apart. */
const fixedPacked = (draft: Draft, field: FieldLayout): void => {
  goOn(draft, "packed")
  const { de, units, fixed, align } = field
  const isOdd = units % 2 === 1
  const skip = isOdd && align === "right" ? 1 : 0
  if (isOdd) {
    const nibble = skip === 1 ? `b[o + ${at(draft)}] >> 4` : `b[o + ${at(draft, fixed - 1)}] & 15`
    draft.lines.push(`if (${wrongFilling(field, nibble)}) return`)
  }
  if (units >= 1 && units <= 4 && field.sensitivity === "none") {
    const nibbles = Array.from({ length: units }, (_, n) => n + skip).map((nibble) => {
      const byte = `b[o + ${at(draft, nibble >> 1)}]`
      return nibble % 2 === 0 ? `${byte} >> 4` : `${byte} & 15`
    })
    draft.values.push(`const f${de} = ${fromTable(nibbles)}`)
    return
  }
  const from = `2 * (${at(draft)}) + ${skip}`
  cutValue(draft, field, "h", from, `${from} + ${units}`, at(draft, fixed))
}

/** Packed digits whose filling nibble is a digit, in `[from, to)`; `units` is an expression. */
const packedDigits = (draft: Draft, field: FieldLayout, from: string, to: string, units: string): void => {
  const { align } = field
  const filling = align === "right" ? `b[o + ${from}] >> 4` : `b[o + ${to} - 1] & 15`
  draft.lines.push(...variableLines("packed", `w + ${from}`, `w + ${to}`))
  draft.lines.push(`if ((${units} & 1) === 1 && ${wrongFilling(field, filling)}) return`)
  const first = align === "right" ? `2 * (${from}) + (${units} & 1)` : `2 * (${from})`
  cutValue(draft, field, "h", first, `${first} + ${units}`, to)
}

/** Packed track data in `[from, to)`: digits and one separator. */
const packedTrack = (draft: Draft, field: FieldLayout, from: string, to: string, units: string): void => {
  const { de, align } = field
  const skip = align === "right" ? `(${units} & 1)` : "0"
  const filling = align === "right" ? `b[o + ${from}] >> 4` : `b[o + ${to} - 1] & 15`
  draft.lines.push(`if ((${units} & 1) === 1 && ${wrongFilling(field, filling)}) return`)
  draft.lines.push(`const t${de} = 2 * (${from}) + ${skip}`)
  draft.lines.push(`const m${de} = separatorIn(b, 2 * o + t${de}, ${units})`, `if (m${de} < -1) return`)
  draft.ends.set("h", to)
  const text = `trackOf(h, t${de}, ${units}, m${de})`
  const value = field.sensitivity === "none" ? text : `new Sensitive(${text}, "${field.sensitivity}")`
  draft.values.push(`const f${de} = ${value}`)
}

/** Declares `f<de>`, the value between the expressions `from` and `to` of a field that no run checks. */
const readValue = (layout: Layout, draft: Draft, field: FieldLayout, from: string, to: string, units: string): void => {
  const { lines } = draft
  const { de, content, encoding, fill } = field
  const isLenient = layout.dialect.lenient === true
  const isAscii = encoding === "ascii" || encoding === "gbk"
  const byTable = `valueByTable(F[${de}], L, b, o + ${from}, o + ${to})`
  if (encoding === "binary") {
    const range = [`o + ${from}`, `o + ${to}`] as const
    const value = field.sensitivity === "none" ? `b.subarray(${range.join(", ")})` : covered(field, "b", ...range)
    draft.values.push(`const f${de} = ${value}`)
  } else if (encoding === "hex") takeValue(draft, field, `hexField(b, o + ${from}, o + ${to})`)
  else if (content === "xn") takeValue(draft, field, byTable)
  else if (encoding === "gbk" && (isLenient || content.startsWith("ans") || content === "ns")) {
    // The characters of GBK below 0x80 are those of ASCII; a Chinese one is the reference's.
    takeOrCut(draft, field, `!arePrintable(v, w + ${from}, w + ${to})`, byTable, from, to)
  } else if (isAscii && content === "z" && !isLenient) {
    // The other separator, D, is a letter: rare, and not wrong.
    lines.push(...trackLines(`w + ${from}`, `w + ${to}`))
    takeOrCut(draft, field, wrongTrack, byTable, from, to)
  } else if (isAscii) {
    if (!isLenient) lines.push(...checkLines(field, from, to))
    cutValue(draft, field, "s", from, to, to)
  } else if (encoding !== "bcd") {
    draft.translates = true
    lines.push(...translationLines(field, isLenient, from, to))
    cutValue(draft, field, "y", from, to, to)
  } else if (content === "n" && !isLenient && fill <= 9) packedDigits(draft, field, from, to, units)
  else if (content === "z" && !isLenient) packedTrack(draft, field, from, to, units)
  else takeValue(draft, field, byTable)
}

const fixedField = (layout: Layout, draft: Draft, field: FieldLayout): void => {
  const isDigits = field.content === "n" && layout.dialect.lenient !== true
  const isPacked = field.encoding === "bcd" && (field.units % 2 === 0 || field.fill <= 9)
  if (isDigits && field.encoding !== "bcd" && field.encoding !== "gbk") fixedDigits(draft, field)
  else if (isDigits && isPacked) fixedPacked(draft, field)
  else {
    endRun(draft)
    readValue(layout, draft, field, at(draft), at(draft, field.fixed), String(field.units))
  }
  draft.ahead += field.fixed
}

const variableField = (layout: Layout, draft: Draft, field: FieldLayout, ahead: number): void => {
  const { lines } = draft
  const { de } = field
  endRun(draft)
  lines.push(...prefixLines(field, `o + ${at(draft)}`, "return"))
  lines.push(`const q${de} = ${at(draft, field.prefixBytes)}`, `const p${de} = q${de} + ${announcedBytes(field)}`)
  // Everything up to the next length prefix must be there.
  lines.push(`if (p${de} + ${ahead} > t) return`)
  draft.base = `p${de}`
  draft.ahead = 0
  readValue(layout, draft, field, `q${de}`, `p${de}`, field.countsBytes ? `(2 * n${de})` : `n${de}`)
}

/** Source of the body of `(b, start, end, p, mti) => Message | undefined`; `p` is the first field's offset. */
export const decoderSource = (layout: Layout, fields: ReadonlyArray<FieldLayout>): string => {
  const draft: Draft = {
    lines: [],
    values: [],
    ends: new Map(),
    translates: false,
    base: "p",
    ahead: 0,
    run: undefined
  }
  for (const [position, field] of fields.entries()) {
    if (field.fixed >= 0) fixedField(layout, draft, field)
    else variableField(layout, draft, field, bytesAhead(fields, position + 1))
  }
  endRun(draft)
  const { lines, values, ends } = draft
  const header = headerMember(layout)
  if (header !== "" && !ends.has("s")) ends.set("s", String(layout.headerBytes))
  // The highest field first: the object's element store then has its final size at once.
  const members = [...fields].reverse().map(({ de }) => `${de}: f${de}`)
  return [
    declared,
    "const o = start, t = end - start",
    `if (p + ${bytesAhead(fields, 0)} > t) return`,
    "const v = viewOf(b), w = start + b.byteOffset",
    ...(draft.translates ? ["const { bytes: Y, view: V } = scratchOf(t)"] : []),
    ...lines,
    `if (${at(draft)} !== t || ${wrong}) return`,
    ...[...ends].map(([text, to]) => texts[text](to)),
    ...values,
    `return { mti: mti, fields: { ${members.join(", ")} }${header} }`
  ].join("\n")
}
