/**
 * The journal's keys, read from where the configuration says they are. A key is never in an error.
 */
import { Config, Effect, type FileSystem, Path, Redacted } from "effect"
import type { JournalError } from "../../../journal/JournalError.ts"
import { keyFromFile, keyFromHex } from "../../../journal/JournalKey.ts"
import { keyFileFix } from "../../../transport/KeyFile.ts"
import type { KeyDocument } from "../security/KeyDocument.ts"
import { error, type Finding, type Path as Place } from "../text/Problem.ts"
import { secretFileFault } from "../text/SecretText.ts"

/** The keys, or what is wrong with the references to them. */
export interface Keys {
  readonly key: Redacted.Redacted<Uint8Array>
  readonly previousKeys: ReadonlyArray<Redacted.Redacted<Uint8Array>>
}

/** Reads all keys; fails with a finding for each that cannot be had. `directory` is where relative files are looked for. */
export const readKeys = Effect.fnUntraced(function* (
  key: KeyDocument,
  previousKeys: ReadonlyArray<KeyDocument>,
  directory: string
): Effect.fn.Return<Keys, ReadonlyArray<Finding>, FileSystem.FileSystem | Path.Path> {
  const places: ReadonlyArray<readonly [Place, KeyDocument]> = [
    [["journal", "key"], key],
    ...previousKeys.map((one, at): readonly [Place, KeyDocument] => [["journal", "previousKeys", at], one])
  ]
  const findings: Array<Finding> = []
  const keys: Array<Redacted.Redacted<Uint8Array>> = []
  for (const [place, reference] of places) {
    const read = yield* Effect.result(readKey(reference, directory))
    if (read._tag === "Success") keys.push(Redacted.make(read.success, { label: "journal key" }))
    else findings.push(read.failure(place))
  }
  if (findings.length > 0) return yield* Effect.fail(findings)
  return { key: keys[0]!, previousKeys: keys.slice(1) }
})

/** What is wrong with a reference to a key, at its place. */
export type Failure = (place: Place) => Finding

/** Reads one key; a failure is a finding at whatever place the reference is. */
export const readKey = (
  { env, file }: KeyDocument,
  directory: string
): Effect.Effect<Uint8Array, Failure, FileSystem.FileSystem | Path.Path> => {
  if (env === undefined) return keyOfFile(file!, directory)
  const missing: Failure = (place) =>
    error(
      [...place, "env"],
      `the environment variable ${env} holds the key`,
      "Set it where the switch is started from.",
      "no such variable"
    )
  return Config.Redacted(env).pipe(
    Effect.mapError(() => missing),
    Effect.flatMap((text) =>
      keyFromHex(Redacted.value(text), `environment variable ${env}`).pipe(
        Effect.mapError((failed) => ofJournal(failed, "env", `the environment variable ${env} holds 64 hex digits`))
      )
    )
  )
}

/** The key of a file that nobody else may read. */
const keyOfFile = Effect.fnUntraced(function* (file: string, directory: string) {
  const path = (yield* Path.Path).resolve(directory, file)
  const fault = yield* secretFileFault(path)
  if (fault !== undefined) {
    const found: Failure = (place) => error([...place, "file"], "the key file is the switch's alone", keyFileFix, fault)
    return yield* Effect.fail(found)
  }
  return yield* keyFromFile(path).pipe(
    Effect.mapError((failed) => ofJournal(failed, "file", "the key file holds 64 hex digits"))
  )
})

const ofJournal =
  ({ reason }: JournalError, key: string, rule: string): Failure =>
  (place) =>
    error([...place, key], rule, `${reason.problem} ${reason.remedy}`, "")
