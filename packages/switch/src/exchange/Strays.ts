/**
 * Answers that no open request waits for: late, a duplicate, or nobody's. They are kept, counted, and never delivered.
 */
import type { MessageIndex } from "@jinka/codec"
import type { Link } from "../link/Link.ts"
import type { Books } from "./Books.ts"
import { State } from "./Exchange.ts"
import type { Outstanding, Slot } from "./Outstanding.ts"
import { Fate } from "./RecentKeys.ts"

/** The strays of one switch. */
export class Strays {
  private readonly books: Books

  constructor(books: Books) {
    this.books = books
  }

  /** An answer with the match key `key[0, length)` that no open request waits for; `slot` has ended or is about to. */
  unexpected(
    target: Link,
    epoch: number,
    index: MessageIndex,
    key: Buffer,
    length: number,
    slot: Slot | undefined,
    outstanding: Outstanding
  ): void {
    const { books } = this
    const code = index.text(39)
    if (slot !== undefined) {
      const kind = outstanding.state(slot.id) === State.answering ? "duplicateAnswer" : "late"
      books.record.stray(kind, slot.exchange, target, epoch, code, index)
    } else if (books.groups.wasSent(books.recent, target, key, length)) {
      const kind = books.recent.fate === Fate.answered ? "duplicateAnswer" : "late"
      books.record.stray(kind, books.recent.exchange, target, epoch, code, index)
    } else books.record.stray("unmatched", 0, target, epoch, code, index)
  }

  /** The key fits and the message does not: it is nobody's answer, and the request goes on waiting for its own. */
  foreign(target: Link, epoch: number, index: MessageIndex, slot: Slot, why: string): void {
    this.books.record.stray("unmatched", slot.exchange, target, epoch, why, index)
  }
}
