/**
 * Where a message says the local time of its transaction, and how.
 *
 * Owns the difference between the editions of ISO 8583: time and date apart (1987: DE 12 and 13), or both in one, where what the
 * next data element says is another date. Pure.
 */
import type { Layout } from "@jinka/codec"

const LOCAL_TIME = 12
const LOCAL_DATE = 13

/** Pictures by the digits of the element of the local time. */
const together: Readonly<Record<number, string>> = { 12: "YYMMDDhhmmss", 14: "YYYYMMDDhhmmss" }

/** Pictures of local time and date by their data elements. */
export const localTimePictures = ({ fields }: Layout): ReadonlyMap<number, string> => {
  const units = fields[LOCAL_TIME]?.units ?? 0
  const one = together[units]
  if (one !== undefined) return new Map([[LOCAL_TIME, one]])
  if (units !== 6) return new Map()
  return new Map([
    [LOCAL_TIME, "hhmmss"],
    ...(fields[LOCAL_DATE]?.units === 4 ? ([[LOCAL_DATE, "MMDD"]] as const) : [])
  ])
}
