/**
 * Which parts of the codec an input reaches: its source gets a counter at every branch while it is loaded. That is the feedback
 * of the fuzzer, and the number of steps that a test of linear time counts. Import nothing of the codec before `register`.
 *
 * Code that the codec generates is counted only when asked for: a fuzzer makes it meet too many sets of fields.
 */
import { registerHooks } from "node:module"
import { fileURLToPath } from "node:url"
import { parseSync } from "oxc-parser"

const COUNTER_MAX = 1 << 16

/** How often each branch ran since `clear`. */
const counters = new Uint32Array(COUNTER_MAX)
let used = 0

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
}

const isNode = (value: unknown): value is Node & Record<string, unknown> =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string"

/** A text to insert; what opens goes in front of what is at the same place already. */
interface Insertion {
  readonly at: number
  readonly text: string
}

const counter = (): string => {
  if (used === COUNTER_MAX) throw new Error("more branches than counters")
  return `globalThis.__steps[${used++}]++`
}

/** Counters for the branches that one node makes. */
const insertionsOf = (node: Node & Record<string, unknown>): ReadonlyArray<Insertion> => {
  const around = (child: unknown): ReadonlyArray<Insertion> =>
    isNode(child)
      ? [
          { at: child.start, text: `(${counter()}, ` },
          { at: child.end, text: ")" }
        ]
      : []
  const statement = (child: unknown): ReadonlyArray<Insertion> =>
    isNode(child) && child.type !== "BlockStatement"
      ? [
          { at: child.start, text: `{ ${counter()}; ` },
          { at: child.end, text: " }" }
        ]
      : []
  switch (node.type) {
    case "BlockStatement":
    case "FunctionBody":
      return [{ at: node.start + 1, text: ` ${counter()}; ` }]
    case "IfStatement":
      return [...statement(node["consequent"]), ...statement(node["alternate"])]
    case "ForStatement":
    case "ForOfStatement":
    case "ForInStatement":
    case "WhileStatement":
    case "DoWhileStatement":
      return statement(node["body"])
    case "SwitchCase": {
      const [first] = node["consequent"] as ReadonlyArray<Node>
      return first === undefined ? [] : [{ at: first.start, text: `${counter()}; ` }]
    }
    case "ConditionalExpression":
      return [...around(node["consequent"]), ...around(node["alternate"])]
    case "LogicalExpression":
      return around(node["right"])
    case "ArrowFunctionExpression":
      return node["expression"] === true ? around(node["body"]) : []
    default:
      return []
  }
}

/** The source with its counters. */
const instrumented = (path: string, source: string): string => {
  const insertions: Array<Insertion & { readonly order: number }> = []
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const one of value) visit(one)
    if (!isNode(value)) return
    // Types are no code.
    if (/^TS(Type|Interface)/.test(value.type)) return
    for (const insertion of insertionsOf(value)) insertions.push({ ...insertion, order: insertions.length })
    for (const child of Object.values(value)) if (typeof child === "object") visit(child)
  }
  visit(parseSync(path, source).program.body)
  const closes = ({ text }: Insertion): number => (text === ")" || text === " }" ? 0 : 1)
  // At one place: what closes first, the inner one before the outer; then what opens, the outer one before the inner.
  insertions.sort(
    (one, other) =>
      one.at - other.at ||
      closes(one) - closes(other) ||
      (closes(one) === 0 ? other.order - one.order : one.order - other.order)
  )
  let text = ""
  let at = 0
  for (const insertion of insertions) {
    text += source.slice(at, insertion.at) + insertion.text
    at = insertion.at
  }
  return text + source.slice(at)
}

/** `Function` that puts counters into what it makes. */
const countingFunction = (argument: string, body: string): unknown => {
  const text = instrumented("generated.js", `(function (${argument}) {\n${body}\n})`)
  return original(`return ${text}`)()
}
const original = Function

/** From now on the codec's modules are loaded with counters. */
export const register = (countsGenerated = false): void => {
  Object.assign(globalThis, { __steps: counters })
  if (countsGenerated) Object.assign(globalThis, { Function: countingFunction })
  registerHooks({
    load: (url, context, next) => {
      const loaded = next(url, context)
      if (!url.includes("/packages/codec/src/") || loaded.source === undefined || loaded.source === null) return loaded
      const source =
        typeof loaded.source === "string" ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString()
      return { ...loaded, source: instrumented(fileURLToPath(url), source) }
    }
  })
}

/** Forgets what ran. */
export const clear = (): void => {
  counters.fill(0, 0, used)
}

/** Steps since `clear`. */
export const steps = (): number => {
  let sum = 0
  for (let at = 0; at < used; at++) sum += counters[at]!
  return sum
}

/** How often a branch ran, in classes: 1, 2, 3, 4-7, 8-15, 16-31, 32-127, more. */
const classOf = (times: number): number => {
  if (times <= 3) return times - 1
  if (times < 8) return 3
  if (times < 16) return 4
  if (times < 32) return 5
  return times < 128 ? 6 : 7
}

/** What has been reached: for each branch the classes of its counts. */
export class Reached {
  private readonly classes = new Uint8Array(COUNTER_MAX)
  /** Branch and class pairs. */
  size = 0

  /** Adds what ran since `clear`; whether something of it is new. */
  add(): boolean {
    let isNew = false
    for (let at = 0; at < used; at++) {
      const times = counters[at]!
      if (times === 0) continue
      const bit = 1 << classOf(times)
      if ((this.classes[at]! & bit) !== 0) continue
      this.classes[at] = this.classes[at]! | bit
      this.size++
      isNew = true
    }
    return isNew
  }
}
