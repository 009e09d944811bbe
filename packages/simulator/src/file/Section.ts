/**
 * YAML files as texts with their places: every scalar is the text that is in the file, so that 000000012300 keeps its zeros,
 * and every error names file, line, column, the rule and, for a word, the nearest known one.
 *
 * Owns reading values of the usual kinds, and complaining about keys that nobody read. Knows no file's meaning.
 */
import { readFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { coverTyped, isNestedTooDeep, YAML_NESTING_MAX } from "@jinka/codec"
import { Data, Effect } from "effect"
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml"
import type { Endpoint } from "../link/Listener.ts"
import { reasonOf } from "../SimulatorError.ts"
import { suggestion } from "./Nearest.ts"

/** A file does not say what it should. Line and column count from 1; 0: the whole file is meant. */
export class FileInvalid extends Data.TaggedError("FileInvalid")<{
  readonly file: string
  readonly line: number
  readonly column: number
  readonly rule: string
}> {
  override get message(): string {
    const { column, file, line, rule } = this
    return `${file}${line > 0 ? `:${line}:${column}` : ""}: ${rule}`
  }
}

interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** A value of a file: a text, a list or a map, with its place. */
export type Value =
  | { readonly kind: "text"; readonly place: Place; readonly text: string }
  | { readonly kind: "list"; readonly place: Place; readonly items: ReadonlyArray<Value> }
  | { readonly kind: "map"; readonly place: Place; readonly entries: ReadonlyMap<string, Value> }

/** The error at a value. */
export const invalidAt = ({ place }: Value, rule: string): FileInvalid => new FileInvalid({ ...place, rule })

const readValue = (file: string, node: Node | null, lines: LineCounter): Value => {
  const at = node?.range?.[0] ?? 0
  const { col, line } = lines.linePos(at)
  const place = { file, line, column: col }
  if (isMap(node)) {
    const entries = new Map<string, Value>()
    for (const { key, value } of node.items) {
      if (!isScalar(key)) throw new FileInvalid({ ...place, rule: "a key has to be a plain text" })
      entries.set(String(key.value), readValue(file, (value ?? key) as Node, lines))
      if (value === null) entries.set(String(key.value), { kind: "text", place, text: "" })
    }
    return { kind: "map", place, entries }
  }
  if (isSeq(node)) return { kind: "list", place, items: node.items.map((item) => readValue(file, item as Node, lines)) }
  if (node === null || isScalar(node)) return { kind: "text", place, text: String(node?.value ?? "") }
  throw new FileInvalid({ ...place, rule: "anchors and aliases are not used here" })
}

const parse = (file: string, text: string): Value => {
  const wrong = (line: number, column: number, rule: string) => new FileInvalid({ file, line, column, rule })
  if (isNestedTooDeep(text)) throw wrong(1, 1, `lists and maps are nested more than ${YAML_NESTING_MAX} deep`)
  const lines = new LineCounter()
  const document = parseDocument(text, { schema: "failsafe", lineCounter: lines })
  const first = document.errors[0]
  if (first === undefined) return readValue(file, document.contents, lines)
  const { col, line } = lines.linePos(first.pos[0])
  throw wrong(line, col, first.message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, ""))
}

const units = { ms: 1, millis: 1, s: 1000, seconds: 1000, second: 1000, m: 60_000, min: 60_000, minutes: 60_000 }
const hours = { h: 3_600_000, hours: 3_600_000, hour: 3_600_000, minute: 60_000, milli: 1 }

/** Milliseconds of "300ms", "2s", "2 seconds", "1m", "1h"; `undefined` for anything else. */
export const millisecondsOf = (text: string): number | undefined => {
  const found = /^(\d+(?:\.\d+)?) ?([a-z]+)$/.exec(text.trim())
  const all: Readonly<Record<string, number>> = { ...units, ...hours }
  const unit = found === null || !Object.hasOwn(all, found[2]!) ? undefined : all[found[2]!]
  return unit === undefined ? undefined : Number(found![1]) * unit
}

/** One map of a file. Keys that nobody asked for are an error when it is `done`. */
export class Section {
  private readonly value: Value & { readonly kind: "map" }
  private readonly known = new Set<string>()

  constructor(value: Value, what = "a map of keys and values") {
    if (value.kind !== "map") throw invalidAt(value, `${what} is expected`)
    this.value = value
  }

  /** The error at a key, or at the whole map. */
  wrong(key: string, rule: string): FileInvalid {
    return invalidAt(this.value.entries.get(key) ?? this.value, `${key}: ${rule}`)
  }

  has(key: string): boolean {
    return this.value.entries.has(key)
  }

