/**
 * The journal's key, as the configuration refers to it: 64 hex digits in a file or in text from the environment. The
 * key is never shown.
 */
import { Effect, FileSystem } from "effect"
import { JournalError } from "./JournalError.ts"
import { journalKeyLength } from "./Seal.ts"

/**
 * Reads a key from text: 64 hex digits, spaces and line ends around them allowed. `place` names where the text came
 * from.
 */
export const keyFromHex = (text: string, place: string): Effect.Effect<Uint8Array, JournalError> => {
  const digits = text.trim()
  if (digits === "") return Effect.fail(JournalError.of("KeyMissing", place, "There is no key for the journal."))
  if (!/^[0-9a-fA-F]{64}$/.test(digits)) {
    return Effect.fail(
      JournalError.of("KeyWrong", place, `The key is not ${2 * journalKeyLength} hex digits.`, makeOne)
    )
  }
  return Effect.succeed(Buffer.from(digits, "hex"))
}

const makeOne = "Make one with `openssl rand -hex 32`, and keep it apart from the journal's disk and backups."

/** Reads a key from a file that holds 64 hex digits. */
export const keyFromFile = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const text = yield* files
    .readFileString(path)
    .pipe(
      Effect.mapError((error) =>
        JournalError.of("KeyMissing", path, `The key file cannot be read (${error.reason._tag}).`)
      )
    )
  return yield* keyFromHex(text, path)
})
