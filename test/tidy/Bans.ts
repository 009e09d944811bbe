/**
 * Calls and modules with one allowed home, and what a shipped file must not do at all.
 *
 * Found by name in the syntax tree, without types: a member of a global (`Date.now`), a global in any use
 * (`setTimeout`), a construction (`new Date()`), a module. A local binding of the same name is found too; rename it.
 * What is built from strings (`globalThis["set" + "Timeout"]`) is not found.
 */
import { type Ban, bans, packages } from "./House.ts"
import { type Import, importsOf } from "./Imports.ts"
import { type Finding, finding, isNode, isWithin, type Node, type Source, treeOf, walk } from "./Source.ts"

const nameOf = (node: unknown): string | undefined =>
  isNode(node) && node.type === "Identifier" ? String(node["name"]) : undefined

const isGlobalObject = (node: unknown): boolean => ["globalThis", "global"].includes(nameOf(node) ?? "")

/** The global that a node stands for: `x` or `globalThis.x`. */
const globalOf = (node: unknown): string | undefined => {
  if (isNode(node) && node.type === "MemberExpression" && isGlobalObject(node["object"]))
    return nameOf(node["property"])
  return nameOf(node)
}

/** Whether an identifier is a use or a binding, not the name of a member, a key or a part of an import. */
const isUse = (parent: Node | undefined, part: string): boolean => {
  if (parent === undefined || /^(Import|Export)/.test(parent.type)) return false
  if (part === "property") return parent["computed"] === true || isGlobalObject(parent["object"])
  return part !== "key" || parent["computed"] === true
}

/** Names under which a node may be banned: `a.b`, `a.*`, `f`, `new X`, `new X()`. */
const namesOf = (node: Node, parent: Node | undefined, part: string): ReadonlyArray<string> => {
  if (node.type === "MemberExpression") {
    const object = globalOf(node["object"])
    const property = isNode(node["property"]) ? node["property"] : undefined
    const member = node["computed"] === true ? property?.["value"] : nameOf(property)
    return object === undefined ? [] : [`${object}.${String(member)}`, `${object}.*`]
  }
  if (node.type === "NewExpression") {
    const callee = globalOf(node["callee"])
    const isBare = Array.isArray(node["arguments"]) && node["arguments"].length === 0
    return callee === undefined ? [] : [`new ${callee}`, ...(isBare ? [`new ${callee}()`] : [])]
  }
  // Date() without `new` is the time as a string.
  if (node.type === "CallExpression" && nameOf(node["callee"]) === "Date") return ["new Date()"]
  if (node.type === "Identifier" && isUse(parent, part)) return [String(node["name"])]
  return []
}

const matchesModule = (what: string, { from, names }: Import): boolean => {
  if (!what.startsWith("import ")) return false
  const [module = "", listed] = what.slice("import ".length).split("#")
  if (listed !== undefined) return from === module && names.some((name) => listed.split(",").includes(name))
  return module.endsWith("/*") ? from.startsWith(module.slice(0, -1)) : from === module
}

/** Banned calls and modules outside their home. */
export const bannedCalls = (sources: ReadonlyArray<Source>, table: ReadonlyArray<Ban> = bans): ReadonlyArray<Finding> =>
  sources.flatMap((source) => {
    const here = table.filter(({ homes, within }) => isWithin(source.path, within) && !isWithin(source.path, homes))
    const breach = (at: number, what: string, { homes, instead }: Ban): Finding => {
      const home = homes.length === 0 ? "" : ` (home: ${homes.join(", ")})`
      return finding(source, at, "banned call", `${what}${home}; ${instead}`)
    }
    const findings = importsOf(source).flatMap((one) =>
      here.filter(({ what }) => what.some((w) => matchesModule(w, one))).map((ban) => breach(one.at, one.from, ban))
    )
    walk(treeOf(source), (node, parent, part) => {
      const names = namesOf(node, parent, part)
      const ban = names.length === 0 ? undefined : here.find(({ what }) => what.some((w) => names.includes(w)))
      if (ban !== undefined) findings.push(breach(node.start, names[0]!, ban))
    })
    return findings
  })

/** Async functions, `await` and Promises in a package that is synchronous by rule. */
export const asynchronous = (sources: ReadonlyArray<Source>): ReadonlyArray<Finding> =>
  sources.flatMap((source) => {
    const own = /^packages\/([^/]+)\/src\//.exec(source.path)?.[1] ?? ""
    if (packages[own]?.synchronous !== true) return []
    const findings: Array<Finding> = []
    walk(treeOf(source), (node) => {
      const what = node.type === "AwaitExpression" ? "await" : node["async"] === true ? "async" : nameOf(node)
      if (what !== "await" && what !== "async" && what !== "Promise") return
      findings.push(finding(source, node.start, "synchronous package", `${what} in ${own}: ${packages[own]?.why}`))
    })
    return findings
  })
