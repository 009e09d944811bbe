/**
 * Dates of settlement as messages write them. Pure.
 *
 * ISO 8583:1987 has month and day (n4), later editions the year too (n6, n8). A date without a year is the nearest one.
 */
import type { Layout, MessageIndex } from "@jinka/codec"

const DAY_MS = 86_400_000

/** `2026-11-28` of a day that there is; `undefined` otherwise. */
const dated = (year: number, month: number, day: number): string | undefined => {
  const at = new Date(Date.UTC(year, month - 1, day))
  return at.getUTCMonth() === month - 1 && at.getUTCDate() === day ? at.toISOString().slice(0, 10) : undefined
}

/** The date that these digits mean: `2026-11-28`; `undefined` when they are none. `now`: milliseconds since the epoch. */
export const dateOf = (digits: string, now: number): string | undefined => {
  if (!/^(?:\d{4}|\d{6}|\d{8})$/.test(digits)) return undefined
  const month = Number(digits.slice(-4, -2))
  const day = Number(digits.slice(-2))
  const year = new Date(now).getUTCFullYear()
  if (digits.length > 4) {
    const century = digits.length === 6 ? 100 * Math.floor(year / 100) : 0
    return dated(century + Number(digits.slice(0, -4)), month, day)
  }
  const distance = (date: string) => Math.abs(Date.parse(date) - now)
  const there = [year - 1, year, year + 1].map((one) => dated(one, month, day)).filter((date) => date !== undefined)
  return there.sort((a, b) => distance(a) - distance(b))[0]
}

/** The digits of the message's settlement date; "" where it has none. */
export const settlementDigits = ({ fields, roles }: Layout, index: MessageIndex): string => {
  const { settlementDate } = roles
  return fields[settlementDate] !== undefined && index.has(settlementDate) ? index.text(settlementDate) : ""
}

/** Days from one date to another; negative when it lies before. */
export const daysTo = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS)
