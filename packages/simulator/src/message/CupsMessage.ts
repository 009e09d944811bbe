/**
 * Bytes of the CUPS centre interface to messages and back.
 *
 * The only module of the simulator that uses the codec's dialects: a partner of another dialect is another form. Owns
 * the names of the header's parts and uncovering the fields that the codec covers. Uses the table-driven reference codec,
 * not the generated one that the switch runs on: a mistake in generated code must not be made on both sides of a link.
 */
import {
  type Codec,
  cups,
  cupsFrame,
  explain,
  type FrameFormat,
  interpret,
  isMessageError,
  type Message,
  type MessageError,
  reveal,
  wholeFrame
} from "@jinka/codec"
import { type Fields, notRejected, type PartnerMessage } from "./PartnerMessage.ts"

/** How a partner's messages look on a link: read as `In`, written from `Out`. */
export interface MessageForm<In extends object = PartnerMessage, Out = In> {
  readonly frame: FrameFormat
  /** A message, or why it is none (place and rule, never a value). */
  readonly read: (buffer: Buffer, start: number, end: number) => In | MessageError
  /** Throws when a field breaks the dialect: the simulator's own mistake, never the partner's. */
  readonly write: (message: Out) => Buffer
}

const plain = (message: Message): Fields => {
  const fields: Fields = {}
  for (const de in message.fields) fields[de] = reveal(message.fields[de]!)
  return fields
}

const read = (codec: Codec, buffer: Buffer, start: number, end: number): PartnerMessage | MessageError => {
  const message = codec.decode(buffer, start, end)
  if (isMessageError(message)) return message
  const header = message.header ?? {}
  return {
    header: {
      version: header["version"] ?? "",
      destination: (header["destination"] ?? "").trimEnd(),
      source: (header["source"] ?? "").trimEnd(),
      reserved: header["reserved"] ?? "",
      batch: header["batch"] ?? "",
      transaction: header["transaction"] ?? "",
      user: header["user"] ?? ""
    },
    mti: message.mti,
    fields: plain(message),
    reject: message.rejected?.["rejectCode"] ?? notRejected
  }
}

const write = (codec: Codec, message: PartnerMessage): Buffer => {
  const bytes = codec.encode({ header: { ...message.header }, mti: message.mti, fields: message.fields })
  if (isMessageError(bytes))
    throw new Error(`simulator built a ${message.mti} that breaks the dialect: ${explain(bytes)}`)
  return bytes
}

/** The CUPS centre interface: 46-byte header, DE 1 of 16 bytes, frames of 4 ASCII digits, idle frame 0000. */
export const cupsForm = (): MessageForm => {
  const codec = interpret(cups)
  return {
    frame: cupsFrame,
    read: (buffer, start, end) => read(codec, buffer, start, end),
    write: (message) => write(codec, message)
  }
}

/** A message in its frame. */
export const framed = <In extends object, Out>(form: MessageForm<In, Out>, message: Out): Buffer =>
  wholeFrame(form.frame, form.write(message))
