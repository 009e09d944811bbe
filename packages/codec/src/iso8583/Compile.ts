/**
 * Makes the codec of one dialect. `compile` makes the fast one with generated code, `interpret` the table-driven reference; both
 * give the same results (property-tested).
 */
import type { Codec } from "./Codec.ts"
import { type Dialect, type Layout, layout as layoutOf } from "./Dialect.ts"
import { generate } from "./generated/Generate.ts"
import { encoded } from "./generated/Slab.ts"
import { indexMessage } from "./Indexer.ts"
import { decodeByTable, encodeByTable, encodeInto } from "./Interpreter.ts"
import { writeMatchKey } from "./MatchKey.ts"
import { checkPatches, patched, patchedLength, writePatched } from "./Patch.ts"
import { PatchList } from "./PatchList.ts"
import { writeRedacted } from "./Redact.ts"
import { cutSad } from "./WithoutSad.ts"

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

const codecOf = (layout: Layout): Codec => {
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
    patched: (index, patches) => patched(layout, index, patches),
    patchedLength: (index, patches) => patchedLength(layout, index, patches),
    checkPatches: (patches) => checkPatches(layout, patches),
    matchKey: (index, des, out, at) => writeMatchKey(layout, index, des, out, at),
    redact: (index, out, at, found) => writeRedacted(layout, index, out, at, found),
    withoutSad: (index, changes) => {
      cuts.clear()
      return patched(layout, index, cutSad(layout, index, changes ?? cuts))
    }
  }
}
