/**
 * A dialect that differs from another one in a few places: the way a partner's specification is usually written ("CUPS, but
 * DE 60 may be longer and DE 5 is used"). Dialect files follow the same rule, because they are read as changes.
 *
 * The rule: what a change does not say stays as in the base. A table (match, network and its codes, reversal, response codes ...)
 * is laid over the base's, member by member; `null` takes a member, a field or a whole part out; a list takes the base's place. A
 * list that is the base's own loses fields that are taken out.
 */
import type {
  BitmapFormat,
  Dialect,
  MatchFields,
  NetworkCodes,
  PartialReversals,
  RefusalCodes,
  ReversalRecipe
} from "../iso8583/Dialect.ts"
import type { EncodingDefaults, FieldDefinition } from "../iso8583/Field.ts"
import { keptExchanges } from "../iso8583/KeyExchange.ts"
import { keptReconciliation } from "../iso8583/Reconciliation.ts"
import type { AnswerRules, Roles } from "../iso8583/Roles.ts"
import type { MacRules, PinRules } from "../iso8583/Security.ts"
import { standardNames } from "./StandardElements.ts"

/** A table of which some members are changed, or taken out with `null`. */
type Table<Members> = { readonly [Name in keyof Members]?: Members[Name] | null }

/** Changes to a field: a format alone, some members, or `null` to take it out. */
export type FieldChange = string | FieldMembers | null

/** Members of a field; `null` takes out the parts that the base knows of it. */
type FieldMembers = Partial<Omit<FieldDefinition, "structure" | "subfields">> & {
  readonly structure?: FieldDefinition["structure"] | null
  readonly subfields?: FieldDefinition["subfields"] | null
}

/** Parts of a dialect whose changes have a form of their own. */
interface PartChanges {
  /** Another header, or `null` for none. */
  readonly header?: Dialect["header"] | null
  readonly bitmap?: Partial<BitmapFormat>
  readonly encodings?: Partial<EncodingDefaults>
  readonly match?: Partial<MatchFields>
  /** `null`: no network management. */
  readonly network?: (Partial<Omit<NetworkCodes, "codes">> & { readonly codes?: Table<NetworkCodes["codes"]> }) | null
  /** `null`: no keys are exchanged. A list takes the base's place. */
  readonly keyExchange?: Dialect["keyExchange"] | null
  /** `null`: no totals are compared. */
  readonly reconciliation?: Dialect["reconciliation"] | null
  /** `null`: nothing is reversed. */
  readonly reversal?: (Partial<Omit<ReversalRecipe, "partial">> & { readonly partial?: PartialReversals | null }) | null
  readonly responseCodes?: Table<Dialect["responseCodes"]>
  readonly processingCodes?: Table<NonNullable<Dialect["processingCodes"]>>
  readonly accountTypes?: Table<NonNullable<Dialect["accountTypes"]>>
  readonly refusal?: Partial<RefusalCodes>
  readonly roles?: Partial<Roles>
  readonly answers?: Partial<AnswerRules>
  readonly acknowledged?: Partial<NonNullable<Dialect["acknowledged"]>>
  /** `null`: no message carries a MAC, or a PIN block that is understood. */
  readonly security?: { readonly mac?: Partial<MacRules> | null; readonly pin?: Partial<PinRules> | null } | null
  /** By field or range of fields ("65-128"); a field of its own goes before a range that has it. */
  readonly fields?: { readonly [fields: string]: FieldChange }
  /** Whether the fields named here are all there are; the base's others are taken out. */
  readonly only?: boolean
}

/** What may differ; see above. */
export interface DialectChanges extends Partial<Omit<Dialect, keyof PartChanges>>, PartChanges {
  readonly name: string
}

const range = /^(\d{1,3})(?:-(\d{1,3}))?$/

/** The fields that a key of `fields` means; `undefined` when it is neither a number nor a range. */
export const fieldsOfKey = (key: string): ReadonlyArray<number> | undefined => {
  const parts = range.exec(key)
  if (parts === null) return undefined
  const first = Number(parts[1])
  const last = Number(parts[2] ?? parts[1])
  if (last < first || last > 192) return parts[2] === undefined ? [first] : undefined
  return Array.from({ length: last - first + 1 }, (_, at) => first + at)
}

/** Changes by field: ranges first, so that a field of its own says the last word. */
export const changesByField = (changes: DialectChanges["fields"] = {}): ReadonlyMap<number, FieldChange> => {
  const byField = new Map<number, FieldChange>()
  for (const isRange of [true, false])
    for (const [key, change] of Object.entries(changes))
      if (key.includes("-") === isRange) for (const de of fieldsOfKey(key) ?? []) byField.set(de, change)
  return byField
}

