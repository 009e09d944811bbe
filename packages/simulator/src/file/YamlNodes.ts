/**
 * YAML as texts: every scalar is the text that is in the file, so that 000000012300 keeps its zeros, and everything knows
 * its line. Owns no meaning of any key.
 */
import { isNestedTooDeep, YAML_NESTING_MAX } from "@jinka/codec"
import { isMap, isScalar, isSeq, LineCounter, type Node, type ParsedNode, parseDocument } from "yaml"
import { FileInvalid } from "./FileInvalid.ts"
import { knownNames } from "./Nearest.ts"

/** A text, a list or a map, with its line. */
export type Yaml =
  | { readonly kind: "text"; readonly line: number; readonly text: string }
  | { readonly kind: "list"; readonly line: number; readonly items: ReadonlyArray<Yaml> }
  | { readonly kind: "map"; readonly line: number; readonly entries: ReadonlyMap<string, Yaml> }

/** The map that a file holds. Throws `FileInvalid`. */
export const parseYaml = (file: string, text: string): Yaml & { readonly kind: "map" } => {
  if (isNestedTooDeep(text)) {
    throw new FileInvalid({ file, line: 1, rule: `lists and maps are nested more than ${YAML_NESTING_MAX} deep` })
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { schema: "failsafe", lineCounter: lines })
  const wrong = document.errors[0]
  if (wrong !== undefined) {
    const rule = wrong.message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "")
    throw new FileInvalid({ file, line: lines.linePos(wrong.pos[0]).line, rule })
  }
  const yaml = fromNode(file, document.contents, lines)
  if (yaml.kind !== "map") throw new FileInvalid({ file, line: 1, rule: "a map of keys and values is expected" })
  return yaml
}

const fromNode = (file: string, node: ParsedNode | Node | null, lines: LineCounter): Yaml => {
  const line = node?.range === undefined || node.range === null ? 1 : lines.linePos(node.range[0]).line
  if (isMap(node)) {
    const entries = node.items.map(({ key, value }): readonly [string, Yaml] => {
      if (!isScalar(key))
        throw new FileInvalid({ file, line, rule: "a key has to be a plain text; one with braces stands in quotes" })
      return [String(key.value), fromNode(file, value as Node | null, lines)]
    })
    return { kind: "map", line, entries: new Map(entries) }
  }
  if (isSeq(node)) return { kind: "list", line, items: node.items.map((item) => fromNode(file, item as Node, lines)) }
  if (node === null || isScalar(node)) return { kind: "text", line, text: String(node?.value ?? "") }
  throw new FileInvalid({ file, line, rule: "anchors and aliases are not used here" })
}

const expected = (file: string, yaml: Yaml, what: string): FileInvalid =>
  new FileInvalid({ file, line: yaml.line, rule: `${what} is expected here` })

/** The text of a scalar. */
export const textOf = (file: string, yaml: Yaml): string => {
  if (yaml.kind === "text") return yaml.text
  throw expected(file, yaml, "a text")
}

/** A list, or one item as a list of one. */
export const listOf = (file: string, yaml: Yaml): ReadonlyArray<string> =>
  yaml.kind === "list" ? yaml.items.map((item) => textOf(file, item)) : [textOf(file, yaml)]

/** A map of texts. */
export const textsOf = (file: string, yaml: Yaml): { readonly [key: string]: string } => {
  if (yaml.kind !== "map") throw expected(file, yaml, "a map")
  return Object.fromEntries([...yaml.entries].map(([key, value]) => [key, textOf(file, value)]))
}

const units = { ms: 1, millis: 1, s: 1000, second: 1000, seconds: 1000, m: 60_000, minute: 60_000, minutes: 60_000 }

/** "300ms", "2s", "1m" or "2 seconds" in milliseconds. */
export const durationOf = (file: string, yaml: Yaml): number => {
  const text = textOf(file, yaml)
  const found = /^(\d+(?:\.\d+)?) ?([a-z]+)$/.exec(text)
  const unit = found === null || !Object.hasOwn(units, found[2]!) ? undefined : units[found[2] as keyof typeof units]
  if (unit !== undefined) return Number(found![1]) * unit
  if (/^\d+(?:\.\d+)?$/.test(text)) throw expected(file, yaml, `a duration with its unit, "${text}s" or "${text}ms",`)
  throw expected(file, yaml, 'a duration like "300ms", "2s" or "1m"')
}

/** A number of digits. */
export const numberOf = (file: string, yaml: Yaml): number => {
  const text = textOf(file, yaml)
  if (/^\d+$/.test(text)) return Number(text)
  throw expected(file, yaml, "a whole number")
}

/** Yes or no. */
export const yesNoOf = (file: string, yaml: Yaml): boolean => {
  const text = textOf(file, yaml)
  if (text === "yes" || text === "true") return true
  if (text === "no" || text === "false") return false
  throw expected(file, yaml, "yes or no")
}

/** One of some words. */
export const oneOf =
  <Word extends string>(words: ReadonlyArray<Word>) =>
  (file: string, yaml: Yaml): Word => {
    const text = textOf(file, yaml)
    const found = words.find((word) => word === text)
    if (found !== undefined) return found
    throw new FileInvalid({ file, line: yaml.line, rule: `"${text}" is not possible here; ${knownNames(text, words)}` })
  }

/** A reader for the items of a list, or for one item as a list of one. */
export const eachOf =
  <A>(read: (file: string, yaml: Yaml) => A) =>
  (file: string, yaml: Yaml): ReadonlyArray<A> =>
    yaml.kind === "list" ? yaml.items.map((item) => read(file, item)) : [read(file, yaml)]
