/**
 * Makes a group what the chain hashes: takes its secrets out and seals them, hashes it behind the group before, tags the hash,
 * and counts its kinds. What comes out is a row for whichever store keeps it, with the rows of other tables that belong to it.
 *
 * Pure memory, in the journal's thread; throws only when a group is not what its writer says. A group that was sealed is part of
 * the chain from then on: a store that cannot keep it must not go on with the next.
 */
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
import type { GroupRow, MarkRow, NameRow } from "./GroupRows.ts"
import { type KeyRow, readKeyEntry } from "./KeySlots.ts"
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

/** A new name of a link. */
export interface NewName extends NameRow {
  readonly id: number
}

/** What a slot of keys holds from now on; `seq` of the entry that says so. */
export interface NewKeys extends KeyRow {
  readonly seq: number
}

/** A sealed group, and what goes into other tables with it: all of it, or nothing. */
export interface SealedGroup extends GroupRow {
  readonly names: ReadonlyArray<NewName>
  readonly keys: ReadonlyArray<NewKeys>
  readonly mark: MarkRow | undefined
}

const none: ReadonlyArray<never> = []

/** The sealing side of one journal. */
export class GroupSeal {
  readonly journalId: string
  private readonly seal: Seal
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

  constructor(journalId: string, seal: Seal, reached: Reached) {
    this.journalId = journalId
    this.seal = seal
    this.counts = [...reached.counts]
    this.lastHash = Buffer.from(reached.hash)
    this.lastSeq = reached.seq
    this.lastTag = this.headTag(reached.seq, reached.hash)
    this.marked = reached.mark
  }

  /** Seq of the last entry sealed. */
  get seq(): number {
    return this.lastSeq
  }

  /** Hash of the last group sealed. */
  get hash(): Buffer {
    return this.lastHash
  }

  /** Tag of both. */
  get tag(): Buffer {
    return this.lastTag
  }

  /** The tag of a text under the journal's key. */
  tagOf(text: Buffer): Buffer {
    return this.seal.tag(text)
  }

  /** Seals the group in `buffer`. No secret is left there; the row's bytes are a part of it. */
  take(buffer: Buffer): SealedGroup {
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
    this.lastHash = chainHash(digest, buffer.subarray(end, whole))
    this.lastTag = this.headTag(last, this.lastHash)
    this.lastSeq = last
    return {
      first,
      last,
      sealed: whole - end,
      hash: this.lastHash,
      tag: this.lastTag,
      bytes: buffer.subarray(0, whole),
      names: this.namedAt.length === 0 ? none : this.namedAt.map((at) => this.nameOf(buffer, at)),
      keys: this.keyed.length === 0 ? none : this.keyed.map(({ at, keys }) => keysOf(buffer, at, keys)),
      mark: last - this.marked >= MARK_EVERY ? this.newMark() : undefined
    }
  }

  /** A mark at the end of what is sealed, unless there is one: for a clean close. */
  mark(): MarkRow | undefined {
    return this.marked === this.lastSeq ? undefined : this.newMark()
  }

  private headTag(seq: number, hash: Buffer): Buffer {
    return this.seal.tag(headText(this.journalId, seq, hash))
  }

  private nameOf(buffer: Buffer, at: number): NewName {
    const [name = "", dialect = ""] = messageAt(buffer, at).split("\n")
    const id = buffer.readUInt32BE(at + entryAt.link)
    return { id, name, dialect, tag: this.seal.tag(nameText(this.journalId, id, name, dialect)) }
  }

  private newMark(): MarkRow {
    const counts = JSON.stringify(this.counts)
    this.marked = this.lastSeq
    return { seq: this.lastSeq, counts, tag: this.seal.tag(markText(this.journalId, this.lastSeq, counts)) }
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

const keysOf = (buffer: Buffer, at: number, keys: string): NewKeys => {
  const { link, slot } = readKeyEntry(messageAt(buffer, at))
  return { link, slot, keys, seq: readU64(buffer, at + entryAt.seq) }
}
