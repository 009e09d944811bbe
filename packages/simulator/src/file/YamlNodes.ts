/**
 * YAML as texts: every scalar is the text that is in the file, so that 000000012300 keeps its zeros, and every value knows its
 * file, its line and the key before it. Owns values of the usual kinds; knows no file's meaning.
 */
import { dirname, resolve } from "node:path"
import { fixBehind, isNestedTooDeep, parseYamlDocument, YAML_NESTING_MAX, yamlWrong } from "@jinka/codec"
import { isMap, isScalar, isSeq, LineCounter, type Node, type ParsedNode } from "yaml"
import { type Endpoint, endpointOfText } from "../link/Listener.ts"
import { reasonOf } from "../SimulatorError.ts"
import { textOfFile } from "./FileBytes.ts"
import { FileInvalid } from "./FileInvalid.ts"
import { knownNames } from "./Nearest.ts"

/** Where a value is: its file as errors call it, its line from 1, and the nearest key before it; "" at the top. */
interface At {
  readonly file: string
  readonly line: number
  readonly key: string
}

/** A text, a list or a map, with its place. */
export type Yaml =
  | (At & { readonly kind: "text"; readonly text: string })
  | (At & { readonly kind: "list"; readonly items: ReadonlyArray<Yaml> })
  | YamlMap

/** A map of values, with its place. */
export type YamlMap = At & { readonly kind: "map"; readonly entries: ReadonlyMap<string, Yaml> }

/** Reads a value. Throws `FileInvalid`. */
export type ReadValue<A> = (yaml: Yaml) => A

/** All that a value says, wherever it is: the same text for the same words. */
export const saidBy = (yaml: Yaml): string => JSON.stringify(bare(yaml))

const bare = (yaml: Yaml): unknown => {
  if (yaml.kind === "text") return yaml.text
  if (yaml.kind === "list") return yaml.items.map(bare)
  return Object.fromEntries([...yaml.entries].map(([key, value]) => [key, bare(value)]))
}

/** The error at a value. */
export const invalidAt = ({ file, line }: At, rule: string): FileInvalid => new FileInvalid({ file, line, rule })

/** The error at a value that is not what its key needs. */
export const expected = (at: At, what: string): FileInvalid =>
  invalidAt(at, `${at.key === "" ? "" : `${at.key}: `}${what} is expected here`)

/** The map that a text holds; `file` is how errors call it. Throws `FileInvalid`. */
export const parseYaml = (file: string, text: string): YamlMap => {
  const refuse = (line: number, rule: string) => new FileInvalid({ file, line, rule })
  if (isNestedTooDeep(text)) throw refuse(1, `lists and maps are nested more than ${YAML_NESTING_MAX} deep`)
  const lines = new LineCounter()
  const document = parseYamlDocument(text, { schema: "failsafe", lineCounter: lines })
  const wrong = document.errors[0]
  if (wrong !== undefined) {
    const said = yamlWrong(wrong)
    throw refuse(lines.linePos(wrong.pos[0]).line, `${said.rule}: ${fixBehind(said)}`)
  }
  const yaml = fromNode({ file, line: 1, key: "" }, document.contents, lines)
  if (yaml.kind !== "map") throw refuse(1, "a map of keys and values is expected")
  return yaml
}

const fromNode = (above: At, node: ParsedNode | Node | null, lines: LineCounter): Yaml => {
  const line = node?.range === undefined || node.range === null ? above.line : lines.linePos(node.range[0]).line
  const at = { ...above, line }
  if (isMap(node)) {
    const entries = node.items.map(({ key, value }): readonly [string, Yaml] => {
      if (!isScalar(key)) throw invalidAt(at, "a key must be plain text; put one with braces into quotes")
      const name = String(key.value)
      const own = key.range ? lines.linePos(key.range[0]).line : line
      return [name, fromNode({ ...at, line: own, key: name }, value as Node | null, lines)]
    })
    return { ...at, kind: "map", entries: new Map(entries) }
  }
  if (isSeq(node)) return { ...at, kind: "list", items: node.items.map((item) => fromNode(at, item as Node, lines)) }
  if (node === null || isScalar(node)) return { ...at, kind: "text", text: String(node?.value ?? "") }
  throw invalidAt(at, "anchors and aliases are not used here")
}

/** The text of a scalar; it may be empty. */
export const textOf = (yaml: Yaml): string => {
  if (yaml.kind === "text") return yaml.text
  throw expected(yaml, "a text")
}

/** The text of a scalar that is not empty. */
export const filledOf = (yaml: Yaml): string => {
  const text = textOf(yaml)
  if (text !== "") return text
  throw expected(yaml, "a text")
}

/** A list, or one item as a list of one. */
export const listOf = (yaml: Yaml): ReadonlyArray<string> =>
  yaml.kind === "list" ? yaml.items.map(textOf) : [textOf(yaml)]

