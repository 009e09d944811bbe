/**
 * Covers values of an XML or JSON document in its text, by path: every occurrence, with all that is below it, repeated
 * elements and members of arrays included. Markup, names and everything else stay as they are. The parser has accepted the
 * text before; where this walk still does not understand it, there is no covered copy.
 */

/** Ranges `[from, to)` of a text that are to be covered, in order, as pairs. */
export type CoveredRanges = Array<number>

const anywhere = "**"

/** Whether names from the root on are one of the paths; a path that begins with two asterisks may begin anywhere. */
const isOnPath = (names: ReadonlyArray<string>, paths: ReadonlyArray<ReadonlyArray<string>>): boolean =>
  paths.some((path) => {
    const free = path[0] === anywhere ? 1 : 0
    const length = path.length - free
    const first = names.length - length
    if (first < 0 || (free === 0 && first > 0)) return false
    for (let at = 0; at < length; at++) if (path[free + at] !== names[first + at]) return false
    return true
  })

const localName = (name: string): string => name.slice(name.indexOf(":") + 1)

const tagName = /[^\s/>=]+/y
const instruction = /[^\s?<>]+\s*/y
const attribute = /\s+([^\s/>=]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y
const tagEnd = /\s*(\/?)>/y

const matchAt = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** What is where: names from the root on, and how many of the open elements are covered. */
class XmlWalk {
  readonly ranges: CoveredRanges = []
  private readonly names: Array<string> = []
  /** Depth of the outermost covered element; 0: none. */
  private coveredFrom = 0

  private readonly text: string
  private readonly paths: ReadonlyArray<ReadonlyArray<string>>

  constructor(text: string, paths: ReadonlyArray<ReadonlyArray<string>>) {
    this.text = text
    this.paths = paths
  }

  /** Walks all of it; false when it is not understood. */
  walk(): boolean {
    let at = 0
    while (at >= 0 && at < this.text.length) {
      const markup = this.text.indexOf("<", at)
      const end = markup < 0 ? this.text.length : markup
      if (this.coveredFrom > 0) this.cover(at, end)
      at = markup < 0 ? end : this.markup(markup)
    }
    return at >= 0 && this.names.length === 0
  }

  private cover(from: number, to: number): void {
    if (from < to) this.ranges.push(from, to)
  }

  /** Steps over the markup at `at`; -1 when it is not understood. */
  private markup(at: number): number {
    const { text } = this
    // Nobody reads a comment, but it may hold anything.
    if (text.startsWith("<!--", at)) return this.enclosed(at + 4, "-->", true)
    if (text.startsWith("<![CDATA[", at)) return this.enclosed(at + 9, "]]>", this.coveredFrom > 0)
    // So may an instruction; the declaration in front says how to read the rest.
    if (text.startsWith("<?", at)) {
      const target = matchAt(instruction, text, at + 2)
      if (target === null) return -1
      return this.enclosed(at + 2 + target[0].length, "?>", target[0].trim().toLowerCase() !== "xml")
    }
    if (text.startsWith("<!", at)) return -1
    return text.startsWith("</", at) ? this.close(at + 2) : this.open(at + 1)
  }

  private enclosed(from: number, closing: string, isCovered: boolean): number {
    const end = this.text.indexOf(closing, from)
    if (end < 0) return -1
    if (isCovered) this.cover(from, end)
    return end + closing.length
  }

  private open(at: number): number {
    const name = matchAt(tagName, this.text, at)
    if (name === null) return -1
    this.names.push(localName(name[0]))
    if (this.coveredFrom === 0 && isOnPath(this.names, this.paths)) this.coveredFrom = this.names.length
    let end = at + name[0].length
    for (;;) {
      const found = matchAt(attribute, this.text, end)
      if (found === null) break
      end += found[0].length
      const length = (found[2] ?? found[3] ?? "").length
      this.names.push(`@${localName(found[1]!)}`)
      if (this.coveredFrom > 0 || isOnPath(this.names, this.paths)) this.cover(end - 1 - length, end - 1)
      this.names.pop()
    }
    const closing = matchAt(tagEnd, this.text, end)
    if (closing === null) return -1
    if (closing[1] === "/") this.leave()
    return end + closing[0].length
  }

  private close(at: number): number {
    const name = matchAt(tagName, this.text, at)
    if (name === null || this.names.at(-1) !== localName(name[0])) return -1
    this.leave()
    const closing = matchAt(tagEnd, this.text, at + name[0].length)
    return closing === null ? -1 : at + name[0].length + closing[0].length
  }

  private leave(): void {
    if (this.coveredFrom === this.names.length) this.coveredFrom = 0
    this.names.pop()
  }
}

const token = /\s*(?:([{}[\],:])|("[^"\\]*(?:\\.[^"\\]*)*")|(-?[0-9][0-9.eE+-]*)|(true|false|null))/y

/** An object or array that is open. */
interface Open {
  readonly isArray: boolean
  readonly isCovered: boolean
  /** Whether the member that begins now has its name already. */
  isNamed: boolean
}

/** Walks a JSON text that a parser has accepted; names are those of members, arrays have none. */
const walkJson = (text: string, paths: ReadonlyArray<ReadonlyArray<string>>): CoveredRanges | undefined => {
  const ranges: CoveredRanges = []
  const open: Array<Open> = []
  const names: Array<string> = []
  const isCovered = (): boolean => open.at(-1)?.isCovered === true || isOnPath(names, paths)
  const ended = (): void => {
    const holder = open.at(-1)
    if (holder === undefined || holder.isArray) return
    names.pop()
    holder.isNamed = false
  }
  let at = 0
  while (at < text.length) {
    const found = matchAt(token, text, at)
    if (found === null) return text.slice(at).trim() === "" && open.length === 0 ? ranges : undefined
    const end = at + found[0].length
    const [, mark, string, number] = found
    const holder = open.at(-1)
    if (mark === "{" || mark === "[") open.push({ isArray: mark === "[", isCovered: isCovered(), isNamed: false })
    else if (mark === "}" || mark === "]") {
      open.pop()
      ended()
    } else if (string !== undefined && holder !== undefined && !holder.isArray && !holder.isNamed) {
      names.push(JSON.parse(string))
      holder.isNamed = true
    } else if (mark === undefined) {
      if (string !== undefined && isCovered()) ranges.push(end - string.length + 1, end - 1)
      if (number !== undefined && isCovered()) ranges.push(end - number.length, end)
      ended()
    }
    at = end
  }
  return open.length === 0 ? ranges : undefined
}

/** The ranges of an XML or JSON text that are on one of the paths; `undefined` when it is not understood. */
export const coveredRanges = (
  syntax: "xml" | "json",
  text: string,
  paths: ReadonlyArray<ReadonlyArray<string>>
): CoveredRanges | undefined => {
  if (syntax === "json") return walkJson(text, paths)
  const walk = new XmlWalk(text, paths)
  return walk.walk() ? walk.ranges : undefined
}

/** The text with its ranges covered; a character becomes as many asterisks as it has bytes, a JSON number stays JSON. */
export const coverText = (
  text: string,
  ranges: CoveredRanges,
  syntax: "xml" | "json",
  bytesOf: (text: string) => number
): string => {
  let covered = ""
  let at = 0
  for (let next = 0; next < ranges.length; next += 2) {
    const [from, to] = [ranges[next]!, ranges[next + 1]!]
    covered += text.slice(at, from)
    const isNumber = syntax === "json" && text[from - 1] !== '"'
    if (!isNumber) covered += "*".repeat(bytesOf(text.slice(from, to)))
    else covered += to - from === 1 ? "0" : `"${"*".repeat(to - from - 2)}"`
    at = to
  }
  return covered + text.slice(at)
}
