/**
 * The reversal of a request whose outcome is unknown, or of an approval that nobody heard of. Pure: changes to the original's own
 * bytes.
 *
 * Which requests can be reversed, which fields a reversal carries and how it names its original is the dialect's data. A reversal
 * has a STAN and a transmission time of its own; both come from the journal's sequence number and the clock, so that a restart
 * cannot use a key twice.
 */
import {
  dateTimeText,
  type Layout,
  type MessageIndex,
  type OriginalFields,
  originalData,
  originalPart,
  type PatchList,
  partialReversal,
  type ReversalReasons,
  type ReversalRecipe,
  readOriginalData,
  reversalMti,
  reversalSets,
  writeOriginalData
} from "@jinka/codec"
import { sizedStan } from "./Stamp.ts"

/** What a reversal has of its own. */
export interface Own {
  readonly stan: string
  /** Milliseconds since the epoch, with the network's offset from UTC added. */
  readonly localMs: number
  /** Our own institution code: who forwards the reversal. */
  readonly institution: string
  readonly why: keyof ReversalReasons
}

/** Data elements of a request that its reversal takes over, as they are or within the original data. */
export const takenOver = ({ copies, originalData: { parts } }: ReversalRecipe): ReadonlyArray<number> => [
  ...copies,
  ...parts.map(({ de }) => de)
]

/**
 * Fills `patches` so that the request of `index` becomes its reversal: the recipe's fields keep their bytes or get new ones, all
 * others go. Covered fields of a request from the journal go with them, so a restart needs nothing but the card number.
 */
export const patch = ({ defined, dialect, roles }: Layout, index: MessageIndex, own: Own, patches: PatchList): void => {
  const { copies, mti, originalData: original, renews } = dialect.reversal!
  patches.clear()
  patches.mti(reversalMti(mti, index.mti))
  for (const { de } of defined) if (index.has(de) && !copies.includes(de)) patches.remove(de)
  for (const de of renews) {
    if (de === roles.transmissionTime) patches.set(de, dateTimeText(own.localMs, 0))
    else if (de === roles.stan) patches.set(de, own.stan)
    // Forwarded by us: with the acquirer's own code its next message could have the same key within the second.
    else if (de === roles.forwarder) patches.set(de, own.institution)
  }
  for (const [de, value] of Object.entries(reversalSets(dialect.reversal!, own.why))) patches.set(Number(de), value)
  patches.set(original.field, originalData(dialect, index)!)
}

/** What a message says of its original, by data element; `undefined` when it names none, or when that cannot be read. */
export const originalOf = ({ dialect }: Layout, index: MessageIndex): OriginalFields | undefined => {
  const recipe = dialect.reversal?.originalData
  if (recipe === undefined || !index.has(recipe.field)) return undefined
  return readOriginalData(dialect, index.text(recipe.field))
}

/** Whether the message has a field for its original, or for the part that it takes back, that cannot be read. */
export const isUnclear = (layout: Layout, index: MessageIndex): boolean => {
  const field = layout.dialect.reversal?.originalData.field
  const isUnknown = field !== undefined && index.has(field) && originalOf(layout, index) === undefined
  return isUnknown || partialReversal(layout, index) === "unclear"
}

/** Digits of an amount; what the 2003 edition writes in front of them is currency and exponent. */
const AMOUNT_DIGITS = 12

/** See `Language.remains`. Of which nothing remains is taken back whole. */
export const remainsOf = (layout: Layout, index: MessageIndex): string => {
  const part = partialReversal(layout, index)
  if (part === undefined) return ""
  return part === "unclear" ? "?" : part.remains.slice(-AMOUNT_DIGITS).replace(/^0+/, "")
}

/** Fills `patches` so that the message of `index` has the key of its original: what that says of itself in fixed fields. */
export const patchOriginal = ({ dialect, fields }: Layout, original: OriginalFields, patches: PatchList): void => {
  patches.clear()
  for (const { de } of dialect.reversal!.originalData.parts) {
    if (de > 0 && (fields[de]?.fixed ?? -1) >= 0) patches.set(de, original[de]!)
  }
}

/** The original data of the message, which say this of it, with another STAN. All behind that stays as it was said. */
export const withStan = (layout: Layout, index: MessageIndex, original: OriginalFields, stan: string): string => {
  const { dialect, roles } = layout
  const { field, parts } = dialect.reversal!.originalData
  const written = writeOriginalData(dialect, { ...original, [roles.stan]: sizedStan(layout, stan) })!
  const head = parts.slice(0, parts.findIndex(({ de }) => de === roles.stan) + 1)
  if (head.some(({ length = "fixed" }) => length !== "fixed")) return written
  const end = head.reduce((sum, { digits }) => sum + digits, 0)
  return written.slice(0, end) + index.text(field).slice(end)
}

/**
 * The transaction that a message belongs to, as text that is equal for an original and everything about it: STAN, time and
 * institutions, from the original data when there are any, else from the message itself. Not the MTI: an advice and its reversal
 * differ there.
 */
export const transactionOf = (layout: Layout, index: MessageIndex): string =>
  textOf(layout, index, originalOf(layout, index))

/** The same of the message itself, whatever it is about: by which a reversal of it names it. */
export const ownTransactionOf = (layout: Layout, index: MessageIndex): string => textOf(layout, index, undefined)

const textOf = ({ dialect }: Layout, index: MessageIndex, original: OriginalFields | undefined): string => {
  const recipe = dialect.reversal?.originalData
  if (recipe === undefined) return dialect.match.transaction.map((de) => index.text(de)).join("|")
  let text = ""
  for (const part of recipe.parts)
    if (part.de !== 0) text += `${original?.[part.de] || originalPart(part, index.text(part.de))}|`
  return text
}
