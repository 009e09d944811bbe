/**
 * A journal in PostgreSQL is backed up as any PostgreSQL is: base backup and archived WAL, back to any moment, and verified
 * there.
 */
import { chmodSync, existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Journal } from "../../packages/switch/src/journal/Journal.ts"
import { openPostgres } from "../../packages/switch/src/journal/postgres/PostgresReader.ts"
import { isOver } from "../Pace.ts"
import { messageOf, temporaryDirectory, testKey, write } from "../switch/journal/Journals.ts"
import { postgresTitle, RealPostgres, whyNoPostgres } from "./RealPostgres.ts"
import { placeOf, refusalAt, withJournalAt } from "./Stores.ts"

const until = (what: string, isSo: () => Promise<boolean>) =>
  Effect.promise(async () => {
    const began = performance.now()
    while (!(await isSo())) {
      if (isOver(began, 30_000)) throw new Error(`it did not come to: ${what}`)
      await new Promise<void>((resolve) => setTimeout(resolve, 20))
    }
  })

const some = ({ writer, drained }: Journal["Service"], entries: number) => {
  for (let n = 0; n < entries; n++) {
    write(writer, { message: messageOf(writer.next, 300) })
    writer.flush()
  }
  return drained
}

describe.skipIf(whyNoPostgres() !== undefined)(postgresTitle("A backup of the journal in PostgreSQL"), () => {
  it.live("goes back to a moment, verifies there, and a node that had acknowledged more says so", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const folder = yield* temporaryDirectory
        const [archive, copy, node] = ["archive", "copy", "node"].map((name) => join(folder, name)) as [
          string,
          string,
          string
        ]
        // The server runs as another user than this test where that is root.
        chmodSync(folder, 0o755)
        mkdirSync(archive)
        chmodSync(archive, 0o777)
        const server = yield* Effect.acquireRelease(
          Effect.promise(() =>
            RealPostgres.begin({ settings: { archive_mode: "on", archive_command: `'cp %p ${archive}/%f'` } })
          ),
          (server) => Effect.promise(() => server.end())
        )
        const reached = yield* withJournalAt(placeOf(server.url()), node, (journal) =>
          Effect.gen(function* () {
            yield* some(journal, 20)
            yield* Effect.promise(() => server.backUp(copy))
            yield* some(journal, 20)
            const at = journal.writer.committedSeq
            yield* Effect.promise(() => server.administer("SELECT pg_create_restore_point('kept')::text AS at"))
            yield* some(journal, 20)
            const [row] = yield* Effect.promise(() =>
              server.administer("SELECT pg_walfile_name(pg_current_wal_lsn()) AS file, pg_switch_wal()::text AS at")
            )
            yield* until("the WAL is archived", async () => existsSync(join(archive, String(row!["file"]))))
            return at
          })
        )

        const restored = yield* Effect.acquireRelease(
          Effect.promise(() => RealPostgres.on(copy)),
          (restored) => Effect.promise(() => restored.end())
        )
        restored.write("recovery.signal", "")
        restored.write(
          "postgresql.auto.conf",
          `restore_command = 'cp ${archive}/%f %p'\nrecovery_target_name = 'kept'\nrecovery_target_action = 'promote'\narchive_mode = off\n`
        )
        yield* Effect.promise(() => restored.start())
        yield* until("the copy takes writes", async () => {
          const [row] = await restored.administer("SELECT pg_is_in_recovery() AS recovers")
          return row!["recovers"] === false
        })

        const place = placeOf(restored.url())
        const elsewhere = yield* temporaryDirectory
        const journal = yield* openPostgres(place, elsewhere, { keys: [testKey] })
        expect(yield* journal.verify()).toMatchObject({ from: 1, entries: reached, unopened: [] })
        const lost = yield* refusalAt(place, node)
        expect(lost.reason).toMatchObject({ _tag: "Truncated", problem: expect.stringContaining("journal.head") })
        yield* withJournalAt(place, elsewhere, (journal) => some(journal, 3))
      })
    )
  )
})
