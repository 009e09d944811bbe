/**
 * What can be wrong in `keyExchange` of a dialect file: each mistake with its place, and what the list and the rest of the
 * dialect say that cannot both be true.
 */
import type { Dialect } from "../iso8583/Dialect.ts"
import { type KeyMessage, keyCiphers, keyForms, keyKinds, keyWraps, neededFields } from "../iso8583/KeyExchange.ts"
import {
  type DialectInvalid,
  dialectInvalid,
  type Expected,
  isMembers,
  type Members,
  memberErrors
} from "./DialectCheck.ts"

const any: Expected = { says: "", fits: () => true }
const isText = (value: unknown): boolean => typeof value === "string" && value !== ""
const text: Expected = { says: "a text in quotes is expected", fits: isText }
const isAtLeast = (least: number, most: number) => (value: unknown) =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most
const field: Expected = { says: "a field number is expected", fits: isAtLeast(2, 192) }
const place: Expected = { says: "a position from 0 is expected", fits: isAtLeast(0, 999) }
const length: Expected = { says: "a number of positions is expected", fits: isAtLeast(1, 999) }
const seconds: Expected = { says: "a number of seconds, 0 to 86400, is expected", fits: isAtLeast(0, 86_400) }
const fields: Expected = {
  says: "a list of field numbers is expected",
  fits: (value) => Array.isArray(value) && value.every(isAtLeast(0, 192))
}
const type: Expected = {
  says: "a message type as a number without leading zeros is expected, like 820",
  fits: isAtLeast(1, 9999)
}

const exchange: Members = {
  name: text,
  ask: any,
  deliver: any,
  kind: any,
  algorithm: any,
  parts: any,
  wrap: keyWraps,
  mac: any,
  answer: any,
  window: seconds,
  wait: seconds,
  covers: ["both", "giver"]
}
const message: Members = { mti: type, code: any, values: any, fields }
const code: Members = { de: field, at: place, value: text }
const statement: Members = { de: field, at: place, values: any }
const spot: Members = { de: field, at: place, length, form: keyForms }
const part: Members = {
  ...spot,
  begins: text,
  whole: length,
  kind: keyKinds,
  algorithm: keyCiphers,
  check: any
}
const check: Members = { ...spot, method: ["zeros", "cmac"] }
const mac: Members = {
  fields,
  request: ["ifPresent", "required", "none"],
  answer: ["new", "current", "none"]
}
const answer: Members = { fields, refusals: any }
const refusals: Members = { mac: text, key: text, store: text }

/** Mistakes in one object, and members that it must have and does not. */
const whole = (
  value: unknown,
  path: string,
  members: Members,
  needed: ReadonlyArray<string>
): ReadonlyArray<DialectInvalid> => [
  ...memberErrors(value, path, members),
  ...(isMembers(value)
    ? needed.filter((name) => value[name] === undefined).map((name) => dialectInvalid(`${path}.${name}`, "is missing"))
    : [])
]

const messageErrors = (value: unknown, path: string): ReadonlyArray<DialectInvalid> => [
  ...whole(value, path, message, ["mti", "code", "fields"]),
  ...(isMembers(value) && value["code"] !== undefined
    ? whole(value["code"], `${path}.code`, code, ["de", "value"])
    : [])
]

const saidErrors = (value: unknown, path: string, meanings: ReadonlyArray<string>): ReadonlyArray<DialectInvalid> => {
  if (typeof value === "string")
    return meanings.includes(value) ? [] : [dialectInvalid(path, `one of ${meanings.join(", ")} is expected`)]
  const wrong = whole(value, path, statement, ["de", "at", "values"])
  if (!isMembers(value) || wrong.length > 0) return wrong
  const { values } = value
  if (!isMembers(values)) return [dialectInvalid(`${path}.values`, "characters and their meanings are expected")]
  return Object.entries(values)
    .filter(([, meaning]) => !meanings.includes(String(meaning)))
    .map(([said]) => dialectInvalid(`${path}.values.${said}`, `one of ${meanings.join(", ")} is expected`))
}

const partErrors = (value: unknown, path: string): ReadonlyArray<DialectInvalid> => [
  ...whole(value, path, part, ["de", "at", "form"]),
  ...(isMembers(value) && value["check"] !== undefined
    ? whole(value["check"], `${path}.check`, check, ["de", "at", "form", "method"])
    : [])
]

