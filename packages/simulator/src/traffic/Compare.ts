/**
 * Two answers to one request, field by field, with what may differ.
 *
 * Owns the tolerance file's keys (docs/reference/traffic.md) and the comparison. Values are shown covered. Pure, but for reading
 * the file.
 */
import { type Codec, diff, responseClass } from "@jinka/codec"
import type { Effect } from "effect"
import type { FileInvalid } from "../file/FileInvalid.ts"
import { namedOf, readFile } from "../file/MapReader.ts"
import { anyOf, expected, numberOf, textOf, type Yaml, yesNoOf } from "../file/YamlNodes.ts"

/** What may differ between two answers. */
export interface Tolerance {
  /** Places that are not compared: `38`, `header.source`, `48.AS`. */
  readonly ignored: ReadonlySet<string>
  /** Numbers that may lie so far apart, by data element. */
  readonly within: ReadonlyMap<string, number>
  /** Whether two response codes of one class (success, decline, ...) are equal. */
  readonly sameClass: boolean
}

/** Everything is compared. */
export const noTolerance: Tolerance = { ignored: new Set(), within: new Map(), sameClass: false }

/** No edition has more data elements. */
const ELEMENT_MAX = 192

const isPlace = (name: string): boolean => {
  const element = /^(\d{1,3})(?:\.\S+)?$/.exec(name)?.[1]
  if (element === undefined) return /^(mti|header(\.\S+)?)$/.test(name)
  return Number(element) >= 2 && Number(element) <= ELEMENT_MAX
}

const placeOf = (yaml: Yaml): string => {
  const name = textOf(yaml)
  if (isPlace(name)) return name
  throw expected(yaml, "a data element, a part of one or of the header, such as 38, 48.AS or header.source,")
}

const amountOf = (name: string, yaml: Yaml): number => {
  if (isPlace(name)) return numberOf(yaml)
  throw expected(yaml, "a map of numbers by data element, such as 4 or 48.AS,")
}

/** Reads a tolerance file. */
export const readTolerance = (file: string): Effect.Effect<Tolerance, FileInvalid> =>
  readFile(file, (top) => ({
    ignored: new Set(top.get("ignore", anyOf(placeOf)) ?? []),
    within: new Map(top.get("within", namedOf("within", amountOf)) ?? []),
    sameClass: top.get("same class", yesNoOf) ?? false
  }))

/** One place at which two answers differ. Values are covered. */
export interface AnswerDifference {
  readonly place: string
  readonly name: string
  readonly one: string
  readonly other: string
}

const isIgnored = (id: string, { ignored }: Tolerance): boolean =>
  ignored.has(id) || [...ignored].some((one) => id.startsWith(`${one}.`))

/** Differences of two answers that the tolerance does not allow. */
export const compareAnswers = (
  codec: Codec,
  one: Buffer,
  other: Buffer,
  tolerance: Tolerance
): ReadonlyArray<AnswerDifference> => {
  const { left, right, rows } = diff({ codec, buffer: one }, { codec, buffer: other })
  const lengthPlace = `header.${codec.layout.header?.total?.name ?? ""}`
  const unread = left !== undefined || right !== undefined
  const found = rows.filter(({ id, left: was, right: is }) => {
    // The header's length follows from the rest.
    if (isIgnored(id, tolerance) || id === lengthPlace) return false
    const most = tolerance.within.get(id)
    if (most !== undefined && /^\d+$/.test(was) && /^\d+$/.test(is)) return Math.abs(Number(was) - Number(is)) > most
    const isCode = id === String(codec.layout.roles.responseCode)
    const { dialect } = codec
    return !(isCode && tolerance.sameClass && was !== "" && responseClass(dialect, was) === responseClass(dialect, is))
  })
  // A part that differs says more than the field around it.
  const inner = found.filter(({ id }) => !found.some((another) => another.id.startsWith(`${id}.`)))
  const differences = inner.map(({ id, left: was, name, right: is }) => ({ place: id, name, one: was, other: is }))
  if (!unread) return differences
  const says = (wrong: unknown): string => (wrong === undefined ? "readable" : "cannot be read")
  return [{ place: "message", name: "the whole message", one: says(left), other: says(right) }, ...differences]
}
