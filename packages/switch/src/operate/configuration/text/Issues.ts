/**
 * What the decoder found wrong, as findings: place, rule, fix. Values never come from the decoder, only from the text.
 */
import { type Schema, SchemaAST, type SchemaIssue } from "effect"
import { error, type Finding, nearest, type Path } from "./Problem.ts"
import { durationExpected, sizeExpected } from "./Terms.ts"
import { durationPattern } from "./Units.ts"

/** All findings of a decoding error, in the order of the document's keys. `value` is what was decoded. */
export const findingsOf = (issue: SchemaIssue.Issue, value: unknown): ReadonlyArray<Finding> => walk(issue, [], value)

const walk = (issue: SchemaIssue.Issue, path: Path, root: unknown): ReadonlyArray<Finding> => {
  switch (issue._tag) {
    case "Pointer":
      return walk(issue.issue, [...path, ...issue.path.map(segment)], root)
    case "Encoding":
      return walk(issue.issue, path, root)
    case "Filter":
      return [wanted(path, expectedOf(issue.filter.annotations) ?? "another value", root)]
    case "Composite":
      return onePerNumber(withoutRepeats(issue.issues.flatMap((one) => walk(one, path, root))), root)
    case "AnyOf":
      return alternatives(issue, path, root)
    case "MissingKey":
      if (typeof path.at(-1) === "number") return [tooFew(path)]
      return [{ ...error(path, "this key is missing", `Add \`${String(path.at(-1))}:\`.`, ""), atKey: true }]
    case "UnexpectedKey":
      return [unknownKey(path, issue.ast)]
    case "InvalidType":
      return [isReference(issue.ast) ? notReference(path, root) : wanted(path, choice(issue.ast), root)]
    default:
      return [wanted(path, expectedOf("annotations" in issue ? issue.annotations : undefined) ?? "another value", root)]
  }
}

/** A list that needs more entries than it has. */
const tooFew = (path: Path): Finding => {
  const least = Number(path.at(-1)) + 1
  const rule = `the list needs ${least === 1 ? "an entry" : `${least} entries`}`
  return error(path.slice(0, -1), rule, "Add a line that begins with `- `, or one more value between the brackets.", "")
}

const segment = (key: PropertyKey): string | number => (typeof key === "number" ? key : String(key))

const expectedOf = (annotations: Schema.Annotations.Annotations | undefined): string | undefined => {
  const expected = annotations?.["expected"]
  return typeof expected === "string" ? expected : undefined
}

