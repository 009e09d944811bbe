/**
 * How much a journal holds, since when, and how much of it may be dropped. Runs in the journal's thread, or the command line's;
 * synchronous; bounded: it looks a few groups up, and never reads the journal through.
 */
import { statSync } from "node:fs"
import { join } from "node:path"
import { groupAt } from "./CommitGroup.ts"
import type { CommitGroupReader } from "./CommitGroupReader.ts"
import { readU64 } from "./Entry.ts"
import type { GroupRow } from "./GroupRows.ts"
import type { JournalFile } from "./JournalFile.ts"
import type { Extent } from "./JournalStore.ts"
import { indexFile } from "./SearchIndex.ts"
import { databaseFile } from "./SqliteFile.ts"

const DAY_MS = 86_400_000

const files = [databaseFile, `${databaseFile}-wal`, indexFile, `${indexFile}-wal`]

/** When a group was written, milliseconds since the epoch. */
const timeOf = ({ bytes }: GroupRow): number => readU64(bytes, groupAt.time)

/**
 * The last group that was written before `ms`, found by halves; `undefined`: none was. Where the clock was put back it is one of
 * those at the border.
 */
const lastBefore = (groups: CommitGroupReader, first: GroupRow, last: GroupRow, ms: number): GroupRow | undefined => {
  let [low, high] = [first, last]
  if (timeOf(low) >= ms) return undefined
  if (timeOf(high) < ms) return high
  for (;;) {
    let middle = groups.groupOf(Math.floor((low.first + high.first) / 2))
    if (middle === undefined || middle.first === low.first) middle = groups.groupOf(low.last + 1)
    if (middle === undefined || middle.first === high.first) return low
    if (timeOf(middle) < ms) low = middle
    else high = middle
  }
}

/** Room that a journal takes, in bytes. */
export interface Room {
  /** Of its files, the search index among them, and what of it is free for new entries. */
  readonly size: number
  readonly free: number
  /** Of the entries alone. */
  readonly used: number
}

/** The room of a journal in SQLite. */
export const roomOf = ({ database, directory }: JournalFile): Room => {
  const count = (pragma: string) => Number(database.pragma(pragma, { simple: true }))
  const page = count("page_size")
  const free = count("freelist_count") * page
  const size = files.reduce(
    (sum, file) => sum + (statSync(join(directory, file), { throwIfNoEntry: false })?.size ?? 0),
    0
  )
  return { size, free, used: count("page_count") * page - free }
}

/**
 * Looks. `before`: what was written earlier is old, milliseconds since the epoch; `needed`: the oldest entry that has to stay.
 */
export const extentOf = (
  groups: CommitGroupReader,
  { free, size, used }: Room,
  before: number,
  needed: number
): Extent => {
  const [first, last] = [groups.firstGroup(), groups.lastGroup()]
  if (first === undefined || last === undefined) {
    const { from } = groups.start()
    const nothing = { since: 0, perDay: 0, upTo: 0, droppable: 0, isHeldBack: false }
    return { ...nothing, first: from, last: from - 1, size, free }
  }
  const perEntry = used / (last.last - first.first + 1)
  const old = lastBefore(groups, first, last, before)?.last ?? 0
  // A group goes as a whole, and the last one stays: the chain has an end to go on from.
  const kept = groups.groupOf(Math.max(first.first, Math.min(needed, last.last)))?.first ?? first.first
  const upTo = Math.min(old, kept - 1)
  const yesterday = lastBefore(groups, first, last, timeOf(last) - DAY_MS)?.last ?? first.first - 1
  return {
    first: first.first,
    last: last.last,
    since: timeOf(first),
    size,
    free,
    perDay: Math.round((last.last - yesterday) * perEntry),
    upTo: upTo < first.first ? 0 : upTo,
    droppable: upTo < first.first ? 0 : Math.round((upTo - first.first + 1) * perEntry),
    isHeldBack: Math.min(old, last.first - 1) > upTo
  }
}
