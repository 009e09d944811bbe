/**
 * One idiom where a language has two: what a class keeps to itself is `private`; a number that is known before the program runs
 * is in UPPER_CASE; texts, tables and functions are in camelCase; a test that looks again and again pauses in between.
 */
import { secretKeepers } from "./House.ts"
import { type Finding, finding, isNode, type Node, type Source, treeOf, walk } from "./Source.ts"

const arithmetic = new Set(["+", "-", "*", "/", "%", "**", "|", "&", "<<", ">>"])

/** What a constant is, as far as it can be seen without running it. */
const kindOf = (node: unknown): "number" | "text" | "table" | "name" | "other" => {
  if (!isNode(node)) return "other"
  switch (node.type) {
    case "Literal": {
      const { value } = node
      return typeof value === "number" || typeof value === "bigint"
        ? "number"
        : typeof value === "string"
          ? "text"
          : "other"
    }
    case "TSAsExpression":
      return kindOf(node["expression"])
    case "UnaryExpression":
      return kindOf(node["argument"]) === "number" ? "number" : "other"
    case "BinaryExpression": {
      const [left, right] = [kindOf(node["left"]), kindOf(node["right"])]
      if (!arithmetic.has(String(node["operator"]))) return "other"
      if (left === "text" || right === "text") return "text"
      const isCounted = [left, right].every((kind) => kind === "number" || kind === "name")
      return isCounted && (left === "number" || right === "number") ? "number" : "other"
    }
    case "TemplateLiteral":
      return "text"
    case "ObjectExpression":
    case "ArrayExpression":
      return "table"
    case "Identifier":
      return "name"
    default:
      return "other"
  }
}

const constants = (source: Source): ReadonlyArray<Node> =>
  ((treeOf(source) as Node)["body"] as ReadonlyArray<Node>).flatMap((statement) => {
    const declaration = statement.type === "ExportNamedDeclaration" ? statement["declaration"] : statement
    if (!isNode(declaration) || declaration.type !== "VariableDeclaration" || declaration["kind"] !== "const") return []
    return declaration["declarations"] as ReadonlyArray<Node>
  })

/** Constants of modules that are not named after what they are. */
export const misnamedConstants = (sources: ReadonlyArray<Source>): ReadonlyArray<Finding> =>
  sources.flatMap((source) =>
    constants(source).flatMap(({ id, init, start }) => {
      const name = isNode(id) && id.type === "Identifier" ? String(id["name"]) : ""
      const kind = kindOf(init)
      if (kind === "number" && /^[a-z]/.test(name)) {
        return [finding(source, start, "idiom", `the number ${name} is written in UPPER_CASE`)]
      }
      if ((kind === "text" || kind === "table") && /^[A-Z][A-Z0-9_]+$/.test(name)) {
        return [finding(source, start, "idiom", `the ${kind} ${name} is written in camelCase`)]
      }
      return []
    })
  )

/** Members with `#`, but where they keep a secret. */
export const hashMembers = (sources: ReadonlyArray<Source>): ReadonlyArray<Finding> =>
  sources.flatMap((source) => {
    const findings: Array<Finding> = []
    if (secretKeepers.includes(source.path)) return findings
    walk(treeOf(source), (node, parent) => {
      if (node.type !== "PrivateIdentifier" || !/Definition$|^AccessorProperty$/.test(parent?.type ?? "")) return
      findings.push(finding(source, node.start, "idiom", `#${String(node["name"])}: say private`))
    })
    return findings
  })

/** Loops that ask a running switch or partner for its status again and again without a pause: they take what they wait for. */
export const restlessLoops = (sources: ReadonlyArray<Source>): ReadonlyArray<Finding> =>
  sources.flatMap((source) => {
    const findings: Array<Finding> = []
    walk(treeOf(source), (node) => {
      const isOpen = node.type === "ForStatement" && node["test"] === null
      if (!isOpen && node.type !== "WhileStatement" && node.type !== "DoWhileStatement") return
      const text = source.text.slice(node.start, Number(node["end"]))
      const asks = /\bawait [^;]*\.status\(\)|\.say\(\{ do: "status"/.test(text)
      if (asks && !/\b(?:pause|setTimeout|sleep|until)\(/.test(text))
        findings.push(
          finding(source, node.start, "idiom", "a loop that asks without a pause: use until of Line.ts, or pause")
        )
    })
    return findings
  })
