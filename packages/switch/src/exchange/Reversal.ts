/**
 * The reversal of a request whose outcome is unknown. Pure: the original in, a message out.
 *
 * Which requests can be reversed, which fields a reversal carries and how it names its original (DE 90) is the dialect's
 * data. A reversal has a STAN and a transmission time of its own; both come from the journal's sequence number and the clock,
 * so that a restart cannot use a key twice.
 */
import { type Dialect, type Message, type MessageIndex, mtiText, originalData } from "@jinka/codec"
import { pad, transmissionTime } from "../link/Stamp.ts"

/** What a reversal needs besides its original. */
export interface Stamp {
  /** 1..999999. */
  readonly stan: number
  /** Milliseconds since the epoch, with the network's offset from UTC added. */
  readonly localMs: number
}

/** The STAN for the message whose journal entry has this sequence number. */
export const stanOf = (seq: number): number => (seq % 999_999) + 1

/** The reversal of the request `original`, which `index` is an index of. The header stays the original's. */
export const make = (dialect: Dialect, original: Message, index: MessageIndex, stamp: Stamp): Message => {
  const { copies, mti, originalData: field } = dialect.reversal!
  const fields: { [de: number]: Message["fields"][number] } = {}
  for (const de of copies) {
    const value = original.fields[de]
    if (value !== undefined) fields[de] = value
  }
  fields[7] = transmissionTime(stamp.localMs)
  fields[11] = pad(stamp.stan, 6)
  fields[field.field] = originalData(dialect, index)!
  return { ...original, mti: mtiText(mti), fields }
}

/**
 * The transaction that a message belongs to, as text that is equal for an original and everything about it: STAN, time and
 * institutions, from the original data when there are any, else from the message itself.
 */
export const transactionOf = (dialect: Dialect, index: MessageIndex): string => {
  const recipe = dialect.reversal?.originalData
  if (recipe === undefined) return dialect.match.transaction.map((de) => index.text(de)).join("|")
  const data = index.has(recipe.field) ? index.text(recipe.field) : originalData(dialect, index)!
  // The first four digits are the MTI: an advice and its reversal differ there.
  return data.slice(4)
}
