/**
 * A dialect's fields in one line each, for tables: notation, form on the wire, sensitivity, and what is inside.
 */
import { type Dialect, layout } from "../iso8583/Dialect.ts"
import type { FieldLayout } from "../iso8583/Field.ts"
import type { PartDefinition, Structure } from "../iso8583/Structure.ts"

/** One line: a field, or a part of one (`48.AS.ON`). */
export interface FieldSummary {
  readonly id: string
  readonly name: string
  readonly nameZh: string
  readonly format: string
  /** Encoding of the value and of its length: `ascii, length bcd`. */
  readonly encoding: string
  readonly sensitivity: string
  /** Style of the structure inside; "" for none. */
  readonly structure: string
}

const partsOf = (structure: Structure): ReadonlyArray<readonly [string, PartDefinition]> => {
  if (structure.style === "positional") return structure.parts.map((part, at) => [String(at + 1), part])
  return Object.entries(structure.style === "bitmap" ? structure.parts : (structure.tags ?? {}))
}

const partSummaries = (id: string, structure: Structure): ReadonlyArray<FieldSummary> =>
  partsOf(structure).flatMap(([key, part]) => [
    {
      id: `${id}.${key}`,
      name: part.name,
      nameZh: part.nameZh ?? "",
      format: part.format ?? (part.length === undefined ? "" : String(part.length)),
      encoding: "",
      sensitivity: part.sensitivity ?? "",
      structure: part.structure?.style ?? ""
    },
    ...(part.structure === undefined ? [] : partSummaries(`${id}.${key}`, part.structure))
  ])

const summary = (field: FieldLayout): FieldSummary => ({
  id: String(field.de),
  name: field.name,
  nameZh: field.nameZh,
  format: field.format,
  encoding: field.prefixDigits === 0 ? field.encoding : `${field.encoding}, length ${field.prefix}`,
  sensitivity: field.sensitivity,
  structure: field.structure?.style ?? ""
})

/** All fields of a dialect with their parts, in order. Throws a `TypeError` when the dialect makes no sense. */
export const fieldSummaries = (dialect: Dialect): ReadonlyArray<FieldSummary> =>
  layout(dialect).defined.flatMap((field) => [
    summary(field),
    ...(field.structure === undefined ? [] : partSummaries(String(field.de), field.structure))
  ])
