/**
 * Card data that is put everywhere and must be seen nowhere: published test numbers, tracks made of them, and how they look in
 * every form that bytes and texts may have. A number may show its first 6 and last 4 digits, so what is looked for are 8 digits
 * in a row of it, anywhere.
 */

/**
 * Published test numbers of 13 to 19 digits (Visa, Diners, American Express, Mastercard, JCB, UnionPay; the last one is made up).
 */
export const cardNumbers: ReadonlyArray<string> = [
  "4222222222222",
  "30569309025904",
  "371449635398431",
  "4111111111111111",
  "5555555555554444",
  "3566002020360505",
  "6225881234567890120"
]

/** Track 2 of a number, and track 1; the discretionary data are the same in all. */
export const track2Of = (pan: string): string => `${pan}=30122019998765432`
/** Track 1. */
export const track1Of = (pan: string): string => `B${pan}^CANARY/TEST^30122019998765432`

/** What stands behind the separator of every track here. */
export const discretionary = "30122019998765432"

/** Digits of a number of which 8 in a row are looked for. */
const shown = 8

const nibblesOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const ebcdicOf = (digits: string): string => [...digits].map((digit) => `f${digit}`).join("")
const textOf = (digits: string): string => Buffer.from(digits, "latin1").toString("hex")

/**
 * What bytes or a text show of the number: a piece of 8 digits, as text, as hex of text, in EBCDIC or packed; `undefined` when
 * nothing. Pieces of one digit only (0 above all) say nothing.
 */
export const showsNumber = (seen: string | Uint8Array, digits: string): string | undefined => {
  const bytes = typeof seen === "string" ? Buffer.from(seen, "utf8") : Buffer.from(seen)
  const hex = nibblesOf(bytes)
  const text = bytes.toString("latin1").toLowerCase()
  for (let from = 0; from + shown <= digits.length; from++) {
    const piece = digits.slice(from, from + shown)
    if (new Set(piece).size < 2) continue
    const forms = [textOf(piece), ebcdicOf(piece), piece]
    if (text.includes(piece)) return `text ${piece}`
    for (const form of forms) if (hex.includes(form) || text.includes(form)) return `hex ${form}`
  }
  return undefined
}
