/** Groups in PostgreSQL as entries, read with the switch's own reader; each is opened once in a run. */
import { groupAt } from "../../../packages/switch/src/journal/CommitGroup.ts"
import { CommitGroupReader } from "../../../packages/switch/src/journal/CommitGroupReader.ts"
import { type Entry, entryAt, readEntry, readU64 } from "../../../packages/switch/src/journal/Entry.ts"
import type { GroupRow, GroupRows } from "../../../packages/switch/src/journal/GroupRows.ts"
import type { Kept } from "../../../packages/switch/src/journal/MemoryGroups.ts"
import type { Keyring } from "../../../packages/switch/src/journal/Seal.ts"

const none: GroupRows = {
  place: "postgres",
  from: () => [],
  upTo: () => undefined,
  mark: () => undefined,
  name: () => undefined,
  beginning: () => undefined,
  slot: () => undefined
}

export class KeptGroups {
  private readonly keyring: Keyring
  private readonly byHash = new Map<string, Kept>()

  constructor(keyring: Keyring) {
    this.keyring = keyring
  }

  /** The groups of rows, without the one that begins the chain. */
  all(rows: ReadonlyArray<GroupRow>, journalId: string): ReadonlyArray<Kept> {
    const reader = new CommitGroupReader(none, journalId, this.keyring)
    return rows.filter(({ first }) => first > 0).map((row) => this.one(row, reader))
  }

  /** Their entries, in order. */
  entries(rows: ReadonlyArray<GroupRow>, journalId: string): ReadonlyArray<Entry> {
    return this.all(rows, journalId).flatMap(({ entries }) => entries)
  }

  private one(row: GroupRow, reader: CommitGroupReader): Kept {
    const name = row.hash.toString("latin1")
    const known = this.byHash.get(name)
    if (known !== undefined) return known
    const { bytes, first, last } = row
    const plain = reader.secrets(row)
    const entries = reader.places(row).map(({ at, secretFrom }) => {
      const length = bytes.readUInt32BE(at + entryAt.secretLength)
      const entry = readEntry(bytes, at, false)
      return length === 0 || plain === undefined
        ? entry
        : { ...entry, secret: plain.subarray(secretFrom, secretFrom + length) }
    })
    const kept = { bytes, first, last, floor: readU64(bytes, groupAt.floor), at: readU64(bytes, groupAt.time), entries }
    this.byHash.set(name, kept)
    return kept
  }
}
