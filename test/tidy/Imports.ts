/**
 * Rules about who imports whom: between packages, between the folders of a package, cycles, and files that nobody
 * reaches. Type-only imports count: to name a type is to know it.
 */
import { posix } from "node:path"
import { folders, type PackageRule, packages } from "./House.ts"
import { type Finding, finding, isNode, type Node, type Source, type Text, treeOf, walk } from "./Source.ts"

/** One import of a file: the specifier, where it is, and the names taken when they are listed. */
export interface Import {
  readonly from: string
  readonly at: number
  readonly names: ReadonlyArray<string>
}

const sourceOf = (node: Node): Node | undefined => {
  if (!/^(Import|Export(Named|All))Declaration$|^ImportExpression$|^TSImportType$/.test(node.type)) return undefined
  return isNode(node["source"]) ? node["source"] : undefined
}

const namesOf = (node: Node): ReadonlyArray<string> =>
  (Array.isArray(node["specifiers"]) ? node["specifiers"] : []).flatMap((one: Node) =>
    isNode(one["imported"]) ? [String(one["imported"]["name"])] : []
  )

const importsFrom = (source: Source): ReadonlyArray<Import> => {
  const imports: Array<Import> = []
  walk(treeOf(source), (node) => {
    const from = sourceOf(node)
    if (typeof from?.["value"] === "string") imports.push({ from: from["value"], at: node.start, names: namesOf(node) })
  })
  return imports
}

/** The imports of the files that were asked for. */
const importsOfSource = new WeakMap<Source, ReadonlyArray<Import>>()

/** All imports of a file: static, re-exported, dynamic and in types. */
export const importsOf = (source: Source): ReadonlyArray<Import> => {
  const imports = importsOfSource.get(source) ?? importsFrom(source)
  importsOfSource.set(source, imports)
  return imports
}

/** The file that a relative specifier means, from the root of the repository. */
const target = (path: string, specifier: string): string => posix.join(posix.dirname(path), specifier)

const packageOf = (path: string): string | undefined => /^packages\/([^/]+)\/src\//.exec(path)?.[1]

/** `@scope/name` or `name` of a bare specifier. */
const nameOf = (specifier: string): string => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier

const isForbidden = (specifier: string, rule: PackageRule): boolean =>
  rule.forbidden.some((one) => (one.endsWith("/") ? specifier.startsWith(one) : specifier === one))

/** What a package.json declares: `exports` paths and `dependencies`. */
export interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, string>>
}

/** Why one import of a shipped file is wrong, or undefined. */
const packageBreach = (
  path: string,
  { from }: Import,
  own: string,
  manifests: ReadonlyMap<string, Manifest>
): string | undefined => {
  const rule = packages[own]
  if (rule === undefined) return `the package ${own} has no row in the table of packages`
  if (from.startsWith(".")) {
    return packageOf(target(path, from)) === own
      ? undefined
      : `"${from}" leaves the package; import the other package by its name`
  }
  if (from.startsWith("node:")) {
    return rule.node === undefined || rule.node.includes(from) ? undefined : `"${from}" in ${own}: ${rule.why}`
  }
  if (isForbidden(from, rule)) return `"${from}" in ${own}: ${rule.why}`
  const name = nameOf(from)
  const other = manifests.get(name)
  if (other !== undefined) {
    if (!rule.workspace.includes(name)) return `"${from}" in ${own}: ${rule.why}`
    const entry = from === name ? "." : `.${from.slice(name.length)}`
    if (!(entry in other.exports))
      return `"${from}" is not a public entry of ${name}; export it from the package's index`
  }
  const isDeclared = name in (manifests.get(`@jinka/${own}`)?.dependencies ?? {})
  return isDeclared ? undefined : `"${from}" is not among the dependencies in packages/${own}/package.json`
}

/** Imports that cross from one package into another, or out of the pure world of the codec. */
export const packageDirections = (
  sources: ReadonlyArray<Source>,
  manifests: ReadonlyMap<string, Manifest>
): ReadonlyArray<Finding> =>
  sources.flatMap((source) => {
    const own = packageOf(source.path)
    if (own === undefined) return []
    return importsOf(source).flatMap((one) => {
      const breach = packageBreach(source.path, one, own, manifests)
      return breach === undefined ? [] : [finding(source, one.at, "import between packages", breach)]
    })
  })

