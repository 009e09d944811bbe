/**
 * Sealing of card data, and the keyed hash by which a PAN is found again. Pure but for the random nonce; holds keys
 * in memory only.
 *
 * One key of 32 bytes is configured; HKDF-SHA-256 (RFC 5869) makes four from it: to seal, to search, to tag (`Tag.ts`), and a
 * key id that may be seen.
 * - Seal: XAES-256-GCM (C2SP, built of SP 800-108 key derivation and SP 800-38D GCM), one call for all secrets of a
 *   group. Its nonce of 192 bits is random: plain AES-GCM with random 96-bit nonces may be called 2^32 times with one
 *   key, which a busy journal reaches in weeks.
 * - Search: AES-CMAC (SP 800-38B) of the PAN packed into exactly one block, so that one ECB call serves all PANs of a
 *   group; 48 bits of it are kept. PCI DSS 3.5.1.1 asks for a keyed hash.
 */
import {
  type Cipheriv,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync
} from "node:crypto"
import { GROUP_NONCE_LENGTH, GROUP_TAG_LENGTH } from "./CommitGroup.ts"
import { keyIdOfTag, TagKey } from "./Tag.ts"

/** Bytes of the configured key. */
export const JOURNAL_KEY_LENGTH = 32
/** Bytes of the block that a PAN is packed into for its search key. */
export const PAN_BLOCK_LENGTH = 16

const derive = (key: Uint8Array, use: string, length: number): Buffer =>
  Buffer.from(hkdfSync("sha256", key, "", `jinka journal ${use} v1`, length))

const blockCipher = (key: Buffer): Cipheriv => createCipheriv("aes-256-ecb", key, null).setAutoPadding(false)

/** The first subkey of CMAC (SP 800-38B 6.1): the encrypted zero block, doubled in GF(2^128). */
const subkey = (cipher: Cipheriv): Buffer => {
  const block = cipher.update(Buffer.alloc(16))
  const carry = block[0]! >> 7
  for (let n = 0; n < 16; n++) block[n] = ((block[n]! << 1) | (n < 15 ? block[n + 1]! >> 7 : 0)) & 0xff
  block[15] = block[15]! ^ (carry * 0x87)
  return block
}

/** XAES-256-GCM as C2SP specifies it: the key of one message is derived from half of the nonce. */
export class Xaes256Gcm {
  readonly #cipher: Cipheriv
  readonly #k1: Buffer

  constructor(key: Buffer) {
    this.#cipher = blockCipher(key)
    this.#k1 = subkey(this.#cipher)
  }

  /** Encrypts into `out` at `at`: as many bytes as `plain`, then the tag of 16 bytes. Returns the bytes written. */
  encrypt(nonce: Uint8Array, additional: Uint8Array, plain: Uint8Array, out: Buffer, at: number): number {
    const cipher = createCipheriv("aes-256-gcm", this.messageKey(nonce), nonce.subarray(12, GROUP_NONCE_LENGTH))
    cipher.setAAD(additional)
    out.set(cipher.update(plain), at)
    cipher.final()
    out.set(cipher.getAuthTag(), at + plain.length)
    return plain.length + GROUP_TAG_LENGTH
  }

  /** Decrypts; undefined when the key is another one or any byte was changed. */
  decrypt(nonce: Uint8Array, additional: Uint8Array, sealed: Uint8Array): Buffer | undefined {
    if (nonce.length !== GROUP_NONCE_LENGTH || sealed.length < GROUP_TAG_LENGTH) return undefined
    const cipher = createDecipheriv("aes-256-gcm", this.messageKey(nonce), nonce.subarray(12, GROUP_NONCE_LENGTH), {
      authTagLength: GROUP_TAG_LENGTH
    })
    cipher.setAAD(additional)
    cipher.setAuthTag(sealed.subarray(sealed.length - GROUP_TAG_LENGTH))
    const plain = cipher.update(sealed.subarray(0, sealed.length - GROUP_TAG_LENGTH))
    try {
      cipher.final()
      return plain
    } catch {
      // Node reports a wrong tag by throwing; for the caller it is an answer.
      plain.fill(0)
      return undefined
    }
  }

  /** As a key object: with the bytes themselves Node takes 14 us for a cipher, with an object 3. */
  private messageKey(nonce: Uint8Array): KeyObject {
    const blocks = Buffer.alloc(32)
    for (let half = 0; half < 2; half++) {
      blocks.set([0, half + 1, 0x58, 0], half * 16)
      blocks.set(nonce.subarray(0, 12), half * 16 + 4)
      for (let n = 0; n < 16; n++) blocks[half * 16 + n] = blocks[half * 16 + n]! ^ this.#k1[n]!
    }
    return createSecretKey(this.#cipher.update(blocks))
  }
}

/** AES-CMAC (SP 800-38B) of messages of exactly one block, many at a time. */
export class BlockCmac {
  readonly #cipher: Cipheriv
  readonly #k1: Buffer

  constructor(key: Buffer) {
    this.#cipher = blockCipher(key)
    this.#k1 = subkey(this.#cipher)
  }

