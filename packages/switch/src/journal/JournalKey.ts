/**
 * The journal's key, as the configuration refers to it: 64 hex digits in a file or in text from the environment. The
 * key is never shown.
 */
import { Effect, FileSystem } from "effect"
import { fileWords } from "./FileWords.ts"
import { JournalError } from "./JournalError.ts"
import { JOURNAL_KEY_LENGTH } from "./Seal.ts"

/**
 * Reads a key from text: 64 hex digits, spaces and line ends around them allowed. `place` names where the text came
 * from.
 */
export const keyFromHex = (text: string, place: string): Effect.Effect<Uint8Array, JournalError> => {
  const digits = text.trim()
  if (digits === "") return Effect.fail(JournalError.of("KeyMissing", place, "There is no key for the journal."))
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) {
    return Effect.fail(
      JournalError.of("KeyWrong", place, `The key is not ${2 * JOURNAL_KEY_LENGTH} hex digits.`, makeOne)
    )
  }
  const key = Buffer.from(digits, "hex")
  const weakness = weaknessOf(key)
  return weakness === undefined
    ? Effect.succeed(key)
    : Effect.fail(JournalError.of("KeyWeak", place, `The key can be guessed: ${weakness}.`, makeOne))
}

/** All keys of a text, the current one first: separated by blanks, commas or line ends. */
export const keysFromHex = (text: string, place: string): Effect.Effect<ReadonlyArray<Uint8Array>, JournalError> =>
  Effect.forEach(text.trim().split(/[\s,]+/), (one) => keyFromHex(one, place))

/** Fewest different bytes among 32 by chance: fewer come once in some 10^13 keys. */
const DIFFERENT_MIN = 16

/** Why a key was not drawn by chance, in words that say nothing of it; `undefined`: it may have been. */
const weaknessOf = (key: Buffer): string | undefined => {
  const step = (key[1]! - key[0]!) & 0xff
  if (key.every((byte, n) => n === 0 || ((byte - key[n - 1]!) & 0xff) === step))
    return "its bytes count up or stay the same"
  if (new Set(key).size < DIFFERENT_MIN) return "too few of its bytes differ"
  for (let period = 1; period <= key.length / 2; period++) {
    if (key.every((byte, n) => byte === key[n % period]!)) return "it repeats a part of itself"
  }
  return key.every((byte) => byte >= 0x20 && byte <= 0x7e) ? "it is text, and not random" : undefined
}

const makeOne = "Make one with `openssl rand -hex 32`, and keep it apart from the journal's disk and backups."

/** Reads a key from a file that holds 64 hex digits. */
export const keyFromFile = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const text = yield* files
    .readFileString(path)
    .pipe(
      Effect.mapError((error) =>
        JournalError.of("KeyMissing", path, `The key file cannot be read: ${fileWords(error.reason)}.`)
      )
    )
  return yield* keyFromHex(text, path)
})
