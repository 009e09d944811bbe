/**
 * The text of a configuration: YAML 1.2 read into plain values, with the line of every key and value.
 */
import {
  coverTyped,
  isNestedTooDeep,
  parseYamlDocument,
  YAML_NESTING_MAX,
  type YamlWrong,
  yamlWrong
} from "@jinka/codec"
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, type YAMLError } from "yaml"
import type { Finding, Path, Problem } from "./Problem.ts"

/** Longest text of a scalar that is shown as what was found. */
const SHOWN_MAX = 60

/** Most mistakes of one text that are shown. */
const PROBLEMS_MAX = 20

/** Aliases that a document may expand, so that a small file cannot become a huge one. */
const ALIASES_MAX = 100

const tooDeep = {
  rule: `lists and mappings are nested more than ${YAML_NESTING_MAX} deep`,
  fix: "Begin with a copy of examples/01-first-link/switch.yaml."
}

/** One parsed text. */
export class YamlText {
  /** Plain values; meaningless while there are `problems`. */
  readonly value: unknown
  /** Why the text is not YAML; empty when it is. */
  readonly problems: ReadonlyArray<Problem>
  private readonly document: Document.Parsed
  private readonly lines = new LineCounter()

  constructor(text: string) {
    const isDeep = isNestedTooDeep(text)
    this.document = parseYamlDocument(isDeep ? "" : text, {
      lineCounter: this.lines,
      prettyErrors: false,
      stringKeys: true,
      logLevel: "error"
    })
    const problems = isDeep
      ? [this.problem(0, tooDeep)]
      : wordable(this.document).map((wrong) => this.problem(wrong.pos[0], yamlWrong(wrong)))
    const value = problems.length === 0 ? this.plain() : undefined
    this.problems = value instanceof Unreadable ? [this.problem(0, value)] : problems
    this.value = value instanceof Unreadable ? undefined : value
  }

  /** The values; aliases may neither be missing, nor lead back to what they are in, nor make the file a huge one. */
  private plain(): unknown {
    try {
      const value: unknown = this.document.toJS({ maxAliasCount: ALIASES_MAX })
      return isEndless(value)
        ? new Unreadable("an alias (*) is inside its own anchor (&)", "Write the value out.")
        : value
    } catch (cause) {
      if (!(cause instanceof ReferenceError)) throw cause
      return cause.message.startsWith("Unresolved")
        ? new Unreadable("an alias (*) names no anchor (&) above it", "Put the value in quotes, or write it out.")
        : new Unreadable(`aliases (*) are used for more than ${ALIASES_MAX} values`, "Write the values out.")
    }
  }

  /** The values as far as they can be told; what follows a mistake of the text may be wrong or missing. */
  get guess(): unknown {
    const value = this.plain()
    return value instanceof Unreadable ? undefined : value
  }

  private problem(offset: number, { fix, rule }: YamlWrong): Problem {
    return { severity: "error", path: [], ...this.place(offset), rule, fix }
  }

  /** Puts a finding at its line. What was found is shown as it is in the text, unless the path may hold a secret. */
  locate(finding: Finding): Problem {
    const { node, key, isThere } = this.find(finding.path)
    const at = finding.atKey === true || !isThere ? (key ?? node) : (node ?? key)
    const found = finding.found ?? (isThere ? this.shown(finding, node) : "nothing")
    return { ...finding, ...this.place(at?.range?.[0] ?? 0), ...(found === undefined ? {} : { found }) }
  }

  private place(offset: number): { readonly line: number; readonly column: number } {
    const { line, col } = this.lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }

  /** The node at the path, or the deepest one on the way to it, and the key that leads to that. */
  private find(path: Path): {
    readonly node: Node | undefined
    readonly key: Node | undefined
    readonly isThere: boolean
  } {
    let node: Node | undefined = this.document.contents ?? undefined
    let key: Node | undefined
    for (const part of path) {
      const whole = isAlias(node) ? node.resolve(this.document) : node
      const pair = isMap(whole) ? pairOf(whole.items, part) : undefined
      if (pair !== undefined) {
        key = pair.key as Node
        node = (pair.value as Node | null) ?? key
      } else if (isSeq(whole) && whole.items[Number(part)] !== undefined) {
        key = undefined
        node = whole.items[Number(part)] as Node
      } else return { node, key, isThere: false }
    }
    return { node, key, isThere: true }
  }

  private shown({ path, atKey }: Finding, node: Node | undefined): string | undefined {
    if (atKey === true || isSecret(path)) return undefined
    if (isMap(node)) return "a mapping"
    if (isSeq(node)) return "a list"
    if (!isScalar(node)) return undefined
    const source = node.source ?? String(node.value)
    if (source === "") return "nothing"
    if (coverTyped(source) !== source)
      return `a ${typeof node.value === "number" ? "number" : "text"} that may hold a card number or a key`
    if (source.length > SHOWN_MAX) return `a text of ${source.length} characters`
    const text = JSON.stringify(source)
    return isQuoted(node) && isOtherBare(source) ? text : text.slice(1, -1)
  }
}

const isQuoted = ({ type }: { readonly type?: string }): boolean => type === "QUOTE_DOUBLE" || type === "QUOTE_SINGLE"

/** Whether YAML reads the same without quotes as something else than a text: then the quotes are what is wrong. */
const isOtherBare = (source: string): boolean => /^(?:true|false|null|~|[-+]?\.?\d[\d.eE+-]*)$/i.test(source)

/** A text whose values cannot be had. */
class Unreadable {
  readonly rule: string
  readonly fix: string

  constructor(rule: string, fix: string) {
    this.rule = rule
    this.fix = fix
  }
}

/** All that is wrong up to the first mistake behind which the parser only guesses; what YAML merely warns of is a mistake too. */
const wordable = ({ errors, warnings }: Document.Parsed): ReadonlyArray<YAMLError> => {
  const isClear = ({ code }: YAMLError): boolean => code === "DUPLICATE_KEY"
  const [first] = errors.filter((one) => !isClear(one))
  const clear = errors.filter((one) => isClear(one) && (first === undefined || one.pos[0] < first.pos[0]))
  return [...clear, ...(first === undefined ? warnings : [first])].slice(0, PROBLEMS_MAX)
}

/** Whether a value holds itself. */
const isEndless = (value: unknown): boolean => {
  const done = new Set<object>()
  const above = new Set<object>()
  const meets = (one: unknown): boolean => {
    if (typeof one !== "object" || one === null || done.has(one)) return false
    if (above.has(one)) return true
    above.add(one)
    const is = Object.values(one).some(meets)
    above.delete(one)
    done.add(one)
    return is
  }
  return meets(value)
}

const pairOf = (pairs: ReadonlyArray<Pair>, part: string | number): Pair | undefined =>
  pairs.find(({ key }) => isScalar(key) && String(key.value) === String(part))

/** Whether somebody may have put a key itself where only a reference to it belongs. */
const isSecret = (path: Path): boolean => path.some((part) => secretParts.has(part))

const secretParts: ReadonlySet<string | number> = new Set(["key", "previousKeys", "storageKey", "previousStorageKeys"])
