/**
 * What is wrong with the form of a message in JSON, before the codec looks at its values: unknown members, field names and
 * values of the wrong kind. Says what to write instead, and never a value. Pure.
 */
import type { Codec } from "@jinka/codec"
import { counted } from "../Counted.ts"
import { listed, nearest } from "../configuration/text/Problem.ts"

const members = ["mti", "fields", "header", "rejected"]

const exampleText = '{"mti": "0800", "fields": {"11": "000001"}}'

type Members = Readonly<Record<string, unknown>>

const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What a value is, in words. */
const kindOf = (value: unknown): string =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "a list"
      : typeof value === "object"
        ? "an object"
        : `a ${words[typeof value] ?? "value"}`

const words: Readonly<Record<string, string>> = { string: "text", number: "number", boolean: "truth value" }

/** Members and names come from the file: only what cannot be a card number is said. */
const shown = (name: string): string =>
  /\d{9,}/.test(name) || name.length > 40 || /[^ -~]/.test(name) ? "one of its names" : `"${name}"`

const meant = (name: string, known: ReadonlyArray<string>): string => {
  const near = nearest(name, known)
  return near === undefined ? `known are ${listed(known)}` : `did you mean "${near}"?`
}

/** The first thing that is wrong, as a sentence; `undefined` when the codec may look. */
export const jsonShapeWrong = (codec: Codec, json: unknown): string | undefined => {
  if (!isMembers(json)) return `a message is an object such as ${exampleText}, and not ${kindOf(json)}`
  const unknown = Object.keys(json).find((name) => !members.includes(name))
  if (unknown !== undefined) return `${shown(unknown)} is no member of a message: ${meant(unknown, members)}`
  return (
    mtiWrong(json["mti"]) ??
    fieldsWrong(codec, json["fields"]) ??
    headerWrong(codec, "header", json["header"]) ??
    headerWrong(codec, "rejected", json["rejected"])
  )
}

const mtiWrong = (mti: unknown): string | undefined => {
  if (mti === undefined) return '"mti" is missing: add the message type, as "mti": "0200"'
  if (typeof mti === "number" && mti >= 0 && mti <= 9999)
    return `"mti" is a number: put it in quotes, with four digits: "${String(Math.trunc(mti)).padStart(4, "0")}"`
  if (typeof mti !== "string") return `"mti" is ${kindOf(mti)}: write four digits in quotes, as "0200"`
  return /^\d{4}$/.test(mti) ? undefined : '"mti" has four digits, as "0200"'
}

