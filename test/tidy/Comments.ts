/**
 * Rules about what is written beside the code: a header for each module, a docstring for each export, no loose reminder,
 * and the size of a file.
 */
import { LINES_MAX, WIDTH_MAX } from "./House.ts"
import { type Finding, finding, isNode, lineAt, type Node, type Source, treeOf } from "./Source.ts"

/** The shortest header that can be a sentence. */
const HEADER_LENGTH_MIN = 30

const statementsOf = (source: Source): ReadonlyArray<Node> => treeOf(source)["body"] as ReadonlyArray<Node>

/** Whether a statement declares what it exports; a list of re-exports declares nothing. */
const isExport = (node: Node): boolean =>
  /^Export(Named|Default)Declaration$/.test(node.type) && node["declaration"] != null

/** Whether a block comment `/** ... *\/` ends right before the offset. */
const hasDocstring = (source: Source, start: number): boolean =>
  source.comments.some(
    ({ end, type, value }) =>
      type === "Block" && value.startsWith("*") && end <= start && source.text.slice(end, start).trim() === ""
  )

/** Files that do not open with a comment that says what the module owns. */
export const missingHeaders = (sources: ReadonlyArray<Source>): ReadonlyArray<Finding> =>
  sources.flatMap((source) => {
    const first = statementsOf(source)[0]
    const start = first?.start ?? source.text.length
    const before = source.comments.filter(({ end }) => end <= start)
    // The comment right before an exported first statement is that statement's own docstring.
    const own = first !== undefined && isExport(first) && hasDocstring(source, start) ? before.slice(0, -1) : before
    const length = own.reduce((sum, { value }) => sum + value.replace(/[\s*]+/g, " ").trim().length, 0)
    if (length >= HEADER_LENGTH_MIN) return []
    return [finding(source, 0, "module header", "open the file with a comment: what it owns, what it does not do")]
  })

const idOf = (node: unknown): string => (isNode(node) && isNode(node["id"]) ? String(node["id"]["name"]) : "default")

/** Names that a statement declares. */
const declaredBy = (node: Node): ReadonlyArray<string> => {
  if (node.type === "VariableDeclaration") return (node["declarations"] as ReadonlyArray<Node>).map(idOf)
  return [idOf(node)]
}

/** The declarations of a file that leave it, with the statement that carries their docstring. */
const exportedDeclarations = (source: Source): ReadonlyArray<{ readonly name: string; readonly statement: Node }> => {
  const statements = statementsOf(source)
  const listed = new Set(
    statements
      .filter((node) => node.type === "ExportNamedDeclaration" && node["source"] === null)
      .flatMap((node) => node["specifiers"] as ReadonlyArray<Node>)
      .map((one) => (isNode(one["local"]) ? String(one["local"]["name"]) : ""))
  )
  return statements.flatMap((statement) => {
    const declaration = isNode(statement["declaration"]) ? statement["declaration"] : statement
    if (
      !/(Declaration|Expression|DeclareFunction)$/.test(declaration.type) ||
      /^(Import|Export)/.test(declaration.type)
    )
      return []
    return declaredBy(declaration)
      .filter((name) => isExport(statement) || listed.has(name))
      .map((name) => ({ name, statement }))
  })
}

/** Exported declarations without a docstring. One docstring serves a type and a value of the same name, and overloads. */
export const missingDocstrings = (sources: ReadonlyArray<Source>): ReadonlyArray<Finding> =>
  sources.flatMap((source) => {
    const exported = exportedDeclarations(source)
    const told = new Set(
      exported.filter(({ statement }) => hasDocstring(source, statement.start)).map(({ name }) => name)
    )
    const silent = new Map(exported.filter(({ name }) => !told.has(name)).map((one) => [one.name, one.statement]))
    return [...silent].map(([name, statement]) =>
      finding(source, statement.start, "docstring", `${name} is exported; say what it is, its units, limits and errors`)
    )
  })

/** Reminders without an issue number. */
export const looseReminders = (sources: ReadonlyArray<Source>): ReadonlyArray<Finding> =>
  sources.flatMap((source) =>
    source.comments.flatMap(({ start, value }) => {
      const found = /\b(TODO|FIXME|XXX|HACK)\b(?!\s*\(#\d+\))/.exec(value)
      if (found === null) return []
      const message = `${found[1]} without an issue: do it now, or write ${found[1]}(#123)`
      return [finding(source, start + found.index, "reminder", message)]
    })
  )

/** Files and comment lines over their limit. */
export const overlong = (sources: ReadonlyArray<Source>): ReadonlyArray<Finding> =>
  sources.flatMap((source) => {
    const lines = source.text.split("\n")
    const count = lines.at(-1) === "" ? lines.length - 1 : lines.length
    const findings: Array<Finding> = []
    if (count > LINES_MAX) {
      const message = `${count} lines, at most ${LINES_MAX}; one concept, one file: split it along its concepts`
      findings.push(finding(source, 0, "file length", message))
    }
    for (const { end, start } of source.comments) {
      for (let line = lineAt(source.text, start); line <= lineAt(source.text, end); line++) {
        const width = lines[line - 1]?.length ?? 0
        const message = `a comment line of ${width} characters, at most ${WIDTH_MAX}; break it`
        if (width > WIDTH_MAX) findings.push({ path: source.path, line, rule: "comment width", message })
      }
    }
    return findings
  })
