/**
 * Answers that no open request waits for: late, a duplicate, or nobody's. They are kept, counted, and never delivered.
 */
import type { MessageIndex } from "@jinka/codec"
import type { Desk } from "./Desk.ts"
import type { Desks } from "./Desks.ts"
import { State } from "./Exchange.ts"
import type { Outstanding, Slot } from "./Outstanding.ts"
import { Fate } from "./RecentKeys.ts"

/** The strays of one switch. */
export class Strays {
  private readonly desks: Desks

  constructor(desks: Desks) {
    this.desks = desks
  }

  /** An answer with the match key `key[0, length)` that no open request waits for; `slot` has ended or is about to. */
  unexpected(
    target: Desk,
    epoch: number,
    index: MessageIndex,
    key: Buffer,
    length: number,
    slot: Slot | undefined,
    outstanding: Outstanding
  ): void {
    const { desks } = this
    const code = target.language.code(index) ?? ""
    if (slot !== undefined) {
      const kind = outstanding.state(slot.id) === State.answering ? "duplicateAnswer" : "late"
      desks.record.stray(kind, slot.exchange, target, epoch, code, index)
    } else if (desks.groups.wasSent(desks.recent, target, key, length)) {
      const kind = desks.recent.fate === Fate.answered ? "duplicateAnswer" : "late"
      desks.record.stray(kind, desks.recent.exchange, target, epoch, code, index)
    } else desks.record.stray("unmatched", 0, target, epoch, code, index)
  }

  /** The key fits and the message does not: it is nobody's answer, and the request goes on waiting for its own. */
  foreign(target: Desk, epoch: number, index: MessageIndex, slot: Slot, why: string): void {
    this.desks.record.stray("unmatched", slot.exchange, target, epoch, why, index)
  }
}
