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

/** Single DES, one block at a time: three times the same key is that. */
class Des {
  private readonly encryptor: Cipheriv
  private readonly decryptor: Decipheriv

  constructor(key: Buffer) {
    const three = Buffer.concat([key, key, key])
    this.encryptor = createCipheriv("des-ede3-ecb", three, null).setAutoPadding(false)
    this.decryptor = createDecipheriv("des-ede3-ecb", three, null).setAutoPadding(false)
  }

  encrypt(block: Buffer): Buffer {
    return this.encryptor.update(block)
  }

  decrypt(block: Buffer): Buffer {
    return this.decryptor.update(block)
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

/** The zone of one partner. */
export class Zone {
  private readonly mac: readonly [Des, Des]
  private readonly pin: readonly [Des, Des]

  constructor(partner: string) {
    const desOf = (key: Buffer) => [new Des(key.subarray(0, 8)), new Des(key.subarray(8))] as const
    this.mac = desOf(keyNamed(`mac ${partner}`))
    this.pin = desOf(keyNamed(`pin ${partner}`))
  }

  /** F128 of a message. */
  macOf(message: CupsMessage): string {
    const text = Buffer.from(macTextOf(message), "latin1")
    const [first, second] = this.mac
    let state: Buffer = Buffer.alloc(8)
    for (let at = 0; at < text.length; at += 8) {
      const block = Buffer.alloc(8)
      text.copy(block, 0, at, Math.min(at + 8, text.length))
      state = first.encrypt(xored(state, block))
    }
    const whole = first.encrypt(second.decrypt(state))
    return whole.toString("hex", 0, 4).toUpperCase()
  }

  /** The PIN block of the PIN for a card, as the value of F52. */
  pinBlock(pin: string, card: string): string {
    const plain = Buffer.from(`0${pin.length}${pin}`.padEnd(16, "F"), "hex")
    const clear = xored(plain, Buffer.from(card.slice(0, -1).slice(-12).padStart(16, "0"), "hex"))
    const [first, second] = this.pin
    return first.encrypt(second.decrypt(first.encrypt(clear))).toString("latin1")
  }
}