const oneErrors = (value: unknown, path: string): ReadonlyArray<DialectInvalid> => {
  const wrong = [...whole(value, path, exchange, ["name", "parts", "wrap", "window", "wait", "covers"])]
  if (!isMembers(value)) return wrong
  for (const name of ["ask", "deliver"])
    if (value[name] !== undefined) wrong.push(...messageErrors(value[name], `${path}.${name}`))
  if (value["ask"] === undefined && value["deliver"] === undefined)
    wrong.push(
      dialectInvalid(path, "`deliver`, the message that brings a key, is expected, or `ask`, whose answer does")
    )
  if (value["deliver"] !== undefined && value["answer"] === undefined)
    wrong.push(dialectInvalid(`${path}.answer`, "is missing: `deliver` is answered"))
  if (value["kind"] !== undefined) wrong.push(...saidErrors(value["kind"], `${path}.kind`, keyKinds))
  if (value["algorithm"] !== undefined) wrong.push(...saidErrors(value["algorithm"], `${path}.algorithm`, keyCiphers))
  if (value["mac"] !== undefined) wrong.push(...whole(value["mac"], `${path}.mac`, mac, ["request", "answer"]))
  const given = value["answer"]
  if (given !== undefined) {
    wrong.push(...whole(given, `${path}.answer`, answer, ["fields", "refusals"]))
    if (isMembers(given) && given["refusals"] !== undefined)
      wrong.push(...whole(given["refusals"], `${path}.answer.refusals`, refusals, ["mac", "key", "store"]))
  }
  const { parts } = value
  if (parts === undefined) return wrong
  if (!Array.isArray(parts) || parts.length === 0)
    return [...wrong, dialectInvalid(`${path}.parts`, "a list of the places where a key may be is expected")]
  return [...wrong, ...parts.flatMap((one, n) => partErrors(one, `${path}.parts.${n + 1}`))]
}

const nameOf = (value: unknown, n: number): string =>
  isMembers(value) && typeof value["name"] === "string" && value["name"] !== "" ? value["name"] : String(n + 1)

/** Mistakes in the list as the file has it. */
export const keyExchangeErrors = (list: unknown): ReadonlyArray<DialectInvalid> => {
  if (list === undefined || list === null) return []
  if (!Array.isArray(list)) return [dialectInvalid("keyExchange", "a list of exchanges is expected, or null for none")]
  const names = list.map(nameOf)
  return [
    ...list.flatMap((one, n) => oneErrors(one, `keyExchange.${names[n]}`)),
    ...names
      .filter((name, n) => names.indexOf(name) < n)
      .map((name) => dialectInvalid(`keyExchange.${name}`, "this name is taken by another exchange"))
  ]
}

const fieldsOfMessage = (one: KeyMessage | undefined): ReadonlyArray<number> =>
  one === undefined ? [] : [one.code.de, ...Object.keys(one.values ?? {}).map(Number), ...one.fields]

/** What an exchange says that the rest of the dialect contradicts. */
export const keyExchangeRelations = ({ fields, keyExchange, security }: Dialect): ReadonlyArray<DialectInvalid> =>
  (keyExchange ?? []).flatMap((one) => {
    const path = `keyExchange.${one.name}`
    const named = [...neededFields(one), ...fieldsOfMessage(one.ask), ...fieldsOfMessage(one.deliver)]
    const missing = [...new Set(named)].filter((de) => fields[de] === undefined)
    const isSaid = (said: string | object | undefined, member: "kind" | "algorithm") =>
      said !== undefined || one.wrap === "tr31" || one.parts.every((place) => place[member] !== undefined)
    return [
      ...missing.map((de) => dialectInvalid(path, `field ${de} is named but not defined`)),
      ...(isSaid(one.kind, "kind")
        ? []
        : [dialectInvalid(`${path}.kind`, "is expected: nothing says what the key is for")]),
      ...(isSaid(one.algorithm, "algorithm")
        ? []
        : [dialectInvalid(`${path}.algorithm`, "is expected: nothing says which cipher the key is for")]),
      ...(one.mac !== undefined && security?.mac === undefined
        ? [dialectInvalid(`${path}.mac`, "needs `security.mac`, which says where a MAC is")]
        : [])
    ]
  })
