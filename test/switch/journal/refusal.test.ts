import { hash } from "node:crypto"
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, expect, it } from "@effect/vitest"
import type BetterSqlite3 from "better-sqlite3"
import { Effect } from "effect"
import { EntryKind, noCounts } from "../../../packages/switch/src/journal/EntryKind.ts"
import { openJournalFile } from "../../../packages/switch/src/journal/JournalFile.ts"
import { keyFromFile, keyFromHex, keysFromHex } from "../../../packages/switch/src/journal/JournalKey.ts"
import { openReadOnly } from "../../../packages/switch/src/journal/JournalReader.ts"
import {
  JournalStop,
  journalReasonTags,
  makeReason,
  reasonOf
} from "../../../packages/switch/src/journal/JournalReason.ts"
import { JournalWriter, writerLimits } from "../../../packages/switch/src/journal/JournalWriter.ts"
import { Keyring } from "../../../packages/switch/src/journal/Seal.ts"
import { SqliteCommit } from "../../../packages/switch/src/journal/SqliteCommit.ts"
import { checkSettings, settings } from "../../../packages/switch/src/journal/SqliteFile.ts"
import {
  allEntries,
  journalOf,
  messageOf,
  refusal,
  temporaryDirectory,
  testKey,
  withJournal,
  write
} from "./Journals.ts"

const Database = createRequire(new URL("../../../packages/switch/package.json", import.meta.url))(
  "better-sqlite3"
) as typeof BetterSqlite3

/** What who only reads is told. */
const readingOf = (directory: string) => Effect.flip(Effect.scoped(openReadOnly(directory, { keys: [testKey] })))

const live = (title: string, body: Effect.Effect<void, unknown, import("effect").Scope.Scope>) =>
  it.live(title, () => Effect.scoped(body))

const edit = (directory: string, sql: string): void => {
  const database = new Database(join(directory, "journal.db"))
  database.function("flipped", (bytes: unknown, place: unknown) => {
    const copy = Buffer.from(bytes as Buffer)
    const at = (place as number) < 0 ? copy.length + (place as number) : (place as number)
    copy[at] = copy[at]! ^ 1
    return copy
  })
  database.exec(sql)
  database.close()
}

