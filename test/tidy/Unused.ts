/**
 * What nobody obeys: exports that only tests use, and members of data that no code reads. A fact that is written down, checked
 * and shown, and that changes nothing, is worse than none: who sets it believes that it holds.
 */
import { importsOf } from "./Imports.ts"
import { type Finding, finding, isNode, type Node, type Source, treeOf, walk } from "./Source.ts"

const named = (node: unknown): string => (isNode(node) ? String(node["name"] ?? node["value"] ?? "") : "")

/** Values that a file exports, by name. A type is the form of a value, and goes with it. */
const exportsOf = (source: Source): ReadonlyMap<string, Node> => {
  const found = new Map<string, Node>()
  walk(treeOf(source), (node) => {
    const declaration = node.type === "ExportNamedDeclaration" ? node["declaration"] : undefined
    if (!isNode(declaration)) return
    if (declaration.type !== "VariableDeclaration") {
      if (/^(Function|Class)Declaration$/.test(declaration.type)) found.set(named(declaration["id"]), declaration)
    } else for (const one of declaration["declarations"] as ReadonlyArray<Node>) found.set(named(one["id"]), one)
  })
  return found
}

/** Names that code reads: `a.name`, `{ name } = a`, `a["name"]`, and texts, because some are looked up by them. */
const readsOf = (source: Source): ReadonlySet<string> => {
  const found = new Set<string>()
  walk(treeOf(source), (node) => {
    if (node.type === "MemberExpression") found.add(named(node["property"]))
    if (node.type === "ObjectPattern") {
      for (const property of node["properties"] as ReadonlyArray<Node>) found.add(named(property["key"]))
    }
    if (node.type === "Literal" && typeof node["value"] === "string") found.add(node["value"])
  })
  return found
}

const resolved = (from: string, specifier: string): string => new URL(specifier, `file:///${from}`).pathname.slice(1)

/** The entries of a package, and the files of which they give everything away. */
const givenAway = (sources: ReadonlyArray<Source>, entries: ReadonlyArray<string>): ReadonlySet<string> => {
  const given = new Set(entries)
  for (const source of sources) {
    if (!entries.includes(source.path)) continue
    for (const { from, names } of importsOf(source)) if (names.length === 0) given.add(resolved(source.path, from))
  }
  return given
}

/**
 * Values that a file exports and that neither it nor another one uses. `entries`: files that a package gives away, or whose names
 * are in texts.
 */
export const unusedExports = (
  sources: ReadonlyArray<Source>,
  entries: ReadonlyArray<string>
): ReadonlyArray<Finding> => {
  const given = givenAway(sources, entries)
  const used = new Set<string>()
  for (const source of sources) {
    for (const { from, names } of importsOf(source)) {
      if (!from.startsWith(".")) continue
      // A namespace uses what is named of it.
      for (const name of names.length > 0 ? names : readsOf(source)) used.add(`${resolved(source.path, from)}#${name}`)
    }
  }
  return sources.flatMap((source) =>
    given.has(source.path)
      ? []
      : [...exportsOf(source)]
          .filter(([name]) => !used.has(`${source.path}#${name}`))
          .filter(([name]) => (source.text.match(new RegExp(`\\b${name}\\b`, "g")) ?? []).length === 1)
          .map(([name, { start }]) => finding(source, start, "unused export", `${name} is used by nobody; delete it`))
  )
}

/** Members of interfaces that no code reads, but for those that `isSaid`: they are given away with the whole. */
export const unreadMembers = (
  sources: ReadonlyArray<Source>,
  isSaid: (path: string, member: string) => boolean
): ReadonlyArray<Finding> => {
  const read = new Set(sources.flatMap((source) => [...readsOf(source)]))
  return sources.flatMap((source) => {
    const findings: Array<Finding> = []
    walk(treeOf(source), (node) => {
      const name = node.type === "TSPropertySignature" ? named(node["key"]) : ""
      if (name === "" || read.has(name) || isSaid(source.path, name)) return
      findings.push(finding(source, node.start, "unread member", `nobody reads ${name}; obey it or delete it`))
    })
    return findings
  })
}
