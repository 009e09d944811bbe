/**
 * What a dialect's recipe says about reversing a request: whether it can be, and the field that points to the original.
 */
import type { Dialect } from "./Dialect.ts"
import type { MessageIndex } from "./MessageIndex.ts"
import { mtiText } from "./Mti.ts"

/** Whether a request of this type and processing code (F3, all digits) has a reversal in the dialect. */
export const isReversible = (dialect: Dialect, mti: number, processingCode: string): boolean => {
  const begins = (prefix: string) => processingCode.startsWith(prefix)
  return (
    dialect.reversal?.reversible.some(
      (entry) =>
        entry.mti === mti && (entry.processingCodes?.some(begins) ?? true) && !(entry.except?.some(begins) ?? false)
    ) === true
  )
}

type Recipe = NonNullable<Dialect["reversal"]>["originalData"]

/** Original data with these values by field, 0 for the message type: right-justified with zeros, absent ones all zeros. */
export const originalText = ({ parts }: Recipe, said: (de: number) => string): string => {
  let text = ""
  for (const { de, digits, length } of parts) {
    const value = said(de).slice(-digits)
    if (length === "counted") text += String(value.length).padStart(2, "0") + value
    else text += length === "rest" ? value : value.padStart(digits, "0")
  }
  return text
}

/**
 * Original data elements of a request (F90 in 1987 and CUPS, F56 in 1993 and 2003): its MTI and fields as the dialect's recipe
 * has them. `undefined` when the dialect has no reversal.
 */
export const originalData = (dialect: Dialect, original: MessageIndex): string | undefined =>
  dialect.reversal === undefined
    ? undefined
    : originalText(dialect.reversal.originalData, (de) => (de === 0 ? mtiText(original.mti) : original.text(de)))