const fieldsWrong = (codec: Codec, fields: unknown): string | undefined => {
  if (fields === undefined) return undefined
  if (!isMembers(fields)) return `"fields" is ${kindOf(fields)}: write an object, as {"11": "000001"}`
  for (const [name, value] of Object.entries(fields)) {
    const wrong = nameWrong(codec, name) ?? valueWrong(codec, name, value)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/** `11`, and nothing like `DE11`, `F11`, `011` or `11.0`. */
const nameWrong = (codec: Codec, name: string): string | undefined => {
  const fields = codec.layout.fields
  if (/^[1-9]\d{0,2}$/.test(name)) {
    if (name === "1") return '"1" is the second bitmap, which is written by itself: remove it'
    if (fields[Number(name)] !== undefined) return undefined
    return `the dialect ${codec.dialect.name} has no field ${name}: \`jinka dialect show\` lists what it has`
  }
  if (/^0+$/.test(name)) return `${shown(name)} is no field: the message type is in "mti", and fields begin at 2`
  const digits = /^(?:(?:DE|F|P|S|BIT|FIELD)[ ._-]?)?0*([1-9]\d{0,2})(?:\.0+)?$/i.exec(name)?.[1]
  if (digits !== undefined) return `${shown(name)} is no field: write its number alone, "${digits}"`
  const member = nearest(name, members)
  const hint = member === undefined ? "" : `; "${member}" is beside "fields", and not in it`
  return `${shown(name)} is no field: fields are named by their numbers, as "11"${hint}`
}

const valueMembers = ["hex", "text"]

const valueWrong = (codec: Codec, name: string, value: unknown): string | undefined => {
  const field = codec.layout.fields[Number(name)]!
  const kind = field.bytes ? "bytes in hex" : "text"
  if (typeof value === "string") return undefined
  if (Array.isArray(value)) {
    if (field.structure !== undefined) return partsWrong(`field ${name}`, value)
    return `field ${name} has no parts in the dialect ${codec.dialect.name}: write its ${kind} in quotes`
  }
  if (typeof value === "number") {
    const example = field.fixed > 0 && !field.bytes ? `, all ${field.units} characters of it` : ""
    return `field ${name} is a number: write its ${kind} in quotes, with the zeros in front${example}`
  }
  if (!isMembers(value)) return `field ${name} is ${kindOf(value)}: write its ${kind} in quotes, or leave it out`
  const names = Object.keys(value)
  const unknown = names.find((one) => !valueMembers.includes(one))
  if (unknown !== undefined)
    return `field ${name}: ${shown(unknown)} is no member of a value: ${meant(unknown, valueMembers)}`
  if (names.length !== 1) return `field ${name}: give "hex" or "text", and one of the two`
  return typeof value[names[0]!] === "string" ? undefined : `field ${name}: "${names[0]}" is a text in quotes`
}

const partMembers = ["part", "name", "value", "hex", "parts"]

/** Members of a part, of which it has one. */
const partValues = ["value", "hex", "parts"]

/** Parts inside each other that are looked at; deeper ones no dialect has. */
const DEPTH_MAX = 20

const partsWrong = (place: string, parts: ReadonlyArray<unknown>, depth = 1): string | undefined => {
  for (const [at, part] of parts.entries()) {
    const where = `${place}, part ${at + 1} of its list`
    if (!isMembers(part)) return `${where} is ${kindOf(part)}: write an object such as {"part": "1", "value": "..."}`
    const names = Object.keys(part)
    const unknown = names.find((name) => !partMembers.includes(name))
    if (unknown !== undefined)
      return `${where}: ${shown(unknown)} is no member of a part: ${meant(unknown, partMembers)}`
    if (typeof part["part"] !== "string") return `${where}: "part" is its position, tag or bit number, in quotes`
    const [member, ...others] = partValues.filter((name) => part[name] !== undefined)
    if (member === undefined || others.length > 0) return `${where}: give one of "value", "hex" and "parts"`
    const value = part[member]
    if (member !== "parts") {
      if (typeof value !== "string") return `${where}: "${member}" is ${kindOf(value)}: write it in quotes`
      continue
    }
    if (!Array.isArray(value)) return `${where}: "parts" is ${kindOf(value)}: write a list of parts`
    const wrong = depth < DEPTH_MAX ? partsWrong(where, value, depth + 1) : `${place}: its parts are too deep`
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/** Which characters a text has, by its encoding. */
const characters: Readonly<Record<string, string>> = {
  ascii: "ASCII",
  gbk: "GBK",
  ebcdic: "EBCDIC code page 037",
  ebcdic1047: "EBCDIC code page 1047"
}

/** What to write for a part of a header that breaks this rule; `undefined`: the rule says it. */
export const headerHint = (codec: Codec, name: string, rule: string): string | undefined => {
  const { header } = codec.layout
  const part = [...(header?.parts ?? []), ...(header?.outer?.parts ?? [])].find((one) => one.name === name)
  if (part === undefined || rule !== "length") return undefined
  if (part.length !== undefined) return "the message is longer than it can say"
  if (part.form === "binary") return `write a number that fits ${counted(part.bytes, "byte", "bytes")}`
  return `write at most ${part.form === "hex" || part.form === "bcd" ? 2 * part.bytes : part.bytes} ${part.form === "text" ? "characters" : "digits"}`
}

/** What to write for a value that breaks this rule; `undefined`: the rule says it. */
export const valueHint = (codec: Codec, de: number, rule: string): string | undefined => {
  const field = codec.layout.fields[de]
  if (field === undefined) return undefined
  const many = field.bytes ? "bytes" : "characters"
  const digits = field.bytes ? `, ${field.units * 2} hex digits` : ""
  const hints: Readonly<Record<string, string>> = {
    length: `write ${field.fixed < 0 ? "at most " : ""}${field.units} ${many}${digits}`,
    digits: "write them alone, without a point, blanks or a sign",
    hex: "write two for each byte",
    text: `write characters of ${characters[field.encoding] ?? "Latin-1"}`,
    parts: "write them as `jinka decode --unmask --json` prints them, or the whole value in quotes"
  }
  return hints[rule]
}

const headerWrong = (codec: Codec, member: string, header: unknown): string | undefined => {
  if (header === undefined) return undefined
  if (!isMembers(header)) return `"${member}" is ${kindOf(header)}: write an object of its parts`
  const layout = member === "rejected" ? codec.layout.header?.outer : codec.layout.header
  const parts = (layout?.parts ?? []).map((part) => part.name)
  if (parts.length === 0) return `messages of the dialect ${codec.dialect.name} have no header: remove "${member}"`
  for (const [name, value] of Object.entries(header)) {
    if (!parts.includes(name)) return `"${member}": ${shown(name)} is no part of the header: ${meant(name, parts)}`
    if (typeof value !== "string")
      return `"${member}": ${name} is ${kindOf(value)}: write it in quotes, with the zeros in front`
  }
  return undefined
}
