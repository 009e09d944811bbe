/**
 * What can be wrong in a dialect file, all of it at once, each mistake with its place and what is expected there. Checks the file
 * as it is written; what it makes together with its base is checked by `relationErrors`. Nothing is guessed or repaired.
 */
import { headerErrors } from "../iso8583/Header.ts"
import { standardRoles } from "../iso8583/Roles.ts"
import { pinFormats } from "../iso8583/Security.ts"
import { fieldsOfKey } from "./Derive.ts"
import { headers } from "./Headers.ts"

/** What is wrong in a dialect file. */
export interface DialectInvalid {
  readonly _tag: "DialectInvalid"
  /** Names down to the place, like `fields.60.format`; "" for the whole file. */
  readonly path: string
  readonly rule: string
}

/** Makes the error. */
export const dialectInvalid = (path: string, rule: string): DialectInvalid => ({ _tag: "DialectInvalid", path, rule })

/** Whether a value of a file has members; a list has none, nor has what YAML's tags make (`!!set`, `!!binary`). */
export const isMembers = (value: unknown): value is Record<string, unknown> =>
  Object.prototype.toString.call(value) === "[object Object]"

const encodings = ["ascii", "gbk", "ebcdic", "ebcdic1047", "bcd", "binary", "hex"]
const prefixes = ["ascii", "ebcdic", "bcd", "binary", "hex"]
const aligns = ["left", "right"]
const nibbles = Array.from({ length: 16 }, (_, nibble) => nibble)
const sensitivities = ["none", "pan", "hidden", "sad", "emv"]
const classes = ["S", "s", "D", "C", "R", "T", "X", "K"]

/** A kind of value: one of some words, or a test with the sentence that says what is expected. */
export type Expected = ReadonlyArray<unknown> | { readonly says: string; readonly fits: (value: unknown) => boolean }

const text: Expected = { says: "a text is expected", fits: (value) => typeof value === "string" }
const isMacLength = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 4 && Number(value) <= 16
const isSeconds = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 86_400

const isName = (value: unknown): boolean => typeof value === "string" && /^[^\p{C}]{1,64}$/u.test(value)

const digits: Expected = {
  says: 'a code in quotes is expected, like "001"',
  fits: (value) => typeof value === "string" && value !== ""
}
const mti: Expected = {
  says: "a message type as a number without leading zeros is expected, like 820",
  fits: (value) => Number.isInteger(value) && (value as number) > 0 && (value as number) < 10_000
}
const list: Expected = {
  says: "a list of field numbers is expected",
  fits: (value) => Array.isArray(value) && value.every((de) => Number.isInteger(de))
}
const codeList: Expected = {
  says: 'a list of codes in quotes is expected, like ["25", "94"]',
  fits: (value) => Array.isArray(value) && value.every((code) => typeof code === "string" && code !== "")
}
const nibbleList: Expected = {
  says: "a list of filling nibbles is expected, like [0, 15]",
  fits: (value) => Array.isArray(value) && value.every((one) => nibbles.includes(one))
}
const any: Expected = { says: "", fits: () => true }

/** What is expected of each member of an object. */
export type Members = { readonly [member: string]: Expected }

const top: Members = {
  name: { says: "a name is expected, of at most 64 characters that can be printed", fits: isName },
  title: text,
  extends: any,
  only: [true, false],
  header: any,
  version: {
    says: "0 (edition 1987), 1 (1993) or 2 (2003) is expected",
    fits: (value) => [0, 1, 2].includes(value as number)
  },
  mti: ["ascii", "bcd", "ebcdic"],
  lenient: [true, false],
  bitmap: any,
  encodings: any,
  fields: any,
  network: any,
  keyExchange: any,
  reconciliation: any,
  match: any,
  clockError: { says: "a number of seconds, 0 to 86400, is expected", fits: isSeconds },
  echo: list,
  reversal: any,
  adviceNeeds: list,
  roles: any,
  answers: any,
  acknowledged: any,
  security: any,
  responseCodes: any,
  processingCodes: any,
  accountTypes: any,
  refusal: any
}

