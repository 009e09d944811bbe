/** The rows of a journal in SQLite. Throws what SQLite throws. */
import type Database from "better-sqlite3"
import { readBeginning } from "./Beginning.ts"
import { type GroupRow, type GroupRows, type MarkRow, type NameRow, STEP_GROUPS_MAX } from "./GroupRows.ts"
import type { StoredKeyRow } from "./KeySlots.ts"
import { databaseFile, hasKeySlots } from "./SqliteFile.ts"

/** The rows of an open database. */
export const sqliteRows = (database: Database.Database): GroupRows => {
  const range = database.prepare(`SELECT * FROM commit_group WHERE first >= ? ORDER BY first LIMIT ${STEP_GROUPS_MAX}`)
  const upTo = database.prepare("SELECT * FROM commit_group WHERE first <= ? ORDER BY first DESC LIMIT 1")
  const mark = database.prepare("SELECT seq, counts, tag FROM mark WHERE seq >= ? ORDER BY seq LIMIT 1")
  const name = database.prepare("SELECT name, dialect, tag FROM name WHERE id = ?")
  // Made when it is first needed: the table may come with this opening.
  let slots: Database.Statement | undefined
  return {
    place: databaseFile,
    from: (first) => range.iterate(first) as IterableIterator<GroupRow>,
    upTo: (seq) => upTo.get(seq) as GroupRow | undefined,
    mark: (seq) => mark.get(seq) as MarkRow | undefined,
    name: (id) => name.get(id) as NameRow | undefined,
    beginning: () => readBeginning(database),
    slot: (link, slot) => {
      if (slots === undefined && !hasKeySlots(database)) return undefined
      slots ??= database.prepare("SELECT * FROM key_slot WHERE link = ? AND slot = ?")
      return slots.get(link, slot) as StoredKeyRow | undefined
    }
  }
}
