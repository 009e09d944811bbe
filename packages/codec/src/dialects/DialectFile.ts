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
 *       65-69: null                    # nor these
 *       44: { format: ans..25, encoding: gbk }
 *       62: { structure: { style: usage-value, tagLength: 2 } }
 *
 * A file without `extends` is a table of its own: it says all its fields. Every mistake is named with its place; nothing is
 * guessed.
 */
import { LineCounter, type YAMLError } from "yaml"
import type { Dialect } from "../iso8583/Dialect.ts"
import type { HeaderFormat } from "../iso8583/Header.ts"
import { cups } from "./Cups.ts"
import { type DialectChanges, derive, type FieldChange, fieldsOfKey } from "./Derive.ts"
import { type DialectInvalid, dialectInvalid, fileErrors, isMembers } from "./DialectCheck.ts"
import { relationErrors } from "./DialectRelations.ts"
import { headers } from "./Headers.ts"
import {
  iso8583v1987Ascii,
  iso8583v1987AsciiRaw,
  iso8583v1987Bcd,
  iso8583v1987Ebcdic,
  nac
} from "./Iso8583V1987Ascii.ts"
import { iso8583v1993Ascii, iso8583v1993AsciiRaw, iso8583v1993Bcd } from "./Iso8583V1993.ts"
import { iso8583v2003 } from "./Iso8583V2003.ts"
import { keyExchangeErrors, keyExchangeRelations } from "./KeyExchangeCheck.ts"
import { reconciliationErrors, reconciliationRelations } from "./ReconciliationCheck.ts"
import { unionPayPos } from "./UnionPayPos.ts"
import { parseYamlDocument } from "./YamlDocument.ts"
import { isNestedTooDeep } from "./YamlNesting.ts"
import { fixBehind, yamlWrong } from "./YamlWords.ts"

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
  iso8583v1993AsciiRaw,
  iso8583v1993Bcd,
  iso8583v2003
}

/** What a file that extends nothing begins from: ASCII, raw bytes, no fields, and the codes of its edition. */
const nothing = (version: 0 | 1 | 2): Dialect => {
  const { responseCodes, refusal, acknowledged, ...edition } = [iso8583v1987Ascii, iso8583v1993Ascii, iso8583v2003][
    version
  ]!
  return {
    name: "nothing",
    title: "",
    version,
    mti: "ascii",
    bitmap: { encoding: "binary", secondary: "optional" },
    encodings: {
      digits: "ascii",
      text: "ascii",
      track: "ascii",
      bytes: "binary",
      prefix: "ascii",
      align: "right",
      fill: 0
    },
    fields: {},
    match: { transaction: [], networkManagement: edition.match.networkManagement },
    echo: edition.echo,
    ...(acknowledged === undefined ? {} : { acknowledged }),
    responseCodes,
    processingCodes: edition.processingCodes ?? {},
    accountTypes: edition.accountTypes ?? {},
    refusal
  }
}

/** What is wrong with a text, and where. */
const yamlWords = (wrong: YAMLError, lines: LineCounter): string => {
  const said = yamlWrong(wrong)
  return `${said.rule} (line ${lines.linePos(wrong.pos[0]).line}): ${fixBehind(said)}`
}

const noAnchor = "an alias (*) names no anchor (&) above it: put the value in quotes, or write it out"

/** The value of a YAML text. What YAML only warns of (an unknown tag, a doubtful alias, a second document) is a mistake here. */
const parsed = (source: string | object): unknown => {
  if (typeof source !== "string") return source
  const tooDeep = dialectInvalid("", "lists and mappings are nested too deep")
  if (isNestedTooDeep(source)) return tooDeep
  try {
    const lines = new LineCounter()
    const document = parseYamlDocument(source, { logLevel: "error", stringKeys: true, lineCounter: lines })
    const [wrong] = [...document.errors, ...document.warnings]
    return wrong === undefined ? document.toJS() : dialectInvalid("", yamlWords(wrong, lines))
  } catch (error) {
    const message = error instanceof Error ? error.message : ""
    return dialectInvalid("", message.startsWith("Unresolved alias") ? noAnchor : yamlWrong({ code: "", message }).rule)
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
  const errors = [
    ...fileErrors(file),
    ...(isMembers(file)
      ? [...keyExchangeErrors(file["keyExchange"]), ...reconciliationErrors(file["reconciliation"])]
      : [])
  ]
  if (!isMembers(file)) return { dialect: undefined, errors }
  const all = { ...dialects, ...known }
  const { extends: baseName, name } = file
  if (name === undefined) errors.push(dialectInvalid("name", "a name is expected"))
  const base =
    baseName === undefined
      ? nothing(file["version"] === 1 || file["version"] === 2 ? file["version"] : 0)
      : typeof baseName === "string" && Object.hasOwn(all, baseName)
        ? all[baseName]
        : undefined
  const names = Object.keys(all).join(", ")
  if (base === undefined)
    errors.push(dialectInvalid("extends", `the name of a dialect to begin from is expected: one of ${names}`))
  else if (baseName === undefined && file["fields"] === undefined)
    errors.push(
      dialectInvalid("extends", `a dialect to begin from is expected (one of ${names}), or \`fields\` of its own`)
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
  const { extends: _, header: given, ...others } = file
  const header = headerOf(given, String(file["name"]))
  const changes = { ...others, ...(header === undefined ? {} : { header }) } as DialectChanges
  const fields: Record<string, FieldChange> = { ...changes.fields }
  const missing: Array<DialectInvalid> = []
  for (const [key, change] of Object.entries(fields)) {
    const isNew = (fieldsOfKey(key) ?? []).some((de) => base.fields[de] === undefined)
    if (!isNew || change === null || typeof change === "string" || change.format !== undefined) continue
    missing.push(dialectInvalid(`fields.${key}.format`, `field ${key} is new and needs a format`))
    // Checked as far as it goes, so that all mistakes are told at once.
    fields[key] = { format: "b1" }
  }
  const dialect = derive(base, { ...changes, fields })
  const errors = [
    ...missing,
    ...relationErrors(dialect),
    ...keyExchangeRelations(dialect),
    ...reconciliationRelations(dialect)
  ]
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
