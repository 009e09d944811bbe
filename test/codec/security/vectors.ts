/** Reads the vector files of test/fixtures, and gives the tests bytes, results and a seeded source of random bytes. */
import { readFileSync } from "node:fs"
import {
  explainSecurityError,
  isSecurityError,
  type RandomBytes,
  type SecurityError
} from "../../../packages/codec/src/security/index.ts"

export const vectors = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), "utf8")) as T

export const bytes = (hex: string): Buffer => Buffer.from(hex, "hex")

export const hex = (value: Uint8Array): string => Buffer.from(value).toString("hex").toUpperCase()

/** The result, when it is none of the errors; an error fails the test with its explanation. */
export const ok = <T>(result: T | SecurityError): T => {
  if (isSecurityError(result)) throw new Error(explainSecurityError(result))
  return result
}

/** The tag of a result that has to be an error. */
export const tagOf = (result: unknown): string => (isSecurityError(result) ? result._tag : "no error")

/** A source that repeats for the same seed (a 32-bit linear congruential generator; good enough for tests only). */
export const seeded = (seed: number): RandomBytes => {
  let state = seed >>> 0
  return (length) => {
    const drawn = new Uint8Array(length)
    for (let i = 0; i < length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      drawn[i] = state >>> 24
    }
    return drawn
  }
}

/** A source that gives these bytes and then zeros, however it is asked. */
export const scripted = (drawn: Uint8Array): RandomBytes => {
  let at = 0
  return (length) => {
    const part = Buffer.alloc(length)
    Buffer.from(drawn).copy(part, 0, at, at + length)
    at += length
    return part
  }
}
