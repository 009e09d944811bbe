import { cpSync, mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type BetterSqlite3 from "better-sqlite3"
import { Context, Effect, Layer } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import { Journal } from "../../../packages/switch/src/journal/Journal.ts"
import { openReadOnly } from "../../../packages/switch/src/journal/JournalReader.ts"
import { layerIn, testKey, testPan, withJournal, write } from "./Journals.ts"

const Database = createRequire(new URL("../../../packages/switch/package.json", import.meta.url))(
  "better-sqlite3"
) as typeof BetterSqlite3

const folders: Array<string> = []
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), "jinka-keys-"))
  folders.push(made)
  return made
}

afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true })
})

const keep = (journal: Journal["Service"], slot: string, keys: string) =>
  journal.keep({ link: "centre", slot, keys }, journal.nameId("centre", "cups"), `${slot} changed`, `{"version":1}`)

const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise(effect)

/** A journal in whose third and fifth groups a key changed. */
const fill = (directory: string) =>
  run(
    withJournal(directory, (journal) =>
      Effect.gen(function* () {
        for (const keys of ["first", "second", "third"]) {
          write(journal.writer, { pan: testPan })
          keep(journal, "mac/both", `wrapped ${keys}`)
          keep(journal, "pin/send", `wrapped PIN ${keys}`)
          yield* journal.drained
        }
      })
    )
  )

const audit = (directory: string) =>
  Effect.runSync(
    Effect.gen(function* () {
      const reader = yield* openReadOnly(directory, { keys: [testKey] })
      const { bad } = yield* reader.verify()
      return bad === undefined ? "good" : `bad at ${bad.seq}: ${bad.why}`
    }).pipe(
      Effect.scoped,
      Effect.catchTag("JournalError", ({ reason }) => Effect.succeed(`refused: ${reason._tag}`))
    )
  )

const edit = (directory: string, change: (database: BetterSqlite3.Database) => void): void => {
  const database = new Database(join(directory, "journal.db"))
  change(database)
  database.close()
}

describe("the table of keys in the journal", () => {
  it("gives the next start what each slot held last, and the entries say what happened without the keys", async () => {
    const directory = folder()
    await fill(directory)

    const [rows, entries] = await run(
      withJournal(directory, (journal) =>
        Effect.gen(function* () {
          const found: Array<string> = []
          yield* journal.scan(1, ({ code, message }) => found.push(`${code} ${message}`), { secrets: true })
          return [journal.recovered.keys, found] as const
        })
      )
    )

    expect(rows).toEqual([
      { link: "centre", slot: "mac/both", keys: "wrapped third" },
      { link: "centre", slot: "pin/send", keys: "wrapped PIN third" }
    ])
    expect(entries.filter((text) => text.includes("changed"))).toHaveLength(6)
    expect(entries.join()).not.toContain("wrapped")
    expect(audit(directory)).toBe("good")
  })

  it("holds a key as soon as its entry is on disk, and not before: after a kill both are there or neither", async () => {
    const directory = folder()
    const killed = await run(
      Effect.scoped(
        Effect.gen(function* () {
          const journal = Context.get(yield* Layer.build(layerIn(directory)), Journal)
          keep(journal, "mac/both", "one")
          yield* journal.drained
          keep(journal, "mac/both", "two")
          // Not handed over: as a process that dies here.
          const copied = folder()
          cpSync(directory, copied, { recursive: true })
          return copied
        })
      )
    )

    const rows = await run(withJournal(killed, (journal) => Effect.succeed(journal.recovered.keys)))

    expect(rows).toEqual([{ link: "centre", slot: "mac/both", keys: "one" }])
  })

  it("is found out when a row is changed, taken out, or put back from before, by one who has the file and no key", async () => {
    const directory = folder()
    await fill(directory)
    const older = folder()
    await run(
      withJournal(older, (journal) =>
        Effect.gen(function* () {
          keep(journal, "mac/both", "wrapped first")
          keep(journal, "pin/send", "wrapped PIN first")
          yield* journal.drained
        })
      )
    )
    for (const sql of [
      "UPDATE key_slot SET keys = 'wrapped by a stranger' WHERE slot = 'mac/both'",
      "UPDATE key_slot SET changes = 2, seq = 2 WHERE slot = 'mac/both'",
      "UPDATE key_slot SET keys = (SELECT keys FROM key_slot WHERE slot = 'pin/send')",
      "DELETE FROM key_slot",
      "DELETE FROM key_slot WHERE slot = 'pin/send'"
    ]) {
      const copy = folder()
      cpSync(directory, copy, { recursive: true })
      edit(copy, (database) => database.exec(sql))

      expect([sql, audit(copy)]).toEqual([sql, "refused: Corrupt"])
    }
  })

  it("is found out when a genuine older row of the same journal is put back", async () => {
    const directory = folder()
    await fill(directory)
    let before: ReadonlyArray<unknown> = []
    edit(directory, (database) => {
      before = database
        .prepare("SELECT changes, seq, keys, tag FROM key_slot WHERE slot = 'mac/both'")
        .raw()
        .get() as []
    })
    await run(
      withJournal(directory, (journal) => {
        keep(journal, "mac/both", "wrapped fourth")
        return journal.drained
      })
    )

    expect(audit(directory)).toBe("good")

    edit(directory, (database) =>
      database
        .prepare("UPDATE key_slot SET changes = ?, seq = ?, keys = ?, tag = ? WHERE slot = 'mac/both'")
        .run(before)
    )

    expect(audit(directory)).toBe("refused: Corrupt")
  })

  it("keeps its rows when the journal's key is changed", async () => {
    const directory = folder()
    await fill(directory)
    const key = Buffer.alloc(32, 7)

    await run(withJournal(directory, () => Effect.void, { key, previousKeys: [testKey] }))
    const rows = await run(
      withJournal(directory, (journal) => Effect.succeed(journal.recovered.keys), { key, previousKeys: [testKey] })
    )

    expect(rows.map(({ keys }) => keys)).toEqual(["wrapped third", "wrapped PIN third"])
  })

  it("comes into a journal of version 3 with its first start, and what was written before stays good", async () => {
    const directory = folder()
    await run(
      withJournal(directory, (journal) => {
        write(journal.writer, { pan: testPan })
        return journal.drained
      })
    )
    // Version 3 had no table, and its marks counted 20 kinds.
    edit(directory, (database) =>
      database.exec("DROP TABLE key_slot; DROP TABLE beginning; DELETE FROM mark; PRAGMA user_version = 3")
    )

    expect(audit(directory)).toBe("good")

    const notes = await run(
      withJournal(directory, (journal) => {
        keep(journal, "mac/both", "wrapped")
        return Effect.as(journal.drained, journal.recovered.notes)
      })
    )

    expect(notes.join()).toContain("of version 3 and is of version 5")
    expect(audit(directory)).toBe("good")
  })
})
