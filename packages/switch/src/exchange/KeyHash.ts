/**
 * Two independent 32-bit hashes of a match key's bytes: one to find a slot, both together to recognise a key without
 * keeping it. Pure; not cryptographic: the hash of a card number is never kept.
 */

/** The hashes of the last `hashKey` call; one shared object, so that hashing a key allocates nothing. */
export const hashed = { first: 0, second: 0 }

/** Hashes `bytes[from, to)` together with the small integer `salt` (a space of keys) into `hashed`. */
export const hashKey = (salt: number, bytes: Uint8Array, from: number, to: number): void => {
  let first = Math.imul(0x811c9dc5 ^ salt, 0x01000193)
  let second = Math.imul(0x9e3779b9 ^ salt, 0x85ebca6b)
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    first = Math.imul(first ^ byte, 0x01000193)
    second = Math.imul((second ^ byte) + ((second >>> 15) | 0), 0x2c1b3c6d)
  }
  hashed.first = (first ^ (first >>> 15)) | 0
  hashed.second = (second ^ (second >>> 13)) | 0
}
