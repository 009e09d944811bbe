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

/**
 * Original data elements of a request (F90 in 1987 and CUPS): its MTI and fields, each right-justified and filled with zeros,
 * absent ones all zeros (domain.md 1.8). `undefined` when the dialect has no reversal.
 */
export const originalData = (dialect: Dialect, original: MessageIndex): string | undefined =>
  dialect.reversal?.originalData.parts
    .map(({ de, digits }) =>
      (de === 0 ? mtiText(original.mti) : original.text(de)).padStart(digits, "0").slice(-digits)
    )
    .join("")
