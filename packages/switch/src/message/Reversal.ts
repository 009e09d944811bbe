/**
 * The reversal of a request whose outcome is unknown. Pure: changes to the original's own bytes.
 *
 * Which requests can be reversed, which fields a reversal carries and how it names its original (DE 90) is the dialect's
 * data. A reversal has a STAN and a transmission time of its own; both come from the journal's sequence number and the clock,
 * so that a restart cannot use a key twice.
 */
import { type Dialect, type MessageIndex, originalData, type PatchList, type ReversalRecipe } from "@jinka/codec"
import { transmissionTime } from "./Stamp.ts"

/** DE 33, forwarding institution. */
const FORWARDER = 33

/** What a reversal needs besides its original. */
export interface Stamp {
  /** As DE 11 writes it. */
  readonly stan: string
  /** Milliseconds since the epoch, with the network's offset from UTC added. */
  readonly localMs: number
  /** Our own institution code: who forwards the reversal. */
  readonly institution: string
}

/** Data elements of a request that its reversal takes over, as they are or within the original data. */
export const takenOver = ({ copies, originalData: { parts } }: ReversalRecipe): ReadonlyArray<number> => [
  ...copies,
  ...parts.map(({ de }) => de)
]

/**
 * Fills `patches` so that the request of `index` becomes its reversal: the recipe's fields keep their bytes, all others go.
 * Covered fields of a request from the journal go with them, so a restart needs nothing but the card number.
 */
export const patch = (dialect: Dialect, index: MessageIndex, stamp: Stamp, patches: PatchList): PatchList => {
  const { copies, mti, originalData: original } = dialect.reversal!
  patches.clear()
  patches.mti(mti)
  for (let de = 2; de <= 128; de++) if (index.has(de) && !copies.includes(de)) patches.remove(de)
  patches.set(7, transmissionTime(stamp.localMs))
  patches.set(11, stamp.stan)
  // Forwarded by us: with the acquirer's own code its next message could have the same key within the second.
  if (dialect.match.transaction.includes(FORWARDER)) patches.set(FORWARDER, stamp.institution)
  patches.set(original.field, originalData(dialect, index)!)
  return patches
}

/** What original data say of the message that they name. */
export interface Original {
  readonly mti: number
  readonly stan: string
  /** DE 7; "" when the original data do not hold it. */
  readonly time: string
}

type Recipe = ReversalRecipe["originalData"]

/** Reads the digits of original data, part by part. */
export const originalOf = ({ parts }: Recipe, said: string): Original => {
  const read: { [de: number]: string } = {}
  let at = 0
  for (const { de, digits } of parts) {
    read[de] = said.slice(at, at + digits)
    at += digits
  }
  return { mti: Number(read[0] ?? 0), stan: read[11] ?? "", time: read[7] ?? "" }
}

/** The same original data with another STAN. */
export const withStan = ({ parts }: Recipe, said: string, stan: string): string => {
  let at = 0
  let text = ""
  for (const { de, digits } of parts) {
    text += de === 11 ? stan : said.slice(at, at + digits)
    at += digits
  }
  return text + said.slice(at)
}

/**
 * The transaction that a message belongs to, as text that is equal for an original and everything about it: STAN, time and
 * institutions, from the original data when there are any, else from the message itself.
 */
export const transactionOf = (dialect: Dialect, index: MessageIndex): string => {
  const recipe = dialect.reversal?.originalData
  if (recipe === undefined) return dialect.match.transaction.map((de) => index.text(de)).join("|")
  const original = index.has(recipe.field) ? index.text(recipe.field) : originalData(dialect, index)!
  // The first four digits are the MTI: an advice and its reversal differ there.
  return original.slice(4)
}
