/**
 * Data elements by number in the switch's code: `index.text(39)`, `fields[2]`, `{ 11: stan }`, or a constant that is used as one.
 * Which element plays which part is the dialect's data (`Roles` of the codec).
 */
import { type Finding, finding, isNode, type Node, type Source, treeOf, walk } from "./Source.ts"

/** Methods of a message, an index or a list of changes that take a data element first. */
const takesElement = new Set(["text", "has", "number", "from", "to", "length", "bytes", "set", "remove"])

/** Data elements 2 to 192. */
const isElement = (value: unknown): boolean =>
  typeof value === "number" && Number.isInteger(value) && value >= 2 && value <= 192

const numberOf = (node: Node | undefined, constants: ReadonlyMap<string, number>): unknown => {
  if (node?.type === "Literal") return node["value"]
  return node?.type === "Identifier" ? constants.get(String(node["name"])) : undefined
}

/** Names of a file that stand for a number. */
const constantsOf = (source: Source): ReadonlyMap<string, number> => {
  const found = new Map<string, number>()
  walk(treeOf(source), (node) => {
    if (node.type !== "VariableDeclarator" || !isNode(node["id"]) || !isNode(node["init"])) return
    const value = node["init"].type === "Literal" ? node["init"]["value"] : undefined
    if (typeof value === "number") found.set(String(node["id"]["name"]), value)
  })
  return found
}

/** Data elements by number in a source. */
export const elementNumbers = (source: Source): ReadonlyArray<Finding> => {
  const constants = constantsOf(source)
  const findings: Array<Finding> = []
  const found = (node: Node) => {
    const message = "a data element by number; ask the dialect which one plays the part (layout.roles, layout.answers)"
    findings.push(finding(source, node.start, "data element", message))
  }
  walk(treeOf(source), (node) => {
    const callee = node.type === "CallExpression" && isNode(node["callee"]) ? node["callee"] : undefined
    const method = callee?.type === "MemberExpression" && isNode(callee["property"]) ? callee["property"]["name"] : ""
    if (callee !== undefined && takesElement.has(String(method))) {
      const [first] = node["arguments"] as ReadonlyArray<Node>
      const isBuffer = isNode(callee["object"]) && callee["object"]["name"] === "Buffer"
      if (!isBuffer && isElement(numberOf(first, constants))) found(node)
    }
    if (node.type === "MemberExpression" && node["computed"] === true && isNode(node["object"])) {
      const name = node["object"].type === "MemberExpression" ? node["object"]["property"] : node["object"]
      const isFields = isNode(name) && name["name"] === "fields"
      if (isFields && isElement(numberOf(node["property"] as Node, constants))) found(node)
    }
    if (node.type === "Property" && isNode(node["key"]) && isElement(node["key"]["value"])) found(node)
  })
  return findings
}
