/** Message bytes as they may be shown: card data covered, and nothing else changed. Pure. */
import type { Form } from "./Form.ts"
import { fieldText, partsOf, type Told } from "./Told.ts"

const STAR = 0x2a
const DIGIT_0 = 0x30
const DIGIT_9 = 0x39

/** Digits in a row that may be a card number where a message cannot be read. */
const panMin = 13

/** Covers every run of digits that is long enough to be a card number. */
const coverDigits = (bytes: Buffer): void => {
  let from = 0
  for (let at = 0; at <= bytes.length; at++) {
    const isDigit = at < bytes.length && bytes[at]! >= DIGIT_0 && bytes[at]! <= DIGIT_9
    if (isDigit) continue
    if (at - from >= panMin) bytes.fill(STAR, from, at)
    from = at + 1
  }
}

/** A copy of any bytes with everything covered that looks like a card number. */
export const coveredBytes = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes)
  coverDigits(copy)
  return copy
}

/** A copy with card data covered by the dialect's rules; of what cannot be read, everything that looks like a card number. */
export const covered = (form: Form, message: Told): Buffer => {
  const { bytes, index, wrong } = message
  if (wrong === undefined) {
    const copy = Buffer.from(bytes)
    form.codec.redact(index, copy, index.start)
    return copy
  }
  const copy = Buffer.from(bytes)
  const first = form.codec.layout.sensitive[0]?.de ?? 0
  const reached = partsOf(form, message)
  // From the first covered data element on, what stands behind the damage may be anything.
  const shownTo = reached.findLast(({ id }) => !/^\d+$/.test(id) || Number(id) < first)?.to ?? 0
  copy.fill(STAR, Math.min(shownTo, copy.length))
  coverDigits(copy)
  return copy
}

/** Card data of one message: what a system under test must not keep in clear. */
export interface CardDatum {
  /** `DE 2`, `DE 35`: never the value. */
  readonly name: string
  readonly bytes: Buffer
}

/** Shortest value worth looking for: shorter ones occur by chance. */
const secretMin = 8

/** The card numbers and the sensitive authentication data of a message, by the dialect's own list. */
export const cardData = (form: Form, message: Told): ReadonlyArray<CardDatum> =>
  form.codec.layout.sensitive.flatMap(({ bytes, de, sensitivity }) => {
    if (message.wrong !== undefined || (sensitivity !== "pan" && sensitivity !== "sad")) return []
    const text = fieldText(form, message, de)
    if (text === undefined) return []
    const value = bytes ? Buffer.from(text, "hex") : Buffer.from(text, "latin1")
    return value.length < secretMin ? [] : [{ name: `DE ${de}`, bytes: value }]
  })
