/**
 * The rows of a journal as whoever reads them asks for them, whatever database they are in. Synchronous: rows of a database on
 * another machine are fetched first (`postgres/FetchedRows.ts`). No row is checked here; `CommitGroupReader` does that.
 */
import type { BeginningRow } from "./Beginning.ts"
import type { StoredKeyRow } from "./KeySlots.ts"

/** A row of `commit_group`. */
export interface GroupRow {
  readonly first: number
  readonly last: number
  /** Bytes of sealed secrets at the end of `bytes`; 0: none. */
  readonly sealed: number
  readonly hash: Buffer
  readonly tag: Buffer
  readonly bytes: Buffer
}

/** A row of `mark`. */
export interface MarkRow {
  readonly seq: number
  readonly counts: string
  readonly tag: Buffer
}

/** What of `name` is under a number. */
export interface NameRow {
  readonly name: string
  readonly dialect: string
  readonly tag: Buffer
}

/** See the module header. */
export interface GroupRows {
  /** What holds the rows, in errors. */
  readonly place: string
  /** Groups from the one that begins at `first` on, or behind it: some at a time. */
  readonly from: (first: number) => Iterable<GroupRow>
  /** The last group that begins at `seq` or before. */
  readonly upTo: (seq: number) => GroupRow | undefined
  /** The first mark at `seq` or behind it. */
  readonly mark: (seq: number) => MarkRow | undefined
  readonly name: (id: number) => NameRow | undefined
  /** Where the journal begins (`Beginning.ts`); `undefined`: nothing was dropped from it. */
  readonly beginning: () => BeginningRow | undefined
  /** What a slot of keys holds. */
  readonly slot: (link: string, slot: string) => StoredKeyRow | undefined
}

/** Groups that are read at a time. */
export const STEP_GROUPS_MAX = 64