/** A map of texts. */
export const textsOf = (yaml: Yaml): { readonly [key: string]: string } => {
  if (yaml.kind !== "map") throw expected(yaml, "a map")
  return Object.fromEntries([...yaml.entries].map(([key, value]) => [key, textOf(value)]))
}

const units: Readonly<Record<string, number>> = {
  ...{ ms: 1, milli: 1, millis: 1, s: 1000, second: 1000, seconds: 1000 },
  ...{ m: 60_000, min: 60_000, minute: 60_000, minutes: 60_000, h: 3_600_000, hour: 3_600_000, hours: 3_600_000 }
}

/** Milliseconds of "300ms", "2s", "2 seconds", "1m", "1h"; `undefined` for anything else. */
export const millisecondsOf = (text: string): number | undefined => {
  const found = /^(\d{1,12}(?:\.\d{1,6})?) ?([a-z]+)$/.exec(text.trim())
  const unit = found === null || !Object.hasOwn(units, found[2]!) ? undefined : units[found[2]!]
  return unit === undefined ? undefined : Number(found![1]) * unit
}

/** Longest duration of a file: timers of the system go no further than 24 days. */
const HOURS_MAX = 500

/** "300ms", "2s", "1m", "1h" or "2 seconds" in milliseconds, at most 500 hours. */
export const durationOf = (yaml: Yaml): number => {
  const text = textOf(yaml)
  const ms = millisecondsOf(text)
  if (ms !== undefined && ms <= HOURS_MAX * 3_600_000) return ms
  if (ms !== undefined) throw expected(yaml, `a duration of at most ${HOURS_MAX} hours`)
  if (/^\d{1,12}(?:\.\d{1,6})?$/.test(text)) {
    throw expected(yaml, `a duration with its unit, "${text}s" or "${text}ms",`)
  }
  throw expected(yaml, 'a duration like "300ms", "2s" or "1m"')
}

/** A reader for a whole number from `least` to `most`. */
export const wholeOf =
  (least = 0, most = Number.MAX_SAFE_INTEGER): ReadValue<number> =>
  (yaml) => {
    const text = textOf(yaml)
    if (/^\d{1,16}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text)
    const range =
      most === Number.MAX_SAFE_INTEGER ? (least === 0 ? "" : ` from ${least} up`) : ` from ${least} to ${most}`
    throw expected(yaml, `a whole number${range}`)
  }

/** A whole number. */
export const numberOf: ReadValue<number> = wholeOf()

/** Yes or no. */
export const yesNoOf = (yaml: Yaml): boolean => {
  const text = textOf(yaml)
  if (text === "yes" || text === "true") return true
  if (text === "no" || text === "false") return false
  throw expected(yaml, "yes or no")
}

/** A reader for one of some words. */
export const oneOf =
  <Word extends string>(words: ReadonlyArray<Word>): ReadValue<Word> =>
  (yaml) => {
    const text = textOf(yaml)
    const found = words.find((word) => word === text)
    if (found !== undefined) return found
    throw invalidAt(yaml, `${yaml.key}: "${text}" is not possible here; ${knownNames(text, words)}`)
  }

/** Pairs of hex digits, with spaces or without, as bytes. */
export const hexOf = (yaml: Yaml): Buffer => {
  const digits = textOf(yaml).replaceAll(/\s/g, "")
  if (/^([0-9A-Fa-f]{2})+$/.test(digits)) return Buffer.from(digits, "hex")
  throw expected(yaml, "pairs of hex digits")
}

/** `host:port`. */
export const endpointOf = (yaml: Yaml): Endpoint => {
  const text = textOf(yaml)
  const endpoint = endpointOfText(text)
  if (endpoint !== undefined) return endpoint
  throw invalidAt(yaml, `${yaml.key}: "${text}" is no address: host:port is expected, with a port of at most 65535`)
}

/** A reader for the items of a list, or for one item as a list of one. */
export const eachOf =
  <A>(read: ReadValue<A>): ReadValue<ReadonlyArray<A>> =>
  (yaml) =>
    yaml.kind === "list" ? yaml.items.map(read) : [read(yaml)]

/** The same, where nothing is a list of none. */
export const anyOf =
  <A>(read: ReadValue<A>): ReadValue<ReadonlyArray<A>> =>
  (yaml) =>
    yaml.kind === "text" && yaml.text === "" ? [] : eachOf(read)(yaml)

/** Text of a file that another one names, seen from there; the error is where it is named. */
export const besideText = (yaml: Yaml): string => {
  const name = filledOf(yaml)
  try {
    return textOfFile(resolve(dirname(yaml.file), name))
  } catch (error) {
    throw invalidAt(yaml, `${yaml.key}: ${name} cannot be read: ${reasonOf(error)}`)
  }
}
