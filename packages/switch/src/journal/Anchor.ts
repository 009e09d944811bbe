/**
 * The anchor `journal.head`: how far the journal reached, kept outside the database. SQLite drops the end of a
 * damaged WAL without a word (guarantees, fact 7); a database that ends before its anchor has lost entries that were
 * acknowledged.
 *
 * Two slots of 512 bytes are written in turn, each with a checksum, so that a torn write leaves the other. It is
 * written after the commit and before the acknowledgement: it may lag behind the database (that is harmless), never
 * lead it.
 */
import { hash } from "node:crypto"
import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from "node:fs"
import { readU64, writeU64 } from "./Entry.ts"
import { groupHashLength } from "./Group.ts"

/** The anchor's file in the journal's directory. */
export const anchorFile = "journal.head"

const slotLength = 512
const magic = "JINKAHD1"
const at = { journalId: 8, seq: 24, hash: 32, checksum: 64, end: 96 } as const

/** What a slot says. */
export interface Head {
  /** 32 hex digits. */
  readonly journalId: string
  readonly seq: number
  readonly hash: Buffer
}

/** The anchor open for writing. */
export class Anchor {
  readonly #file: number
  readonly #slot = Buffer.alloc(slotLength)
  #turn: number
  /** Whether something was written since the last `sync`. */
  dirty = false

  /**
   * Opens the file for writing, making it when missing. `newest`: the slot (0 or 1) not to overwrite first; -1 for
   * none.
   */
  constructor(path: string, journalId: string, newest: number) {
    this.#file = openSync(path, newest < 0 ? "w+" : "r+", 0o600)
    this.#turn = newest
    this.#slot.write(magic, 0, "latin1")
    this.#slot.write(journalId, at.journalId, "hex")
  }

  /** Writes the head into the older slot. Throws the system's error. */
  write(seq: number, head: Uint8Array): void {
    writeU64(this.#slot, seq, at.seq)
    this.#slot.set(head, at.hash)
    this.#slot.set(checksum(this.#slot), at.checksum)
    this.#turn = (this.#turn + 1) & 1
    const written = writeSync(this.#file, this.#slot, 0, slotLength, this.#turn * slotLength)
    if (written !== slotLength) throw new Error(`${anchorFile}: ${written} of ${slotLength} bytes written`)
    this.dirty = true
  }

  /** Forces what was written onto the disk. Throws the system's error. */
  sync(): void {
    fdatasyncSync(this.#file)
    this.dirty = false
  }

  close(): void {
    closeSync(this.#file)
  }
}

const checksum = (slot: Buffer): Buffer => hash("sha256", slot.subarray(0, at.checksum), "buffer")

/**
 * Reads the anchor. `head` is undefined when no slot is whole; `slot` is where it stands (-1 when there is none).
 * `missing`: there is no file.
 */
export const readAnchor = (
  path: string
): { readonly head: Head | undefined; readonly slot: number; readonly missing: boolean } => {
  const bytes = Buffer.alloc(2 * slotLength)
  try {
    const file = openSync(path, "r")
    try {
      // A file without a byte is one that was being made when the process died.
      if (readSync(file, bytes, 0, bytes.length, 0) === 0) return { head: undefined, slot: -1, missing: true }
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return { head: undefined, slot: -1, missing: true }
    throw error
  }
  let found: { head: Head; slot: number } | undefined
  for (let slot = 0; slot < 2; slot++) {
    const head = readSlot(bytes.subarray(slot * slotLength, (slot + 1) * slotLength))
    if (head !== undefined && (found === undefined || head.seq > found.head.seq)) found = { head, slot }
  }
  return { head: found?.head, slot: found?.slot ?? -1, missing: false }
}

const readSlot = (slot: Buffer): Head | undefined => {
  if (slot.toString("latin1", 0, 8) !== magic) return undefined
  if (!checksum(slot).equals(slot.subarray(at.checksum, at.end))) return undefined
  return {
    journalId: slot.toString("hex", at.journalId, at.seq),
    seq: readU64(slot, at.seq),
    hash: Buffer.from(slot.subarray(at.hash, at.hash + groupHashLength))
  }
}