/** Members of the parts of a dialect, and what is expected of each. */
export const parts: { readonly [part: string]: Members } = {
  bitmap: {
    encoding: ["binary", "hex", "hex-ebcdic"],
    secondary: ["optional", "always", "fixed", "never"],
    tertiary: [true, false]
  },
  encodings: {
    digits: encodings,
    text: encodings,
    track: encodings,
    bytes: ["binary", "hex"],
    prefix: prefixes,
    align: aligns,
    variableAlign: aligns,
    fill: nibbles,
    fills: nibbleList
  },
  network: { mti, field: { says: "a field number is expected", fits: Number.isInteger }, codes: any, fields: list },
  match: { transaction: list, networkManagement: list },
  roles: Object.fromEntries(
    Object.keys(standardRoles).map((role) => [role, { says: "a field number is expected", fits: Number.isInteger }])
  ),
  answers: {
    keeps: list,
    givenAgain: list,
    leastEcho: list,
    approved: digits,
    accepted: digits,
    partialApproval: codeList
  },
  acknowledged: { reversal: codeList, advice: codeList },
  reversal: { mti, copies: list, renews: list, sets: any, originalData: any, reversible: any, partial: any },
  refusal: Object.fromEntries(
    [
      "formatError",
      "issuerDown",
      "noRoute",
      "duplicate",
      "malfunction",
      "noAnswer",
      "notSignedOn",
      "macFailed",
      "pinFailed",
      "keyFailed",
      "cutOver",
      "identity"
    ].map((reason) => [reason, digits])
  )
}

/** Members that a part may be without. */
export const optional: ReadonlySet<string> = new Set(["reversal.partial", "reversal.sets"])

const fieldNumber: Expected = { says: "a field number is expected", fits: Number.isInteger }
const partialParts: Members = { remains: fieldNumber, original: fieldNumber, function: any }

/** How a reversal says a part: one of two fields, and perhaps a code. */
const partialErrors = (reversal: unknown): ReadonlyArray<DialectInvalid> => {
  const path = "reversal.partial"
  const given = isMembers(reversal) ? reversal["partial"] : undefined
  if (given === undefined || given === null) return []
  const wrong = memberErrors(given, path, partialParts)
  if (!isMembers(given) || wrong.length > 0) return wrong
  if ((given["remains"] === undefined) === (given["original"] === undefined))
    return [dialectInvalid(path, "either remains or original is expected: the field with the amount")]
  const by = given["function"]
  return by === undefined ? [] : memberErrors(by, at(path, "function"), { field: fieldNumber, codes: codeList })
}

const codeOrNone: Expected = {
  says: 'a code in quotes is expected, like "001", or null for none',
  fits: (value) => value === null || (typeof value === "string" && value !== "")
}

const fieldOrLast: Expected = {
  says: "a field number is expected, or last",
  fits: (value) => value === "last" || Number.isInteger(value)
}
const mtiList: Expected = {
  says: "a list of message types as numbers without leading zeros is expected, like [200, 420]",
  fits: (value) => Array.isArray(value) && value.every(mti.fits)
}

/** Members of `security`, by their places. */
const securityParts: { readonly [part: string]: Members } = {
  mac: {
    field: fieldOrLast,
    messages: mtiList,
    text: ["message", "fields", "cups"],
    fields: list,
    form: ["binary", "hex"],
    bytes: { says: "a number of bytes from 4 to 16 is expected", fits: isMacLength }
  },
  pin: { field: { says: "a field number is expected", fits: Number.isInteger }, control: any }
}
const control: Members = {
  field: { says: "a field number is expected", fits: Number.isInteger },
  format: any,
  cipher: any
}
const ciphers = ["des", "tdes", "aes", "sm4"]

