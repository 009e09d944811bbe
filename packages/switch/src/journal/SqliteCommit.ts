/**
 * Makes one group durable: takes its secrets out and seals them, hashes it onto the chain, writes its row in one
 * transaction. Runs in the journal's thread; throws what SQLite throws, and after that it must not be used again (a
 * failed COMMIT is ambiguous; docs/domain.md 4.1).
 */
import type Database from "better-sqlite3"
import {
  chainHash,
  digestOf,
  GROUP_HEADER_LENGTH,
  GROUP_NONCE_LENGTH,
  GROUP_TAG_LENGTH,
  groupAt
} from "./CommitGroup.ts"
import { additionalOf, messageAt } from "./CommitGroupReader.ts"
import { entryAt, entryLength, PAN_LENGTH_MAX, readU64, writeU64 } from "./Entry.ts"
import { EntryKind } from "./EntryKind.ts"
import { KeySlotWriter, readKeyEntry } from "./KeySlots.ts"
import { PAN_BLOCK_LENGTH, packPan, panKeyOf, type Seal } from "./Seal.ts"
import { headText, markText, nameText } from "./Tag.ts"

/** Entries between two marks. */
export const MARK_EVERY = 65_536

/** What the chain and the counts have reached. */
export interface Reached {
  readonly seq: number
  readonly hash: Buffer
  readonly counts: ReadonlyArray<number>
  /** Seq of the last mark. */
  readonly mark: number
}

/** The committing side of one database. */
export class SqliteCommit {
  private readonly journalId: string
  private readonly seal: Seal
  private readonly begin: Database.Statement
  private readonly end: Database.Statement
  private readonly insertGroup: Database.Statement
  private readonly insertMark: Database.Statement
  private readonly insertName: Database.Statement
  private readonly keySlots: KeySlotWriter
  private readonly counts: Array<number>
  private readonly panAt: Array<number> = []
  private readonly namedAt: Array<number> = []
  /** Entries of the group that change a slot, and what the slot then holds. */
  private readonly keyed: Array<{ readonly at: number; readonly keys: string }> = []
  private secrets = Buffer.alloc(64 * 1024)
  private panBlocks = Buffer.alloc(256 * PAN_BLOCK_LENGTH)
  private lastHash: Buffer
  private lastTag: Buffer
  private lastSeq: number
  private marked: number
  private lastLength = 0

  constructor(database: Database.Database, journalId: string, seal: Seal, reached: Reached) {
    this.journalId = journalId
    this.seal = seal
    this.begin = database.prepare("BEGIN IMMEDIATE")
    this.end = database.prepare("COMMIT")
    this.insertGroup = database.prepare("INSERT INTO commit_group VALUES (?,?,?,?,?,?)")
    this.insertMark = database.prepare("INSERT INTO mark VALUES (?,?,?)")
    this.insertName = database.prepare("INSERT INTO name VALUES (?,?,?,?)")
    this.keySlots = new KeySlotWriter(database)
    this.counts = [...reached.counts]
    this.lastHash = Buffer.from(reached.hash)
    this.lastSeq = reached.seq
    this.lastTag = this.headTag(reached.seq, reached.hash)
    this.marked = reached.mark
  }

  /** Seq of the last entry committed. */
  get seq(): number {
    return this.lastSeq
  }

  /** Hash of the last group committed. */
  get hash(): Buffer {
    return this.lastHash
  }

  /** Tag of both. */
  get tag(): Buffer {
    return this.lastTag
  }

  /** Bytes of the last group committed. */
  get length(): number {
    return this.lastLength
  }

  /** Commits the group in `buffer`; returns when it is on disk. No secret is left in `buffer`. */
  commit(buffer: Buffer): void {
    const first = readU64(buffer, groupAt.first)
    const last = readU64(buffer, groupAt.last)
    if (first !== this.lastSeq + 1) throw new Error(`group ${first} does not follow entry ${this.lastSeq}`)
    const count = buffer.readUInt32BE(groupAt.count)
    const filled = GROUP_HEADER_LENGTH + buffer.readUInt32BE(groupAt.length)
    this.lastHash.copy(buffer, groupAt.previous)
    const secretsLength = this.takeSecrets(buffer, count, filled)
    const end = GROUP_HEADER_LENGTH + buffer.readUInt32BE(groupAt.length)
    const digest = digestOf(buffer, end)
    if (secretsLength > 0) this.sealSecrets(buffer, digest, end, secretsLength)
    const whole = end + buffer.readUInt32BE(groupAt.sealedLength)
    buffer.fill(0, whole, Math.max(whole, filled))
    const hash = chainHash(digest, buffer.subarray(end, whole))
    const tag = this.headTag(last, hash)
    this.begin.run()
    this.insertGroup.run(first, last, whole - end, hash, tag, buffer.subarray(0, whole))
    for (const at of this.namedAt) this.writeName(buffer, at)
    for (const { at, keys } of this.keyed) this.writeKeys(buffer, at, keys)
    if (last - this.marked >= MARK_EVERY) this.writeMark(last)
    this.end.run()
    this.lastHash = hash
    this.lastTag = tag
    this.lastSeq = last
    this.lastLength = whole
  }

  private headTag(seq: number, hash: Buffer): Buffer {
    return this.seal.tag(headText(this.journalId, seq, hash))
  }

