/** The operating system's random bytes, for keys and PIN blocks. Tests and the simulation give a seeded source instead. */
import { randomBytes } from "node:crypto"
import type { RandomBytes } from "@jinka/codec"

/** So many random bytes from the operating system's generator. */
export const secureRandom: RandomBytes = (length) => randomBytes(length)
