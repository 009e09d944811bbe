/**
 * A dialect that differs from another one in a few places: the way a partner's specification is usually written ("CUPS, but
 * F60 may be longer and F5 is used").
 */
import type { Dialect } from "./Dialect.ts"
import type { EncodingDefaults, FieldDefinition } from "./Field.ts"

/** What may differ. Whatever is left out stays as in the base. */
export interface DialectChanges extends Partial<Omit<Dialect, "fields" | "encodings" | "header">> {
  readonly name: string
  readonly encodings?: Partial<EncodingDefaults>
  /** Another header, or `null` for none. */
  readonly header?: Dialect["header"] | null
  /** By field: changes to the base's definition, a new definition, or `null` to take the field out. */
  readonly fields?: { readonly [de: number]: Partial<FieldDefinition> | null }
}

/** The base with changes. Throws a `TypeError` when a new field has no format or name. */
export const derive = (base: Dialect, changes: DialectChanges): Dialect => {
  const { header, encodings, fields: fieldChanges, ...rest } = changes
  const fields: Record<number, FieldDefinition> = { ...base.fields }
  for (const [key, change] of Object.entries(fieldChanges ?? {})) {
    const de = Number(key)
    if (change === null) {
      delete fields[de]
      continue
    }
    const { format, name } = { ...fields[de], ...change }
    if (format === undefined || name === undefined)
      throw new TypeError(`dialect ${changes.name}: field ${key} is new and needs a format and a name`)
    const kept: { -readonly [Name in keyof FieldDefinition]?: FieldDefinition[Name] } = { ...fields[de] }
    // A structure and subfields say the same thing: the change's own takes the base's place.
    if (change.structure !== undefined) delete kept.subfields
    if (change.subfields !== undefined) delete kept.structure
    // The base was released because of what stood inside; other parts need a reason of their own.
    if (change.structure !== undefined || change.subfields !== undefined) {
      if (kept.reason !== undefined) delete kept.sensitivity
      delete kept.reason
    }
    fields[de] = { ...kept, ...change, format, name }
  }
  const { header: baseHeader, ...others } = base
  const chosen = header === undefined ? baseHeader : header
  return {
    ...others,
    ...rest,
    encodings: { ...base.encodings, ...encodings },
    fields,
    ...(chosen === undefined || chosen === null ? {} : { header: chosen })
  }
}
