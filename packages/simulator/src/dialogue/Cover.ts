/** Message bytes as they may be shown: card data covered, and nothing else changed. Pure. */
import { coverRunsOfBytes } from "@jinka/codec"
import { fieldText, type Observed, partsOf } from "./Observed.ts"

const STAR = 0x2a

/** A copy of any bytes with every run of digits covered that may be card data. */
export const coveredBytes = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes)
  coverRunsOfBytes(copy)
  return copy
}

/** A copy with card data covered by the dialect's rules; of what cannot be read, everything that may be one. */
export const covered = (message: Observed): Buffer => {
  const { bytes, form, index, wrong } = message
  if (wrong === undefined) {
    const copy = Buffer.from(bytes)
    form.codec.redact(index, copy, index.start)
    return copy
  }
  const copy = Buffer.from(bytes)
  const first = form.codec.layout.sensitive[0]?.de ?? 0
  const reached = partsOf(message)
  // From the first covered data element on, what follows the damage may be anything.
  const shownTo = reached.findLast(({ id }) => !/^\d+$/.test(id) || Number(id) < first)?.to ?? 0
  copy.fill(STAR, Math.min(shownTo, copy.length))
  coverRunsOfBytes(copy)
  return copy
}

/** Card data of one message: what a system under test must not keep in clear. */
export interface CardDatum {
  /** `DE 2`, `DE 35`: never the value. */
  readonly name: string
  readonly bytes: Buffer
}

/** Shortest value worth looking for: shorter ones occur by chance. */
const SECRET_MIN = 8

/** The card numbers and the sensitive authentication data of a message, by the dialect's own list. */
export const cardData = (message: Observed): ReadonlyArray<CardDatum> =>
  message.form.codec.layout.sensitive.flatMap(({ bytes, de, sensitivity }) => {
    if (message.wrong !== undefined || (sensitivity !== "pan" && sensitivity !== "sad")) return []
    const text = fieldText(message, de)
    if (text === undefined) return []
    const value = bytes ? Buffer.from(text, "hex") : Buffer.from(text, "latin1")
    return value.length < SECRET_MIN ? [] : [{ name: `DE ${de}`, bytes: value }]
  })
