/**
 * Durations and sizes as the configuration writes them: a number and its unit, never a bare number. Pure.
 */

/** How a duration is written; at least one millisecond, at most 24 hours (checked by `durationMs`). */
export const durationPattern = /^\d+(?:\.\d+)? (?:millis|milliseconds?|seconds?|minutes?|hours?)$/

/** How a size is written. */
export const sizePattern = /^\d+ (?:B|KiB|MiB|GiB)$/

const perUnit: Readonly<Record<string, number>> = {
  millis: 1,
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3
}

const DAY_MS = 24 * perUnit["hour"]!

const measured = (text: string): number => {
  const [number, unit] = text.split(" ") as [string, string]
  return Number(number) * (perUnit[unit] ?? perUnit[unit.replace(/s$/, "")]!)
}

/** Milliseconds of a duration such as "15 seconds"; `undefined` for anything else, for zero, and for more than a day. */
export const durationMs = (text: unknown): number | undefined => {
  if (typeof text !== "string" || !durationPattern.test(text)) return undefined
  const ms = measured(text)
  return ms >= 1 && ms <= DAY_MS ? ms : undefined
}

/** How a number of days is written. */
export const daysPattern = /^\d+ days?$/

/** Milliseconds of "90 days"; `undefined` for anything else, for less than one, and for more than a hundred years. */
export const daysMs = (text: unknown): number | undefined => {
  if (typeof text !== "string" || !daysPattern.test(text)) return undefined
  const days = Number(text.split(" ")[0])
  return days >= 1 && days <= 36_525 ? days * DAY_MS : undefined
}

/** Bytes of a size such as "4 MiB"; `undefined` for anything else, and for zero. */
export const sizeBytes = (text: unknown): number | undefined => {
  if (typeof text !== "string" || !sizePattern.test(text)) return undefined
  const bytes = measured(text)
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined
}

/** Milliseconds that an offset from UTC such as "+08:00" adds; `undefined` for anything else. */
export const utcOffsetMs = (text: unknown): number | undefined => {
  const parts = typeof text === "string" ? /^([+-])(\d\d):([0-5]\d)$/.exec(text) : null
  if (parts === null || Number(parts[2]) > 14) return undefined
  const ms = (Number(parts[2]) * 60 + Number(parts[3])) * 60_000
  return parts[1] === "-" ? -ms : ms
}

/** "15 seconds", or "300 millis" where the seconds are not whole; one is "1 second". */
export const seconds = (ms: number): string => {
  if (ms % 1000 !== 0) return ms === 1 ? "1 millisecond" : `${ms} millis`
  return ms === 1000 ? "1 second" : `${ms / 1000} seconds`
}
