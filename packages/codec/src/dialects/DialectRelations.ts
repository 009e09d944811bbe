/**
 * What can be wrong in what a dialect file makes together with its base: fields that cannot be written, fields that are named and
 * not defined, a reversal that would not find its original.
 */
import { type Dialect, isSuccess, layout, type ReversalReasons } from "../iso8583/Dialect.ts"
import { CoverInvalid } from "../iso8583/Elements.ts"
import { type FieldLayout, fieldLayout } from "../iso8583/Field.ts"
import { rolesOf } from "../iso8583/Roles.ts"
import { type DialectInvalid, dialectInvalid, optional, parts } from "./DialectCheck.ts"
import { fitErrors, fits } from "./DialectFit.ts"

/** Why a reversal of ours is made. */
const reasons: ReadonlyArray<keyof ReversalReasons> = ["noAnswer", "late", "undelivered"]

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What a length prefix of this many bytes can say. */
const prefixMax = ({ prefix, prefixBytes }: FieldLayout): number =>
  ({ ascii: 10, ebcdic: 10, hex: 16, bcd: 100, binary: 256 })[prefix] ** prefixBytes - 1

/** A field whose format cannot be what the partner's table says: nothing fits, or its longest value has no prefix. */
const sizeErrors = (field: FieldLayout): ReadonlyArray<DialectInvalid> => {
  const { content, countMax, de, prefixDigits, structure, units } = field
  const path = `fields.${de}`
  if (units === (content === "xn" ? 1 : 0)) return [dialectInvalid(path, "a length of at least 1 is expected")]
  if (prefixDigits > 0 && countMax > prefixMax(field))
    return [
      dialectInvalid(
        path,
        `its length prefix says ${prefixMax(field)} at most: write one more dot, or a smaller length`
      )
    ]
  const parts = structure?.style === "positional" ? structure.parts : []
  const bytes = parts.reduce((sum, { length = 0 }) => sum + length, 0)
  return bytes > units
    ? [
        dialectInvalid(
          path,
          `its parts have ${bytes} places, and the field ${units}: write its own, or \`structure: null\` for none`
        )
      ]
    : []
}

/** Lists of fields that a dialect names elsewhere than in `fields`. */
const namedFields = ({
  match,
  echo,
  network,
  reversal,
  adviceNeeds,
  answers,
  roles,
  security
}: Dialect): ReadonlyArray<readonly [string, ReadonlyArray<number>]> => [
  ["match.transaction", match.transaction],
  ["match.networkManagement", match.networkManagement],
  ["echo", echo],
  ["adviceNeeds", adviceNeeds ?? []],
  ["network.fields", network?.fields ?? []],
  ["network.field", network?.field === undefined ? [] : [network.field]],
  ["answers.leastEcho", answers?.leastEcho ?? []],
  ["roles", Object.values(roles ?? {})],
  // Field 0 is the message type. What a MAC covers is left out where it is not there.
  ["security.mac.field", typeof security?.mac?.field === "number" ? [security.mac.field] : []],
  ["security.pin.field", [security?.pin?.field ?? []].flat()],
  ["security.pin.control.field", [security?.pin?.control?.field ?? []].flat()],
  ["reversal.copies", reversal?.copies ?? []],
  ["reversal.renews", reversal?.renews ?? []],
  ["reversal.sets", Object.keys(reversal?.sets ?? {}).map(Number)],
  ["reversal.originalData.field", reversal?.originalData === undefined ? [] : [reversal.originalData.field]],
  ["reversal.partial.remains", [reversal?.partial?.remains ?? []].flat()],
  ["reversal.partial.original", [reversal?.partial?.original ?? []].flat()],
  ["reversal.partial.function.field", [reversal?.partial?.function?.field ?? []].flat()]
]

/** A reversal can get a new value only where the switch has one, and its original data must be enough to find the original. */
const reversalErrors = (dialect: Dialect): ReadonlyArray<DialectInvalid> => {
  const { match, reversal } = dialect
  // What is missing is told by `lacks`.
  if (reversal?.originalData?.parts === undefined || reversal.renews === undefined) return []
  const { forwarder, stan, transmissionTime } = rolesOf(dialect)
  const { parts } = reversal.originalData
  const own = [transmissionTime, stan, forwarder]
  const named = new Set(parts.map(({ de }) => de))
  const varies = parts.findIndex(({ length = "fixed" }) => length !== "fixed")
  return [
    ...reversal.renews
      .filter((de) => !own.includes(de))
      .map((de) => dialectInvalid("reversal.renews", `field ${de} cannot be written again, only ${own.join(", ")}`)),
    ...own
      .filter((de) => dialect.fields[de] !== undefined && !reversal.renews.includes(de))
      .filter((de) => de === stan || match.transaction.includes(de))
      .map((de) => dialectInvalid("reversal.renews", `field ${de} is expected: a reversal has a key of its own`)),
    ...[transmissionTime, stan]
      .filter((de) => match.transaction.includes(de) && !named.has(de))
      .map((de) =>
        dialectInvalid("reversal.originalData.parts", `field ${de} is expected: it is in match.transaction`)
      ),
    ...(varies >= 0 && varies < parts.length - 1 && parts[varies]!.length === "rest"
      ? [dialectInvalid("reversal.originalData.parts", "the part that takes the rest must be the last")]
      : [])
  ]
}