/** One statement of a control field: a position, and what its characters mean. */
const statementErrors = (
  given: unknown,
  path: string,
  meanings: ReadonlyArray<string>
): ReadonlyArray<DialectInvalid> => {
  if (given === undefined) return []
  const position: Expected = {
    says: "a position from 0 is expected",
    fits: (at) => Number.isInteger(at) && Number(at) >= 0
  }
  const wrong = memberErrors(given, path, { at: position, values: any })
  if (!isMembers(given) || wrong.length > 0) return wrong
  const { values } = given
  if (!isMembers(values)) return [dialectInvalid(at(path, "values"), "characters and their meanings are expected")]
  return Object.entries(values).flatMap(([value, meaning]) =>
    value.length === 1 && meanings.includes(String(meaning))
      ? []
      : [dialectInvalid(at(path, `values.${value}`), `one character, and one of ${meanings.join(", ")}, are expected`)]
  )
}

const securityErrors = (security: unknown): ReadonlyArray<DialectInvalid> => {
  if (security === undefined || security === null) return []
  const wrong = [...memberErrors(security, "security", { mac: any, pin: any })]
  if (!isMembers(security)) return wrong
  for (const [name, members] of Object.entries(securityParts))
    if (security[name] !== undefined && security[name] !== null)
      wrong.push(...memberErrors(security[name], `security.${name}`, members))
  const said = isMembers(security["pin"]) ? security["pin"]["control"] : undefined
  if (said === undefined || said === null) return wrong
  wrong.push(...memberErrors(said, "security.pin.control", control))
  if (isMembers(said)) {
    wrong.push(...statementErrors(said["format"], "security.pin.control.format", pinFormats))
    wrong.push(...statementErrors(said["cipher"], "security.pin.control.cipher", ciphers))
  }
  return wrong
}

const networkCodes: Members = Object.fromEntries(
  ["signOn", "signOff", "cutoverStart", "cutoverEnd", "echo", "keyResetRequest", "keyReset"].map((name) => [
    name,
    codeOrNone
  ])
)

const field: Members = {
  format: text,
  name: text,
  nameZh: text,
  encoding: encodings,
  prefix: prefixes,
  counts: ["units", "bytes"],
  align: aligns,
  fill: nibbles,
  fills: nibbleList,
  sensitivity: sensitivities,
  reason: text,
  subfields: { says: "a list of parts is expected, or null", fits: (given) => given === null || Array.isArray(given) },
  structure: any
}

const part: Members = {
  name: text,
  nameZh: text,
  length: { says: "a number of bytes is expected", fits: Number.isInteger },
  format: text,
  sensitivity: sensitivities,
  reason: text,
  structure: any
}

const headerPart: Members = {
  name: text,
  bytes: { says: "a number of bytes is expected", fits: Number.isInteger },
  form: ["text", "digits", "bcd", "binary", "hex"],
  value: { says: 'a value in quotes is expected, like "0210"', fits: (value) => typeof value === "string" },
  fixed: [true, false],
  length: ["all", "message"],
  address: ["destination", "source"],
  reject: [true, false],
  rejected: { says: 'a value in quotes is expected, like "1A"', fits: (value) => typeof value === "string" },
  only: ["reject"],
  answer: { says: "echo, own, or the name of another part is expected", fits: (value) => typeof value === "string" }
}

/** Mistakes in the parts of a header that the file lists. */
const headerFileErrors = (parts: unknown, path: string): ReadonlyArray<DialectInvalid> => {
  if (!Array.isArray(parts)) return [dialectInvalid(path, "a list of parts is expected")]
  const wrong = parts.flatMap((part, index) => [
    ...memberErrors(part, `${path}.${index + 1}`, headerPart),
    ...(isMembers(part)
      ? ["name", "bytes", "form"].flatMap((member) =>
          part[member] === undefined ? [dialectInvalid(`${path}.${index + 1}.${member}`, "is missing")] : []
        )
      : [])
  ])
  if (wrong.length > 0) return wrong
  return headerErrors({ name: "", parts }).map((says) => dialectInvalid(path, says))
}

