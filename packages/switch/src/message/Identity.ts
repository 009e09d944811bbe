/** Whether a message says enough of itself to be told from every other. Pure. */
import { type Codec, type MessageIndex, matchFields } from "@jinka/codec"
import { isUnclear } from "./Reversal.ts"

/** Whether the message carries the field, and only digits in it where the dialect has digits. */
const isGood = ({ layout }: Codec, index: MessageIndex, de: number): boolean =>
  index.has(de) && (layout.fields[de]?.content !== "n" || !Number.isNaN(index.number(de)))

/**
 * Whether the message has every data element of its key (without one, two messages could be taken for each other, G6), and in
 * digits what a reversal has to name it by; and whether what it says of its original can be read, if it says anything. The
 * index has not looked into the fields.
 */
export const isIdentified = (codec: Codec, index: MessageIndex): boolean => {
  const { dialect } = codec
  const key = matchFields(dialect, index.mti)
  for (let i = 0; i < key.length; i++) if (!isGood(codec, index, key[i]!)) return false
  const parts = dialect.reversal?.originalData.parts
  if (parts === undefined) return true
  if (isUnclear(codec.layout, index)) return false
  for (let i = 0; i < parts.length; i++) {
    const { de } = parts[i]!
    if (index.has(de) && !isGood(codec, index, de)) return false
  }
  return true
}