/** A table laid over another; members that are `null` are taken out. */
const over = <Members extends object>(base: Members | undefined, changes: object | undefined): Members => {
  const laid: Record<string, unknown> = { ...base, ...changes }
  for (const [name, value] of Object.entries(laid)) if (value === null) delete laid[name]
  return laid as Members
}

const changedField = (
  version: Dialect["version"],
  de: number,
  base: FieldDefinition | undefined,
  given: Exclude<FieldChange, null>
): FieldDefinition | undefined => {
  const { structure, subfields, ...plain } = typeof given === "string" ? { format: given } : (given as FieldMembers)
  const change: Partial<FieldDefinition> = {
    ...plain,
    ...(structure == null ? {} : { structure }),
    ...(subfields == null ? {} : { subfields })
  }
  const kept: { -readonly [Name in keyof FieldDefinition]?: FieldDefinition[Name] } = {
    ...(base ?? standardNames(version, de))
  }
  // The standard's Chinese name belongs to the standard's English one.
  if (base === undefined && change.name !== undefined) delete kept.nameZh
  // A structure and subfields say the same thing: the change's own takes the base's place.
  if (structure !== undefined) delete kept.subfields
  if (subfields !== undefined) delete kept.structure
  if (structure === null) delete kept.structure
  if (subfields === null) delete kept.subfields
  // The base was released because of what was inside; other parts need a reason of their own.
  if (structure !== undefined || subfields !== undefined) {
    if (kept.reason !== undefined) delete kept.sensitivity
    delete kept.reason
  }
  const { format, name } = { ...kept, ...change }
  return format === undefined || name === undefined ? undefined : { ...kept, ...change, format, name }
}

const changedFields = (base: Dialect, changes: DialectChanges): Dialect["fields"] => {
  const byField = changesByField(changes.fields)
  const fields: Record<number, FieldDefinition> = {}
  for (const [de, definition] of Object.entries(base.fields))
    if (changes.only !== true || byField.has(Number(de))) fields[Number(de)] = definition
  for (const [de, change] of byField) {
    if (change === null) {
      delete fields[de]
      continue
    }
    const made = changedField(changes.version ?? base.version, de, base.fields[de], change)
    if (made === undefined) throw new TypeError(`dialect ${changes.name}: field ${de} is new and needs a format`)
    fields[de] = made
  }
  return fields
}

/** Without the base's word on MACs and PIN blocks whose fields are no longer there. */
const secured = (dialect: Dialect, changes: DialectChanges): Dialect => {
  const { security, ...rest } = dialect
  if (security === undefined) return dialect
  const isThere = (de: number): boolean => dialect.fields[de] !== undefined
  const { mac, pin } = security
  const hasMac = mac !== undefined && (mac.field === "last" ? isThere(64) || isThere(128) : isThere(mac.field))
  const hasPin = pin !== undefined && isThere(pin.field)
  const hasControl = pin?.control !== undefined && isThere(pin.control.field)
  const ownPin = changes.security?.pin
  return {
    ...rest,
    security: {
      ...(hasMac || changes.security?.mac != null ? { mac: mac! } : {}),
      ...(hasPin || ownPin != null
        ? { pin: hasControl || ownPin?.control !== undefined ? pin! : { field: pin!.field } }
        : {})
    }
  }
}

/** The base's own values without fields that are no longer there. */
const keptSets = (sets: ReversalRecipe["sets"], own: unknown, { fields }: Dialect): Pick<ReversalRecipe, "sets"> => {
  if (sets === undefined) return {}
  if (own !== undefined) return { sets }
  const there = Object.entries(sets).filter(([de]) => fields[Number(de)] !== undefined)
  return there.length === 0 ? {} : { sets: Object.fromEntries(there) }
}

/** The base's own way of saying a part, where its fields are still there. */
const keptPartial = (
  partial: ReversalRecipe["partial"],
  own: unknown,
  { fields }: Dialect
): Pick<ReversalRecipe, "partial"> => {
  if (partial === undefined) return {}
  if (own !== undefined) return { partial }
  const { function: by, ...amounts } = partial
  if (fields[amounts.remains ?? amounts.original ?? 0] === undefined) return {}
  return { partial: by === undefined || fields[by.field] === undefined ? amounts : partial }
}

