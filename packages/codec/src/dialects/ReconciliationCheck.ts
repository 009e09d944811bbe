/** What can be wrong in `reconciliation` of a dialect file: each mistake with its place, and what the dialect contradicts. */
import type { Dialect } from "../iso8583/Dialect.ts"
import { reconciliationFields, totalsKinds, totalsSums } from "../iso8583/Reconciliation.ts"
import { type DialectInvalid, dialectInvalid, isMembers, type Members, memberErrors } from "./DialectCheck.ts"

const any = { says: "", fits: () => true }
const field = { says: "a field number is expected", fits: Number.isInteger }
const isText = (value: unknown): boolean => typeof value === "string" && value !== ""
const word = { says: "a text is expected", fits: isText }

const rules: Members = { types: any, totals: any, net: any, outcome: any }
const outcome: Members = { field, inBalance: word, outOfBalance: word, notKnown: word }
const net: Members = { de: field, positive: word, negative: word }
const places: Members = Object.fromEntries(totalsSums.map((sum) => [sum, field]))

const whole = (value: unknown, path: string, members: Members, needed: ReadonlyArray<string>) =>
  isMembers(value)
    ? [
        ...memberErrors(value, path, members),
        ...needed
          .filter((member) => value[member] === undefined)
          .map((member) => dialectInvalid(`${path}.${member}`, "is missing"))
      ]
    : [dialectInvalid(path, `its members are expected: ${Object.keys(members).join(", ")}`)]

const typesErrors = (value: unknown): ReadonlyArray<DialectInvalid> => {
  const path = "reconciliation.types"
  if (!isMembers(value))
    return [dialectInvalid(path, "what each first digit of the processing code counts as is expected")]
  return Object.entries(value).flatMap(([code, kind]) => [
    ...(/^\d{1,2}$/.test(code)
      ? []
      : [dialectInvalid(`${path}.${code}`, "one or two digits of the processing code are expected")]),
    ...(totalsKinds.some((one) => one === kind)
      ? []
      : [dialectInvalid(`${path}.${code}`, `one of ${totalsKinds.join(", ")} is expected`)])
  ])
}

const totalsErrors = (value: unknown): ReadonlyArray<DialectInvalid> => {
  const path = "reconciliation.totals"
  const kinds: Members = Object.fromEntries(totalsKinds.map((kind) => [kind, any]))
  if (!isMembers(value)) return whole(value, path, kinds, [])
  return [
    ...memberErrors(value, path, kinds),
    ...Object.entries(value).flatMap(([kind, given]) => whole(given, `${path}.${kind}`, places, []))
  ]
}

/** Mistakes in the rules as the file has them. */
export const reconciliationErrors = (given: unknown): ReadonlyArray<DialectInvalid> => {
  if (given === undefined || given === null) return []
  const path = "reconciliation"
  const wrong = whole(given, path, rules, ["types", "totals", "outcome"])
  if (!isMembers(given)) return wrong
  return [
    ...wrong,
    ...(given["types"] === undefined ? [] : typesErrors(given["types"])),
    ...(given["totals"] === undefined ? [] : totalsErrors(given["totals"])),
    ...(given["net"] === undefined ? [] : whole(given["net"], `${path}.net`, net, ["de", "positive", "negative"])),
    ...(given["outcome"] === undefined
      ? []
      : whole(given["outcome"], `${path}.outcome`, outcome, ["inBalance", "outOfBalance", "notKnown"]))
  ]
}

/** Fields that the rules name and the dialect does not define. */
export const reconciliationRelations = ({ fields, reconciliation }: Dialect): ReadonlyArray<DialectInvalid> =>
  reconciliation === undefined
    ? []
    : [...new Set(reconciliationFields(reconciliation))]
        .filter((de) => fields[de] === undefined)
        .map((de) => dialectInvalid("reconciliation", `field ${de} is named but not defined`))
