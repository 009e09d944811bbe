/** A purchase with a card that was swiped: its number and its track must be nowhere but on the wire. */
import type { Message } from "@jinka/codec"
import { purchase as bare } from "./Line.ts"

/** The number of the card. */
export const pan = "6212340000000000003"

/** A purchase with its own STAN and RRN, with track 2 of the card. */
export const purchase = (stan: number): Message => {
  const message = bare(stan, pan)
  return { ...message, fields: { ...message.fields, 35: `${pan}=2512` } }
}
