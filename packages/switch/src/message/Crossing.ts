/**
 * A message as the other partner gets it: its bytes with our names in the header between links of one form, the same fields in
 * the other form's words between others.
 *
 * The one place where a message goes from one link's language into another's: a request to its target, an answer back to its
 * origin, an advice into a queue, a reversal to whom its request went. What comes later (a MAC, a PIN block) is done behind it.
 */
import { MessageIndex, mtiVersion } from "@jinka/codec"
import { type Language, receivedFieldsOf, type Stamp, sentFieldsOf } from "./Language.ts"

/**
 * Whether the message of `index`, which is in the words of `from`, says the same to the partner behind `to`, and is not taken for
 * another one there.
 */
export const mayCross = (from: Language, to: Language, index: MessageIndex): boolean =>
  from.form === to.form || (isOfEdition(from, to, index) && isToldApart(from, to, index))

/**
 * Message types, times and response codes are not converted: one of another edition would be none that its partner knows. A form
 * that has types of both for good says so by its messages.
 */
const isOfEdition = (from: Language, to: Language, { mti }: MessageIndex): boolean =>
  from.edition === undefined ||
  to.edition === undefined ||
  from.edition === to.edition ||
  mtiVersion(mti) === to.edition

/**
 * Whether the partner behind `to` can tell the message of `index`, which is in the words of `from`, from every other that comes
 * from there (G6). Between two forms a part of its key may be missing, because the other form does not have it. Then it does only
 * with a STAN of ours, or when what is there is all that its sender tells it by.
 */
const isToldApart = (from: Language, to: Language, index: MessageIndex): boolean => {
  if (to.missing(index) === undefined) return true
  if (to.hasOwnStan && from.stan(index) !== "") return true
  const sent = sentFieldsOf(to, index.mti)
  return receivedFieldsOf(from, index.mti).every((de) => sent.includes(de))
}

const nothing = Buffer.alloc(0)

/** Crosses one message after the other; a prepared one holds until the next. */
export class Crossing {
  private readonly translated = new MessageIndex()
  private readonly kept = new MessageIndex()
  /** The message, and the language that passes its bytes on; `undefined` for a translated one. */
  private passing: Language | undefined
  private bytes: Buffer = nothing
  private from = 0
  private end = 0

  /**
   * Prepares the message of `index` for `to`, an answer with the `request` that it answers there. False when that language or its
   * frame cannot hold it.
   */
  prepare(from: Language, to: Language, index: MessageIndex, request?: MessageIndex): boolean {
    if (from.form === to.form) return this.preparePassed(to, index.buffer, index.start, index.end)
    const fields = from.fields(index)
    const bytes = fields === undefined ? undefined : to.translate(fields, request)
    if (bytes === undefined || !to.takes(bytes)) return false
    this.passing = undefined
    this.bytes = bytes
    this.from = 0
    this.end = bytes.length
    return true
  }

  /** The same for `bytes[from, end)`, a message of the form of `to`. */
  preparePassed(to: Language, bytes: Buffer, from: number, end: number): boolean {
    this.passing = to
    this.bytes = bytes
    this.from = from
    this.end = end
    return to.takes(bytes, from, end)
  }

  /** Bytes of the prepared message. */
  get length(): number {
    return this.end - this.from
  }

  /** Writes the prepared message to `out` at `at`; returns its bytes. */
  write(out: Buffer, at: number): number {
    const { bytes, end, from, passing } = this
    if (passing === undefined) bytes.copy(out, at, from, end)
    else passing.pass(bytes, from, end, out, at)
    return end - from
  }

  /** The message of `index` as it waits for `to`; `undefined` when that language or its frame cannot hold it. */
  keep(from: Language, to: Language, index: MessageIndex): Buffer | undefined {
    const here = from.form === to.form ? index : this.inWordsOf(to, this.keptFields(from, index))
    // Without a field for the part a reversal would take all back.
    const bytes = here === undefined || from.remains(index) !== to.remains(here) ? undefined : to.keep(here)
    return bytes !== undefined && to.takes(bytes) ? bytes : undefined
  }

  /**
   * The reversal of a request, as it waits for `to`: in that language's own words, because it says what a reversal carries.
   * `undefined` when it has none, or when the request does not hold what that takes.
   */
  reversal(from: Language, to: Language, request: MessageIndex, stamp: Stamp): Buffer | undefined {
    const { reversed } = to
    if (reversed === undefined) return undefined
    // The rest may be covered: it is not read.
    const here = from.form === to.form ? request : this.inWordsOf(to, from.fields(request, reversed))
    const bytes = here === undefined ? undefined : to.reversal(here, stamp)
    return bytes !== undefined && to.takes(bytes) ? bytes : undefined
  }

  /** What is card data is said by either language: a field may be private in one and a track in the other. */
  private keptFields(from: Language, index: MessageIndex): ReturnType<Language["fields"]> {
    const bytes = from.keep(index)
    return from.index(bytes, 0, bytes.length, this.kept) === undefined ? from.fields(this.kept) : undefined
  }

  private inWordsOf(to: Language, fields: ReturnType<Language["fields"]>): MessageIndex | undefined {
    const bytes = fields === undefined ? undefined : to.translate(fields)
    if (bytes === undefined) return undefined
    return to.index(bytes, 0, bytes.length, this.translated) === undefined ? this.translated : undefined
  }
}
