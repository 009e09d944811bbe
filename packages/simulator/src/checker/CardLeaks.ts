/**
 * Searching bytes for card data that must not be there.
 *
 * Owns the forms in which a secret may have been written: as text, hexadecimal, BCD, raw bytes and base64. The cards are
 * made up, so the search list itself is no secret; it is made again from the seed and never written to disk.
 */
import type { Card } from "../chance/Cards.ts"

/** One thing to look for. */
export interface Canary {
  /** What it is, for the report: "PAN of card 3 as text". */
  readonly name: string
  readonly bytes: Buffer
}

/** Shortest base64 run worth searching for: shorter ones occur by chance. */
const BASE64_MIN = 10

/** Base64 of a secret inside a longer text, for each of the three alignments, without the characters that vary. */
const base64Forms = (secret: Buffer): ReadonlyArray<Buffer> =>
  [0, 1, 2]
    .map((shift) => {
      const text = Buffer.concat([Buffer.alloc(shift), secret])
        .toString("base64")
        .replace(/=+$/, "")
      const from = shift === 0 ? 0 : shift + 1
      const whole = Math.floor((shift + secret.length) / 3) * 4
      return text.slice(from, whole)
    })
    .filter((text) => text.length >= BASE64_MIN)
    .map((text) => Buffer.from(text))

const formsOf = (name: string, secret: Buffer, bcd: Buffer | undefined): ReadonlyArray<Canary> => [
  { name: `${name} as it is`, bytes: secret },
  { name: `${name} in hexadecimal`, bytes: Buffer.from(secret.toString("hex")) },
  { name: `${name} in HEXADECIMAL`, bytes: Buffer.from(secret.toString("hex").toUpperCase()) },
  ...(bcd === undefined ? [] : [{ name: `${name} in BCD`, bytes: bcd }]),
  ...base64Forms(secret).map((bytes) => ({ name: `${name} in base64`, bytes }))
]

/** Packed digits; an odd last digit is left out, as its other half may be anything. */
const bcdOf = (digits: string): Buffer => Buffer.from(digits.slice(0, digits.length & ~1), "hex")

/** Everything to look for: PAN, the secret part of track 2, and PIN block of every card. */
export const canariesOf = (cards: ReadonlyArray<Card>): ReadonlyArray<Canary> =>
  cards.flatMap((card, index) => [
    ...formsOf(`PAN of card ${index}`, Buffer.from(card.pan), bcdOf(card.pan)),
    ...formsOf(`track 2 of card ${index}`, Buffer.from(card.track2.slice(card.pan.length)), undefined),
    ...formsOf(`PIN block of card ${index}`, card.pinBlock, undefined)
  ])

/** Bytes at the end of a canary by which it is looked up: what they begin with, such as a BIN, is common to many. */
const END = 4

/** Canaries by their last bytes, as an integer; and the shorter ones. */
interface Search {
  readonly byEnd: ReadonlyMap<number, ReadonlyArray<Canary>>
  /** For the lower half of such an integer: 1 where a canary ends so. */
  readonly mayEnd: Uint8Array
  readonly short: ReadonlyArray<Canary>
}

const searches = new WeakMap<ReadonlyArray<Canary>, Search>()

const searchOf = (canaries: ReadonlyArray<Canary>): Search => {
  const known = searches.get(canaries)
  if (known !== undefined) return known
  const byEnd = new Map<number, Array<Canary>>()
  const mayEnd = new Uint8Array(0x10000)
  for (const canary of canaries) {
    if (canary.bytes.length < END) continue
    const end = canary.bytes.readInt32BE(canary.bytes.length - END)
    byEnd.set(end, [...(byEnd.get(end) ?? []), canary])
    mayEnd[end & 0xffff] = 1
  }
  const search = { byEnd, mayEnd, short: canaries.filter(({ bytes }) => bytes.length < END) }
  searches.set(canaries, search)
  return search
}

/** Whether the canary is in the bytes and ends before `to`. */
const endsAt = (bytes: Buffer, to: number, { bytes: sought }: Canary): boolean =>
  sought.length <= to && bytes.compare(sought, 0, sought.length, to - sought.length, to) === 0

/** Names of the canaries found in the bytes, in one pass; meant for journals and logs of test runs. */
export const findCardData = (bytes: Buffer, canaries: ReadonlyArray<Canary>): ReadonlyArray<string> => {
  const { byEnd, mayEnd, short } = searchOf(canaries)
  const found = new Set(short.filter((canary) => bytes.includes(canary.bytes)))
  let end = 0
  for (let at = 0; at < bytes.length; at++) {
    end = (end << 8) | bytes[at]!
    if (mayEnd[end & 0xffff] === 0) continue
    for (const canary of byEnd.get(end) ?? []) if (endsAt(bytes, at + 1, canary)) found.add(canary)
  }
  return canaries.filter((canary) => found.has(canary)).map(({ name }) => name)
}
