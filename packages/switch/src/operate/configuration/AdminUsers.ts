/**
 * The users of the administrative listener, their tokens read from where the configuration says they are. No token is in an
 * error.
 */
import { Config, Effect, FileSystem, Option, Path, Redacted } from "effect"
import { keyFileFault, keyFileFix } from "../../transport/KeyFile.ts"
import { digestOf, tokenForm, type User } from "../admin/Users.ts"
import type { UserDocument } from "./AdminDocument.ts"
import { identityOf } from "./DoorSettings.ts"
import { error, type Finding, type Path as Place } from "./Problem.ts"

const form = "a token is 32 to 200 letters, digits and -._~"
const fix = "Make one with `openssl rand -hex 32`."

/** Reads all tokens; fails with a finding for each that cannot be had. `directory` is where relative files are looked for. */
export const readUsers = Effect.fnUntraced(function* (
  documents: ReadonlyArray<UserDocument>,
  directory: string
): Effect.fn.Return<ReadonlyArray<User>, ReadonlyArray<Finding>, FileSystem.FileSystem | Path.Path> {
  const findings: Array<Finding> = []
  const users: Array<User> = []
  for (const [at, { certificate, name, role, token }] of documents.entries()) {
    const place: Place = ["admin", "users", at, "token"]
    const read = token === undefined ? undefined : yield* Effect.result(readToken(token, place, directory))
    if (read?._tag === "Failure") findings.push(read.failure)
    const digest = read?._tag === "Success" ? digestOf(read.success) : undefined
    if (digest !== undefined && users.some((other) => other.token?.equals(digest))) {
      findings.push(error(place, "every user has a token of its own", fix, "another user's"))
    }
    users.push({
      name,
      role,
      token: digest,
      certificate: certificate === undefined ? undefined : identityOf(certificate)
    })
  }
  return findings.length > 0 ? yield* Effect.fail(findings) : users
})

const readToken = Effect.fnUntraced(function* (
  { env, file }: NonNullable<UserDocument["token"]>,
  place: Place,
  directory: string
) {
  const where: Place = [...place, env === undefined ? "file" : "env"]
  const found =
    env === undefined
      ? yield* tokenOfFile(file!, where, directory)
      : yield* Effect.mapError(Config.Redacted(env), () =>
          error(
            where,
            `the environment variable ${env} holds the token`,
            "Set it where the switch is started from.",
            "no such variable"
          )
        ).pipe(Effect.map(Redacted.value))
  const token = found.trim()
  return tokenForm.test(token) ? token : yield* Effect.fail(error(where, form, fix, `${token.length} characters`))
})

const tokenOfFile = Effect.fnUntraced(function* (file: string, where: Place, directory: string) {
  const files = yield* FileSystem.FileSystem
  const path = (yield* Path.Path).resolve(directory, file)
  const facts = yield* Effect.option(files.stat(path))
  const self = process.geteuid?.()
  if (facts._tag === "Some" && self !== undefined) {
    const { mode, uid } = facts.value
    const fault = keyFileFault({ mode, uid: Option.getOrElse(uid, () => self) }, self)
    if (fault !== undefined)
      return yield* Effect.fail(error(where, "the token's file is the switch's alone", keyFileFix, fault))
  }
  return yield* Effect.mapError(files.readFileString(path), () =>
    error(
      where,
      "the file holds the token",
      "Name a file that the switch's user may read.",
      "no such file, or not readable"
    )
  )
})
