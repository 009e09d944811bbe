/**
 * A simulated partner's zone: its MAC key and its PIN key, and what it does with them. CUPS F128 (X9.19 over the cleaned text)
 * and PIN blocks of format 0.
 *
 * Written on its own, with nothing but DES from OpenSSL, like the rest of the partners: the oracle of what the switch makes.
 */
import { type Cipheriv, createCipheriv, createDecipheriv, createHash, type Decipheriv } from "node:crypto"
import type { CupsMessage } from "./Cups.ts"

/** Data elements that F128 covers (docs/domain.md 1.11); the message type stands before them. */
const covered = [2, 3, 4, 7, 11, 18, 25, 28, 32, 33, 38, 39, 41, 42, 90, 102, 103] as const
const counted: ReadonlySet<number> = new Set([2, 32, 33, 102, 103])

/** Types of messages that carry a MAC. */
const sealed = /^0[124][0-3]/
const unsealed = /^06|^08/

/** Single DES: three times the same key is that. What makes a cipher is dear, so each is made once, when it is needed. */
class Des {
  private readonly three: Buffer
  private encryptor: Cipheriv | undefined
  private decryptor: Decipheriv | undefined
  private chainer: Cipheriv | undefined
  /** The last block of the text before: CBC goes on from it. */
  private last: Buffer = Buffer.alloc(8)

  constructor(key: Buffer) {
    this.three = Buffer.concat([key, key, key])
  }

  encrypt(block: Buffer): Buffer {
    this.encryptor ??= createCipheriv("des-ede3-ecb", this.three, null).setAutoPadding(false)
    return this.encryptor.update(block)
  }

  decrypt(block: Buffer): Buffer {
    this.decryptor ??= createDecipheriv("des-ede3-ecb", this.three, null).setAutoPadding(false)
    return this.decryptor.update(block)
  }

  /** The last block of the text in CBC mode from a block of zeros, filled up with zeros. */
  chain(text: Buffer): Buffer {
    this.chainer ??= createCipheriv("des-ede3-cbc", this.three, Buffer.alloc(8)).setAutoPadding(false)
    const padded = Buffer.alloc(8 * Math.ceil(text.length / 8))
    text.copy(padded)
    // Taken out of the first block, the block before it leaves a start from zeros.
    for (let n = 0; n < this.last.length; n++) padded[n]! ^= this.last[n]!
    this.last = this.chainer.update(padded).subarray(-8)
    return this.last
  }
}

const clean = (text: string): string =>
  text
    .toUpperCase()
    .replace(/[^A-Z0-9 ,.]/g, "")
    .replace(/ +/g, " ")
    .trim()

/** The text that F128 covers. */
export const macTextOf = ({ fields, mti }: CupsMessage): string =>
  [mti, ...covered.map((de) => partOf(de, fields[de]))]
    .map(clean)
    .filter((part) => part !== "")
    .join(" ")

const partOf = (de: number, value: string | undefined): string => {
  if (value === undefined) return ""
  if (de === 90) return value.slice(0, 20)
  return counted.has(de) ? String(value.length).padStart(2, "0") + value : value
}

/** The PIN of every card. */
export const everyPin = "1234"

/** A key of 16 bytes that belongs to a name. */
export const keyNamed = (name: string): Buffer => createHash("sha256").update(name).digest().subarray(0, 16)

const xored = (left: Buffer, right: Buffer): Buffer => Buffer.from(left.map((byte, at) => byte ^ right[at]!))

/** Whether messages of this type carry a MAC. */
export const hasMac = (mti: string): boolean => sealed.test(mti) && !unsealed.test(mti)

/** The same with an odd number of ones in each byte, as a DES key has that is delivered without a check value. */
export const oddKeyNamed = (name: string): Buffer =>
  Buffer.from(
    keyNamed(name).map((byte) => {
      let ones = 0
      for (let rest = byte >> 1; rest > 0; rest >>= 1) ones += rest & 1
      return (byte & 0xfe) | (1 - (ones % 2))
    })
  )

type Pair = readonly [Des, Des]

