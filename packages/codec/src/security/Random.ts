/**
 * The seam for chance: functions that need random bytes take their source as an argument and so stay pure. In production
 * give `node:crypto` randomBytes, in tests a seeded generator.
 */
import { type SecurityError, securityError } from "./SecurityError.ts"

/** Returns exactly `length` bytes that nobody can foresee. */
export type RandomBytes = (length: number) => Uint8Array

/** Takes `length` bytes from the source; `RandomInvalid` when there is no source or it gives another number of bytes. */
export const drawRandom = (
  random: RandomBytes | undefined,
  length: number,
  place: string
): Uint8Array | SecurityError => {
  if (random === undefined) return securityError("RandomInvalid", place, "this format needs a source of random bytes")
  const bytes = random(length)
  return bytes.length === length
    ? bytes
    : securityError("RandomInvalid", place, "the source gave a wrong number of bytes")
}
