/** Numbers as message fields write them. Pure. */
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
