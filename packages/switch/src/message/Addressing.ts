/**
 * Whose names are in a message's header when it leaves on a link: the partner as destination, us as source. Which parts hold them
 * the dialect's header says (`address`). Pure.
 */
import { type Dialect, headerLayout, type PlacedPart, partBytes } from "@jinka/codec"

/** The header parts of a dialect that name an institution, with the code that each gets. */
const named = (
  dialect: Dialect,
  institution: string,
  ourInstitution: string
): ReadonlyArray<readonly [PlacedPart, string]> => {
  if (dialect.header === undefined) return []
  const { destination, source } = headerLayout(dialect.header)
  return [
    ...(destination === undefined ? [] : [[destination, institution] as const]),
    ...(source === undefined ? [] : [[source, ourInstitution] as const])
  ]
}

/** Header values by part for a message from us to `institution`; empty for a dialect without addresses in its header. */
export const addresses = (dialect: Dialect, institution: string, ourInstitution: string): { [part: string]: string } =>
  Object.fromEntries(named(dialect, institution, ourInstitution).map(([{ name }, code]) => [name, code]))

/** The codes that do not fit the header's parts, each with the part; empty when a link can write them. */
export const misfits = (
  dialect: Dialect,
  institution: string,
  ourInstitution: string
): ReadonlyArray<{ readonly part: PlacedPart; readonly code: string }> =>
  named(dialect, institution, ourInstitution).flatMap(([part, code]) =>
    partBytes(part, code) === undefined ? [{ part, code }] : []
  )

/** A name in a header, ready to be written. */
export interface Address {
  readonly part: string
  /** From the header's first byte. */
  readonly offset: number
  readonly value: Uint8Array
}

/** The same as bytes, made once for a link and used for every message on it. Throws where `misfits` finds some. */
export const addressing = (dialect: Dialect, institution: string, ourInstitution: string): ReadonlyArray<Address> =>
  named(dialect, institution, ourInstitution).map(([part, code]) => {
    const value = partBytes(part, code)
    if (value === undefined)
      throw new TypeError(`${code} does not fit ${part.name}, ${part.bytes} bytes of ${part.form}`)
    return { part: part.name, offset: part.offset, value }
  })
