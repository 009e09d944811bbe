/**
 * A message of one dialect as a message of another: the same data elements, read by one table and written by the other.
 *
 * Only for links whose dialects differ; between links of one dialect a message keeps its bytes. Data elements that the
 * other dialect does not define are left out. Pure.
 */
import {
  answerHeader,
  type HeaderValues,
  isMessageError,
  type Message,
  type MessageError,
  type MessageIndex,
  readHeader
} from "@jinka/codec"
import { addresses } from "../link/Addressing.ts"
import type { LinkSettings } from "../link/Settings.ts"

/** The header for the partner of `to`: our addresses, and in an answer the rest of its request's header, turned around. */
const headerFor = (to: LinkSettings, request: MessageIndex | undefined): { readonly header?: HeaderValues } => {
  const { header } = to.dialect
  if (header === undefined) return {}
  const turned = request === undefined ? {} : answerHeader(header, readHeader(header, request.buffer, request.start))
  return { header: { ...turned, ...addresses(to.dialect, to.institution, to.ourInstitution) } }
}

/**
 * The message of `index`, which is in `from`'s dialect, as it goes to the partner of `to`. An answer is given that partner's
 * `request`, whose header it turns around.
 */
export const translate = (
  from: LinkSettings,
  to: LinkSettings,
  index: MessageIndex,
  request?: MessageIndex
): Buffer | MessageError => {
  const message = from.codec.decode(index.buffer, index.start, index.end)
  if (isMessageError(message)) return message
  const fields: { [de: number]: Message["fields"][number] } = {}
  for (const [key, value] of Object.entries(message.fields)) {
    const de = Number(key)
    if (to.dialect.fields[de] !== undefined) fields[de] = value
  }
  return to.codec.encode({ ...headerFor(to, request), mti: message.mti, fields })
}