const desOf = (key: Buffer): Pair => [new Des(key.subarray(0, 8)), new Des(key.subarray(8))]

const tdes = ([first, second]: Pair, block: Buffer): Buffer => first.encrypt(second.decrypt(first.encrypt(block)))

/** A key's check value: three bytes of E(key, 0). */
const checkValueOf = (pair: Pair): string => tdes(pair, Buffer.alloc(8)).toString("hex", 0, 3).toUpperCase()

/** Text of a key message that F128 covers: MTI, 7, 11, 39, 53, 70, 100. */
const keyTextOf = ({ fields, mti }: CupsMessage): string =>
  [
    mti,
    ...[7, 11, 39, 53, 70].map((de) => fields[de] ?? ""),
    `${String(fields[100]?.length).padStart(2, "0")}${fields[100]}`
  ]
    .filter((part) => part !== "")
    .join(" ")

const zones = new Map<string, Zone>()

/** The zone that a partner begins with, for its PIN key alone: that never changes. */
export const zoneOf = (partner: string): Zone => {
  const known = zones.get(partner)
  if (known !== undefined) return known
  const zone = new Zone(partner)
  zones.set(partner, zone)
  return zone
}

/** The zone of one partner, on one of its lines. */
export class Zone {
  /** The MAC key in use, the one before, and one that was delivered and is not answered for. */
  private mac: { readonly pair: Pair; readonly key: Buffer }
  private before: Pair | undefined
  private next: { readonly pair: Pair; readonly key: Buffer } | undefined
  private readonly pin: Pair
  private readonly kek: Pair
  private readonly partner: string
  private changes = 0

  constructor(partner: string) {
    this.partner = partner
    const key = keyNamed(`mac ${partner}`)
    this.mac = { key, pair: desOf(key) }
    this.pin = desOf(keyNamed(`pin ${partner}`))
    this.kek = desOf(keyNamed(`kek ${partner}`))
  }

  /** Check value of the MAC key in use. */
  get checkValue(): string {
    return checkValueOf(this.mac.pair)
  }

  /** The value of F48 that brings a key: the same one until it was taken. */
  delivery(line: string): string {
    if (this.next === undefined) {
      const key = oddKeyNamed(`mac ${this.partner} ${line} ${++this.changes}`)
      this.next = { key, pair: desOf(key) }
    }
    const { key } = this.next
    const wrapped = Buffer.concat([tdes(this.kek, key.subarray(0, 8)), tdes(this.kek, key.subarray(8))])
    return `NK${wrapped.toString("latin1")}`
  }

  /** The switch has answered for the key: it is used from now on. False when the answer's MAC is not of that key. */
  taken(answer: CupsMessage): boolean {
    if (this.next === undefined) return true
    const isRight = answer.fields[128] === this.sealOf(keyTextOf(answer), this.next.pair)
    this.before = this.mac.pair
    this.mac = this.next
    this.next = undefined
    return isRight
  }

  /** Whether a message that came has the MAC of a key that the switch may use now. */
  proves(message: CupsMessage, mac: string | undefined): boolean {
    const pairs = [this.mac.pair, this.before, this.next?.pair]
    return pairs.some((pair) => pair !== undefined && mac === this.sealOf(macTextOf(message), pair))
  }

  /** F128 of a message. */
  macOf(message: CupsMessage): string {
    return this.sealOf(macTextOf(message), this.mac.pair)
  }

  private sealOf(covered: string, [first, second]: Pair): string {
    const state = first.chain(Buffer.from(covered, "latin1"))
    const whole = first.encrypt(second.decrypt(state))
    return whole.toString("hex", 0, 4).toUpperCase()
  }

  /** The PIN block of the PIN for a card, as the value of F52. */
  pinBlock(pin: string, card: string): string {
    const plain = Buffer.from(`0${pin.length}${pin}`.padEnd(16, "F"), "hex")
    const clear = xored(plain, Buffer.from(card.slice(0, -1).slice(-12).padStart(16, "0"), "hex"))
    return tdes(this.pin, clear).toString("latin1")
  }
}
