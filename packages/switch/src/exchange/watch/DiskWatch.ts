/**
 * The journal's disk as operators hear of it, looked at about once a second: it stands still, its room runs out, it works only
 * in part, its store is away, and what was not journalled for want of room. Each goes into the log, and into the journal as far
 * as that has room.
 */
import { Effect } from "effect"
import type { Desks } from "../Desks.ts"

/** The disk of one switch. */
export class DiskWatch {
  private readonly desks: Desks
  private isLow = false
  /** Since when the store is away, monotonic milliseconds; `undefined`: it answers. */
  private awaySince: number | undefined
  private trouble = ""

  constructor(desks: Desks) {
    this.desks = desks
  }

  /** Looks; says what is new. */
  look(): void {
    const { journal, now } = this.desks
    journal.look(now)
    this.tellTrouble(journal.trouble())
    this.tellRoom(journal.refuses() === "space")
    this.tellSpared()
  }

  /** Looks whether the store is away: with every tick, for partners wait. */
  tick(): void {
    const { isAway, now, leftAlone } = this.desks
    if (isAway === (this.awaySince !== undefined)) return
    if (isAway) {
      this.awaySince = now
      leftAlone.happened()
      const text = "the journal's store does not answer: links stay up, new requests are refused until it does"
      return this.note(text, Effect.logError(text))
    }
    const text = `the journal's store answers again after ${((now - this.awaySince!) / 1000).toFixed(1)} s: requests are taken`
    this.awaySince = undefined
    this.note(text, Effect.logInfo(text))
  }

  /** A disk that lets the journal work, and not as it should: logged when it begins, changes and ends. */
  private tellTrouble(trouble: string): void {
    if (trouble === this.trouble) return
    this.trouble = trouble
    const isOver = trouble === ""
    this.desks.runtime.fork(
      isOver ? Effect.logInfo("the journal is written as it should be again") : Effect.logError(trouble)
    )
  }

  /** When the disk's room runs out all new work is refused, and nobody else would say so. */
  private tellRoom(isLow: boolean): void {
    if (isLow === this.isLow) return
    this.isLow = isLow
    const { room } = this.desks
    const text = isLow
      ? `the journal's disk is nearly full: new requests are refused until there is room${room === "" ? "" : `; ${room}`}`
      : "the journal's disk has room again: requests are taken"
    this.note(text, isLow ? Effect.logError(text) : Effect.logInfo(text))
  }

  private tellSpared(): void {
    const spared = this.desks.record.spared.take()
    if (spared !== "") this.note(spared, Effect.logWarning(spared))
  }

  private note(text: string, log: Effect.Effect<void>): void {
    const { record, runtime } = this.desks
    record.switchEvent(text)
    this.desks.flush()
    runtime.fork(log)
  }
}
