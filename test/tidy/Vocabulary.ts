/**
 * The field's own words in names. Checked are the names that we give: files, types, classes, functions, variables,
 * parameters and declared members. Not checked are names that an outside interface gives: imported names, members we
 * only use, keys of objects we hand over, and what we take out of an object under its own name.
 */
import { type Word, words, wordsAllowed } from "./House.ts"
import { type Finding, finding, isNode, isWithin, type Node, type Source, type Text, treeOf, walk } from "./Source.ts"

/** `frameHandlerMax` -> frame, handler, max. */
const partsOf = (name: string): ReadonlyArray<string> =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)

const isAllowed = (name: string, path: string): boolean =>
  wordsAllowed.some((one) => one.name === name && isWithin(path, one.within))

const breachOf = (name: string): Word | undefined => {
  const parts = partsOf(name)
  return words.find(({ whole, word }) =>
    whole === true ? parts.length === 1 && parts[0] === word : parts.includes(word)
  )
}

/** Parts of a node that give a name to something. */
const naming: Readonly<Record<string, string>> = {
  VariableDeclarator: "id",
  FunctionDeclaration: "id",
  ClassDeclaration: "id",
  TSInterfaceDeclaration: "id",
  TSTypeAliasDeclaration: "id",
  TSDeclareFunction: "id",
  PropertyDefinition: "key",
  MethodDefinition: "key",
  AccessorProperty: "key",
  TSPropertySignature: "key",
  TSMethodSignature: "key",
  TSTypeParameter: "name",
  AssignmentPattern: "left",
  RestElement: "argument",
  ArrayPattern: "elements"
}

const isParameter = (parent: Node, part: string): boolean =>
  (part === "params" || part === "parameters") && /Function|Signature/.test(parent.type)

/** The identifiers that a node gives names to, when it is in `part` of `parent`. */
const givenBy = (node: Node, parent: Node | undefined, part: string): ReadonlyArray<Node> => {
  if (parent === undefined) return []
  // { theirs: ours } = ...: ours is given here, unless it only takes over theirs.
  if (node.type === "ObjectPattern") {
    const properties = node["properties"] as ReadonlyArray<Node>
    return properties
      .filter((one) => one["shorthand"] !== true)
      .map((one) => one["value"])
      .filter(isNode)
  }
  if (node.type === "ImportSpecifier") {
    const { imported, local } = node
    return isNode(local) && isNode(imported) && local["name"] !== imported["name"] ? [local] : []
  }
  const isNamed = naming[parent.type] === part || isParameter(parent, part) || part === "param"
  return isNamed ? [node] : []
}

/** Names given in a file that hold a banned word. */
export const foreignWords = (sources: ReadonlyArray<Source>): ReadonlyArray<Finding> =>
  sources.flatMap((source) => {
    const findings: Array<Finding> = []
    walk(treeOf(source), (node, parent, part) => {
      for (const given of givenBy(node, parent, part)) {
        const name = given.type === "Identifier" ? String(given["name"]) : ""
        const word = breachOf(name)
        if (word === undefined || isAllowed(name, source.path)) continue
        findings.push(finding(source, given.start, "vocabulary", `"${name}" says ${word.word}; ${word.instead}`))
      }
    })
    return findings
  })

/** Files and folders whose name holds a banned word. */
export const foreignPaths = (files: ReadonlyArray<Text>): ReadonlyArray<Finding> =>
  files.flatMap((file) =>
    file.path.split("/").flatMap((segment, place, segments) => {
      const word = breachOf(segment.replace(/\..*$/, ""))
      if (word === undefined || isAllowed(segments.slice(0, place + 1).join("/"), file.path)) return []
      return [finding(file, 0, "vocabulary", `"${segment}" says ${word.word}; ${word.instead}`)]
    })
  )
