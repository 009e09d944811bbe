/**
 * The codec of one dialect: index, decode, encode, patch, match key and covering, all pure and synchronous. `compile` makes
 * the fast one with generated code, `interpret` the table-driven reference; both give the same results (property-tested).
 */
import { type Dialect, type Layout, layout as layoutOf } from "./Dialect.ts"
import { generate } from "./Generated.ts"
import { indexMessage } from "./Indexer.ts"
import { decodeByTable, encodeByTable } from "./Interpreter.ts"
import { writeMatchKey } from "./MatchKey.ts"
import type { Message } from "./Message.ts"
import type { MessageError } from "./MessageError.ts"
import type { MessageIndex } from "./MessageIndex.ts"
import { checkPatches, patchedLength, writePatched } from "./Patch.ts"
import { PatchList } from "./PatchList.ts"
import { authenticationTags, coverTags, writeRedacted } from "./Redact.ts"

/** What can be done with the messages of a dialect. */
export interface Codec {
  readonly dialect: Dialect
  readonly layout: Layout
  /** Whether generated code is at work. */
  readonly generated: boolean
  /**
   * Finds the fields of `buffer[start, end)` without decoding them: bounds, length digits and limits, undefined fields,
   * trailing bytes are checked, contents are not. For a reject of CUPS the index is of the original message inside.
   */
  index(buffer: Buffer, start: number, end: number, into: MessageIndex): MessageError | undefined
  /** Decodes everything, contents checked. Byte values are views into the buffer. */
  decode(buffer: Buffer, start?: number, end?: number): Message | MessageError
  /** Encodes into a new buffer. Short texts of fixed fields are filled (digits left with 0, text right with spaces). */
  encode(message: Message): Buffer | MessageError
  /**
   * Copies the indexed message to `out` at `at` with changes applied and returns the bytes written. All other bytes stay
   * identical. Throws `PatchInvalid` when a change breaks the dialect; check values from outside with `checkPatches`.
   */
  patch(index: MessageIndex, patches: PatchList, out: Buffer, at: number): number
  /** Bytes that `patch` writes at most. */
  patchedLength(index: MessageIndex, patches: PatchList): number
  checkPatches(patches: PatchList): MessageError | undefined
  /** Writes the canonical key of the fields, "|" between; returns its bytes (at most twice the fields' bytes + 1 each). */
  matchKey(index: MessageIndex, des: ReadonlyArray<number>, out: Buffer, at: number): number
  /** Writes a copy with card data covered, of the same length; returns its bytes. */
  redact(index: MessageIndex, out: Buffer, at: number): number
  /** A copy without sensitive authentication data: what may be kept sealed for a replay. */
  withoutSad(index: MessageIndex): Buffer
}

/** The table-driven codec: the reference. Throws a `TypeError` when the dialect makes no sense. */
export const interpret = (dialect: Dialect): Codec => codecOf(layoutOf(dialect))

/**
 * The codec with generated code for the fields and field sets that it meets. Where code generation is forbidden, or with
 * `generate: false`, it is the table-driven one. Throws a `TypeError` when the dialect makes no sense.
 */
export const compile = (dialect: Dialect, options?: { readonly generate?: boolean }): Codec => {
  const codec = codecOf(layoutOf(dialect))
  const made = options?.generate === false ? undefined : generate(codec.layout)
  return made === undefined ? codec : { ...codec, ...made, generated: true }
}

const codecOf = (layout: Layout): Codec => {
  const sad = layout.sensitive.filter(({ sensitivity }) => sensitivity === "sad")
  const chip = layout.sensitive.filter(({ sensitivity }) => sensitivity === "emv")
  const cuts = new PatchList()
  return {
    dialect: layout.dialect,
    layout,
    generated: false,
    index: (buffer, start, end, into) => indexMessage(layout, buffer, start, end, into),
    decode: (buffer, start = 0, end = buffer.length) => decodeByTable(layout, buffer, start, end),
    encode: (message) => encodeByTable(layout, message),
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
      const out = Buffer.alloc(patchedLength(layout, index, cuts))
      return out.subarray(0, writePatched(layout, index, cuts, out, 0))
    }
  }
}
