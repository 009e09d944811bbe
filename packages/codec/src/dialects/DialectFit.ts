/**
 * Whether what a dialect says of its fields fits them: codes that the switch writes, the MAC, the types of its own messages; and
 * whether a field is to be kept that is kept nowhere. A switch would notice only with the first message that needs it.
 */
import type { Dialect } from "../iso8583/Dialect.ts"
import { type FieldLayout, fieldLayout } from "../iso8583/Field.ts"
import { answerRulesOf, rolesOf } from "../iso8583/Roles.ts"
import { contentRule, unitsOf } from "../iso8583/Value.ts"
import { type DialectInvalid, dialectInvalid } from "./DialectCheck.ts"

/** Whether a text can be written into a field: its length, and each of its characters. */
export const fits = (field: FieldLayout, value: string): boolean => {
  const units = unitsOf(field, value)
  if (typeof units !== "number" || units === 0) return false
  return (field.fixed < 0 ? units <= field.units : units === field.units) && contentRule(field, value) === undefined
}

/** All that is named and does not fit, or may not be. */
export const fitErrors = (dialect: Dialect): ReadonlyArray<DialectInvalid> => [
  ...codeErrors(dialect),
  ...ownErrors(dialect),
  ...macErrors(dialect),
  ...typeErrors(dialect),
  ...keptErrors(dialect)
]

const layoutOf = ({ encodings, fields, version }: Dialect, de: number): FieldLayout | undefined => {
  const definition = fields[de]
  return definition === undefined ? undefined : fieldLayout(de, definition, encodings, version)
}

/** Codes that the switch writes into a field: of its answers and of its network management. */
const codeErrors = (dialect: Dialect): ReadonlyArray<DialectInvalid> => {
  const { network, refusal } = dialect
  const { accepted, approved } = answerRulesOf(dialect)
  const codes = (place: string, de: number, given: object): ReadonlyArray<DialectInvalid> => {
    const field = layoutOf(dialect, de)
    if (field === undefined) return []
    return Object.entries(given)
      .filter(([, code]) => typeof code === "string" && !fits(field, code))
      .map(([name, code]) =>
        dialectInvalid(`${place}.${name}`, `"${code}" does not fit field ${de}, which is ${field.format}`)
      )
  }
  const { responseCode } = rolesOf(dialect)
  return [
    ...codes("refusal", responseCode, refusal),
    ...codes("answers", responseCode, { accepted, approved }),
    ...(network === undefined ? [] : codes("network.codes", network.field, network.codes))
  ]
}

/** Digits of a STAN of ours, and of a date with its time. */
const STAN_DIGITS = 6
const TIME_DIGITS = 10

/** Fields of messages of our own, where the dialect has them: their time, their STAN, what a reversal says of its original. */
const ownErrors = (dialect: Dialect): ReadonlyArray<DialectInvalid> => {
  const { network, reversal } = dialect
  const { stan, transmissionTime } = rolesOf(dialect)
  const written = new Set([...(network?.fields ?? []), ...(reversal?.renews ?? [])])
  const parts = reversal?.originalData?.parts ?? []
  const digits = parts.reduce((sum, part) => sum + part.digits + (part.length === "counted" ? 2 : 0), 0)
  const own: ReadonlyArray<readonly [number, number, string]> = [
    [stan, STAN_DIGITS, "a STAN of ours"],
    [transmissionTime, TIME_DIGITS, "the time of a message of ours"],
    [reversal?.originalData?.field ?? 0, digits, "what a reversal says of its original"]
  ]
  return own.flatMap(([de, length, what], at) => {
    const field = at < 2 && !written.has(de) ? undefined : layoutOf(dialect, de)
    if (field === undefined) return []
    const places = de === stan && field.fixed >= 0 ? Math.max(length, field.units) : length
    if (fits(field, "0".repeat(places))) return []
    return [dialectInvalid(`fields.${de}`, `it is ${field.format}, and ${what} has ${length} digits`)]
  })
}

/** A MAC is bytes, or their hex digits in a text. */
const macErrors = (dialect: Dialect): ReadonlyArray<DialectInvalid> => {
  const { mac } = dialect.security ?? {}
  if (mac === undefined || mac.field === "last") return []
  const field = layoutOf(dialect, mac.field)
  if (field === undefined || (/^(?:b|an|ans|ansb|ns)$/.test(field.content) && field.units >= mac.bytes)) return []
  const rule = `field ${mac.field} is ${field.format} and cannot hold a MAC of ${mac.bytes} bytes`
  return [dialectInvalid("security.mac.field", rule)]
}

/** The class and the function of the messages that the switch sends by itself. */
const typeErrors = ({ network, reversal }: Dialect): ReadonlyArray<DialectInvalid> => {
  const isOf = (mti: number, kind: number) => Math.floor(mti / 100) % 10 === kind && Math.floor(mti / 10) % 2 === 0
  return [
    ...(network === undefined || isOf(network.mti, 8)
      ? []
      : [dialectInvalid("network.mti", "the type of a request of network management is expected, like 800 or 1804")]),
    ...(reversal === undefined || isOf(reversal.mti, 4)
      ? []
      : [dialectInvalid("reversal.mti", "the type of a reversal is expected, like 420 or 1420")])
  ]
}

/** Lists of fields whose values are kept until an answer or a repeat comes, some of them on disk. */
const keptErrors = (dialect: Dialect): ReadonlyArray<DialectInvalid> => {
  const { answers, match, reversal } = dialect
  const lists: ReadonlyArray<readonly [string, ReadonlyArray<number>]> = [
    ["match.transaction", match.transaction],
    ["match.networkManagement", match.networkManagement],
    ["answers.givenAgain", answers?.givenAgain ?? []],
    ["reversal.copies", reversal?.copies ?? []]
  ]
  return lists.flatMap(([path, fields]) =>
    fields
      .filter((de) => layoutOf(dialect, de)?.sensitivity === "sad")
      .map((de) => dialectInvalid(path, `field ${de} is sensitive authentication data, which is kept nowhere`))
  )
}
