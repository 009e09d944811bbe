/** The advice that waits in this bench, and its acknowledgement: the message of the relay bench with another type. */
import { compile, isMessageError, MessageIndex, wholeFrame } from "@jinka/codec"
import { dialect, fields, frame } from "../relay/Frame.ts"

const codec = compile(dialect)

const made = (mti: string, more: typeof fields) => {
  const { 35: _, 52: __, 55: ___, 64: ____, ...kept } = fields
  const message = codec.encode({ mti, fields: { ...kept, ...more } })
  if (isMessageError(message)) throw new Error(`the bench message is wrong: ${JSON.stringify(message)}`)
  return message
}

/** An advice without its frame, and where its STAN is. */
export const advice = (): { readonly bytes: Buffer; readonly stanAt: number } => {
  const bytes = made("0220", {})
  const index = new MessageIndex()
  codec.index(bytes, 0, bytes.length, index)
  return { bytes, stanAt: index.from(11) }
}

/** The acknowledgement in its frame, and where its STAN is. */
export const acknowledgement = (): { readonly bytes: Buffer; readonly stanAt: number } => {
  const bytes = wholeFrame(frame, made("0230", { 39: "00" }))
  const index = new MessageIndex()
  codec.index(bytes, frame.bytes, bytes.length, index)
  return { bytes, stanAt: index.from(11) }
}
