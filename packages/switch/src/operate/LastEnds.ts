/**
 * Which end of a message for delivery counts. One that was abandoned may be sent once more by a person (`jinka pending retry`):
 * then the journal has two ends of it, and what the partner said last is how it ended.
 */
import type { Entry } from "../journal/Entry.ts"
import { EntryKind } from "../journal/EntryKind.ts"

/** Kinds of entries that end a message for delivery. */
export const deliveryEndKinds: ReadonlyArray<EntryKind> = [
  EntryKind.acknowledged,
  EntryKind.abandoned,
  EntryKind.declined
]

/** The ends of what was abandoned: taken in a first pass, asked in a second. */
export class LastEnds {
  private readonly abandoned = new Set<number>()
  private readonly last = new Map<number, number>()

  /** Takes an entry of the kinds above, in the journal's order. */
  take({ exchange, kind, seq }: Entry): void {
    if (this.abandoned.has(exchange)) this.last.set(exchange, seq)
    if (kind === EntryKind.abandoned) this.abandoned.add(exchange)
  }

  /** Whether no other end follows this one. */
  isLast({ exchange, seq }: Entry): boolean {
    return (this.last.get(exchange) ?? seq) === seq
  }
}
