/** What must hold between the keys of `admin`. Pure. */
import { acceptedTls, isMutual } from "../link/TlsRelations.ts"
import { exactlyOne } from "../text/Choice.ts"
import type { Draft } from "../text/Draft.ts"
import { error, type Finding } from "../text/Problem.ts"

/** Addresses of the machine itself. */
const own = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/

/** All findings about the listener of operators. */
export const adminRelations = (draft: Draft): ReadonlyArray<Finding> => {
  if (!draft.has("admin")) return []
  const admin = draft.part("admin")
  const users = admin.part("users").entries
  const tls = admin.part("listen", "tls")
  const shows = users.filter((user) => user.has("certificate"))
  return [
    ...acceptedTls(tls, shows.length > 0 && shows.length === users.length),
    ...inClear(admin.part("listen")),
    ...users.flatMap((user) => [
      ...exactlyOne(user, "token", "certificate", "a user"),
      ...(user.has("token") ? exactlyOne(user.part("token"), "env", "file", "a reference to a token") : []),
      ...withoutTls(user, tls)
    ]),
    ...repeatedNames(users)
  ]
}

const inClear = (listen: Draft): ReadonlyArray<Finding> => {
  const { text } = listen.part("host")
  if (listen.has("tls") || text === undefined || own.test(text)) return []
  const rule = "without `tls` operators are only listened for on this machine itself"
  return [error(listen.part("host").path, rule, "Write `host: 127.0.0.1`, or add `tls:`.")]
}

const withoutTls = (user: Draft, tls: Draft): ReadonlyArray<Finding> =>
  user.has("certificate") && !isMutual(tls)
    ? [
        error(
          user.part("certificate").path,
          "only TLS shows certificates",
          "Add `ca:` to the listener's `tls`, or give a `token`.",
          ""
        )
      ]
    : []

const repeatedNames = (users: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const seen = new Set<string>()
  return users.flatMap((user) => {
    const name = user.part("name")
    if (name.text === undefined || !seen.has(name.text)) {
      seen.add(name.text ?? "")
      return []
    }
    return [error(name.path, "every user has a name of its own", "Choose another.")]
  })
}