describe("a journal that must not be opened", () => {
  live(
    "is refused at once when it is open already, in this process too",
    Effect.gen(function* () {
      const directory = yield* journalOf()
      yield* withJournal(directory, (journal) =>
        Effect.gen(function* () {
          const error = yield* refusal(directory)
          expect(error.reason._tag).toBe("Locked")
          expect(error.message).toContain(directory)
          write(journal.writer)
          yield* journal.drained
        })
      )
      yield* withJournal(directory, (journal) => Effect.sync(() => expect(journal.recovered.lastSeq).toBe(11)))
    })
  )

  live(
    "is refused when another version wrote it",
    Effect.gen(function* () {
      const directory = yield* journalOf()
      const said: Array<string> = []
      for (const version of [2, 6]) {
        edit(directory, `PRAGMA user_version = ${version}`)
        const error = yield* refusal(directory)
        expect(error.reason._tag).toBe("VersionUnknown")
        said.push(error.message)
      }

      expect(said[0]).toMatch(/has version 2; this Jinka reads 3 to 5. .* not authenticated .* move the directory away/)
      expect(said[1]).toMatch(/has version 6; this Jinka reads 3 to 5. Open it with the version of Jinka that wrote it/)
    })
  )

  live(
    "is refused when the file is something else",
    Effect.gen(function* () {
      const text = yield* temporaryDirectory
      writeFileSync(join(text, "journal.db"), "a letter to the bank\n".repeat(300))
      expect((yield* refusal(text)).reason._tag).toBe("NotJournal")
      expect(readFileSync(join(text, "journal.db"), "utf8")).toMatch(/^a letter/)

      const other = yield* temporaryDirectory
      edit(other, "CREATE TABLE account (number TEXT)")
      const error = yield* refusal(other)
      expect(error.reason._tag).toBe("NotJournal")
      expect(error.message).toMatch(/directory of its own/)
    })
  )

  live(
    "is refused with another key, and says which key it wants",
    Effect.gen(function* () {
      const directory = yield* journalOf()

      const error = yield* refusal(directory, { key: Buffer.alloc(32, 1) })

      expect(error.reason._tag).toBe("KeyWrong")
      expect(error.message).toMatch(/previous key/)
      expect(error.message).not.toContain(testKey.toString("hex"))
    })
  )

  live(
    "is refused when its end is missing, and the WAL that was found is kept",
    Effect.gen(function* () {
      const directory = yield* journalOf(10)
      const before = readFileSync(join(directory, "journal.db"))
      yield* withJournal(directory, ({ writer, drained }) => {
        write(writer)
        return drained
      })
      writeFileSync(join(directory, "journal.db"), before)
      writeFileSync(join(directory, "journal.db-wal"), "what is left of a log")

      const error = yield* refusal(directory)

      expect(error.reason).toMatchObject({ _tag: "Truncated", seq: 10 })
      expect(error.message).toMatch(/ends at entry 10, but entries up to 11 were acknowledged/)
      expect(readFileSync(join(directory, "journal.db-wal.refused"), "utf8")).toBe("what is left of a log")
      expect((yield* refusal(directory)).reason._tag).toBe("Truncated")
    })
  )

  live(
    "is told of in the same words to who only reads: emptied, gone, or gone with its anchor; and where none has been, too",
    Effect.gen(function* () {
      const emptied = yield* journalOf()
      writeFileSync(join(emptied, "journal.db"), "")
      const gone = yield* journalOf()
      rmSync(join(gone, "journal.db"))
      const whole = yield* journalOf()
      for (const file of ["journal.db", "journal.head"]) rmSync(join(whole, file))
      writeFileSync(join(whole, "journal.index.db"), "left")
      const none = yield* temporaryDirectory
      const nowhere = yield* readingOf(join(none, "nowhere"))
      expect(nowhere.message).toMatch(/: There is no such directory\. If a configuration names it/)
      for (const directory of [emptied, gone, whole]) {
        const read = yield* readingOf(directory)
        expect(read.message).toBe((yield* refusal(directory)).message)
        expect(read.reason._tag).toBe(directory === whole ? "Gone" : "Truncated")
      }

      expect((yield* readingOf(none)).message).toMatch(/no journal in this directory\. Name the directory/)
    })
  )

  live(
    "names no command that says the same again where the end of its file is missing",
    Effect.gen(function* () {
      const directory = yield* journalOf()
      truncateSync(join(directory, "journal.db"), 4096)

      expect((yield* readingOf(directory)).message).toMatch(
        /its end is missing\. Keep the directory as it is.*checked\.$/
      )
    })
  )

  live(
    "opens after a loss once somebody accepts it, and the loss stays written in it",
    Effect.gen(function* () {
      const directory = yield* journalOf(10)
      const before = readFileSync(join(directory, "journal.db"))
      yield* withJournal(directory, ({ writer, drained }) => {
        for (let n = 0; n < 5; n++) write(writer)
        return drained
      })
      writeFileSync(join(directory, "journal.db"), before)

      yield* withJournal(directory, (journal) => Effect.sync(() => expect(journal.recovered.lossAccepted).toBe(15)), {
        acceptLoss: true
      })

      yield* withJournal(directory, (journal) =>
        Effect.gen(function* () {
          expect(journal.recovered.lossAccepted).toBeUndefined()
          const last = (yield* allEntries(journal)).at(-1)
          expect(last).toMatchObject({ seq: 11, kind: EntryKind.event, code: "loss accepted: entries 11 to 15" })
        })
      )
    })
  )

  live(
    "is refused without its anchor, with a broken one, and with that of another journal",
    Effect.gen(function* () {
      const directory = yield* journalOf()
      const other = yield* journalOf()
      const anchor = join(directory, "journal.head")
      const whole = readFileSync(anchor)
      const open = Effect.scoped(openReadOnly(directory, { keys: [testKey] }))
      const tags: Array<string> = []
      for (const breakIt of [
        () => rmSync(anchor),
        () => truncateSync(anchor, 0),
        () => writeFileSync(anchor, Buffer.alloc(1024)),
        () => writeFileSync(anchor, readFileSync(join(other, "journal.head")))
      ]) {
        breakIt()
        tags.push((yield* Effect.flip(open)).reason._tag)
        writeFileSync(anchor, whole)
      }

      expect(tags).toEqual(["Truncated", "Truncated", "Truncated", "Truncated"])
      yield* withJournal(directory, () => Effect.void)
    })
  )

  live(
    "opens when one slot of the anchor was torn: the other says enough",
    Effect.gen(function* () {
      const directory = yield* journalOf()
      const anchor = join(directory, "journal.head")
      const whole = readFileSync(anchor)
      for (const slot of [0, 1]) {
        const torn = Buffer.from(whole)
        torn.fill(0, slot * 512 + 100, slot * 512 + 300)
        torn[slot * 512 + 40] = torn[slot * 512 + 40]! ^ 1
        writeFileSync(anchor, torn)
        yield* withJournal(directory, () => Effect.void)
        writeFileSync(anchor, whole)
      }
    })
  )

  live(
    "is refused when its database is gone but its anchor is there",
    Effect.gen(function* () {
      const directory = yield* journalOf()
      rmSync(join(directory, "journal.db"))

      const error = yield* refusal(directory)

      expect(error.reason._tag).toBe("Truncated")
      expect(error.message).toMatch(/empty or gone; journal.head reached entry 10/)
      expect((yield* refusal(directory)).reason._tag).toBe("Truncated")
    })
  )

  live(
    "is refused when anything in the part that recovery reads was changed by hand",
    Effect.gen(function* () {
      const original = yield* journalOf()
      // Previous hash, numbers, time, floor (behind the end, too), count, lengths, key, nonce; the first kind, PAN key and
      // message; the seal.
      const places = [0, 39, 55, 57, 62, 63, 67, 71, 75, 76, 80, 120, 155, 170, -1]
      for (const sql of [
        ...places.map((place) => `UPDATE commit_group SET bytes = flipped(bytes, ${place})`),
        "UPDATE commit_group SET sealed = 0",
        "UPDATE commit_group SET last = 9",
        "UPDATE commit_group SET hash = zeroblob(32)",
        "UPDATE commit_group SET bytes = substr(bytes, 1, length(bytes) - 1)",
        "UPDATE commit_group SET tag = flipped(tag, 4)",
        "UPDATE commit_group SET tag = zeroblob(36)",
        "UPDATE mark SET tag = flipped(tag, 35)",
        "UPDATE mark SET counts = '[0]'; DELETE FROM mark; INSERT INTO mark VALUES (10, '[0]', x'')",
        "INSERT INTO mark VALUES (0, '[]', x'')",
        "UPDATE mark SET counts = 'x', seq = 0",
        "INSERT INTO name VALUES (1, 'bank-b', 'cups', x'')",
        "UPDATE meta SET journal_id = 'x'"
      ]) {
        const directory = join(yield* temporaryDirectory, "copy")
        cpSync(original, directory, { recursive: true })
        edit(directory, sql)

        const { reason } = yield* Effect.flip(Effect.scoped(openReadOnly(directory, { keys: [testKey] })))

        // A key id that was changed is the id of a key that nobody has.
        expect([sql, reason._tag]).toEqual([sql, sql.includes("tag = zeroblob") ? "KeyWrong" : "Corrupt"])
      }
    })
  )

  live(
    "is refused in a directory that cannot be used",
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const file = join(directory, "file")
      writeFileSync(file, "")
      expect((yield* refusal(file)).reason._tag).toBe("DirectoryUnusable")
      expect((yield* refusal(join(file, "below"))).reason._tag).toBe("DirectoryUnusable")
    })
  )

  it("is refused by an SQLite that is too old, or when a setting did not take", () => {
    const given = new Map(settings.map(({ name, expected }) => [name, expected]))
    const check = (version: string) => checkSettings("here", version, (name) => given.get(name))
    const tagOf = (run: () => void): string => {
      try {
        run()
        return "none"
      } catch (error) {
        return reasonOf(error, "here", "")._tag
      }
    }

    for (const version of ["3.51.3", "3.52.0", "4.0.0"]) expect(tagOf(() => check(version))).toBe("none")
    for (const version of ["3.51.2", "3.50.9", "2.99.99"]) expect(tagOf(() => check(version))).toBe("SettingsWrong")
    for (const [name, value] of [...given]) {
      given.set(name, name === "synchronous" ? 1 : "other")
      expect(tagOf(() => check("3.60.0"))).toBe("SettingsWrong")
      given.set(name, value)
    }
  })

  live(
    "wants a key of 64 hex digits",
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const file = join(directory, "key")
      const hex = testKey.toString("hex")
      writeFileSync(file, `${hex}\n`)

      expect(yield* keyFromFile(file)).toEqual(testKey)
      for (const [path, why] of [
        [`${file}.missing`, "there is no such file"],
        [directory, "it is a directory"]
      ] as const) {
        const { reason } = yield* Effect.flip(keyFromFile(path))
        expect([reason._tag, reason.problem]).toEqual(["KeyMissing", `The key file cannot be read: ${why}.`])
      }
      expect((yield* Effect.flip(keyFromHex(" \n", "environment"))).reason._tag).toBe("KeyMissing")
      const error = yield* Effect.flip(keyFromHex(hex.slice(1), "environment"))
      expect(error.reason._tag).toBe("KeyWrong")
      expect(error.message).not.toContain(hex.slice(1, 20))
      const both = yield* keysFromHex(` ${hash("sha256", "another")},\n${hex}\n`, "environment")
      expect(both[1]).toEqual(testKey)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  live(
    "refuses a key that was not drawn by chance, and says what it is and nothing of it",
    Effect.gen(function* () {
      const counting = Buffer.from(Array.from({ length: 32 }, (_, n) => 7 * n))
      const weak: ReadonlyArray<readonly [Buffer, RegExp]> = [
        [Buffer.alloc(32), /count up or stay the same/],
        [counting, /count up or stay the same/],
        [Buffer.from(`${"5a".repeat(31)}01`, "hex"), /too few of its bytes differ/],
        [Buffer.concat([testKey.subarray(0, 16), testKey.subarray(0, 16)]), /too few|repeats a part/],
        [Buffer.from("a Sentence, 32 bytes LONG: guess"), /it is text/]
      ]
      for (const [key, why] of weak) {
        const error = yield* Effect.flip(keyFromHex(key.toString("hex"), "environment"))
        expect(error.reason._tag).toBe("KeyWeak")
        expect(error.message).toMatch(why)
        expect(error.message).not.toContain(key.toString("hex").slice(0, 8))
      }
      for (let n = 0; n < 1000; n++) yield* keyFromHex(hash("sha256", `chance ${n}`), "environment")
    })
  )

  live(
    "keeps what it has when the disk is full in the middle of a group",
    Effect.gen(function* () {
      const directory = yield* journalOf(10)
      const keyring = new Keyring([testKey])
      const file = openJournalFile({ directory, keyring, readOnly: false, acceptLoss: false })
      file.database.pragma(`max_page_count = ${Number(file.database.pragma("page_count", { simple: true })) + 2}`)
      const commit = new SqliteCommit(file.database, file.groups.journalId, keyring.current!, file.reached)
      let tag = "none"
      const writer = new JournalWriter(
        (group) => {
          try {
            commit.commit(group.buffer)
          } catch (error) {
            tag = reasonOf(error, directory, "A commit failed")._tag
          }
        },
        10,
        noCounts(),
        { ...writerLimits, earlyEntries: Number.POSITIVE_INFINITY }
      )
      for (let n = 11; n < 200; n++) write(writer, { message: messageOf(n, 1000) })
      writer.flush()
      file.anchor!.close()
      file.database.close()

      expect(tag).toBe("DiskFull")
      yield* withJournal(directory, (journal) => Effect.sync(() => expect(journal.recovered.lastSeq).toBe(10)))
    })
  )

  it("says for every reason what to do", () => {
    for (const tag of journalReasonTags) {
      const reason = makeReason(tag, "here", "Found.")
      expect(reason.remedy.length).toBeGreaterThan(40)
      expect(reasonOf(new JournalStop(reason), "there", "")).toBe(reason)
    }
    const tagOf = (code: string) => reasonOf(Object.assign(new Error("x"), { code }), "here", "Writing")._tag

    expect(["ENOSPC", "EIO", "SQLITE_IOERR_FSYNC", "SQLITE_CORRUPT_INDEX", "SQLITE_BUSY", "EROFS"].map(tagOf)).toEqual([
      "DiskFull",
      "DiskFailed",
      "DiskFailed",
      "Corrupt",
      "Locked",
      "DirectoryUnusable"
    ])
    expect(reasonOf(new Error("x"), "here", "Writing")._tag).toBe("ThreadFailed")
  })
})
