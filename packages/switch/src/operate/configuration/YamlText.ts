/**
 * The text of a configuration: YAML 1.2 read into plain values, with the line of every key and value.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml"
import type { Finding, Path, Problem } from "./Problem.ts"

/** Longest text of a scalar that is shown as what was found. */
const SHOWN_MAX = 60

/** Aliases that a document may expand, so that a small file cannot become a huge one. */
const ALIASES_MAX = 100

/** One parsed text. */
export class YamlText {
  /** Plain values; meaningless while there are `problems`. */
  readonly value: unknown
  /** Why the text is not YAML; empty when it is. */
  readonly problems: ReadonlyArray<Problem>
  private readonly document: Document.Parsed
  private readonly lines = new LineCounter()

  constructor(text: string) {
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false })
    this.problems = this.document.errors.map(({ message, pos }) => ({
      severity: "error",
      path: [],
      ...this.place(pos[0]),
      rule: `the text is not YAML: ${message}`,
      fix: "Indent with spaces, and put a space behind each colon."
    }))
    this.value = this.problems.length === 0 ? this.document.toJS({ maxAliasCount: ALIASES_MAX }) : undefined
  }

  /** Puts a finding at its line. What was found is shown as it stands in the text, unless the path may hold a secret. */
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
    if (/\d{12}/.test(source)) return "a text that may hold a card number"
    return source.length > SHOWN_MAX ? `a text of ${source.length} characters` : JSON.stringify(source).slice(1, -1)
  }
}

const pairOf = (pairs: ReadonlyArray<Pair>, part: string | number): Pair | undefined =>
  pairs.find(({ key }) => isScalar(key) && String(key.value) === String(part))

/** Whether somebody may have put a key itself where only a reference to it belongs. */
const isSecret = (path: Path): boolean => path.some((part) => part === "key" || part === "previousKeys")
