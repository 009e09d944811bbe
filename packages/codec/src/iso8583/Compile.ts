/**
 * Makes the codec of one dialect. `compile` makes the fast one with generated code, `interpret` the table-driven reference; both
 * give the same results (property-tested).
 */
import type { Codec } from "./Codec.ts"
import { type Dialect, type Layout, layout as layoutOf } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import { fieldParts } from "./FieldParts.ts"
import { generate } from "./generated/Generate.ts"
import { encoded } from "./generated/Slab.ts"
import { indexMessage } from "./Indexer.ts"
import { decodeByTable, encodeByTable, encodeInto } from "./Interpreter.ts"
import { writeMatchKey } from "./MatchKey.ts"
import type { MessageIndex } from "./MessageIndex.ts"
import type { Part } from "./Parts.ts"
import { checkPatches, patchedLength, writePatched } from "./Patch.ts"
import { PatchList } from "./PatchList.ts"
import { authenticationTags, coverTags, writeRedacted } from "./Redact.ts"
import { sensitivityOfParts } from "./Structure.ts"
import { readBytes } from "./Value.ts"

/** The table-driven codec: the reference. Throws a `TypeError` when the dialect makes no sense. */
export const interpret = (dialect: Dialect): Codec => codecOf(layoutOf(dialect))

/**
 * The codec with generated code for the fields and field sets that it meets. Where code generation is forbidden, or with
 * `generate: false`, it is the table-driven one. Throws a `TypeError` when the dialect makes no sense.
 */
export const compile = (dialect: Dialect, options?: { readonly generate?: boolean }): Codec => {
  const codec = codecOf(layoutOf(dialect))
  const made = options?.generate === false ? undefined : generate(codec.layout)
  if (made === undefined) return codec
  return { ...codec, ...made, encode: (message) => encoded(made.encodeInto, message), generated: true }
}

const isSad = ({ sensitivity, parts }: Part): boolean => sensitivity === "sad" || (parts?.some(isSad) ?? false)

/** Whether a field has a part that must not be kept (a new key in F48 of CUPS); so it may when it cannot be read. */
const mayHoldSad = ({ dialect }: Layout, field: FieldLayout, index: MessageIndex): boolean => {
  const from = index.from(field.de)
  const value = field.bytes ? readBytes(field, index.buffer, from, index.to(field.de)) : index.text(field.de)
  const found = value === undefined ? undefined : fieldParts(field, value, dialect.encodings)
  return found === undefined || found.parts.some(isSad)
}

const codecOf = (layout: Layout): Codec => {
  const sad = layout.sensitive.filter(({ sensitivity }) => sensitivity === "sad")
  const chip = layout.sensitive.filter(({ sensitivity }) => sensitivity === "emv")
  const mixed = layout.sensitive.filter(
    ({ sensitivity, structure }) => sensitivity !== "sad" && sensitivityOfParts(structure) === "sad"
  )
  const cuts = new PatchList()
  return {
    dialect: layout.dialect,
    layout,
    generated: false,
    index: (buffer, start, end, into) => indexMessage(layout, buffer, start, end, into),
    decode: (buffer, start = 0, end = buffer.length) => decodeByTable(layout, buffer, start, end),
    encode: (message) => encodeByTable(layout, message),
    encodeInto: (message, out, at = 0) => encodeInto(layout, message, out, at),
    patch: (index, patches, out, at) => writePatched(layout, index, patches, out, at),
    patchedLength: (index, patches) => patchedLength(layout, index, patches),
    checkPatches: (patches) => checkPatches(layout, patches),
    matchKey: (index, des, out, at) => writeMatchKey(layout, index, des, out, at),
    redact: (index, out, at) => writeRedacted(layout, index, out, at),
    withoutSad: (index) => {
      cuts.clear()
      for (const { de } of sad) if (index.has(de)) cuts.remove(de)
      for (const { de, encoding } of chip) {
        if (!index.has(de)) continue
        const value = Buffer.from(index.bytes(de))
        if (encoding !== "binary" || !coverTags(value, 0, value.length, authenticationTags)) cuts.remove(de)
        else cuts.set(de, value)
      }
      for (const field of mixed) if (index.has(field.de) && mayHoldSad(layout, field, index)) cuts.remove(field.de)
      const out = Buffer.alloc(patchedLength(layout, index, cuts))
      return out.subarray(0, writePatched(layout, index, cuts, out, 0))
    }
  }
}
