/**
 * The anchor `journal.head`: how far the journal reached, kept outside the database. SQLite drops the end of a
 * damaged WAL without a word (docs/decisions/0004-journal.md); a database that ends before its anchor has lost entries that were
 * acknowledged.
 *
 * Two slots of 512 bytes are written in turn, each with a checksum, so that a torn write leaves the other. It is
 * written after the commit and before the acknowledgement: it may lag behind the database (that is harmless), never
 * lead it. A slot holds a head with its tag: nobody writes one without the journal's key.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync, readSync, writeSync } from "node:fs"
import { join } from "node:path"
import { groupHashLength } from "./CommitGroup.ts"
import { readU64, writeU64 } from "./Entry.ts"
import type { Head } from "./Head.ts"
import { sha256, sha256Into } from "./Sha256.ts"
import { tagLength } from "./Tag.ts"

/** The anchor's file in the journal's directory. */
export const anchorFile = "journal.head"

const SLOT_LENGTH = 512
const magic = "JINKAHD3"
const at = { journalId: 8, seq: 24, hash: 32, tag: 64, checksum: 100, end: 132 } as const

/** What an anchor says of a commit group: its last entry, its hash and its tag. */
export interface AnchoredGroup {
  readonly last: number
  readonly hash: Uint8Array
  readonly tag: Uint8Array
}

/** The anchor open for writing. */
export class Anchor {
  private readonly file: number
  private readonly slot = Buffer.alloc(SLOT_LENGTH)
  private turn: number
  /** Whether something was written since the last `sync`. */
  dirty = false

  /**
   * Opens the file for writing, making it when missing. `newest`: the slot (0 or 1) not to overwrite first; -1 for
   * none.
   */
  constructor(path: string, journalId: string, newest: number) {
    this.file = openSync(path, newest < 0 ? "w+" : "r+", 0o600)
    this.turn = newest
    this.slot.write(magic, 0, "latin1")
    this.slot.write(journalId, at.journalId, "hex")
  }

  /** Writes the head into the older slot. Throws the system's error. */
  write(seq: number, head: Uint8Array, tag: Uint8Array): void {
    writeU64(this.slot, seq, at.seq)
    this.slot.set(head, at.hash)
    this.slot.set(tag, at.tag)
    sha256Into(this.slot.subarray(0, at.checksum), this.slot, at.checksum)
    this.turn = (this.turn + 1) & 1
    const written = writeSync(this.file, this.slot, 0, SLOT_LENGTH, this.turn * SLOT_LENGTH)
    if (written !== SLOT_LENGTH) throw new Error(`${anchorFile}: ${written} of ${SLOT_LENGTH} bytes written`)
    this.dirty = true
  }

  /** Forces what was written onto the disk. Throws the system's error. */
  sync(): void {
    fdatasyncSync(this.file)
    this.dirty = false
  }

  /** The same while the thread goes on; not to be closed before `done` has heard of it, or of the system's error. */
  syncBeside(done: (error: Error | null) => void): void {
    fdatasync(this.file, done)
  }

  close(): void {
    closeSync(this.file)
  }
}

/**
 * Writes the anchor of a copy in `directory`, of the last groups in their order. Two fill both slots: an empty one would be told
 * of at each look as one that is corrupt. Throws the system's error.
 */
export const writeAnchor = (directory: string, journalId: string, groups: ReadonlyArray<AnchoredGroup>): void => {
  const anchor = new Anchor(join(directory, anchorFile), journalId, -1)
  for (const { hash, last, tag } of groups) anchor.write(last, hash, tag)
  anchor.sync()
  anchor.close()
}

/** What an anchor's file says. */
export interface FoundAnchor {
  /** There is no file, or one without a byte: it was being made when the process died. */
  readonly missing: boolean
  /** The newest head; undefined when no slot is whole. */
  readonly head: Head | undefined
  /** Where it is: 0 or 1; -1 when there is none. */
  readonly slot: number
  /** What is odd about the slots although one is whole: corrupt, or written twice. */
  readonly odd?: string
}

const nowhere = { head: undefined, slot: -1 } as const

/** Reads an anchor's file. `isGenuine` says whether the tag of a head fits, as far as that can be told. */
export const readAnchor = (path: string, isGenuine: (head: Head) => boolean): FoundAnchor => {
  const bytes = Buffer.alloc(2 * SLOT_LENGTH)
  try {
    const file = openSync(path, "r")
    try {
      if (readSync(file, bytes, 0, bytes.length, 0) === 0) return { ...nowhere, missing: true }
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return { ...nowhere, missing: true }
    throw error
  }
  return newestOf(
    [0, 1].map((slot) => readSlot(bytes.subarray(slot * SLOT_LENGTH, (slot + 1) * SLOT_LENGTH))),
    isGenuine
  )
}

const newestOf = (slots: ReadonlyArray<Head | undefined>, isGenuine: (head: Head) => boolean): FoundAnchor => {
  const heads = slots.map((slot) => (slot !== undefined && isGenuine(slot) ? slot : undefined))
  const [one, other] = heads
  const slot = one === undefined ? (other === undefined ? -1 : 1) : other === undefined || other.seq < one.seq ? 0 : 1
  if (slot < 0) return { ...nowhere, missing: false }
  const found: FoundAnchor = { missing: false, head: heads[slot], slot }
  if (one === undefined || other === undefined) {
    return { ...found, odd: `slot ${one === undefined ? 1 : 2} of 2 was not as it was written` }
  }
  // In a new file one slot says 0: whoever copies the older one over the newer wants the end of the journal forgotten.
  return one.seq === other.seq && one.seq > 0 ? { ...found, odd: "both slots said the same" } : found
}

const readSlot = (slot: Buffer): Head | undefined => {
  if (slot.toString("latin1", 0, 8) !== magic) return undefined
  if (!sha256(slot.subarray(0, at.checksum)).equals(slot.subarray(at.checksum, at.end))) return undefined
  return {
    journalId: slot.toString("hex", at.journalId, at.seq),
    seq: readU64(slot, at.seq),
    hash: Buffer.from(slot.subarray(at.hash, at.hash + groupHashLength)),
    tag: Buffer.from(slot.subarray(at.tag, at.tag + tagLength))
  }
}