/** A header of a file: a name, a list of parts, or both. */
const headerOfFile = (header: unknown): ReadonlyArray<DialectInvalid> => {
  if (header === undefined || header === null || header === "none") return []
  if (typeof header === "string")
    return Object.hasOwn(headers, header)
      ? []
      : [dialectInvalid("header", `one of none, ${Object.keys(headers).join(", ")}, or a list of parts is expected`)]
  if (Array.isArray(header)) return headerFileErrors(header, "header")
  const members: Members = { name: text, parts: any }
  const wrong = memberErrors(header, "header", members)
  return isMembers(header) && wrong.length === 0 ? headerFileErrors(header["parts"], "header.parts") : wrong
}

const styles: { readonly [style: string]: Members } = {
  positional: { style: any, parts: { says: "a list of parts is expected", fits: Array.isArray } },
  "ber-tlv": { style: any, tags: any },
  "tag-length-value": { style: any, tagLength: nibbles, lengthDigits: nibbles, tags: any },
  "usage-value": { style: any, tagLength: nibbles, tags: any },
  "tag-fixed": { style: any, tagLength: nibbles, tags: any },
  bitmap: { style: any, bytes: any, encoding: ["binary", "hex"], parts: any }
}

const at = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`)

/** Mistakes in the members of one object of the file. */
export const memberErrors = (value: unknown, path: string, members: Members): ReadonlyArray<DialectInvalid> => {
  if (!isMembers(value)) return [dialectInvalid(path, "names and values are expected")]
  return Object.entries(value).flatMap(([name, given]) => {
    const expected = Object.hasOwn(members, name) ? members[name] : undefined
    if (expected === undefined)
      return [dialectInvalid(at(path, name), `there is no such setting; there are ${Object.keys(members).join(", ")}`)]
    if ("says" in expected) return expected.fits(given) ? [] : [dialectInvalid(at(path, name), expected.says)]
    return expected.includes(given) ? [] : [dialectInvalid(at(path, name), `one of ${expected.join(", ")} is expected`)]
  })
}

/** More structures inside each other are not looked at here; the layout refuses them. */
const DEPTH_MAX = 20

const partErrors = (value: unknown, path: string, depth: number): ReadonlyArray<DialectInvalid> => {
  const wrong = memberErrors(value, path, part)
  if (!isMembers(value)) return wrong
  const named = typeof value["name"] === "string" ? [] : [dialectInvalid(at(path, "name"), "a name is expected")]
  const structure = value["structure"]
  if (structure === undefined || depth > DEPTH_MAX) return [...wrong, ...named]
  return [...wrong, ...named, ...structureErrors(structure, at(path, "structure"), depth + 1)]
}

const structureErrors = (value: unknown, path: string, depth = 1): ReadonlyArray<DialectInvalid> => {
  const style = isMembers(value) ? value["style"] : undefined
  if (!isMembers(value) || typeof style !== "string" || !Object.hasOwn(styles, style))
    return [dialectInvalid(at(path, "style"), `one of ${Object.keys(styles).join(", ")} is expected`)]
  const wrong = memberErrors(value, path, styles[style]!)
  const inner = value["parts"] ?? value["tags"] ?? {}
  if (typeof inner !== "object") return [...wrong, dialectInvalid(path, "parts or tags are expected")]
  const place = at(path, value["parts"] === undefined ? "tags" : "parts")
  return [...wrong, ...Object.entries(inner).flatMap(([key, one]) => partErrors(one, at(place, key), depth))]
}

const fieldErrors = (de: string, definition: unknown): ReadonlyArray<DialectInvalid> => {
  const path = `fields.${de}`
  if (fieldsOfKey(de) === undefined)
    return [dialectInvalid(path, "a field number or a range of them is expected, like 60 or 65-128")]
  if (definition === null && fieldsOfKey(de)!.some((one) => one < 2 || one > 192))
    return [dialectInvalid(path, "no dialect has this field: there is nothing to take out")]
  if (definition === null || typeof definition === "string") return []
  if (!isMembers(definition))
    return [dialectInvalid(path, "a format like n6 is expected, or names and values, or null")]
  const wrong = memberErrors(definition, path, field)
  const { structure, subfields } = definition
  const list = Array.isArray(subfields) ? subfields : []
  return [
    ...wrong,
    ...(structure == null ? [] : structureErrors(structure, at(path, "structure"))),
    ...list.flatMap((one, index) => partErrors(one, `${path}.subfields.${index + 1}`, 1))
  ]
}

/** Fields that two keys say: `3` and `"03"`, or two ranges. A field beside a range that has it is no mistake. */
const doubleErrors = (fields: Record<string, unknown>): ReadonlyArray<DialectInvalid> => {
  const said = new Map<string, string>()
  return Object.keys(fields).flatMap((key) => {
    const kind = key.includes("-") ? "range" : "field"
    const names = (fieldsOfKey(key) ?? []).map((de) => [de, `${kind} ${de}`] as const)
    const twice = names.find(([, name]) => said.has(name))
    const other = twice === undefined ? undefined : said.get(twice[1])
    for (const [, name] of names) said.set(name, key)
    return twice === undefined ? [] : [dialectInvalid(`fields.${key}`, `field ${twice[0]} is also said by ${other}`)]
  })
}

/** Tables of codes, and what is said of each code. */
const codeTables: { readonly [table: string]: Members } = {
  responseCodes: { class: classes, name: text, nameZh: text },
  processingCodes: { name: text, nameZh: text },
  accountTypes: { name: text, nameZh: text }
}

/** What is written for a code. */
const example = (members: Members): string =>
  Object.hasOwn(members, "class") ? '{ class: D, name: "Do not honour" }' : '{ name: "Purchase" }'

const codeErrors = (table: string, members: Members, codes: unknown): ReadonlyArray<DialectInvalid> => {
  if (!isMembers(codes)) return [dialectInvalid(table, "codes and their meanings are expected")]
  return Object.entries(codes).flatMap(([code, meaning]) => {
    if (meaning === null) return []
    const path = `${table}.${code}`
    if (!isMembers(meaning)) return [dialectInvalid(path, `${example(members)} is expected, or null`)]
    const wrong = memberErrors(meaning, path, members)
    const missing = ["class", "name"].filter((one) => Object.hasOwn(members, one) && meaning[one] === undefined)
    return [...wrong, ...missing.map((one) => dialectInvalid(at(path, one), `a ${one} is expected`))]
  })
}

/** Parts that a file may take out of its base with `null`. */
const canBeNone: ReadonlySet<string> = new Set(["network", "reversal"])

/** Mistakes in the file as it is written. */
export const fileErrors = (file: unknown): ReadonlyArray<DialectInvalid> => {
  const wrong = [...memberErrors(file, "", top)]
  if (!isMembers(file)) return wrong
  for (const [name, members] of Object.entries(parts))
    if (file[name] !== undefined && !(file[name] === null && canBeNone.has(name)))
      wrong.push(...memberErrors(file[name], name, members))
  const { fields, network } = file
  wrong.push(...securityErrors(file["security"]))
  wrong.push(...partialErrors(file["reversal"]))
  wrong.push(...headerOfFile(file["header"]))
  if (isMembers(network) && network["codes"] !== undefined)
    wrong.push(...memberErrors(network["codes"], "network.codes", networkCodes))
  for (const [table, members] of Object.entries(codeTables))
    if (file[table] !== undefined) wrong.push(...codeErrors(table, members, file[table]))
  if (fields !== undefined && !isMembers(fields))
    wrong.push(dialectInvalid("fields", "field numbers and their definitions are expected"))
  if (isMembers(fields)) {
    for (const [de, one] of Object.entries(fields)) wrong.push(...fieldErrors(de, one))
    wrong.push(...doubleErrors(fields))
  }
  return wrong
}
