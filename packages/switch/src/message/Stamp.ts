/** Numbers and times as message fields write them. Pure. */
import type { Layout } from "@jinka/codec"

/** `value` in decimal with leading zeros, `length` characters. */
export const pad = (value: number, length: number): string => String(value).padStart(length, "0")

/**
 * The STAN of a message of ours, from the number of its exchange: nothing has to be remembered, and a restart, a reversal and a
 * late answer find the same one. 999,999 entries lie between two equal STANs.
 */
export const stanOf = (exchange: number): string => pad((exchange % 999_999) + 1, 6)

/** A STAN of ours with as many digits as the dialect's, where they are a fixed number: 6 in 1987 and 1993, 12 in 2003. */
export const sizedStan = ({ fields, roles }: Layout, stan: string): string => {
  const field = fields[roles.stan]
  return field !== undefined && field.fixed >= 0 ? stan.padStart(field.units, "0") : stan
}

/** DE 7, MMDDhhmmss, of a time in milliseconds; the caller has added the network's offset from UTC. */
export const transmissionTime = (ms: number): string => {
  const iso = new Date(ms).toISOString()
  return iso.slice(5, 7) + iso.slice(8, 10) + iso.slice(11, 13) + iso.slice(14, 16) + iso.slice(17, 19)
}

/**
 * Milliseconds from a DE 7 to a time (the caller has added the network's offset from UTC); negative when it lies ahead. DE 7
 * has no year: the nearest one is meant. 0 when it is no time.
 */
export const sinceTransmission = (time: string, ms: number): number => {
  const [month, day, hour, minute, second] = (time.match(/\d\d/g) ?? []).map(Number)
  if (second === undefined) return 0
  const year = new Date(ms).getUTCFullYear()
  const spans = [year - 1, year, year + 1].map((one) => ms - Date.UTC(one, month! - 1, day, hour, minute, second))
  return spans.reduce((nearest, span) => (Math.abs(span) < Math.abs(nearest) ? span : nearest))
}