/** Folder of a file within its package's src; `.` for a file directly in it. */
const folderOf = (path: string): string => /^packages\/[^/]+\/src\/([^/]+)\//.exec(path)?.[1] ?? "."

/** Imports against the stream: bytes -> frames -> messages -> link -> switch -> journal. */
export const folderDirections = (sources: ReadonlyArray<Source>): ReadonlyArray<Finding> =>
  sources.flatMap((source) => {
    const table = folders[packageOf(source.path) ?? ""]
    if (table === undefined) return []
    const own = folderOf(source.path)
    const allowed = table[own]
    if (allowed === undefined) {
      return [finding(source, 0, "import between folders", `the folder ${own}/ has no row in the table of folders`)]
    }
    return importsOf(source).flatMap(({ at, from }) => {
      const other = from.startsWith(".") ? folderOf(target(source.path, from)) : own
      if (other === own || allowed.includes(other)) return []
      const named = other === "." ? "the package's entry" : `${other}/`
      const may = allowed.length === 0 ? "nothing beside it" : allowed.join(", ")
      const message = `${own}/ knows nothing of ${named}, it may import ${may}; let it offer a function or service instead`
      return [finding(source, at, "import between folders", message)]
    })
  })

/** Files below src that a file leads to: imports, and string literals that name a file (workers, URLs). */
const reachesOf = (source: Source, known: ReadonlySet<string>): ReadonlyArray<string> => {
  const specifiers = importsOf(source).map(({ from }) => from)
  walk(treeOf(source), (node) => {
    if (node.type === "Literal" && typeof node["value"] === "string") specifiers.push(node["value"])
  })
  const targets = specifiers.filter((one) => /^\.\.?\//.test(one)).map((one) => target(source.path, one))
  return [...new Set(targets)].filter((one) => known.has(one))
}

/** Files of a package that no entry (package.json `exports`, `bin`) leads to. */
export const deadFiles = (sources: ReadonlyArray<Source>, entries: ReadonlyArray<string>): ReadonlyArray<Finding> => {
  const shipped = sources.filter(({ path }) => packageOf(path) !== undefined)
  const byPath = new Map(shipped.map((source) => [source.path, source]))
  const known = new Set(byPath.keys())
  const open = entries.filter((entry) => known.has(entry))
  const reached = new Set(open)
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const one of reachesOf(byPath.get(next)!, known)) {
      if (!reached.has(one)) open.push(one)
      reached.add(one)
    }
  }
  const message = "no entry, bin or worker leads here; use it or delete it"
  return shipped.filter(({ path }) => !reached.has(path)).map((source) => finding(source, 0, "dead file", message))
}

/** Files below src that the build would leave behind: tsc copies nothing. */
export const uncompiled = (files: ReadonlyArray<Text>): ReadonlyArray<Finding> =>
  files
    .filter(({ path }) => packageOf(path) !== undefined && !path.endsWith(".ts"))
    .map((file) => finding(file, 0, "uncompiled file", "src holds TypeScript only; write it as a module"))

/** Import cycles among the given files, each reported once, at the import that closes it. */
export const importCycles = (sources: ReadonlyArray<Source>): ReadonlyArray<Finding> => {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const done = new Set<string>()
  const findings: Array<Finding> = []
  const visit = (source: Source, trail: ReadonlyArray<string>): void => {
    for (const { at, from } of importsOf(source)) {
      const next = from.startsWith(".") ? byPath.get(target(source.path, from)) : undefined
      if (next === undefined || done.has(next.path)) continue
      const back = trail.indexOf(next.path)
      if (back === -1) visit(next, [...trail, next.path])
      else {
        const circle = [...trail.slice(back), next.path].map((path) => posix.basename(path)).join(" -> ")
        findings.push(finding(source, at, "import cycle", `${circle}; move what both need into a third module`))
      }
    }
    done.add(source.path)
  }
  for (const source of sources) if (!done.has(source.path)) visit(source, [source.path])
  return findings
}