  /** CMACs of `blocks`, a multiple of 16 bytes, in their order. `blocks` is changed. */
  macs(blocks: Buffer): Buffer {
    for (let n = 0; n < blocks.length; n++) blocks[n] = blocks[n]! ^ this.#k1[n & 15]!
    return this.#cipher.update(blocks)
  }
}

/** One configured key at work. */
export class Seal {
  /** Names the key without giving anything of it away: 8 hex digits. */
  readonly keyId: string
  readonly #gcm: Xaes256Gcm
  readonly #search: BlockCmac
  readonly #tags: TagKey
  private readonly nonces = Buffer.alloc(GROUP_NONCE_LENGTH * 128)
  private nonceAt = this.nonces.length

  /** `key`: 32 bytes; others throw RangeError. The bytes are not kept. */
  constructor(key: Uint8Array) {
    if (key.length !== JOURNAL_KEY_LENGTH) throw new RangeError("journal: the key is 32 bytes")
    this.keyId = derive(key, "key id", 4).toString("hex")
    this.#gcm = new Xaes256Gcm(derive(key, "seal", 32))
    this.#search = new BlockCmac(derive(key, "search", 32))
    this.#tags = new TagKey(this.keyId, derive(key, "chain", 32))
  }

  /** The tag of a text; see `Tag.ts`. */
  tag(text: Uint8Array): Buffer {
    return this.#tags.tag(text)
  }

  /** Whether `tag` is the one of `text` under this key. */
  fits(text: Uint8Array, tag: Uint8Array): boolean {
    return this.#tags.fits(text, tag)
  }

  /** Draws a nonce into `out` at `at`. */
  nonce(out: Buffer, at: number): void {
    if (this.nonceAt === this.nonces.length) {
      randomFillSync(this.nonces)
      this.nonceAt = 0
    }
    this.nonces.copy(out, at, this.nonceAt, this.nonceAt + GROUP_NONCE_LENGTH)
    this.nonceAt += GROUP_NONCE_LENGTH
  }

  /** Seals `plain` into `out` at `to` under a nonce that {@link nonce} drew. Returns the bytes written. */
  seal(additional: Buffer, nonce: Buffer, plain: Buffer, out: Buffer, to: number): number {
    return this.#gcm.encrypt(nonce, additional, plain, out, to)
  }

  /** The secrets of a group in clear, or undefined when they do not authenticate. */
  open(additional: Buffer, nonce: Buffer, sealed: Buffer): Buffer | undefined {
    return this.#gcm.decrypt(nonce, additional, sealed)
  }

  /** CMACs of packed PANs ({@link packPan}). `blocks` is changed. */
  panHashes(blocks: Buffer): Buffer {
    return this.#search.macs(blocks)
  }

  /** Search key of one PAN. */
  panKey(pan: string): number {
    const block = Buffer.alloc(PAN_BLOCK_LENGTH)
    packPan(Buffer.from(pan, "latin1"), 0, pan.length, block, 0)
    return panKeyOf(this.panHashes(block), 0)
  }
}

/** 48 bits of a CMAC as a number; never 0, which in an entry means "no PAN". */
export const panKeyOf = (hashes: Buffer, at: number): number => hashes.readUIntBE(at, 6) || 1

/** Packs `length` ASCII digits into one block: the number of digits, then the digits as BCD, filled up with F. */
export const packPan = (digits: Uint8Array, from: number, length: number, block: Buffer, at: number): void => {
  block.fill(0xff, at, at + PAN_BLOCK_LENGTH)
  block[at] = length
  for (let n = 0; n < length; n++) {
    const to = at + 1 + (n >> 1)
    const digit = digits[from + n]! & 0x0f
    block[to] = (n & 1) === 0 ? (digit << 4) | 0x0f : (block[to]! & 0xf0) | digit
  }
}

/** What a tag shows. */
export type Verdict = "genuine" | "forged" | "unknown"

/** The keys a journal is read with; the first is the one that new groups are sealed with. */
export class Keyring {
  readonly current: Seal | undefined
  readonly all: ReadonlyArray<Seal>

  /** `keys`: the current key, then previous ones; each 32 bytes. */
  constructor(keys: ReadonlyArray<Uint8Array>) {
    this.all = keys.map((key) => new Seal(key))
    this.current = this.all[0]
  }

  /** The key with this id. */
  byId(keyId: string): Seal | undefined {
    return this.all.find((seal) => seal.keyId === keyId)
  }

  /** Whether a tag is good enough: genuine, or, for want of any key, not to be judged. */
  accepts(text: Uint8Array, tag: Uint8Array): boolean {
    return this.current === undefined || this.check(text, tag) === "genuine"
  }

  /** Whether a tag is the one of a text; `unknown`: it was made with a key that is not here, or with none. */
  check(text: Uint8Array, tag: Uint8Array): Verdict {
    const seal = this.byId(keyIdOfTag(tag))
    return seal === undefined ? "unknown" : seal.fits(text, tag) ? "genuine" : "forged"
  }
}