  /** Writes a mark at the end of what is committed, unless there is one: for a clean close. */
  mark(): void {
    if (this.marked === this.lastSeq) return
    this.begin.run()
    this.writeMark(this.lastSeq)
    this.end.run()
  }

  private writeName(buffer: Buffer, at: number): void {
    const [name = "", dialect = ""] = messageAt(buffer, at).split("\n")
    const id = buffer.readUInt32BE(at + entryAt.link)
    this.insertName.run(id, name, dialect, this.seal.tag(nameText(this.journalId, id, name, dialect)))
  }

  private writeKeys(buffer: Buffer, at: number, keys: string): void {
    const { link, slot } = readKeyEntry(messageAt(buffer, at))
    const seq = readU64(buffer, at + entryAt.seq)
    this.keySlots.put({ link, slot, keys }, seq, this.journalId, (text) => this.seal.tag(text))
  }

  private writeMark(seq: number): void {
    const counts = JSON.stringify(this.counts)
    this.insertMark.run(seq, counts, this.seal.tag(markText(this.journalId, seq, counts)))
    this.marked = seq
  }

  /**
   * Moves the entries together without their secrets, fills in search keys and all of the header, counts kinds. Returns the
   * bytes of secrets, which are kept aside to be sealed. What a `key` entry has there is its slot's row, and is sealed nowhere.
   */
  private takeSecrets(buffer: Buffer, count: number, filled: number): number {
    if (this.secrets.length < filled) this.secrets = Buffer.alloc(2 * filled)
    let from = GROUP_HEADER_LENGTH
    let to = GROUP_HEADER_LENGTH
    let secretsLength = 0
    this.panAt.length = 0
    this.namedAt.length = 0
    this.keyed.length = 0
    for (let n = 0; n < count; n++) {
      const length = entryLength(buffer, from)
      const secret = buffer.readUInt32BE(from + entryAt.secretLength)
      if (buffer[from + entryAt.kind] === EntryKind.key) this.takeKeys(buffer, from, length, secret, to)
      else if (secret > 0) {
        buffer.copy(this.secrets, secretsLength, from + length, from + length + secret)
        this.packPan(buffer, from + length, secret, to)
        secretsLength += secret
      }
      if (to !== from) buffer.copyWithin(to, from, from + length)
      this.count(buffer, to)
      to += length
      from += length + secret
    }
    if (from !== filled) throw new Error("a group's length is not that of its entries")
    buffer.writeUInt32BE(to - GROUP_HEADER_LENGTH, groupAt.length)
    buffer.fill(0, groupAt.sealedLength, GROUP_HEADER_LENGTH)
    if (secretsLength > 0) {
      buffer.writeUInt32BE(secretsLength + GROUP_TAG_LENGTH, groupAt.sealedLength)
      buffer.write(this.seal.keyId, groupAt.keyId, "hex")
      this.seal.nonce(buffer, groupAt.nonce)
      this.hashPans(buffer)
    }
    return secretsLength
  }

  /** Takes what the slot of a `key` entry holds from behind the entry, which has no secret from then on. */
  private takeKeys(buffer: Buffer, from: number, length: number, secret: number, to: number): void {
    this.keyed.push({ at: to, keys: buffer.toString("utf8", from + length, from + length + secret) })
    buffer.writeUInt32BE(0, from + entryAt.secretLength)
  }

  private count(buffer: Buffer, at: number): void {
    const kind = buffer[at + entryAt.kind]!
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
    if (kind === EntryKind.named) this.namedAt.push(at)
  }

  /** Packs the PAN of the secret at `from`, if it has one, for the entry that will be at `entry`. */
  private packPan(buffer: Buffer, from: number, secretLength: number, entry: number): void {
    const length = buffer[from]!
    if (length === 0 || length > PAN_LENGTH_MAX || length >= secretLength) return
    const block = this.panAt.push(entry) - 1
    if ((block + 1) * PAN_BLOCK_LENGTH > this.panBlocks.length) {
      const larger = Buffer.alloc(2 * this.panBlocks.length)
      this.panBlocks.copy(larger)
      this.panBlocks.fill(0)
      this.panBlocks = larger
    }
    packPan(buffer, from + 1, length, this.panBlocks, block * PAN_BLOCK_LENGTH)
  }

  /** Fills in the search keys of the PANs that were packed. */
  private hashPans(buffer: Buffer): void {
    const blocks = this.panBlocks.subarray(0, this.panAt.length * PAN_BLOCK_LENGTH)
    if (blocks.length === 0) return
    const hashes = this.seal.panHashes(blocks)
    for (let n = 0; n < this.panAt.length; n++) {
      writeU64(buffer, panKeyOf(hashes, n * PAN_BLOCK_LENGTH), this.panAt[n]! + entryAt.pan)
    }
    blocks.fill(0)
  }

  private sealSecrets(buffer: Buffer, digest: Buffer, at: number, length: number): void {
    const secrets = this.secrets.subarray(0, length)
    const nonce = buffer.subarray(groupAt.nonce, groupAt.nonce + GROUP_NONCE_LENGTH)
    this.seal.seal(additionalOf(this.journalId, this.lastHash, digest), nonce, secrets, buffer, at)
    secrets.fill(0)
  }
}
