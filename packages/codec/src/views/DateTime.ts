/**
 * Dates and times of messages that name no year (DE 7, 13, 15): the year is the one that brings them nearest to a reference
 * clock, at most six months away (docs/domain.md 1.7). The clock and the offset from UTC are arguments; nothing here knows the
 * time.
 */

/** Half a year and a day, in milliseconds: two dates of neighbouring years cannot both be within it. */
const HALF_YEAR = 183.5 * 86_400_000

const MINUTE = 60_000

/** Milliseconds since 1970 UTC of a local time; `undefined` when there is no such date or time in that year. */
const instantOf = (
  year: number,
  month: number,
  day: number,
  hour: number,
  minutes: number,
  seconds: number,
  offset: number
): number | undefined => {
  const local = new Date(Date.UTC(year, month - 1, day, hour, minutes, seconds))
  const isReal =
    local.getUTCMonth() === month - 1 &&
    local.getUTCDate() === day &&
    local.getUTCHours() === hour &&
    local.getUTCMinutes() === minutes &&
    local.getUTCSeconds() === seconds
  return isReal ? local.getTime() - offset * MINUTE : undefined
}

/**
 * The instant of `MMDDhhmmss` (DE 7) or `MMDD` (DE 13, 15; midnight), in milliseconds since 1970 UTC.
 *
 * `reference` is the instant near which it must lie, `offset` the minutes that the message's clock is ahead of UTC (480 for
 * China). `undefined` when the text is no date, or none within six months: 0229 in June of a year without that day.
 */
export const resolveDateTime = (text: string, reference: number, offset: number): number | undefined => {
  if (!/^\d{4}(\d{6})?$/.test(text)) return undefined
  const number = (from: number): number => Number(text.slice(from, from + 2) || "0")
  const year = new Date(reference + offset * MINUTE).getUTCFullYear()
  let nearest: number | undefined
  for (const candidate of [year, year - 1, year + 1]) {
    const instant = instantOf(candidate, number(0), number(2), number(4), number(6), number(8), offset)
    if (instant === undefined) continue
    if (nearest === undefined || Math.abs(instant - reference) < Math.abs(nearest - reference)) nearest = instant
  }
  return nearest !== undefined && Math.abs(nearest - reference) <= HALF_YEAR ? nearest : undefined
}

const two = (value: number): string => String(value).padStart(2, "0")

/** `MMDDhhmmss` of an instant, for DE 7. */
export const dateTimeText = (instant: number, offset: number): string => {
  const local = new Date(instant + offset * MINUTE)
  return (
    two(local.getUTCMonth() + 1) +
    two(local.getUTCDate()) +
    two(local.getUTCHours()) +
    two(local.getUTCMinutes()) +
    two(local.getUTCSeconds())
  )
}

/** `MMDD` of an instant, for DE 13 and 15. */
export const dateText = (instant: number, offset: number): string => dateTimeText(instant, offset).slice(0, 4)
