/** Numbers and times as message fields write them. Pure. */

/** `value` in decimal with leading zeros, `length` characters. */
export const pad = (value: number, length: number): string => String(value).padStart(length, "0")

/**
 * The STAN of a message of ours, from the number of its exchange: nothing has to be remembered, and a restart, a reversal and a
 * late answer find the same one. 999,999 entries lie between two equal STANs.
 */
export const stanOf = (exchange: number): string => pad((exchange % 999_999) + 1, 6)

/** DE 7, MMDDhhmmss, of a time in milliseconds; the caller has added the network's offset from UTC. */
export const transmissionTime = (ms: number): string => {
  const iso = new Date(ms).toISOString()
  return iso.slice(5, 7) + iso.slice(8, 10) + iso.slice(11, 13) + iso.slice(14, 16) + iso.slice(17, 19)
}
