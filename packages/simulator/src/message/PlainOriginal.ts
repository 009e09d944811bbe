/**
 * Data of an original that hold nothing else, as no card number that somebody put there: they may be shown and kept as they are.
 * Pure.
 */
import { type Layout, type MessageIndex, readOriginalData, writeOriginalData } from "@jinka/codec"
import { isTimeIn, timePictures } from "./LocalTime.ts"

/** Message types of originals. */
const ORIGINAL_TYPE = /^[0-2][1-4]\d\d$/

/**
 * What names the original, where it holds nothing else: a message type, a STAN, a time, and the institutions of the message
 * itself. It is long, so it often looks like a card number; covered it names nothing, and no system takes the copy.
 * `isAnyForwarder`: the original's forwarder may be another one than the message's, as in a reversal by a switch: it alone has no
 * room for a card.
 */
export const plainOriginal = (layout: Layout, index: MessageIndex, isAnyForwarder = false): string | undefined => {
  const { dialect, roles } = layout
  const field = dialect.reversal?.originalData.field
  if (field === undefined || !index.has(field)) return undefined
  const text = index.text(field)
  const said = readOriginalData(dialect, text)
  // Behind its parts there is nothing; the last ones may be left out.
  if (said === undefined || writeOriginalData(dialect, said)?.startsWith(text) !== true) return undefined
  const times = timePictures(layout)
  const isKnown = (de: number, value: string): boolean => {
    if (de === 0) return ORIGINAL_TYPE.test(value)
    if (de === roles.stan || (isAnyForwarder && de === roles.forwarder)) return true
    const picture = times.get(de)
    if (picture !== undefined) return isTimeIn(picture, value)
    return Number(value) === 0 || (index.has(de) && value === index.text(de).padStart(value.length, "0"))
  }
  return Object.entries(said).every(([de, value]) => isKnown(Number(de), value)) ? text : undefined
}
