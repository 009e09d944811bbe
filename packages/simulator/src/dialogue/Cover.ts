/** Message bytes as they may be shown: card data covered, and nothing else changed. Pure. */
import {
  coverCardData,
  coveredCopy,
  coverRuns,
  coverRunsOfBytes,
  coverRunsOfHex,
  coverValueText,
  fromHex,
  toHex
} from "@jinka/codec"
import { fieldText, type Observed } from "./Observed.ts"

/** A copy of any bytes with every run of digits covered that may be card data. */
export const coveredBytes = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes)
  coverRunsOfBytes(copy)
  return copy
}

/** A copy with card data covered by the dialect's rules; of what cannot be read, everything that may be one. */
export const covered = ({ bytes, form }: Observed): Buffer => coveredCopy(form.codec, bytes)

/**
 * A value of a data element or header part as a sentence may show it: searched for card data in the form that it has on the
 * wire. `isWhole`: of a message that its dialect reads; of another one no long run of digits is shown.
 */
export const coveredValue = (
  value: string,
  { isBytes, isWhole, known }: { readonly isBytes: boolean; readonly isWhole: boolean; readonly known: number }
): string => {
  const bytes = isBytes ? fromHex(value) : undefined
  if (bytes !== undefined) coverCardData(bytes, 0, bytes.length, "bytes")
  const searched = bytes === undefined ? coverValueText(value) : toHex(bytes)
  const units = isBytes ? 2 * known : known
  const understood = searched.slice(0, units) + "*".repeat(Math.max(0, searched.length - units))
  return isWhole ? understood : coverRunsOfHex(coverRuns(understood))
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
