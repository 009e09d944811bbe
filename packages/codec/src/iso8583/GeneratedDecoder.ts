/**
 * Writes the source of a decoder for one bitmap of one dialect: straight code without a table, a loop over fields or a branch
 * on the encoding. It decides only what is certainly right; `undefined` leaves the message to the reference.
 *
 * Offsets: `p` counts from the message's start in the text `s`; `o + p` is the byte in `b`, `w + p` the byte in the view `v`.
 * Every read is behind a check that the fields up to the next length prefix fit, so no read leaves the message.
 */
import type { Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import { announcedBytes, bytesAhead, prefixLines } from "./GeneratedSource.ts"

/** Source being written, and where the next field stands: `p + ahead`. */
interface Draft {
  readonly lines: Array<string>
  ahead: number
  /** Begin of the run of ASCII digits that ends at `ahead`, -1: none; checked when it ends. */
  digitsFrom: number
  text: boolean
  hex: boolean
}

const at = (draft: Draft, more = 0): string => `p + ${draft.ahead + more}`

/** Checks the run of digits that ends here. */
const endDigits = (draft: Draft): void => {
  const { digitsFrom: from, ahead: to } = draft
  draft.digitsFrom = -1
  if (from < 0) return
  if (to - from < 4) {
    for (let place = from; place < to; place++) draft.lines.push(`if ((b[o + p + ${place}] - 48 >>> 0) > 9) return`)
    return
  }
  // Four digits in a word: every high nibble is 3, and stays 3 when 6 is added to each byte (see `notDigits`).
  for (let place = from; place < to; place += 4) {
    draft.lines.push(`d = v.getInt32(w + p + ${Math.min(place, to - 4)})`)
    draft.lines.push("e |= ((d & -252645136) ^ 808464432) | (((d + 101058054) & -252645136) ^ 808464432)")
  }
}

const checkOf = (field: FieldLayout, from: string, to: string): string | undefined => {
  switch (field.content) {
    case "n":
      return `!areDigits(v, w + ${from}, w + ${to})`
    case "z":
      return `!areTrack(v, w + ${from}, w + ${to})`
    case "an":
      return `!areAlphanumeric(b, o + ${from}, o + ${to})`
    case "a":
      return `!areLetters(b, o + ${from}, o + ${to})`
    case "ansb":
      return undefined
    default:
      return `!arePrintable(v, w + ${from}, w + ${to})`
  }
}

/**
 * A text of up to four digits is taken from a table instead of being cut: no allocation. Bytes that are no digits give some
 * other text or `undefined`; the check of the run they stand in then refuses the message.
 */
const shortDigits = (draft: Draft, digits: number): string => {
  const terms = Array.from(
    { length: digits },
    (_, index) => `b[o + ${at(draft, index)}] * ${10 ** (digits - 1 - index)}`
  )
  return `decimals${digits}[${terms.join(" + ")} - ${48 * Number("1".repeat(digits))}]`
}

/** Declares `f<de>` with the value between the expressions `from` and `to` (relative to the message's start). */
const readValue = (
  layout: Layout,
  draft: Draft,
  field: FieldLayout,
  from: string,
  to: string,
  digits: string
): void => {
  const { lines } = draft
  const { de, content } = field
  const name = `f${de}`
  const lenient = layout.dialect.lenient === true
  const covered = field.sensitivity !== "none"
  const cover = (source: string, begin: string, end: string): string =>
    `new Sensitive(${source}, "${field.sensitivity}", ${begin}, ${end})`
  if (field.encoding === "binary") {
    const range = [`o + ${from}`, `o + ${to}`] as const
    lines.push(`const ${name} = ${covered ? cover("b", ...range) : `b.subarray(${range.join(", ")})`}`)
  } else if ((field.encoding === "ascii" || field.encoding === "gbk") && content !== "xn") {
    draft.text = true
    // The characters of GBK below 0x80 are those of ASCII; anything else in the field is read by the reference.
    const check = field.encoding === "gbk" || !lenient ? checkOf(field, from, to) : undefined
    const fast = covered ? cover("s", from, to) : `s.substring(${from}, ${to})`
    const exact = field.fixed >= 0 && content === "n"
    if (exact && !lenient && !covered && field.fixed <= 4)
      lines.push(`const ${name} = ${shortDigits(draft, field.fixed)}`)
    else if (check === undefined || exact) lines.push(`const ${name} = ${fast}`)
    else {
      lines.push(`let ${name}`, `if (${check}) {`, `${name} = valueByTable(F[${de}], L, b, o + ${from}, o + ${to})`)
      lines.push(`if (${name} === undefined) return`)
      if (covered) lines.push(`${name} = new Sensitive(${name}, "${field.sensitivity}")`)
      lines.push(`} else ${name} = ${fast}`)
    }
  } else if (field.encoding === "bcd" && content === "n" && digits !== "") {
    draft.hex = true
    lines.push(`if (!arePacked(b, o + ${from}, o + ${to})) return`)
    const range = [`2 * (${from})`, `2 * (${from}) + ${digits}`] as const
    lines.push(`const ${name} = ${covered ? cover("h", ...range) : `h.substring(${range.join(", ")})`}`)
  } else {
    lines.push(`let ${name} = valueByTable(F[${de}], L, b, o + ${from}, o + ${to})`)
    lines.push(`if (${name} === undefined) return`)
    if (covered) lines.push(`${name} = new Sensitive(${name}, "${field.sensitivity}")`)
  }
}

const fixedField = (layout: Layout, draft: Draft, field: FieldLayout): void => {
  const isDigits = field.encoding === "ascii" && field.content === "n" && layout.dialect.lenient !== true
  if (!isDigits) endDigits(draft)
  else if (draft.digitsFrom < 0) draft.digitsFrom = draft.ahead
  const even = field.encoding === "bcd" && field.units % 2 === 0
  readValue(layout, draft, field, at(draft), at(draft, field.fixed), even ? String(field.units) : "")
  draft.ahead += field.fixed
}

const variableField = (layout: Layout, draft: Draft, field: FieldLayout, ahead: number): void => {
  const { lines } = draft
  const { de } = field
  endDigits(draft)
  lines.push(...prefixLines(field, `o + ${at(draft)}`, "return"))
  lines.push(`const q${de} = ${at(draft, field.prefixBytes)}`)
  lines.push(`p = q${de} + ${announcedBytes(field)}`)
  // Everything up to the next length prefix must be there.
  lines.push(`if (p + ${ahead} > t) return`)
  draft.ahead = 0
  readValue(layout, draft, field, `q${de}`, "p", "")
}

/** Source of the member that holds the header's parts; "" for dialects without one. */
const headerMembers = (layout: Layout): string => {
  if (layout.header === undefined) return ""
  const members = layout.header.parts.map(({ name, offset, bytes, form }) => {
    const places = Array.from({ length: bytes }, (_, index) => offset + index)
    const text = `s.substring(${offset}, ${offset + bytes})`
    return `${JSON.stringify(name)}: ${form === "text" ? text : places.map((at) => `hexBytes[b[o + ${at}]]`).join(" + ")}`
  })
  return `, header: { ${members.join(", ")} }`
}

/** Source of the body of `(b, start, end, p, mti) => Message | undefined`; `p` is the first field's offset. */
export const decoderSource = (layout: Layout, fields: ReadonlyArray<FieldLayout>): string => {
  const draft: Draft = { lines: [], ahead: 0, digitsFrom: -1, text: false, hex: false }
  const { lines } = draft
  lines.push(`if (p + ${bytesAhead(fields, 0)} > t) return`)
  for (const [position, field] of fields.entries()) {
    if (field.fixed >= 0) fixedField(layout, draft, field)
    else variableField(layout, draft, field, bytesAhead(fields, position + 1))
  }
  endDigits(draft)
  lines.push(`if (e !== 0 || ${at(draft)} !== t) return`)
  // The highest field first: the object's element store then has its final size at once.
  const members = [...fields].reverse().map(({ de }) => `${de}: f${de}`)
  const header = headerMembers(layout)
  if (header !== "") draft.text = true
  lines.push(`return { mti: mti, fields: { ${members.join(", ")} }${header} }`)
  const head = ["let d = 0", "let e = 0", "const o = start", "const t = end - start"]
  head.push("const w = start + b.byteOffset", "const v = viewOf(b)")
  if (draft.text) head.push("const s = latin1(b, start, end)")
  if (draft.hex) head.push("const h = nativeHex(b, start, end)")
  return [...head, ...lines].join("\n")
}
