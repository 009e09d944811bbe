/**
 * What a dialect's recipe says about reversing a request: whether it can be, and the field that points to the original.
 */
import type { Dialect, Layout, ReversalReasons, ReversalRecipe } from "./Dialect.ts"
import type { MessageIndex } from "./MessageIndex.ts"
import { isRepeat, mtiClass, mtiText, mtiVersion } from "./Mti.ts"

/** Class and function of a message type: an edition, a sender and a repeat mark more or less make no other transaction. */
const classAndFunction = (mti: number): number => Math.floor(mti / 10) % 100

/**
 * Whether a request of this type and processing code (DE 3, all digits) has a reversal in the dialect; one that comes with the
 * repeat mark for the first time (0201) as well.
 */
export const isReversible = (dialect: Dialect, mti: number, processingCode: string): boolean => {
  const begins = (prefix: string) => processingCode.startsWith(prefix)
  return (
    dialect.reversal?.reversible.some(
      (entry) =>
        classAndFunction(entry.mti) === classAndFunction(mti) &&
        (entry.processingCodes?.some(begins) ?? true) &&
        !(entry.except?.some(begins) ?? false)
    ) === true
  )
}

/** Type of the reversal of a request: the recipe's, of the request's own edition and sender. */
export const reversalMti = (recipe: number, request: number): number =>
  1000 * mtiVersion(request) + (recipe % 1000) + (request % 10 > 5 ? 0 : (request % 10) - (isRepeat(request) ? 1 : 0))

/**
 * Whether a request moves money as far as the standard alone says: an authorization or a financial request that is no inquiry
 * (processing codes 3x). For dialects that have no reversal, and so do not say it.
 */
export const isMoney = (mti: number, processingCode: string): boolean => {
  const kind = classAndFunction(mti)
  return (kind === 10 || kind === 20) && !processingCode.startsWith("3")
}

type Recipe = NonNullable<Dialect["reversal"]>["originalData"]

/** A value as its part of original data says it: a fixed part to the right, with zeros in front. */
export const originalPart = ({ digits, length = "fixed" }: Recipe["parts"][number], value: string): string => {
  const said = value.slice(-digits)
  return length === "fixed" ? said.padStart(digits, "0") : said
}

/** Original data with these values by field, 0 for the message type: right-justified with zeros, absent ones all zeros. */
export const originalText = ({ parts }: Recipe, said: (de: number) => string): string => {
  let text = ""
  for (const part of parts) {
    const value = originalPart(part, said(part.de))
    text += part.length === "counted" ? String(value.length).padStart(2, "0") + value : value
  }
  return text
}

/**
 * Original data elements of a request (DE 90 in 1987 and CUPS, DE 56 in 1993 and 2003): its MTI, without the mark of a repeat,
 * and fields as the dialect's recipe has them. `undefined` when the dialect has no reversal.
 */
export const originalData = (dialect: Dialect, original: MessageIndex): string | undefined =>
  dialect.reversal === undefined
    ? undefined
    : originalText(dialect.reversal.originalData, (de) =>
        de === 0 ? mtiText(original.mti - (isRepeat(original.mti) ? 1 : 0)) : original.text(de)
      )

/** The values that a reversal made for this reason has in the fields of `sets`. */
export const reversalSets = (
  { sets = {} }: ReversalRecipe,
  why: keyof ReversalReasons
): { readonly [de: number]: string } =>
  Object.fromEntries(Object.entries(sets).map(([de, value]) => [de, typeof value === "string" ? value : value[why]]))

/** The amounts of a reversal that takes back a part, as the message writes its own; "": it does not say it. */
export interface PartialReversal {
  /** What the original was, and what of it remains. */
  readonly original: string
  readonly remains: string
}

/**
 * What a reversal says of the part that it takes back; `undefined`: it takes all back, or is no reversal. "unclear": it names a
 * part that cannot be read, or that is more than there was.
 */
export const partialReversal = (
  { dialect, fields, roles }: Layout,
  index: MessageIndex
): PartialReversal | "unclear" | undefined => {
  const recipe = dialect.reversal?.partial
  if (recipe === undefined || mtiClass(index.mti) !== "reversal") return undefined
  const amount = index.has(roles.amount) ? index.text(roles.amount) : ""
  const field = recipe.remains ?? recipe.original
  const { codes = [], field: by = 0 } = recipe.function ?? {}
  const isSaid = by !== 0 && index.has(by) && codes.includes(index.text(by))
  if (field === undefined || !index.has(field)) return isSaid ? { original: "", remains: amount } : undefined
  const said = index.text(field).slice(0, fields[roles.amount]?.units)
  const [original, remains] = recipe.remains === undefined ? [said, amount] : [amount, said]
  // With the original's amount as its own a message says both of what it takes back.
  if (recipe.remains === undefined && original === remains && !isSaid) return undefined
  const isClear = /^\d+$/.test(remains) && /^\d*$/.test(original)
  if (!isClear || (original !== "" && BigInt(remains) > BigInt(original))) return "unclear"
  return { original, remains }
}
