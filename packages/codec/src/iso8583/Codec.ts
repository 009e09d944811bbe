/**
 * What a codec can do: index, decode, encode, patch, match key and covering, all pure and synchronous. `Compile` makes codecs;
 * this is their common shape, which the generated code and the table know too.
 */
import type { Dialect, Layout } from "./Dialect.ts"
import type { Message } from "./Message.ts"
import type { MessageError } from "./MessageError.ts"
import type { MessageIndex } from "./MessageIndex.ts"
import type { PatchList } from "./PatchList.ts"

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
   * The same into `out` at `at`; returns the bytes of the message. When that is more than `out` has behind `at`, nothing was
   * written: come back with that much room. After an error the bytes behind `at` hold nothing of use.
   */
  encodeInto(message: Message, out: Buffer, at?: number): number | MessageError
  /**
   * Copies the indexed message to `out` at `at` with changes applied and returns the bytes written. All other bytes stay
   * identical. Throws `PatchInvalid` when a change breaks the dialect; check values from outside with `checkPatches`.
   */
  patch(index: MessageIndex, patches: PatchList, out: Buffer, at: number): number
  /** The same in a new buffer. Where messages go out by the thousand, `patch` needs none. */
  patched(index: MessageIndex, patches: PatchList): Buffer
  /** Bytes that `patch` writes at most. */
  patchedLength(index: MessageIndex, patches: PatchList): number
  checkPatches(patches: PatchList): MessageError | undefined
  /** Writes the canonical key of the fields, "|" between; returns its bytes (at most twice the fields' bytes + 1 each). */
  matchKey(index: MessageIndex, des: ReadonlyArray<number>, out: Buffer, at: number): number
  /**
   * Writes a copy with card data covered, of the same length; returns its bytes. `found`, when given, becomes the list of fields
   * that the dialect shows and in which something was covered because of its shape.
   */
  redact(index: MessageIndex, out: Buffer, at: number, found?: Array<number>): number
  /**
   * A copy that may be kept sealed for a replay: without sensitive authentication data, without what is not understood, and
   * without hidden fields that neither `adviceNeeds` nor `reversal.copies` of the dialect names. `changes`, when given, are made
   * besides; what has to go is added to them.
   */
  withoutSad(index: MessageIndex, changes?: PatchList): Buffer
}
