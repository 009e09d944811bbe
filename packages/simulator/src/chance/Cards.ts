/**
 * Made-up cards: numbers with a valid Luhn digit under configured BINs, with track 2 and a PIN block each.
 *
 * Owns what a card looks like on the wire, and the list of secrets to search for afterwards. The numbers belong to
 * nobody; the PIN key is a published test key. Nothing here is card security.
 */
import { createCipheriv, createSecretKey } from "node:crypto"
import { chanceOf } from "./Chance.ts"

/** One made-up card. All of it is card data: never log it. */
export interface Card {
  readonly pan: string
  /** DE 14, YYMM. */
  readonly expiry: string
  /** DE 35, `PAN=YYMM...`, at most 37 characters. */
  readonly track2: string
  /** DE 52: ISO 9564-1 format 0 under the test key, 8 bytes. */
  readonly pinBlock: Buffer
}

/** What the cards of one acquirer are drawn from. */
export interface CardSettings {
  readonly seed: number
  /** Issuer identification numbers, 6 to 8 digits each. */
  readonly bins: ReadonlyArray<string>
  /** How many cards there are. */
  readonly count: number
}

/** Double-length 3DES key used for PIN blocks: the one printed in countless manuals, so nobody takes it for real. */
export const testPinKey = Buffer.from("0123456789ABCDEFFEDCBA9876543210", "hex")

/** Luhn check digit of a number without it (ISO/IEC 7812-1 annex B). */
export const luhnDigit = (digits: string): string => {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48
    const weighted = i % 2 === 0 ? digit * 2 : digit
    sum += weighted > 9 ? weighted - 9 : weighted
  }
  return String((10 - (sum % 10)) % 10)
}

/** True when the last digit is the Luhn digit of the others. */
export const hasLuhn = (pan: string): boolean => pan.length > 1 && luhnDigit(pan.slice(0, -1)) === pan.slice(-1)

/** First six, stars, last four: the form that may be written down (PCI DSS 3.4.1). */
export const maskPan = (pan: string): string =>
  pan.length < 12 ? "*".repeat(pan.length) : `${pan.slice(0, 6)}${"*".repeat(pan.length - 10)}${pan.slice(-4)}`

/** Under the test key, for one block after another. */
const pinCipher = createCipheriv(
  "des-ede3-ecb",
  createSecretKey(Buffer.concat([testPinKey, testPinKey.subarray(0, 8)])),
  null
).setAutoPadding(false)

/** Format 0 PIN block (ISO 9564-1): PIN field xor the 12 digits left of the check digit, then 3DES. */
const pinBlockOf = (pin: string, pan: string): Buffer => {
  const pinField = Buffer.from(`0${pin.length.toString(16)}${pin}`.padEnd(16, "F"), "hex")
  const panField = Buffer.from(`0000${pan.slice(-13, -1)}`, "hex")
  for (let i = 0; i < 8; i++) pinField[i] = pinField[i]! ^ panField[i]!
  return pinCipher.update(pinField)
}

/** Card number `index` of the settings; debit cards have 19 digits, every third card is a credit card of 16. */
const cardAt = (settings: CardSettings, index: number): Card => {
  const chance = chanceOf(settings.seed, "card", index)
  const length = index % 3 === 2 ? 16 : 19
  const bin = settings.bins[index % settings.bins.length]!
  const body = bin + chance.digits(length - 1 - bin.length)
  const pan = body + luhnDigit(body)
  const expiry = `${chance.between(28, 35)}${String(chance.between(1, 12)).padStart(2, "0")}`
  const track2 = `${pan}=${expiry}${`220${chance.digits(10)}`.slice(0, 37 - pan.length - 5)}`
  return { pan, expiry, track2, pinBlock: pinBlockOf(chance.digits(6), pan) }
}

/** All cards of the settings; the same settings give the same cards. */
export const cardsOf = (settings: CardSettings): ReadonlyArray<Card> =>
  Array.from({ length: settings.count }, (_, index) => cardAt(settings, index))
