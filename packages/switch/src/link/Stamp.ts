/** Numbers and times as message fields write them. Pure. */

/** `value` in decimal with leading zeros, `length` characters. */
export const pad = (value: number, length: number): string => String(value).padStart(length, "0")

/** DE 7, MMDDhhmmss, of a time in milliseconds; the caller has added the network's offset from UTC. */
export const transmissionTime = (ms: number): string => {
  const iso = new Date(ms).toISOString()
  return iso.slice(5, 7) + iso.slice(8, 10) + iso.slice(11, 13) + iso.slice(14, 16) + iso.slice(17, 19)
}
