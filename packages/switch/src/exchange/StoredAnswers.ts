/**
 * The answer that was given once, given again: for a partner that repeats a request which has been answered.
 *
 * The journal holds the answer without card data. What is missing comes from the repeated request itself, so the partner gets
 * the same response code, authorisation number and settlement date as the first time.
 */
import { MessageIndex, PatchList } from "@jinka/codec"
import { Effect } from "effect"
import type { Entry } from "../journal/Entry.ts"
import { EntryKind } from "../journal/EntryKind.ts"
import type { Link } from "../link/Link.ts"
import * as Answer from "./Answer.ts"
import type { Books } from "./Books.ts"

/** Reads answers back from the journal and sends them. Rare work: it runs in a fiber of its own. */
export class StoredAnswers {
  private readonly books: Books
  private readonly stored = new MessageIndex()
  private readonly repeated = new MessageIndex()
  private readonly patches = new PatchList()

  constructor(books: Books) {
    this.books = books
  }

  /** Sends the answer of `exchange` to `link`, made for `request`; `otherwise` when the journal has none or does not answer. */
  again(link: Link, exchange: number, request: Buffer, otherwise: Buffer): void {
    const { books } = this
    const found = books.journal.read(exchange).pipe(
      Effect.map((entries) => entries.find(({ kind }) => kind === EntryKind.answered)),
      Effect.catch(() => Effect.succeed(undefined)),
      Effect.map((entry) => {
        books.send(link, (entry === undefined ? undefined : this.make(link, request, entry)) ?? otherwise)
        books.flush()
      })
    )
    books.runtime.fork(found)
  }

  private make(link: Link, request: Buffer, entry: Entry): Buffer | undefined {
    const source = this.books.links.find((other) => this.books.record.nameOf(other) === entry.link)
    const { codec } = link.settings
    const wrong =
      source?.settings.codec.index(entry.message, 0, entry.message.length, this.stored) ??
      codec.index(request, 0, request.length, this.repeated)
    if (source === undefined || wrong !== undefined) return undefined
    const patches = Answer.patchAgain(this.repeated, this.stored, this.patches)
    const out = Buffer.allocUnsafe(codec.patchedLength(this.repeated, patches))
    return out.subarray(0, codec.patch(this.repeated, patches, out, 0))
  }
}
