/** What must hold between the keys of `journal.postgres`. Pure. */
import { exactlyOne } from "../text/Choice.ts"
import type { Draft } from "../text/Draft.ts"
import { error, type Finding } from "../text/Problem.ts"

/** Shortest and longest `takeoverAfter`: below, a busy machine is taken for a dead one; above, nobody waits for it. */
const TAKEOVER_MIN_MS = 1000
const TAKEOVER_MAX_MS = 60_000

/** All findings about a journal in PostgreSQL. */
export const postgresRelations = (draft: Draft): ReadonlyArray<Finding> => {
  if (!draft.part("journal").has("postgres")) return []
  const postgres = draft.part("journal", "postgres")
  return [
    ...(postgres.has("url") ? exactlyOne(postgres.part("url"), "env", "file", "a reference to a URL") : []),
    ...times(postgres),
    ...(draft.part("journal").has("archive")
      ? [
          error(
            draft.part("journal", "archive").path,
            "a journal in PostgreSQL is archived as PostgreSQL is: base backups and its WAL",
            "Take it out; `keep` drops whole parts.",
            ""
          )
        ]
      : []),
    ...certificate(postgres.part("tls"))
  ]
}

const times = (postgres: Draft): ReadonlyArray<Finding> => {
  const takeover = postgres.part("takeoverAfter").ms("3 seconds")
  const patience = postgres.part("yieldAfter").ms("20 seconds")
  if (takeover === undefined || patience === undefined) return []
  if (takeover < TAKEOVER_MIN_MS || takeover > TAKEOVER_MAX_MS) {
    const rule = "a node waits from 1 to 60 seconds before it takes a switch over"
    return [error(postgres.part("takeoverAfter").path, rule, 'Write it as "3 seconds".')]
  }
  if (patience > takeover) return []
  const rule = `\`yieldAfter\` is longer than \`takeoverAfter\` (${takeover} millis): the owner must not leave before another may come`
  return [error(postgres.part("yieldAfter").path, rule, 'Write it as "20 seconds".')]
}

const certificate = (tls: Draft): ReadonlyArray<Finding> => {
  if (tls.has("certificate") === tls.has("key")) {
    if (!tls.has("passphraseFile") || tls.has("key")) return []
    return [error(tls.part("passphraseFile").path, "a passphrase belongs to a `key`", "Add `key`, or take it out.", "")]
  }
  const missing = tls.has("key") ? "certificate" : "key"
  return [error(tls.path, "a certificate and its key come together", `Add \`${missing}\`.`, "one of the two")]
}
