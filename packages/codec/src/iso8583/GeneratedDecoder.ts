/**
 * Writes the source of a decoder for one bitmap of one dialect: straight code without a table, a loop over fields or a branch
 * on the encoding. It decides only what is certainly right; `undefined` leaves the message to the reference.
 *
 * Texts are cut from texts of the whole message: `s` of its bytes, `h` of its hex digits, `s037` and `s1047` of its bytes
 * read as EBCDIC. Offsets: `p` counts from the message's start; `o + p` is the byte in `b`, `w + p` the byte in the view `v`.
 * Every read is behind a check that the fields up to the next length prefix fit, so no read leaves the message.
 */
import type { Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import { announcedBytes, bytesAhead, prefixLines } from "./GeneratedSource.ts"

/** Where characters are read: names of the text, the bytes and the view, and what is added to `p` in bytes and view. */
interface Place {
  readonly text: string
  readonly bytes: string
  readonly view: string
  readonly byte: string
  readonly word: string
  /** Lines that make them. */
  readonly head: ReadonlyArray<string>
}

const ascii: Place = {
  text: "s",
  bytes: "b",
  view: "v",
  byte: "o + ",
  word: "w + ",
  head: ["const s = latin1(b, start, end)"]
}

const translated = (page: string): Place => ({
  text: `s${page}`,
  bytes: `b${page}`,
  view: `v${page}`,
  byte: "",
  word: "",
  head: [
    `const b${page} = translated(cp${page}, b, start, end)`,
    `const v${page} = viewOf(b${page}), s${page} = latin1(b${page}, 0, t)`
  ]
})

/** Places by encoding. The characters of GBK below 0x80 are those of ASCII; anything above is the reference's. */
const places: { readonly [encoding: string]: Place } = {
  ascii,
  gbk: ascii,
  ebcdic: translated("037"),
  ebcdic1047: translated("1047")
}

/** A run of fixed fields whose digits are checked together: where it began, and whether they are packed. */
interface Run {
  readonly from: number
  readonly place: Place | "packed"
}

/** Source being written, and where the next field stands: `p + ahead`. */
interface Draft {
  readonly lines: Array<string>
  readonly head: Set<string>
  ahead: number
  run: Run | undefined
}

const at = (draft: Draft, more = 0): string => `p + ${draft.ahead + more}`

/** Begins a run of digits here, or goes on with one. */
const goOn = (draft: Draft, place: Place | "packed"): void => {
  if (draft.run?.place !== place) endRun(draft)
  draft.run ??= { from: draft.ahead, place }
}

/** Checks the run of digits that ends here; `e` gathers what is wrong. */
const endRun = (draft: Draft): void => {
  const { run, ahead: to } = draft
  draft.run = undefined
  if (run === undefined) return
  const { from, place } = run
  const { bytes, view, byte, word } = place === "packed" ? ascii : place
  if (to - from < 4) {
    for (let offset = from; offset < to; offset++) {
      const read = `${bytes}[${byte}p + ${offset}]`
      draft.lines.push(place === "packed" ? `e |= notPacked(${read})` : `if ((${read} - 48 >>> 0) > 9) return`)
    }
    return
  }
  // Written out, because V8 gives up on inlining calls in code of this size. The same rules as `notDigits`, `notPacked`.
  const wrong =
    place === "packed"
      ? "d & (d << 1 | d << 2) & -2004318072"
      : "((d & -252645136) ^ 808464432) | (((d + 101058054) & -252645136) ^ 808464432)"
  for (let offset = from; offset < to; offset += 4)
    draft.lines.push(`d = ${view}.getInt32(${word}p + ${Math.min(offset, to - 4)})`, `e |= ${wrong}`)
}

/** Condition under which characters `[from, to)` break the field's content rule. */
const checkOf = (field: FieldLayout, from: string, to: string): string | undefined => {
  const { bytes, view, byte, word } = places[field.encoding]!
  const inBytes = `${bytes}, ${byte}${from}, ${byte}${to}`
  const inView = `${view}, ${word}${from}, ${word}${to}`
  switch (field.content) {
    case "n":
      return `!areDigits(${inView})`
    case "z":
      return `!areTrack(${inView})`
    case "an":
      return `!areAlphanumeric(${inBytes})`
    case "a":
      return `!areLetters(${inBytes})`
    case "ansb":
      return field.encoding === "gbk" ? `!arePrintable(${inView})` : undefined
    default:
      return `!arePrintable(${inView})`
  }
}

const covered = (field: FieldLayout, source: string, from: string, to: string): string =>
  `new Sensitive(${source}, "${field.sensitivity}", ${from}, ${to})`

/** Expression of the part `[from, to)` of a text, covered where the field is. */
const cut = (field: FieldLayout, text: string, from: string, to: string): string =>
  field.sensitivity === "none" ? `${text}.substring(${from}, ${to})` : covered(field, text, from, to)

/** Takes a value by a function that gives `undefined` for what the reference shall decide. */
const take = (field: FieldLayout, call: string): ReadonlyArray<string> => {
  const name = `f${field.de}`
  const lines = [`let ${name} = ${call}`, `if (${name} === undefined) return`]
  if (field.sensitivity !== "none") lines.push(`${name} = new Sensitive(${name}, "${field.sensitivity}")`)
  return lines
}

/**
 * A text of up to four digits is taken from a table instead of being cut: no allocation. Digits that are none give some
 * other text or `undefined`; the check of the run they stand in then refuses the message.
 */
const fromTable = (digits: ReadonlyArray<string>): string => {
  const terms = digits.map((digit, index) => `(${digit}) * ${10 ** (digits.length - 1 - index)}`)
  return `decimals${digits.length}[${terms.join(" + ")}]`
}

/** Fixed field of ASCII or EBCDIC digits, checked with its neighbours. */
const fixedDigits = (draft: Draft, field: FieldLayout): void => {
  const place = places[field.encoding]!
  goOn(draft, place)
  const digits = Array.from({ length: field.fixed }, (_, n) => `${place.bytes}[${place.byte}${at(draft, n)}] - 48`)
  const isShort = field.fixed <= 4 && field.sensitivity === "none"
  const value = isShort ? fromTable(digits) : cut(field, place.text, at(draft), at(draft, field.fixed))
  draft.lines.push(`const f${field.de} = ${value}`)
  // ASCII bytes are at hand; those of EBCDIC are made together with their text.
  if (!isShort || place !== ascii) useText(draft, place)
}

/** Fixed field of packed digits, checked with its neighbours; the filling nibble of an odd number is checked apart. */
const fixedPacked = (draft: Draft, field: FieldLayout): void => {
  goOn(draft, "packed")
  const { lines } = draft
  const { de, units, fixed, align, fill } = field
  const isOdd = units % 2 === 1
  const skip = isOdd && align === "right" ? 1 : 0
  if (isOdd) {
    const nibble = skip === 1 ? `b[o + ${at(draft)}] >> 4` : `b[o + ${at(draft, fixed - 1)}] & 15`
    lines.push(`if ((${nibble}) !== ${fill}) return`)
  }
  if (units <= 4 && field.sensitivity === "none") {
    const nibbles = Array.from({ length: units }, (_, n) => n + skip).map((nibble) => {
      const byte = `b[o + ${at(draft, nibble >> 1)}]`
      return nibble % 2 === 0 ? `${byte} >> 4` : `${byte} & 15`
    })
    lines.push(`const f${de} = ${fromTable(nibbles)}`)
    return
  }
  draft.head.add("const h = nativeHex(b, start, end)")
  const from = `2 * (${at(draft)}) + ${skip}`
  lines.push(`const f${de} = ${cut(field, "h", from, `${from} + ${units}`)}`)
}

const useText = (draft: Draft, place: Place): void => {
  for (const line of place.head) draft.head.add(line)
}

/** Declares `f<de>`, the value between the expressions `from` and `to` of a field that no run checks. */
const readValue = (layout: Layout, draft: Draft, field: FieldLayout, from: string, to: string, units: string): void => {
  const { lines } = draft
  const { de, content, encoding } = field
  const place = places[encoding]
  const isLenient = layout.dialect.lenient === true
  const byTable = `valueByTable(F[${de}], L, b, o + ${from}, o + ${to})`
  if (encoding === "binary") {
    const range = [`o + ${from}`, `o + ${to}`] as const
    const value = field.sensitivity === "none" ? `b.subarray(${range.join(", ")})` : covered(field, "b", ...range)
    lines.push(`const f${de} = ${value}`)
  } else if (place !== undefined && content !== "xn") {
    useText(draft, place)
    const check = encoding === "gbk" || !isLenient ? checkOf(field, from, to) : undefined
    const fast = cut(field, place.text, from, to)
    if (check === undefined) lines.push(`const f${de} = ${fast}`)
    else {
      lines.push(`let f${de}`, `if (${check}) {`, ...take(field, byTable).map((line) => line.replace(/^let /, "")))
      lines.push(`} else f${de} = ${fast}`)
    }
  } else if (encoding === "bcd" && (content === "n" || content === "z") && !isLenient) {
    draft.head.add("const h = nativeHex(b, start, end)")
    const read = content === "n" ? "packedDigits" : "packedTrack"
    lines.push(...take(field, `${read}(h, 2 * (${from}), ${units}, ${field.align === "right"}, ${field.fill}, b, o)`))
  } else if (encoding === "hex") lines.push(...take(field, `hexField(b, o + ${from}, o + ${to})`))
  else lines.push(...take(field, byTable))
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
  lines.push(`const q${de} = ${at(draft, field.prefixBytes)}`)
  lines.push(`p = q${de} + ${announcedBytes(field)}`)
  // Everything up to the next length prefix must be there.
  lines.push(`if (p + ${ahead} > t) return`)
  draft.ahead = 0
  readValue(layout, draft, field, `q${de}`, "p", field.countsBytes ? `2 * n${de}` : `n${de}`)
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
  const draft: Draft = { lines: [], head: new Set(), ahead: 0, run: undefined }
  const { lines } = draft
  lines.push(`if (p + ${bytesAhead(fields, 0)} > t) return`)
  for (const [position, field] of fields.entries()) {
    if (field.fixed >= 0) fixedField(layout, draft, field)
    else variableField(layout, draft, field, bytesAhead(fields, position + 1))
  }
  endRun(draft)
  lines.push(`if (e !== 0 || ${at(draft)} !== t) return`)
  // The highest field first: the object's element store then has its final size at once.
  const members = [...fields].reverse().map(({ de }) => `${de}: f${de}`)
  const header = headerMembers(layout)
  if (header !== "") useText(draft, ascii)
  lines.push(`return { mti: mti, fields: { ${members.join(", ")} }${header} }`)
  const head = ["let d = 0, e = 0", "const o = start, t = end - start", "const v = viewOf(b), w = start + b.byteOffset"]
  return [...head, ...draft.head, ...lines].join("\n")
}