/** A value that a reversal gets has to fit its field, and may be nothing by which the reversal or its original is known. */
const setErrors = ({ encodings, fields, match, reversal, version }: Dialect): ReadonlyArray<DialectInvalid> => {
  const known = [...match.transaction, reversal?.originalData.field, ...(reversal?.renews ?? [])]
  return Object.entries(reversal?.sets ?? {}).flatMap(([key, value]) => {
    const de = Number(key)
    const path = `reversal.sets.${key}`
    const values = valuesOf(value)
    if (values === undefined) return [dialectInvalid(path, setsRule)]
    if (known.includes(de)) return [dialectInvalid(path, `field ${de} is what a reversal or its original is known by`)]
    const field = fieldLayout(de, fields[de]!, encodings, version)
    return values
      .filter((one) => !fits(field, one))
      .map((one) => dialectInvalid(path, `"${one}" does not fit field ${de}, which is ${field.format}`))
  })
}

const setsRule = `a value in quotes is expected, like "400", or one for each of ${reasons.join(", ")}`

/** The values that a reversal's field may get; `undefined`: it is neither a value nor one for each reason. */
const valuesOf = (value: unknown): ReadonlyArray<string> | undefined => {
  if (typeof value === "string") return [value]
  if (typeof value !== "object" || value === null) return undefined
  const given: { readonly [reason: string]: unknown } = { ...value }
  const isWhole = Object.keys(given).length === reasons.length
  const values = reasons.map((reason) => given[reason])
  return isWhole && values.every((one) => typeof one === "string") ? values : undefined
}

/** What a part lacks that neither the file nor its base says. */
const lacks = (dialect: Dialect): ReadonlyArray<DialectInvalid> =>
  (["network", "reversal"] as const).flatMap((name) => {
    const part: object | undefined = dialect[name]
    if (part === undefined) return []
    return Object.keys(parts[name]!)
      .filter((member) => !Object.hasOwn(part, member) && !optional.has(`${name}.${member}`))
      .map((member) => dialectInvalid(`${name}.${member}`, "is missing, and there is no base to take it from"))
  })

/** The same of `security`, whose parts may be left out as a whole. */
const securityLacks = ({ security }: Dialect): ReadonlyArray<DialectInvalid> => {
  const missing = (place: string, part: object | undefined, members: ReadonlyArray<string>) =>
    members
      .filter((member) => part !== undefined && !Object.hasOwn(part, member))
      .map((member) => dialectInvalid(`${place}.${member}`, "is missing, and there is no base to take it from"))
  return [
    ...missing("security.mac", security?.mac, ["field", "messages", "text", "fields", "form", "bytes"]),
    ...missing("security.pin", security?.pin, ["field"]),
    ...missing("security.pin.control", security?.pin?.control, ["field", "format"])
  ]
}

/** Bytes of the shortest PIN block: all formats have 8 but `iso4`, which has 16. */
const PIN_BLOCK_BYTES = 8

/** A PIN block is bytes, and its field holds at least one. */
const pinErrors = ({ encodings, fields, security, version }: Dialect): ReadonlyArray<DialectInvalid> => {
  const de = security?.pin?.field ?? 0
  const definition = fields[de]
  if (definition === undefined) return []
  const { bytes, format, units } = fieldLayout(de, definition, encodings, version)
  if (bytes && units >= PIN_BLOCK_BYTES) return []
  const rule = `field ${de} is ${format} and cannot hold a PIN block: b${PIN_BLOCK_BYTES} is expected, b16 for iso4`
  return [dialectInvalid("security.pin.field", rule)]
}

/** A code of a refusal by which the partner would read an approval. */
const refusalErrors = (dialect: Dialect): ReadonlyArray<DialectInvalid> =>
  Object.entries(dialect.refusal)
    .filter(([, code]) => isSuccess(dialect, code))
    .map(([rule, code]) => dialectInvalid(`refusal.${rule}`, `"${code}" approves: a code that refuses is expected`))

/** What to write where a whole part hangs on a field that is not there. */
const hints: { readonly [path: string]: string } = {
  "network.field": "; write `network: null` when the partner has no network management",
  "reversal.originalData.field": "; write `reversal: null` when nothing is reversed"
}

/** Mistakes in what the file makes together with its base: fields that cannot be written, and fields named but not defined. */
export const relationErrors = (dialect: Dialect): ReadonlyArray<DialectInvalid> => {
  const wrong: Array<DialectInvalid> = []
  for (const [de, definition] of Object.entries(dialect.fields)) {
    try {
      wrong.push(...sizeErrors(fieldLayout(Number(de), definition, dialect.encodings, dialect.version)))
    } catch (error) {
      const place = error instanceof CoverInvalid ? `fields.${de}.sensitivity` : `fields.${de}`
      wrong.push(dialectInvalid(place, message(error).replace(/^field \d+: /, "")))
    }
  }
  if (wrong.length === 0) {
    try {
      layout(dialect)
    } catch (error) {
      wrong.push(dialectInvalid("fields", message(error)))
    }
  }
  wrong.push(...lacks(dialect), ...securityLacks(dialect))
  for (const [path, fields] of namedFields(dialect))
    for (const de of fields)
      if (dialect.fields[de] === undefined)
        wrong.push(dialectInvalid(path, `field ${de} is named but not defined${hints[path] ?? ""}`))
  for (const de of dialect.adviceNeeds ?? [])
    if (dialect.fields[de]?.sensitivity === "sad")
      wrong.push(dialectInvalid("adviceNeeds", `field ${de} is sensitive authentication data, which is kept nowhere`))
  if (dialect.match.transaction.length === 0)
    wrong.push(dialectInvalid("match.transaction", "at least one field is needed to find the request of an answer"))
  wrong.push(...reversalErrors(dialect))
  if (wrong.length === 0)
    wrong.push(...pinErrors(dialect), ...setErrors(dialect), ...refusalErrors(dialect), ...fitErrors(dialect))
  return wrong
}
