/**
 * What the switch answers by itself: a request that is not taken, and one that was seen before.
 */
import { type MessageIndex, PatchList, type RefusalCodes } from "@jinka/codec"
import type { Link } from "../link/Link.ts"
import * as Answer from "./Answer.ts"
import type { Books } from "./Books.ts"
import { KEY_LENGTH_MAX } from "./Outstanding.ts"
import { Fate, receivedOn } from "./RecentKeys.ts"

/** Why a request is answered by the switch itself; the code comes from the origin's dialect. */
export type Refusal = keyof RefusalCodes

/** What is needed of the stored answers: the answer of `exchange` once more, or `otherwise` when there is none. */
export type Again = (link: Link, epoch: number, exchange: number, request: Buffer, otherwise: Buffer) => void

/** The refusals of one switch. */
export class Refusals {
  private readonly books: Books
  private readonly again: Again
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private readonly patches = new PatchList()

  constructor(books: Books, again: Again) {
    this.books = books
    this.again = again
  }

  /** The partner sends a request again, as `recent.find` has just told: it is answered with what is known of it. */
  repeated(link: Link, epoch: number, index: MessageIndex): void {
    const { books } = this
    const { exchange, fate } = books.recent
    const seq = books.record.stray("duplicateRequest", exchange, link, epoch, "", index)
    if (fate === Fate.open) return link.settled(epoch)
    const { duplicate, noAnswer } = link.settings.dialect.refusal
    const otherwise = this.makeAnswer(link, index, fate === Fate.queued ? duplicate : noAnswer)
    const bytes = Buffer.from(index.buffer.subarray(index.start, index.end))
    books.commits.after(seq, () => {
      if (fate === Fate.answered || fate === Fate.refused) this.again(link, epoch, exchange, bytes, otherwise)
      else books.send(link, epoch, otherwise)
    })
  }

  /** Answers a message without taking it; the refusal is on disk before the answer leaves. */
  refuse(link: Link, epoch: number, index: MessageIndex, refusal: Refusal): void {
    const { books } = this
    const code = link.settings.dialect.refusal[refusal]
    const seq = books.record.refused(link, epoch, code, index)
    this.remember(link, index, seq, Fate.refused)
    const answer = this.makeAnswer(link, index, code)
    books.commits.after(seq, () => books.send(link, epoch, answer))
  }

  /** An answer of our own to the message of `index`, in bytes of its own. */
  makeAnswer(link: Link, index: MessageIndex, code: string): Buffer {
    const { codec } = link.settings
    const patches = Answer.patch(index, code, this.patches)
    const out = Buffer.allocUnsafe(codec.patchedLength(index, patches))
    return out.subarray(0, codec.patch(index, patches, out, 0))
  }

  /** Keeps under the origin's key what became of a request. */
  remember(origin: Link, request: MessageIndex, exchange: number, fate: Fate): void {
    const { codec } = origin.settings
    const length = codec.matchKey(request, origin.receivedKey, this.key, 0)
    this.books.recent.put(receivedOn(origin.id, request.mti), this.key, 0, length, exchange, fate)
  }
}
