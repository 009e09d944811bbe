/**
 * Writes the source that reads what comes before the fields: header, MTI and bitmaps of one dialect, whose places are
 * constants. It decides only what is certainly right; `indexHead` of `Indexer` does the rest again: rejects and errors.
 * Names: `b` holds the bytes, the message is at `start`; `s` is its text.
 */
import type { Layout } from "../Dialect.ts"
import { type PlacedPart, partValue } from "../HeaderPart.ts"

const byte = (at: number): string => `b[start + ${at}]`

/** Condition under which the bytes from `at` on are not those given. */
const differ = (bytes: Uint8Array, at: number): ReadonlyArray<string> =>
  Array.from(bytes, (value, index) => `${byte(at + index)} !== ${value}`)

/** Lines that gather in `d` the number of a part, and in `e` what is no digit. */
const numberLines = ({ form, offset, bytes }: PlacedPart): ReadonlyArray<string> => [
  "d = 0",
  ...Array.from({ length: bytes }, (_, index) => {
    const read = byte(offset + index)
    if (form === "binary") return `d = d * 256 + ${read}`
    if (form === "bcd") return `${packedDigits(read)}; d = d * 100 + (k >> 4) * 10 + (k & 15)`
    return `k = ${read} ^ 48; e |= k | k + 6; d = d * 10 + k`
  })
]

/** Reads a byte of two packed digits into `k`; a nibble above 9 is seen in `e`. */
const packedDigits = (read: string): string => `k = ${read}; e |= k + 96 >> 4 & 16 | (k & 15) + 6`

/** Lines that check the header: its fixed parts, its digits, its length, and that it is no reject's. */
const headerLines = ({ header }: Layout): ReadonlyArray<string> => {
  if (header === undefined) return []
  const { fixed, digits, total, notCounted, reject } = header
  const usual = reject === undefined ? fixed : [...fixed, reject]
  const wrong = usual.flatMap((part) => differ(part.usual, part.offset))
  const lines = wrong.length === 0 ? [] : [`if (${wrong.join(" || ")}) return false`]
  lines.push(...digits.flatMap(numberLines))
  if (total === undefined) return lines
  return [...lines, ...numberLines(total), `if (d !== end - start - ${notCounted}) return false`]
}

/** Lines that set `into.mti`; what is no digit is gathered in `e`. */
const mtiLines = ({ dialect, mtiBytes, headerBytes }: Layout): ReadonlyArray<string> => {
  const lines = ["d = 0"]
  for (let index = 0; index < mtiBytes; index++) {
    const read = byte(headerBytes + index)
    if (mtiBytes === 2) {
      lines.push(packedDigits(read), "d = d * 100 + (k >> 4) * 10 + (k & 15)")
    } else {
      lines.push(`k = ${read} ^ ${dialect.mti === "ascii" ? 48 : 240}; e |= k | k + 6`, "d = d * 10 + k")
    }
  }
  return [...lines, "into.mti = d"]
}

/** Lines that read the bitmap at `from` into two words; what is no hex digit makes `x` negative. */
const bitmapLines = ({ bitmapBytes, dialect }: Layout, from: number, word: number): ReadonlyArray<string> =>
  [0, 1].map((half) => {
    const isBinary = bitmapBytes === 8
    const count = isBinary ? 4 : 8
    const table = dialect.bitmap.encoding === "hex" ? "hexValue" : "ebcdicHexValue"
    const terms = Array.from({ length: count }, (_, index) => {
      const read = byte(from + half * count + index)
      const shift = (isBinary ? 8 : 4) * (count - 1 - index)
      return isBinary ? `${read} << ${shift}` : `(k = ${table}[${read}], x |= k, k & 15) << ${shift}`
    })
    return `W[${word + half}] = ${terms.join(" | ")}`
  })

/** Lines that read the second bitmap where there may be one, and the third; bit 1 must be as the dialect says. */
const moreLines = (layout: Layout, from: number): ReadonlyArray<string> => {
  const { bitmapBytes: bytes, deMax, dialect } = layout
  const { secondary } = dialect.bitmap
  if (secondary === "never") return ["if (W[0] < 0) return false"]
  const room = (maps: number): string => `if (start + ${from + maps * bytes} > end) return false`
  const third =
    deMax > 128 ? ["if (W[2] < 0) {", room(3), ...bitmapLines(layout, from + 2 * bytes, 4), "m = 3", "}"] : []
  const second = [room(2), ...bitmapLines(layout, from + bytes, 2), "m = 2"]
  if (secondary === "fixed") return ["if (W[0] < 0) return false", ...second]
  if (secondary === "always") return ["if (W[0] >= 0) return false", ...second, ...third]
  return ["if (W[0] < 0) {", ...second, ...third, "}"]
}

/**
 * Source of the body of `(b, start, end, into) => boolean`: fills what `indexHead` fills; false when that has to look. `layout`
 * is in its scope.
 */
export const headSource = (layout: Layout): string => {
  const from = layout.headerBytes + layout.mtiBytes
  return [
    `if (end - start < ${from + layout.bitmapBytes}) return false`,
    "let d = 0, e = 0, k = 0, m = 1, x = 0",
    ...headerLines(layout),
    ...mtiLines(layout),
    "const W = into.words",
    ...bitmapLines(layout, from, 0),
    "W[2] = W[3] = W[4] = W[5] = 0",
    ...moreLines(layout, from),
    "if ((e & -16) !== 0 || x < 0) return false",
    ...(layout.deMax > 128 ? ["into.hasThird = m === 3", "W[2] &= 2147483647"] : []),
    "into.buffer = b",
    "into.layout = layout",
    "into.start = start",
    "into.end = end",
    "into.rejectCode = 0",
    `into.body = start + ${layout.headerBytes}`,
    `into.fieldsFrom = start + ${from} + m * ${layout.bitmapBytes}`,
    "return true"
  ].join("\n")
}

/** Expression of a part as text; one that holds its usual value is a constant, because a new text costs more than a look. */
const partText = (part: PlacedPart): string => {
  const { offset, bytes, form, usual, length } = part
  const places = Array.from({ length: bytes }, (_, index) => byte(offset + index))
  if (length !== undefined && form === "digits" && bytes === 4)
    return `decimals4[${places.map((read, index) => `(${read} & 15) * ${10 ** (3 - index)}`).join(" + ")}]`
  const made =
    form === "text" || form === "digits"
      ? `s.substring(${offset}, ${offset + bytes})`
      : form === "binary"
        ? `String(${places.map((read, index) => `${read} * ${256 ** (bytes - 1 - index)}`).join(" + ")})`
        : places.map((read) => `hexBytes[${read}]`).join(" + ")
  if (length !== undefined) return made
  const text = JSON.stringify(partValue({ ...part, offset: 0 }, usual, 0))
  return `${differ(usual, offset).join(" || ")} ? ${made} : ${text}`
}

/** Source of the member of a decoded message that holds the header's parts; "" for dialects without a header. */
export const headerMember = ({ header }: Layout): string => {
  if (header === undefined) return ""
  const members = header.parts.map((part) => `${JSON.stringify(part.name)}: ${partText(part)}`)
  return `, header: { ${members.join(", ")} }`
}