/** The base's own lists without fields that are no longer there. */
const trimmed = (dialect: Dialect, changes: DialectChanges): Dialect => {
  const kept = (list: ReadonlyArray<number> = [], own: unknown): ReadonlyArray<number> =>
    own === undefined ? list.filter((de) => dialect.fields[de] !== undefined) : list
  const { match, echo, keyExchange, network, reconciliation, reversal, adviceNeeds } = dialect
  const { reconciliation: _, ...others } = secured(dialect, changes)
  const { partial, sets, ...wholes } = reversal ?? ({} as ReversalRecipe)
  const compared =
    reconciliation === undefined || changes.reconciliation != null
      ? reconciliation
      : keptReconciliation(reconciliation, (de) => dialect.fields[de] !== undefined)
  return {
    ...others,
    ...(compared === undefined ? {} : { reconciliation: compared }),
    echo: kept(echo, changes.echo),
    ...(keyExchange === undefined || changes.keyExchange !== undefined
      ? {}
      : { keyExchange: keptExchanges(keyExchange, (de) => dialect.fields[de] !== undefined) }),
    ...(adviceNeeds === undefined ? {} : { adviceNeeds: kept(adviceNeeds, changes.adviceNeeds) }),
    match: { ...match, networkManagement: kept(match.networkManagement, changes.match?.networkManagement) },
    ...(network === undefined
      ? {}
      : { network: { ...network, fields: kept(network.fields, changes.network?.fields) } }),
    ...(reversal === undefined
      ? {}
      : {
          reversal: {
            ...wholes,
            copies: kept(reversal.copies, changes.reversal?.copies),
            renews: kept(reversal.renews, changes.reversal?.renews),
            ...keptSets(sets, changes.reversal?.sets, dialect),
            ...keptPartial(partial, changes.reversal?.partial, dialect)
          }
        })
  }
}

const changedSecurity = (
  base: Dialect["security"],
  changes: Exclude<DialectChanges["security"], null>
): NonNullable<Dialect["security"]> => {
  const { mac, pin } = changes ?? {}
  return {
    ...(mac === null || (mac ?? base?.mac) === undefined ? {} : { mac: over<MacRules>(base?.mac, mac) }),
    ...(pin === null || (pin ?? base?.pin) === undefined ? {} : { pin: over<PinRules>(base?.pin, pin) })
  }
}

/** The base with changes. Throws a `TypeError` when a new field has no format. */
export const derive = (base: Dialect, changes: DialectChanges): Dialect => {
  const { header, bitmap, encodings, match, network, reconciliation, reversal, ...other } = changes
  const { fields: _, only: __, ...others } = other
  const { responseCodes, processingCodes, accountTypes, refusal, roles, answers, acknowledged, security, ...rest } =
    others
  const { header: baseHeader, network: baseNetwork, reversal: baseReversal, ...baseOthers } = base
  const { reconciliation: baseReconciliation, security: baseSecurity, ...kept } = baseOthers
  const chosen = header === undefined ? baseHeader : header
  const codes = over(baseNetwork?.codes, network?.codes ?? undefined)
  const dialect: Dialect = {
    ...kept,
    ...rest,
    keyExchange: rest.keyExchange === null ? [] : (rest.keyExchange ?? base.keyExchange ?? []),
    bitmap: over(base.bitmap, bitmap),
    encodings: over(base.encodings, encodings),
    match: over(base.match, match),
    responseCodes: over(base.responseCodes, responseCodes),
    processingCodes: over(base.processingCodes, processingCodes),
    accountTypes: over(base.accountTypes, accountTypes),
    refusal: over(base.refusal, refusal),
    ...((roles ?? base.roles) === undefined ? {} : { roles: over(base.roles, roles) }),
    ...((answers ?? base.answers) === undefined ? {} : { answers: over(base.answers, answers) }),
    ...((acknowledged ?? base.acknowledged) === undefined
      ? {}
      : { acknowledged: over(base.acknowledged ?? { reversal: [], advice: [] }, acknowledged) }),
    ...(security === null || (security ?? baseSecurity) === undefined
      ? {}
      : { security: changedSecurity(baseSecurity, security) }),
    fields: changedFields(base, changes),
    ...(chosen === undefined || chosen === null ? {} : { header: chosen }),
    ...(network === null || (network ?? baseNetwork) === undefined
      ? {}
      : { network: { ...over(baseNetwork, network), codes } }),
    ...(reconciliation === null || (reconciliation ?? baseReconciliation) === undefined
      ? {}
      : { reconciliation: reconciliation ?? baseReconciliation! }),
    ...(reversal === null || (reversal ?? baseReversal) === undefined ? {} : { reversal: over(baseReversal, reversal) })
  }
  return trimmed(dialect, changes)
}
