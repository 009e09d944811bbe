/**
 * The users of the administrative listener, their tokens read from where the configuration says they are. No token is in an
 * error.
 */
import { Effect, type FileSystem, type Path } from "effect"
import { digestOf, type User } from "../../admin/Users.ts"
import { error, type Finding, type Path as Place } from "../text/Problem.ts"
import { readSecret, secretFix } from "../text/SecretText.ts"
import type { UserDocument } from "./AdminDocument.ts"
import { identityOf } from "./DoorSettings.ts"

/** Reads all tokens; fails with a finding for each that cannot be had. `directory` is where relative files are looked for. */
export const readUsers = Effect.fnUntraced(function* (
  documents: ReadonlyArray<UserDocument>,
  directory: string
): Effect.fn.Return<ReadonlyArray<User>, ReadonlyArray<Finding>, FileSystem.FileSystem | Path.Path> {
  const findings: Array<Finding> = []
  const users: Array<User> = []
  for (const [at, { certificate, name, role, token }] of documents.entries()) {
    const place: Place = ["admin", "users", at, "token"]
    const read = token === undefined ? undefined : yield* Effect.result(readSecret(token, place, "token", directory))
    if (read?._tag === "Failure") findings.push(read.failure)
    const digest = read?._tag === "Success" ? digestOf(read.success) : undefined
    if (digest !== undefined && users.some((other) => other.token?.equals(digest))) {
      findings.push(error(place, "every user has a token of its own", secretFix, "another user's"))
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
