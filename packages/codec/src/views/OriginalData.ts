/**
 * DE 90 (and DE 56 of the later editions): what a reversal says of its original, cut by the dialect's own recipe.
 */
import type { Dialect } from "../iso8583/Dialect.ts"
import { originalText } from "../iso8583/Reversal.ts"

/** The original's fields by number, 0 for its message type; digits as they are, filling zeros included. */
export interface OriginalFields {
  readonly [de: number]: string
}

/**
 * The parts of an original-data text. `undefined` when the dialect has no recipe, or the text a fixed part that is not whole or
 * not digits. Parts of another length are "" when they are left out or cannot be told; what follows all parts is not read.
 */
export const readOriginalData = (dialect: Dialect, text: string): OriginalFields | undefined => {
  const recipe = dialect.reversal?.originalData
  if (recipe === undefined) return undefined
  const fields: Record<number, string> = {}
  let at = 0
  for (const { de, digits, length = "fixed" } of recipe.parts) {
    const isCounted = length === "counted"
    const size = isCounted ? Number(text.slice(at, at + 2)) : length === "rest" ? text.length - at : digits
    const from = isCounted ? at + 2 : at
    const value = text.slice(from, from + size)
    const isWhole = value.length === size && size <= digits && /^\d*$/.test(value)
    if (!isWhole && length === "fixed") return undefined
    fields[de] = isWhole ? value : ""
    at = from + (isWhole ? size : 0)
  }
  return fields
}

/** The text of original fields: digits to the right, zeros in front; `undefined` when one is longer than its part. */
export const writeOriginalData = (dialect: Dialect, fields: OriginalFields): string | undefined => {
  const recipe = dialect.reversal?.originalData
  if (recipe === undefined) return ""
  if (recipe.parts.some(({ de, digits }) => (fields[de] ?? "").length > digits)) return undefined
  return originalText(recipe, (de) => fields[de] ?? "")
}
