/** A secret that a person reads to nobody: read from where the configuration says it is, and never said in an error. */
import { Config, Effect, FileSystem, Option, Path, Redacted } from "effect"
import { keyFileFault, keyFileFix } from "../../../transport/KeyFile.ts"
import { error, type Path as Place } from "./Problem.ts"

/** Where it is: exactly one of the two. */
export interface SecretPlace {
  readonly env?: string | undefined
  readonly file?: string | undefined
}

/** Length and letters: long enough not to be guessed, and free of what HTTP and shells give a meaning to. */
const form = /^[A-Za-z0-9._~-]{32,200}$/
/** How one is made. */
export const secretFix = "Make one with `openssl rand -hex 32`."

/**
 * The text there, without blanks at its ends; fails with a finding at `place`. `what` is its name in a sentence: "token";
 * `directory` is where relative files are.
 */
export const readSecretText = Effect.fnUntraced(function* (
  { env, file }: SecretPlace,
  place: Place,
  what: string,
  directory: string
) {
  const where: Place = [...place, env === undefined ? "file" : "env"]
  const missing = error(
    where,
    `the environment variable ${env} holds the ${what}`,
    "Set it where the switch is started from.",
    "no such variable"
  )
  const found =
    env === undefined
      ? yield* ofFile(file!, where, what, directory)
      : yield* Effect.map(
          Effect.mapError(Config.Redacted(env), () => missing),
          Redacted.value
        )
  return found.trim()
})

/** Reads a secret that people or programs type; see {@link readSecretText}. */
export const readSecret = Effect.fnUntraced(function* (
  from: SecretPlace,
  place: Place,
  what: string,
  directory: string
) {
  const where: Place = [...place, from.env === undefined ? "file" : "env"]
  const secret = yield* readSecretText(from, place, what, directory)
  const rule = `a ${what} is 32 to 200 letters, digits and -._~`
  return form.test(secret) ? secret : yield* Effect.fail(error(where, rule, secretFix, `${secret.length} characters`))
})

/** Why a file may not hold a secret, by its owner and mode; `undefined`: it may, or is not there to be asked. */
export const secretFileFault = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const facts = yield* Effect.option(files.stat(path))
  const self = process.geteuid?.()
  if (facts._tag === "None" || self === undefined) return undefined
  const { mode, uid } = facts.value
  return keyFileFault({ mode, uid: Option.getOrElse(uid, () => self) }, self)
})

const ofFile = Effect.fnUntraced(function* (file: string, where: Place, what: string, directory: string) {
  const files = yield* FileSystem.FileSystem
  const path = (yield* Path.Path).resolve(directory, file)
  const fault = yield* secretFileFault(path)
  if (fault !== undefined) {
    return yield* Effect.fail(error(where, `the ${what}'s file is the switch's alone`, keyFileFix, fault))
  }
  return yield* Effect.mapError(files.readFileString(path), () =>
    error(
      where,
      `the file holds the ${what}`,
      "Name a file that the switch's user may read.",
      "no such file, or not readable"
    )
  )
})
