/**
 * Dialects from YAML: a partner's table written by the engineer who has the partner's document in hand, usually a shipped
 * dialect and a few changes.
 *
 *     name: our-partner
 *     extends: cups
 *     header: none
 *     fields:
 *       60: ans...030                  # another length
 *       5: null                        # not used
 *       44: { format: ans..25, encoding: gbk }
 *
 * Every mistake is named with its place; nothing is guessed.
 */
import { parse } from "yaml"
import { type DialectChanges, derive } from "../iso8583/Derive.ts"
import { type Dialect, layout } from "../iso8583/Dialect.ts"
import type { FieldDefinition } from "../iso8583/Field.ts"
import { cups } from "./Cups.ts"
import { headers } from "./Headers.ts"
import {
  iso8583v1987Ascii,
  iso8583v1987AsciiRaw,
  iso8583v1987Bcd,
  iso8583v1987Ebcdic,
  nac
} from "./Iso8583V1987Ascii.ts"
import { iso8583v1993Ascii, iso8583v1993Bcd } from "./Iso8583V1993.ts"
import { iso8583v2003 } from "./Iso8583V2003.ts"
import { unionPayPos } from "./UnionPayPos.ts"

/** The shipped dialects by name. */
export const dialects: { readonly [name: string]: Dialect } = {
  cups,
  unionPayPos,
  iso8583v1987Ascii,
  iso8583v1987AsciiRaw,
  iso8583v1987Bcd,
  iso8583v1987Ebcdic,
  nac,
  iso8583v1993Ascii,
  iso8583v1993Bcd,
  iso8583v2003
}

/** What is wrong in a dialect file. */
export interface DialectInvalid {
  readonly _tag: "DialectInvalid"
  /** Names down to the place, like `fields.60.format`; "" for the whole file. */
  readonly path: string
  readonly rule: string
}

const invalid = (path: string, rule: string): DialectInvalid => ({ _tag: "DialectInvalid", path, rule })

const encodings = ["ascii", "gbk", "ebcdic", "ebcdic1047", "bcd", "binary", "hex"]
const prefixes = ["ascii", "ebcdic", "bcd", "binary", "hex"]
const aligns = ["left", "right"]

/** Members that take one of some words, by the path of the object they stand in (`*`: any field). */
const choices: { readonly [path: string]: { readonly [member: string]: ReadonlyArray<unknown> } } = {
  "": { mti: ["ascii", "bcd", "ebcdic"], lenient: [true, false], version: [0, 1, 2] },
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
    fill: Array.from({ length: 16 }, (_, nibble) => nibble)
  },
  "fields.*": {
    encoding: encodings,
    prefix: prefixes,
    counts: ["units", "bytes"],
    align: aligns,
    fill: Array.from({ length: 16 }, (_, nibble) => nibble),
    sensitivity: ["none", "pan", "hidden", "sad", "emv"]
  }
}

/** Members without a choice of words: taken as they are, checked by the one who uses them. */
const free: { readonly [path: string]: ReadonlyArray<string> } = {
  "": [
    "name",
    "title",
    "extends",
    "header",
    "bitmap",
    "encodings",
    "fields",
    "network",
    "match",
    "echo",
    "reversal",
    "responseCodes",
    "refusal"
  ],
  "fields.*": ["format", "name", "nameZh", "subfields"]
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Checks the members of one object of the file. */
const membersError = (value: unknown, path: string, kind: string): DialectInvalid | undefined => {
  if (!isRecord(value)) return invalid(path, "names and values are expected")
  for (const [name, given] of Object.entries(value)) {
    const place = path === "" ? name : `${path}.${name}`
    const words = choices[kind]?.[name]
    if (words === undefined && free[kind]?.includes(name) !== true) return invalid(place, "there is no such setting")
    if (words !== undefined && !words.includes(given)) return invalid(place, `one of ${words.join(", ")} is expected`)
  }
  return undefined
}

const fieldsError = (fields: unknown): DialectInvalid | undefined => {
  if (!isRecord(fields)) return invalid("fields", "field numbers and their definitions are expected")
  for (const [de, definition] of Object.entries(fields)) {
    const path = `fields.${de}`
    if (!/^\d{1,3}$/.test(de)) return invalid(path, "a field number is expected")
    if (definition === null || typeof definition === "string") continue
    const error = membersError(definition, path, "fields.*")
    if (error !== undefined) return error
  }
  return undefined
}

/** Fields as changes: a text is a format alone. */
const fieldChanges = (fields: unknown): NonNullable<DialectChanges["fields"]> =>
  Object.fromEntries(
    Object.entries((fields ?? {}) as Record<string, unknown>).map(([de, definition]) => [
      de,
      typeof definition === "string" ? { format: definition } : (definition as Partial<FieldDefinition> | null)
    ])
  )

const partsError = (file: Record<string, unknown>): DialectInvalid | undefined => {
  for (const part of ["bitmap", "encodings"]) {
    const error = file[part] === undefined ? undefined : membersError(file[part], part, part)
    if (error !== undefined) return error
  }
  return file["fields"] === undefined ? undefined : fieldsError(file["fields"])
}

/**
 * The dialect of a YAML text or an object of the same form. `known` are dialects that it may extend besides the shipped ones.
 */
export const readDialect = (
  source: string | object,
  known: { readonly [name: string]: Dialect } = {}
): Dialect | DialectInvalid => {
  let file: unknown = source
  if (typeof source === "string") {
    try {
      file = parse(source)
    } catch (error) {
      return invalid("", error instanceof Error ? error.message.split("\n")[0]! : "no YAML")
    }
  }
  const wrong = membersError(file, "", "") ?? partsError(file as Record<string, unknown>)
  return wrong ?? build(file as Record<string, unknown>, { ...dialects, ...known })
}

const build = (
  file: Record<string, unknown>,
  known: { readonly [name: string]: Dialect }
): Dialect | DialectInvalid => {
  const { extends: baseName, header: headerName, name, fields, bitmap, ...others } = file
  if (typeof name !== "string" || name === "") return invalid("name", "a name is expected")
  if (typeof baseName !== "string") return invalid("extends", "the name of a dialect to begin from is expected")
  const base = known[baseName]
  if (base === undefined) return invalid("extends", `one of ${Object.keys(known).join(", ")} is expected`)
  const header = headerName === undefined ? undefined : headerName === "none" ? null : headers[String(headerName)]
  if (headerName !== undefined && header === undefined)
    return invalid("header", `one of none, ${Object.keys(headers).join(", ")} is expected`)
  const changes = {
    ...others,
    name,
    fields: fieldChanges(fields),
    ...(bitmap === undefined ? {} : { bitmap: { ...base.bitmap, ...(bitmap as object) } }),
    ...(header === undefined ? {} : { header })
  } as DialectChanges
  try {
    const dialect = derive(base, changes)
    layout(dialect)
    return dialect
  } catch (error) {
    return invalid("fields", error instanceof Error ? error.message : String(error))
  }
}
