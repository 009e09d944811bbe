/**
 * A message of one dialect as a message of another: the same data elements, read by one table and written by the other.
 *
 * Only for links whose dialects differ; between links of one dialect a message keeps its bytes. Data elements that the
 * other dialect does not define are left out. Pure.
 */
import { isMessageError, type Message, type MessageError, type MessageIndex } from "@jinka/codec"
import { addresses } from "../link/Addressing.ts"
import type { LinkSettings } from "../link/Settings.ts"

/** The message of `index`, which stands in `from`'s dialect, as it goes to the partner of `to`. */
export const translate = (from: LinkSettings, to: LinkSettings, index: MessageIndex): Buffer | MessageError => {
  const message = from.codec.decode(index.buffer, index.start, index.end)
  if (isMessageError(message)) return message
  const fields: { [de: number]: Message["fields"][number] } = {}
  for (const [key, value] of Object.entries(message.fields)) {
    const de = Number(key)
    if (to.dialect.fields[de] !== undefined) fields[de] = value
  }
  const header =
    to.dialect.header === undefined ? {} : { header: addresses(to.dialect, to.institution, to.ourInstitution) }
  return to.codec.encode({ ...header, mti: message.mti, fields })
}
