/** Reading and writing in tests of messages that are good: an error fails the test with its sentence. */
import { type Codec, explain, isMessageError, type Message, messageToJson } from "@jinka/codec"

/** Bytes of hex. */
export const bytes = (hex: string): Buffer => Buffer.from(hex, "hex")

/** The message in the bytes. */
export const decoded = (codec: Codec, message: Buffer): Message => {
  const result = codec.decode(message)
  if (isMessageError(result)) throw new Error(explain(result))
  return result
}

/** The bytes of the message. */
export const encoded = (codec: Codec, message: Message): Buffer => {
  const result = codec.encode(message)
  if (isMessageError(result)) throw new Error(explain(result))
  return result
}

/** Everything about a message that can be compared, card data revealed. */
export const revealed = (message: Message) => messageToJson(message, { reveal: true })
