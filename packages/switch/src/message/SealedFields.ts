/**
 * Fields that the journal's open copy of a message covers and that a restart needs whole: for the key of the message and for its
 * reversal. They are sealed behind the card number, each as `data element u8, length u16, bytes as they were`. Pure.
 *
 * These are fields in which the codec's search has found a number shaped like a card's, by chance or not, and hidden fields that
 * the dialect's reversal copies. Sensitive authentication data is sealed nowhere: a field that holds a track is named with no
 * bytes, and a restart takes it out.
 */
import {
  type Codec,
  type FieldLayout,
  hasTrack,
  isTlvInvalid,
  type MessageIndex,
  openTlv,
  type PatchList
} from "@jinka/codec"

const HEAD_BYTES = 3

/**
 * Covered fields of a link's messages that a restart needs whole: those of its keys, and those that a reversal copies. The card
 * number is sealed by itself: it is what a search looks for.
 */
export const sealedOf = ({ layout, dialect }: Codec, key: ReadonlyArray<number>): ReadonlyArray<number> =>
  layout.sensitive.flatMap(({ de, sensitivity }) => {
    const isNeeded = key.includes(de) || dialect.reversal?.copies.includes(de) === true
    return isNeeded && de !== layout.roles.pan && (sensitivity === "hidden" || sensitivity === "pan") ? [de] : []
  })

/** Writes the fields `des` of `index` that are there. */
export const writeSealedFields = (
  { layout }: Codec,
  index: MessageIndex,
  des: ReadonlyArray<number>,
  out: Buffer,
  at: number
): number => {
  let to = at
  for (const de of des) if (index.has(de)) to += write(index, de, hasTrack(layout.fields[de]!, index), out, to)
  return to - at
}

const write = (index: MessageIndex, de: number, isLeftOut: boolean, out: Buffer, at: number): number => {
  const length = isLeftOut ? 0 : index.length(de)
  out[at] = de
  out.writeUInt16BE(length, at + 1)
  index.buffer.copy(out, at + HEAD_BYTES, index.from(de), index.from(de) + length)
  return HEAD_BYTES + length
}

/**
 * Puts sealed fields back into `message`, a copy of the open one that `index` is of: covering changes no length. Returns for each
 * sealed field whether it is whole again. What does not fit today's dialect is left as it is.
 */
export const restoreSealedFields = (
  sealed: Buffer,
  index: MessageIndex,
  message: Buffer
): ReadonlyMap<number, boolean> => {
  const restored = new Map<number, boolean>()
  for (let at = 0; at + HEAD_BYTES <= sealed.length; ) {
    const de = sealed[at]!
    const length = sealed.readUInt16BE(at + 1)
    const from = at + HEAD_BYTES
    at = from + length
    if (at > sealed.length || !index.has(de)) continue
    restored.set(de, length === index.length(de))
    if (length === index.length(de)) sealed.copy(message, index.from(de), from, at)
  }
  return restored
}

/** Fills `patches` with what has to go because it stays covered; of chip data, the covered tags. `only`: see `restore`. */
export const takeOutCovered = (
  { layout }: Codec,
  index: MessageIndex,
  restored: ReadonlyMap<number, boolean>,
  patches: PatchList,
  only?: ReadonlyArray<number>
): void => {
  for (const [de, isWhole] of restored) if (!isWhole) patches.remove(de)
  for (const field of layout.sensitive) {
    const { de, sensitivity } = field
    if (!index.has(de) || de === layout.roles.pan || restored.get(de) === true) continue
    if (only?.includes(de) === false) continue
    if (sensitivity === "emv") takeOutTags(field, index, patches)
    else patches.remove(de)
  }
}

const takeOutTags = ({ de, tagRules, encoding, fixed }: FieldLayout, index: MessageIndex, patches: PatchList): void => {
  const open = encoding === "binary" && fixed < 0 ? openTlv(index.bytes(de), tagRules) : undefined
  if (open === undefined || isTlvInvalid(open) || open.length === 0) patches.remove(de)
  else if (open.length < index.length(de)) patches.set(de, open)
}
