/**
 * Ways to corrupt a configuration: its tree (drop, retype, duplicate, nest, swap, huge, strange texts) and its text (bytes,
 * lines, aliases). A change is a value, so that a failing one is printed and shrinks.
 */
import fc from "fast-check"
import { anyText } from "../codec/iso8583/arbitrary.ts"

/** A value that is where another was meant. */
const strange: ReadonlyArray<unknown> = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  Number.NaN,
  "",
  " ",
  "3",
  "none",
  "constructor",
  "__proto__",
  "toString",
  "12 seconds",
  "99999999 hours",
  "1 KiB",
  "9".repeat(40),
  "ff",
  "汉字 金卡",
  "\u0000\u202e\ud83d\ude00",
  "a: b",
  "./x.yaml",
  [],
  {},
  [[]],
  [null],
  { kind: "length" },
  { kind: "length", encoding: "bcd", bytes: 2 },
  { kind: "length", encoding: "bcd", lengthMax: 100 },
  { kind: "length", encoding: "ascii", bytes: 4, lengthMax: 100, trailer: "3" },
  { kind: "length", encoding: "binary", bytes: 9, lengthMax: 100 },
  { kind: "length", encoding: "ascii", bytes: 1, lengthMax: 9, idle: { text: "00".repeat(20) } },
  { kind: "length", encoding: "ascii", bytes: 4, lengthMax: 100, uncounted: 64, times: 8, counts: { itself: true } },
  { kind: "delimiter", delimiter: "" },
  { kind: "fixed" },
  { kind: "until-close", lengthMax: 10 },
  { constructor: 1, __proto__: null },
  Object.fromEntries([["__proto__", { kind: "length" }]])
]

const anyStrange = fc.oneof(fc.constantFrom(...strange), fc.string({ unit: "grapheme", maxLength: 80 }), fc.jsonValue())

/** One change of the tree; `at` picks the place among all places of the tree as it is then. */
export type Change =
  | { readonly kind: "drop" | "double" | "huge"; readonly at: number }
  | { readonly kind: "retype" | "add"; readonly at: number; readonly value: unknown }
  | { readonly kind: "nest"; readonly at: number; readonly depth: number }
  | { readonly kind: "swap"; readonly at: number; readonly with: number }

const at = fc.nat(10_000)

/** Any change of the tree. */
export const anyChange: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constantFrom("drop" as const, "double" as const, "huge" as const), at }),
  fc.record({ kind: fc.constantFrom("retype" as const, "add" as const), at, value: anyStrange }),
  fc.record({ kind: fc.constant("nest" as const), at, depth: fc.constantFrom(1, 2, 50, 400) }),
  fc.record({ kind: fc.constant("swap" as const), at, with: at })
)

interface Spot {
  readonly holder: Record<string, unknown> | Array<unknown>
  readonly key: string | number
  readonly level: number
}

const spotsOf = (value: unknown, level = 1): ReadonlyArray<Spot> => {
  if (typeof value !== "object" || value === null) return []
  const holder = value as Spot["holder"]
  return Object.keys(value).flatMap((name) => {
    const key = Array.isArray(value) ? Number(name) : name
    return [{ holder, key, level }, ...spotsOf(holder[key as never], level + 1)]
  })
}

const nested = (value: unknown, depth: number): unknown =>
  Array.from({ length: depth }).reduce<unknown>((inner, _, n) => (n % 2 === 0 ? [inner] : { a: inner }), value)

/** Levels of a tree at most: what writes it as YAML is recursive, and deeper ones are tried as text. */
const LEVELS_MAX = 600

const levelsOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(levelsOf)) : 0

/** Characters of a text at most: lists of lists of lists, each made huge, would be written for hours. */
const SIZE_MAX = 400_000

/** Characters that a value takes as YAML, roughly: its lines are indented by two for each level. */
const sizeOf = (value: unknown, level = 0): number => {
  if (typeof value === "string") return 2 * level + value.length
  if (typeof value !== "object" || value === null) return 2 * level + 5
  return Object.entries(value).reduce((size, [key, inner]) => size + key.length + sizeOf(inner, level + 1), 2 * level)
}

/** The tree with the change made, unless it grew too large; the tree given is changed. */
export const changeTree = (tree: unknown, change: Change): void => {
  const spots = spotsOf(tree)
  const spot = spots[change.at % Math.max(1, spots.length)]
  if (spot === undefined) return
  const { holder, key, level } = spot
  const value: unknown = holder[key as never]
  const isRoomFor = (more: unknown, times = 1, at = level): boolean =>
    sizeOf(tree) + times * sizeOf(more, at) <= SIZE_MAX
  const put = (next: unknown) => {
    if (isRoomFor(next)) holder[key as never] = next as never
  }
  switch (change.kind) {
    case "drop":
      if (Array.isArray(holder)) holder.splice(Number(key), 1)
      else delete holder[key as never]
      return
    case "double":
      if (!isRoomFor(value)) return
      if (Array.isArray(holder)) holder.push(structuredClone(value))
      else holder[`${key}s`] = structuredClone(value)
      return
    case "huge":
      if (Array.isArray(value)) {
        if (!isRoomFor(value, 300 / Math.max(1, value.length))) return
        return put(Array.from({ length: 300 }, (_, n) => structuredClone(value[n % value.length])))
      }
      return put("x".repeat(70_000))
    case "retype":
      return put(structuredClone(change.value))
    case "add":
      if (Array.isArray(holder)) holder.push(structuredClone(change.value))
      else
        holder[["kind", "tls", "short", "legs", "door", "constructor", "frame", "wait"][change.at % 8]!] =
          structuredClone(change.value)
      return
    case "nest":
      return levelsOf(tree) + change.depth > LEVELS_MAX ? undefined : put(nested(value, change.depth))
    case "swap": {
      const other = spots[change.with % spots.length]!
      if (!isRoomFor(value, 1, other.level)) return
      const theirs = structuredClone(other.holder[other.key as never])
      other.holder[other.key as never] = structuredClone(value) as never
      return put(theirs)
    }
  }
}

/** One change of the text; `at` picks the place, as a share of ten thousand. */
export interface TextChange {
  readonly at: number
  readonly drops: number
  readonly puts: string
}

/** Any change of the text. */
export const anyTextChange: fc.Arbitrary<TextChange> = fc.record({
  at,
  drops: fc.constantFrom(0, 0, 1, 2, 7, 200),
  puts: fc.oneof(
    fc.constantFrom(
      "\t",
      "\n",
      ":",
      ": ",
      "- ",
      "[",
      "]",
      "{",
      "}",
      '"',
      "'",
      "#",
      "|",
      ">",
      "&a ",
      "*a",
      "*b ",
      "&a [*a]"
    ),
    fc.constantFrom(
      "!!binary ",
      "!foo ",
      "<<: *a\n",
      "---\n",
      "...\n",
      "%YAML 9\n",
      "\ufeff",
      "\u0000",
      "\r",
      "? ",
      "@",
      "`",
      "~"
    ),
    fc.constantFrom("[".repeat(3000), "  a:\n".repeat(40), "name: demo\n", "links:\n", "\u2028", "é".repeat(9)),
    anyText(6)
  )
})

/** The text with the change made. */
export const changeText = (text: string, { at: place, drops, puts }: TextChange): string => {
  const from = Math.floor((text.length * place) / 10_000)
  return text.slice(0, from) + puts + text.slice(from + drops)
}
