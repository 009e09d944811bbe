/**
 * F90 (and F56 of the later editions): what a reversal says of its original, cut by the dialect's own recipe.
 */
import type { Dialect } from "../iso8583/Dialect.ts"

/** The original's fields by number, 0 for its message type; digits as they stand, filling zeros included. */
export interface OriginalFields {
  readonly [de: number]: string
}

/** The parts of an original-data text; `undefined` when the dialect has no recipe or the text not its length. */
export const readOriginalData = (dialect: Dialect, text: string): OriginalFields | undefined => {
  const parts = dialect.reversal?.originalData.parts
  if (parts === undefined || text.length !== parts.reduce((sum, { digits }) => sum + digits, 0)) return undefined
  const fields: Record<number, string> = {}
  let at = 0
  for (const { de, digits } of parts) {
    fields[de] = text.slice(at, at + digits)
    at += digits
  }
  return fields
}

/** The text of original fields: digits to the right, zeros in front; `undefined` when one is longer than its part. */
export const writeOriginalData = (dialect: Dialect, fields: OriginalFields): string | undefined => {
  let text = ""
  for (const { de, digits } of dialect.reversal?.originalData.parts ?? []) {
    const value = fields[de] ?? ""
    if (value.length > digits) return undefined
    text += value.padStart(digits, "0")
  }
  return text
}
