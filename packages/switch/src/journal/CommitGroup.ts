/**
 * A group: the entries that become durable together, in one SQLite transaction, sealed and chained once.
 *
 * Pure memory. A group is filled by `JournalWriter`, handed to a store, and given back when it is durable. The memory
 * is shared with the store's thread; whoever holds the group is alone in touching it.
 *
 *     0 previous hash (32) | 32 first u64 | 40 last u64 | 48 at u64 | 56 floor u64 | 64 entries u32 | 68 bytes of entries u32
 *     72 bytes sealed u32 | 76 key id (4) | 80 nonce (24) | 104 entries | sealed bytes
 *
 * That is also what the chain hashes, once the store has taken the secrets out of the entries and put the sealed bytes behind
 * them: the digest of a group is the SHA-256 of header and entries, its hash the SHA-256 of digest and sealed bytes. The seal
 * authenticates the digest, so neither can be had with another's. While the writer fills it, `bytes sealed` is the sum of secret
 * lengths.
 */
import { hash } from "node:crypto"
import { SHA256_LENGTH, sha256 } from "./Sha256.ts"

/** The version of the canonical bytes, which is at the beginning of the chain. */
const CHAIN_VERSION = 3

/** Where the first entry is. */
export const GROUP_HEADER_LENGTH = 104
/** Bytes of the SHA-256 that chains a group to the one before. */
export const groupHashLength = SHA256_LENGTH
/** Bytes of the nonce of a group's seal (XAES-256-GCM). */
export const GROUP_NONCE_LENGTH = 24
/** Bytes of the key id of a group's seal. */
export const GROUP_KEY_ID_LENGTH = 4
/** Room behind the entries that the writer leaves for the authentication tag of the seal. */
export const GROUP_TAG_LENGTH = 16
/** Offsets in a group's header; see the module header. */
export const groupAt = {
  previous: 0,
  first: 32,
  last: 40,
  time: 48,
  floor: 56,
  count: 64,
  length: 68,
  sealedLength: 72,
  keyId: 76,
  nonce: 80
} as const

/** Digest of a group's header and entries, which are `bytes` up to `end`. */
export const digestOf = (bytes: Buffer, end: number): Buffer => sha256(bytes.subarray(0, end))

let linked = Buffer.alloc(64 * 1024)

/** Hash of a group on the chain: of its digest, and of what is sealed in it. */
export const chainHash = (digest: Buffer, sealed: Buffer): Buffer => {
  const length = groupHashLength + sealed.length
  if (linked.length < length) linked = Buffer.alloc(2 * length)
  linked.set(digest, 0)
  linked.set(sealed, groupHashLength)
  return sha256(linked.subarray(0, length))
}

/** What the first group is chained to. */
export const genesisHash = (journalId: string): Buffer =>
  hash("sha256", `jinka journal ${CHAIN_VERSION} ${journalId}`, "buffer")

/** One group's memory and what the writer knows of it. */
export class CommitGroup {
  /** Numbers the memory, so that a store's thread needs to be given it only once. */
  readonly id: number
  readonly memory: SharedArrayBuffer
  readonly buffer: Buffer
  /** The same bytes, for numbers: one store each, in place of one for each byte. */
  readonly view: DataView
  /** Seq of the first and last entry; 0 while empty. */
  first = 0
  last = 0
  count = 0
  /** Bytes of entries, secrets included. */
  length = 0

  constructor(id: number, capacity: number) {
    this.id = id
    this.memory = new SharedArrayBuffer(capacity)
    this.buffer = Buffer.from(this.memory)
    this.view = new DataView(this.memory)
  }

  /** Makes the group empty again. */
  clear(): void {
    this.first = 0
    this.last = 0
    this.count = 0
    this.length = 0
  }
}