/** One line for each place: two rules of one text say the same. */
const withoutRepeats = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> => {
  const seen = new Set<string>()
  return findings.filter((one) => {
    const key = JSON.stringify([one.path, one.rule])
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** A number that breaks several rules is told the last of them, which has its bounds. */
const onePerNumber = (findings: ReadonlyArray<Finding>, root: unknown): ReadonlyArray<Finding> => {
  const last = new Map(findings.map((one) => [JSON.stringify(one.path), one]))
  return findings.filter((one) => typeof at(root, one.path) !== "number" || last.get(JSON.stringify(one.path)) === one)
}

/** None of several schemas fits: what the nearest of them finds wrong inside, or all of them as a choice. */
const alternatives = (issue: SchemaIssue.AnyOf, path: Path, root: unknown): ReadonlyArray<Finding> => {
  const inner = issue.issues.flatMap((one) => walk(one, path, root))
  if (inner.some((one) => one.path.length > path.length)) return inner
  const found = at(root, path)
  const kinds = SchemaAST.isUnion(issue.ast) ? leavesOf(issue.ast).flatMap((one) => kindOf(one) ?? []) : []
  if (kinds.length > 0 && typeof found === "object" && found !== null && !Array.isArray(found))
    return [wanted([...path, "kind"], oneOf(kinds), root)]
  return [wanted(path, choice(issue.ast), root)]
}

/** What a schema wants, in words. */
const choice = (ast: SchemaAST.AST): string => {
  const own = expectedOf(SchemaAST.resolve(ast))
  if (own !== undefined) return own
  if (SchemaAST.isLiteral(ast)) return String(ast.literal)
  if (SchemaAST.isUnion(ast)) return oneOf(leavesOf(ast).map(choice))
  if (SchemaAST.isObjects(ast)) return kindOf(ast) === undefined ? mapping(ast) : `a mapping with kind: ${kindOf(ast)}`
  if (SchemaAST.isArrays(ast)) return list(ast)
  if (SchemaAST.isString(ast)) return "a text"
  return "another kind of value"
}

/** A list, with what its entries are. */
const list = ({ elements, rest }: SchemaAST.Arrays): string => {
  const [entry] = [...elements, ...rest]
  return entry === undefined ? "a list" : `a list; each entry is ${choice(entry)}`
}

/** A mapping, with the keys that it needs; where it needs none, with one that it may have. */
const mapping = ({ propertySignatures }: SchemaAST.Objects): string => {
  const isNeeded = (type: SchemaAST.AST) =>
    !SchemaAST.isOptional(type) && SchemaAST.resolve(type)?.["default"] === undefined
  const needed = propertySignatures.filter(({ type }) => isNeeded(type)).map(({ name }) => `${String(name)}: ...`)
  const [some] = propertySignatures
  const keys = needed.length > 0 || some === undefined ? needed : [`${String(some.name)}: ...`]
  return keys.length === 0 ? "a mapping" : `a mapping such as { ${keys.join(", ")} }`
}

/** The members of a union and of the unions in it. */
const leavesOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> =>
  SchemaAST.isUnion(ast) && expectedOf(SchemaAST.resolve(ast)) === undefined ? ast.types.flatMap(leavesOf) : [ast]

/** The `kind` of a mapping that says of itself what it is. */
const kindOf = (ast: SchemaAST.AST): string | undefined => {
  const kind = SchemaAST.isObjects(ast) ? ast.propertySignatures.find(({ name }) => name === "kind")?.type : undefined
  return kind !== undefined && SchemaAST.isLiteral(kind) ? String(kind.literal) : undefined
}

const oneOf = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`

const wanted = (path: Path, expected: string, root: unknown): Finding =>
  error(path, `expected ${expected}`, fix(at(root, path), expected))

/** A secret is named by where it is: nothing but a variable or a file. */
const isReference = (ast: SchemaAST.AST): boolean =>
  SchemaAST.isObjects(ast) &&
  ast.propertySignatures.length > 0 &&
  ast.propertySignatures.every(({ name }) => name === "env" || name === "file")

/** What is in the place of such a name may be the secret itself: it is not shown. */
const notReference = (path: Path, root: unknown): Finding =>
  error(
    path,
    "expected where a secret is, and never the secret",
    "Write `{ env: VARIABLE }` or `{ file: PATH }`.",
    at(root, path) === null ? "nothing" : "something else, which is not shown"
  )

/** What to write instead, as near as possible to what was meant. */
const fix = (found: unknown, expected: string): string => {
  if (found === null) return "Write a value behind the colon, or leave the key out."
  if (expected.startsWith(durationExpected)) return durationFix(found)
  if (expected === sizeExpected) {
    return isQuantity(found) ? `Write it with its unit, as "${found} B".` : 'Write it as "4 MiB".'
  }
  if (typeof found === "string" && isBareMeant(found, expected)) return "Remove the quotes."
  if (isQuantity(found) && /in quotes|a text|a name/.test(expected)) {
    return "Put it in quotes: YAML reads bare digits as a number."
  }
  const [plain] = expected.split(" (") as [string]
  const words = plain.split(/, | or /).filter((one) => !one.includes(" "))
  const meant = typeof found === "string" ? nearest(found, words) : undefined
  return meant === undefined ? `Write ${plain}.` : `Did you mean \`${meant}\`?`
}

/** Whether a number or a truth value is wanted, and is there as a text. */
const isBareMeant = (found: string, expected: string): boolean =>
  (/^a whole number|^an integer/.test(expected) && /^-?\d+$/.test(found)) ||
  (expected === "true or false" && /^(?:true|false)$/.test(found))

/** A number that can be written with a unit or in quotes: neither .inf nor .nan. */
const isQuantity = (found: unknown): found is number => typeof found === "number" && Number.isFinite(found)

const durationMost = 'Write "24 hours" at most.'

/** Letters of a unit, and its words for one and for more. */
const unitWords: Readonly<Record<string, readonly [one: string, more: string]>> = {
  ms: ["millisecond", "millis"],
  s: ["second", "seconds"],
  sec: ["second", "seconds"],
  m: ["minute", "minutes"],
  min: ["minute", "minutes"],
  h: ["hour", "hours"]
}

const durationFix = (found: unknown): string => {
  if (isQuantity(found) && found > 0)
    return found === 1
      ? 'Write it as "1 second" or "1 millisecond", whichever is meant.'
      : `Write it as "${found} seconds" or "${found} millis", whichever is meant.`
  if (typeof found === "string" && /^[\d.]+ days?$/.test(found)) return durationMost
  if (typeof found === "string" && durationPattern.test(found))
    return Number.parseFloat(found) < 1 ? 'Write "1 millisecond" at least.' : durationMost
  const short = typeof found === "string" ? /^([\d.]+) ?(ms|s|sec|m|min|h)$/.exec(found) : null
  if (typeof found === "string" && /^\d+(?:\.\d+)?$/.test(found)) return durationFix(Number(found))
  if (short === null) return 'Write it as "15 seconds".'
  const [, number, letters = ""] = short
  const [one, more] = unitWords[letters]!
  return `Write it as "${number} ${number === "1" ? one : more}".`
}

const unknownKey = (path: Path, ast: SchemaAST.AST): Finding => {
  const key = String(path.at(-1))
  const known = SchemaAST.isObjects(ast) ? ast.propertySignatures.map(({ name }) => String(name)) : []
  const meant = nearest(key, known)
  const hint = meant === undefined ? `Known here: ${known.join(", ")}.` : `Did you mean \`${meant}\`?`
  return { ...error(path, `the key \`${key}\` is not known here`, hint, ""), atKey: true }
}

/** The value at a path; `undefined` where there is none. */
export const at = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, part)
        ? (value as Record<string | number, unknown>)[part]
        : undefined,
    root
  )