  /** The value of a key, read; `undefined` when it is not there. */
  get<A>(key: string, read: (value: Value, key: string) => A): A | undefined {
    this.known.add(key)
    const value = this.value.entries.get(key)
    return value === undefined ? undefined : read(value, key)
  }

  /** The same, and an error where it is not there. */
  need<A>(key: string, read: (value: Value, key: string) => A): A {
    const value = this.get(key, read)
    if (value === undefined) throw invalidAt(this.value, `"${key}:" is missing`)
    return value
  }

  /** All entries, for maps whose keys are names. */
  entries<A>(read: (value: Value, key: string) => A): ReadonlyArray<readonly [string, A]> {
    return [...this.value.entries].map(([key, value]) => {
      this.known.add(key)
      return [key, read(value, key)] as const
    })
  }

  /** Complains about the first key that nobody read. */
  done(): void {
    for (const [key, value] of this.value.entries) {
      if (this.known.has(key)) continue
      throw invalidAt(value, `"${coverTyped(key)}" is not known here; ${suggestion(key, [...this.known])}`)
    }
  }
}

/** A text. */
export const text = (value: Value, key: string): string => {
  if (value.kind === "text" && value.text !== "") return value.text
  throw invalidAt(value, `${key}: a text is expected`)
}

/** One of some words. */
export const oneOf =
  <W extends string>(words: ReadonlyArray<W>) =>
  (value: Value, key: string): W => {
    const word = text(value, key)
    const found = words.find((one) => one === word)
    if (found !== undefined) return found
    throw invalidAt(value, `${key}: "${coverTyped(word)}" is not known; ${suggestion(word, words)}`)
  }

/** A whole number from `least` up. */
export const whole =
  (least = 0, most = Number.MAX_SAFE_INTEGER) =>
  (value: Value, key: string): number => {
    const number = text(value, key)
    if (/^\d{1,15}$/.test(number) && Number(number) >= least && Number(number) <= most) return Number(number)
    throw invalidAt(value, `${key}: a whole number from ${least} up is expected`)
  }

/** A duration in milliseconds. */
export const duration = (value: Value, key: string): number => {
  const ms = millisecondsOf(text(value, key))
  if (ms !== undefined) return ms
  throw invalidAt(value, `${key}: a duration like 300ms, 2s, 1m or "2 seconds" is expected`)
}

/** `host:port`. */
export const endpoint = (value: Value, key: string): Endpoint => {
  const words = text(value, key)
  const at = words.lastIndexOf(":")
  const port = /^\d{1,5}$/.test(words.slice(at + 1)) ? Number(words.slice(at + 1)) : 65_536
  if (at > 0 && port <= 65_535) return { host: words.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port }
  throw invalidAt(value, `${key}: host:port is expected`)
}

/** Bytes of hex digits. */
export const hexBytes = (value: Value, key: string): Buffer => {
  const digits = text(value, key).replaceAll(/\s/g, "")
  if (/^([0-9A-Fa-f]{2})+$/.test(digits)) return Buffer.from(digits, "hex")
  throw invalidAt(value, `${key}: pairs of hex digits are expected`)
}

/** A list, each item read; one value is a list of one, and nothing is a list of none. */
export const list =
  <A>(read: (value: Value, key: string) => A) =>
  (value: Value, key: string): ReadonlyArray<A> => {
    if (value.kind === "list") return value.items.map((item) => read(item, key))
    return value.kind === "text" && value.text === "" ? [] : [read(value, key)]
  }

/** A map, read by its keys; complains about those that `read` did not ask for. */
export const section =
  <A>(read: (section: Section) => A) =>
  (value: Value, key: string): A => {
    const inner = new Section(value, `${key}: a map of keys and values`)
    const result = read(inner)
    inner.done()
    return result
  }

/** Text of a file that another one names, seen from there; the error is where it is named. */
export const besideText = (value: Value, key: string): string => {
  const name = text(value, key)
  try {
    return readFileSync(resolve(dirname(value.place.file), name), "utf8")
  } catch (error) {
    throw invalidAt(value, `${key}: ${name} cannot be read: ${reasonOf(error)}`)
  }
}

/** Reads a whole file by its top map. */
export const readFile = <A>(file: string, read: (section: Section) => A): Effect.Effect<A, FileInvalid> =>
  Effect.try({
    try: () => {
      const top = new Section(parse(file, readFileSync(file, "utf8")))
      const result = read(top)
      top.done()
      return result
    },
    catch: (error) =>
      error instanceof FileInvalid ? error : new FileInvalid({ file, line: 0, column: 0, rule: reasonOf(error) })
  })
