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
 *       62: { structure: { style: usage-value, tagLength: 2 } }
 *
 * Every mistake is named with its place; nothing is guessed.
 */
import { parseDocument } from "yaml"
import { type DialectChanges, derive } from "../iso8583/Derive.ts"
import type { Dialect } from "../iso8583/Dialect.ts"
import type { FieldDefinition } from "../iso8583/Field.ts"
import type { HeaderFormat } from "../iso8583/Header.ts"
import { cups } from "./Cups.ts"
import { type DialectInvalid, dialectInvalid, fileErrors, isMembers, relationErrors } from "./DialectCheck.ts"
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

/** Fields as changes: a text is a format alone. */
const fieldChanges = (fields: unknown): NonNullable<DialectChanges["fields"]> =>
  Object.fromEntries(
    Object.entries((fields ?? {}) as Record<string, unknown>).map(([de, definition]) => [
      de,
      typeof definition === "string" ? { format: definition } : (definition as Partial<FieldDefinition> | null)
    ])
  )

/** A part of the file laid over the base's: what it does not say stays. */
const over = (base: object | undefined, given: unknown): object => ({ ...base, ...(given as object) })

/** Parts of a dialect of which a file may say a few members only. */
const laidOver = (base: Dialect, file: Record<string, unknown>): Record<string, unknown> => {
  const laid: Record<string, unknown> = {}
  for (const part of [
    "bitmap",
    "match",
    "reversal",
    "responseCodes",
    "processingCodes",
    "accountTypes",
    "refusal"
  ] as const)
    if (file[part] !== undefined) laid[part] = over(base[part], file[part])
  if (file["network"] !== undefined) {
    const network = file["network"] as Record<string, unknown>
    const codes = network["codes"] === undefined ? {} : { codes: over(base.network?.codes, network["codes"]) }
    laid["network"] = { ...over(base.network, network), ...codes }
  }
  return laid
}

/** The value of a YAML text. What YAML only warns of (an unknown tag, a doubtful alias) is a mistake here. */
const parsed = (source: string | object): unknown => {
  if (typeof source !== "string") return source
  const document = parseDocument(source, { logLevel: "silent" })
  const [wrong] = [...document.errors, ...document.warnings]
  if (wrong?.code === "RESOURCE_EXHAUSTION") return dialectInvalid("", "lists and mappings are nested too deep")
  if (wrong !== undefined) return dialectInvalid("", wrong.message.split("\n")[0]!)
  try {
    return document.toJS()
  } catch (error) {
    return dialectInvalid("", error instanceof Error ? error.message.split("\n")[0]! : "no YAML")
  }
}

/** What was read: a dialect, or everything that is wrong with the file. */
export interface CheckedDialect {
  readonly dialect: Dialect | undefined
  readonly errors: ReadonlyArray<DialectInvalid>
}

/**
 * The dialect of a YAML text or an object of the same form, or all mistakes with their places. `known` are dialects that it may
 * extend besides the shipped ones.
 */
export const checkDialect = (
  source: string | object,
  known: { readonly [name: string]: Dialect } = {}
): CheckedDialect => {
  const file = parsed(source)
  if (isMembers(file) && file["_tag"] === "DialectInvalid")
    return { dialect: undefined, errors: [file as unknown as DialectInvalid] }
  const errors = [...fileErrors(file)]
  if (!isMembers(file)) return { dialect: undefined, errors }
  const all = { ...dialects, ...known }
  const { extends: baseName, name } = file
  if (name === undefined) errors.push(dialectInvalid("name", "a name is expected"))
  const base = typeof baseName === "string" && Object.hasOwn(all, baseName) ? all[baseName] : undefined
  if (base === undefined)
    errors.push(
      dialectInvalid(
        "extends",
        `the name of a dialect to begin from is expected: one of ${Object.keys(all).join(", ")}`
      )
    )
  if (base === undefined || errors.length > 0) return { dialect: undefined, errors }
  return build(file, base)
}

/** The header of a file, `null` for none: a shipped one by name, or its parts. */
const headerOf = (given: unknown, name: string): HeaderFormat | null | undefined => {
  if (given === undefined) return undefined
  if (given === null || given === "none") return null
  if (typeof given === "string") return headers[given]
  return Array.isArray(given) ? { name, parts: given } : { ...{ name }, ...(given as HeaderFormat) }
}

const build = (file: Record<string, unknown>, base: Dialect): CheckedDialect => {
  const { extends: _, header: given, fields, ...others } = file
  const header = headerOf(given, String(file["name"]))
  const changes = {
    ...others,
    ...laidOver(base, file),
    fields: fieldChanges(fields),
    ...(header === undefined ? {} : { header })
  } as DialectChanges
  const missing = Object.keys(changes.fields ?? {})
    .filter((de) => base.fields[Number(de)] === undefined)
    .flatMap((de) => {
      const change = changes.fields?.[Number(de)]
      return (["format", "name"] as const)
        .filter((member) => change !== null && change?.[member] === undefined)
        .map((member) => dialectInvalid(`fields.${de}.${member}`, `field ${de} is new and needs a ${member}`))
    })
  // A new field without them is checked as far as it goes, so that all mistakes are told at once.
  const stand = Object.fromEntries(
    Object.entries(changes.fields ?? {}).map(([de, change]) => [
      de,
      change === null || base.fields[Number(de)] !== undefined ? change : { format: "b1", name: de, ...change }
    ])
  )
  const dialect = derive(base, { ...changes, fields: stand })
  const errors = [...missing, ...relationErrors(dialect)]
  return errors.length > 0 ? { dialect: undefined, errors } : { dialect, errors: [] }
}

/** As `checkDialect`, with the first mistake only. */
export const readDialect = (
  source: string | object,
  known: { readonly [name: string]: Dialect } = {}
): Dialect | DialectInvalid => {
  const { dialect, errors } = checkDialect(source, known)
  return dialect ?? errors[0] ?? dialectInvalid("", "no dialect")
}
