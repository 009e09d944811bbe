/**
 * The answer that was given once, given again: for a partner that repeats a request which has ended.
 *
 * The journal holds the answer without card data. What is missing comes from the repeated request itself, so the partner gets
 * the same response code, authorisation number and settlement date as the first time. A refusal is given again with its code. An
 * approval that could not be delivered was taken back: nobody may hear of it now.
 */
import { isSuccess, MessageIndex, PatchList } from "@jinka/codec"
import { Effect } from "effect"
import type { Entry } from "../journal/Entry.ts"
import { EntryKind } from "../journal/EntryKind.ts"
import type { Link } from "../link/Link.ts"
import * as Answer from "./Answer.ts"
import type { Books } from "./Books.ts"
import { differingEcho } from "./Echo.ts"
import { OwnStan } from "./OwnStan.ts"

/** Answers being read at once. Repeats above that get none and come again: reading must not hold up the commits. */
const READS_MAX = 64

/** Reads answers back from the journal and sends them. Rare work: it runs in a fiber of its own. */
export class StoredAnswers {
  private readonly books: Books
  private readonly stored = new MessageIndex()
  private readonly repeated = new MessageIndex()
  private readonly covered = new MessageIndex()
  private readonly patches = new PatchList()
  private readonly ownStan = new OwnStan()
  private underWay = 0

  constructor(books: Books) {
    this.books = books
  }

  /** Sends the answer of `exchange` to `link`, made for `request`; `otherwise` when the journal has none or does not answer. */
  again(link: Link, epoch: number, exchange: number, request: Buffer, otherwise: Buffer): void {
    const { books } = this
    if (this.underWay >= READS_MAX) return link.settled(epoch)
    this.underWay++
    const found = books.journal.read(exchange).pipe(
      Effect.catch(() => Effect.succeed([])),
      Effect.map((entries) => {
        // A journal that has stopped has no answer, and nothing leaves any more (guarantee G9).
        if (books.journal.stopped() !== undefined) return
        books.send(link, epoch, this.from(entries, link, request) ?? otherwise)
        books.flush()
      })
    )
    books.runtime.fork(
      Effect.ensuring(
        found,
        Effect.sync(() => this.underWay--)
      )
    )
  }

  /** What an exchange's entries say that its origin was told; `undefined` when they do not say it. */
  private from(entries: ReadonlyArray<Entry>, link: Link, request: Buffer): Buffer | undefined {
    const has = (kind: EntryKind) => entries.find((entry) => entry.kind === kind)
    if (link.settings.codec.index(request, 0, request.length, this.repeated) !== undefined) return undefined
    const refused = has(EntryKind.refused) ?? has(EntryKind.notSent)
    if (refused !== undefined) return this.write(link, Answer.patch(this.repeated, refused.code, this.patches))
    const answered = has(EntryKind.answered)
    if (answered === undefined) return undefined
    const source = this.books.links.find((other) => this.books.record.nameOf(other) === answered.link)
    const wrong = source?.settings.codec.index(answered.message, 0, answered.message.length, this.stored)
    if (source === undefined || wrong !== undefined) return undefined
    const isTakenBack = has(EntryKind.undelivered) !== undefined && isSuccess(source.settings.dialect, answered.code)
    if (isTakenBack) return undefined
    // On its own link the answer had a STAN of ours.
    const stored =
      source.settings.stan === "own"
        ? this.ownStan.with(source.settings.codec, this.stored, this.repeated.text(11))
        : this.stored
    if (!this.isRepeat(link, source, stored)) {
      return this.write(link, Answer.patch(this.repeated, link.settings.dialect.refusal.duplicate, this.patches))
    }
    return this.write(link, Answer.patchAgain(this.repeated, this.stored, this.patches))
  }

  /** Whether the request says the same as the one that was answered: a used key with another amount or card is no repeat (G6). */
  private isRepeat(link: Link, source: Link, stored: MessageIndex): boolean {
    const { codec } = link.settings
    const { end, start } = this.repeated
    // The journal has card data covered, so it is compared covered.
    const bytes = Buffer.allocUnsafe(end - start)
    codec.redact(this.repeated, bytes, 0)
    if (codec.index(bytes, 0, bytes.length, this.covered) !== undefined) return false
    return differingEcho(link.settings, this.covered, source.settings, stored) < 0
  }

  /** `undefined` when the stored answer holds what its dialect does not allow: it was passed on unread, and is not made again. */
  private write({ settings }: Link, patches: PatchList): Buffer | undefined {
    if (settings.codec.checkPatches(patches) !== undefined) return undefined
    const out = Buffer.allocUnsafe(settings.codec.patchedLength(this.repeated, patches))
    return out.subarray(0, settings.codec.patch(this.repeated, patches, out, 0))
  }
}
