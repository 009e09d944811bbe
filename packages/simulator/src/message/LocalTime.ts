/**
 * Where a message says when it was sent and the local time of its transaction, and how.
 *
 * Owns the difference between the editions of ISO 8583: time and date apart (1987: DE 12 and 13), or both in one, where what the
 * next data element says is another date. Pure.
 */
import type { Layout } from "@jinka/codec"

const LOCAL_TIME = 12
const LOCAL_DATE = 13

/** Pictures by the digits of the element of the local time. */
const together: Readonly<Record<number, string>> = { 12: "YYMMDDhhmmss", 14: "YYYYMMDDhhmmss" }

/** Of the time at which a message was sent (ISO 8583, DE 7: all editions). */
const transmission = "MMDDhhmmss"

/** Pictures of all times of a message by their data elements: when it was sent, and the local time and date. */
export const timePictures = (layout: Layout): ReadonlyMap<number, string> =>
  new Map([[layout.roles.transmissionTime, transmission], ...localTimePictures(layout)])

/** Two digits of a picture, as they may be. */
const digits: Readonly<Record<string, string>> = {
  YY: "\\d\\d",
  MM: "(?:0[1-9]|1[0-2])",
  DD: "(?:0[1-9]|[12]\\d|3[01])",
  hh: "(?:[01]\\d|2[0-3])",
  mm: "[0-5]\\d",
  ss: "[0-5]\\d"
}

/** Whether a text is a time in the picture. */
export const isTimeIn = (picture: string, text: string): boolean =>
  new RegExp(`^${picture.replaceAll(/../g, (pair) => digits[pair]!)}$`).test(text)

/** Pictures of local time and date by their data elements. */
const localTimePictures = ({ fields }: Layout): ReadonlyMap<number, string> => {
  const units = fields[LOCAL_TIME]?.units ?? 0
  const one = together[units]
  if (one !== undefined) return new Map([[LOCAL_TIME, one]])
  if (units !== 6) return new Map()
  return new Map([
    [LOCAL_TIME, "hhmmss"],
    ...(fields[LOCAL_DATE]?.units === 4 ? ([[LOCAL_DATE, "MMDD"]] as const) : [])
  ])
}
