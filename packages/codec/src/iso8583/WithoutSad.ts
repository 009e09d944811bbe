/**
 * What may be kept of a message that has to be sent again, sealed: no sensitive authentication data, encrypted or not (PCI DSS
 * 4.0.1, 3.3.1), no hidden field unless the dialect says that the message needs it, nothing that is not understood, and no field
 * in which a track is, whatever the dialect says of it (docs/decisions/0006-no-sad-on-disk.md).
 */
import { isTlvInvalid } from "../tlv/TlvError.ts"
import { withoutSadTlv } from "../tlv/TlvRedaction.ts"
import type { Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import { fieldParts } from "./FieldParts.ts"
import type { MessageIndex } from "./MessageIndex.ts"
import type { Part } from "./Parts.ts"
import type { PatchList } from "./PatchList.ts"
import { hasTrack } from "./Redact.ts"
import { readBytes } from "./Value.ts"

/** Shortest field that may hold a track: packed, 12 digits and a separator. */
const TRACK_ROOM = 7

/** Adds to `cuts` what has to go from the indexed message. */
export const cutSad = (layout: Layout, index: MessageIndex, cuts: PatchList): PatchList => {
  for (const field of layout.defined) {
    const { de, sensitivity } = field
    if (!index.has(de)) continue
    if (sensitivity === "emv") keepTags(field, index, cuts)
    else if (!mayStay(layout, field, index)) cuts.remove(de)
  }
  return cuts
}

const mayStay = (layout: Layout, field: FieldLayout, index: MessageIndex): boolean => {
  const { de, sensitivity, units } = field
  if (sensitivity === "sad" || (sensitivity === "hidden" && !layout.needed.has(de))) return false
  if (units >= TRACK_ROOM && hasTrack(field, index)) return false
  return sensitivity !== "hidden" || field.structure === undefined || isUnderstood(layout, field, index)
}

/** Chip data: its tracks, PIN data and unknown tags go; all of it when it cannot be read. */
const keepTags = (field: FieldLayout, index: MessageIndex, cuts: PatchList): void => {
  const value = readBytes(field, index.buffer, index.from(field.de), index.to(field.de))
  const kept = value === undefined ? undefined : withoutSadTlv(value, field.tagRules)
  const isWhole = kept !== undefined && !isTlvInvalid(kept) && kept.length > 0
  if (isWhole && kept.equals(value!)) return
  if (isWhole && field.fixed < 0) cuts.set(field.de, kept)
  else cuts.remove(field.de)
}

/** Whether every part of a hidden field is known and may be kept: a new key in DE 48 of CUPS may not. */
const isUnderstood = ({ dialect }: Layout, field: FieldLayout, index: MessageIndex): boolean => {
  const from = index.from(field.de)
  const value = field.bytes ? readBytes(field, index.buffer, from, index.to(field.de)) : index.text(field.de)
  const found = value === undefined ? undefined : fieldParts(field, value, dialect.encodings)
  return found !== undefined && !found.parts.some(mustGo)
}

const mustGo = ({ sensitivity, parts, name }: Part): boolean =>
  sensitivity === "sad" || name === "" || (parts?.some(mustGo) ?? false)
