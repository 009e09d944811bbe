/**
 * Lets go on what the journal has on disk: some messages at a time, the partners by turns, and between two turns the sockets are
 * read. It also says what a partner that is far ahead of the disk has to wait for before it is read again.
 */
import { Deferred, Effect, Latch } from "effect"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { HotActions } from "./Commits.ts"

/** Messages that go on in one turn, half a millisecond: a group of the journal may hold hundreds. */
const RELEASED_MAX = 128

/** The way from the disk, of one switch. */
export class Releases {
  private readonly desks: Desks
  private readonly hot: HotActions
  private readonly broken: Deferred.Deferred<never>
  private isScheduled = false
  /** Something is on disk and has not gone on, because it is not sure that the journal is ours. */
  private isHeld = false
  private readonly roomLatch = Latch.makeUnsafe(true)
  private readonly room: Effect.Effect<void> = Effect.asVoid(this.roomLatch.await)

  /** `broken` dies with the first defect; nothing goes on after it. */
  constructor(desks: Desks, hot: HotActions, broken: Deferred.Deferred<never>) {
    this.desks = desks
    this.hot = hot
    this.broken = broken
  }

  /** The journal has everything up to `lastSeq` on disk: what waited for that is done, each partner's own in order. */
  committed(lastSeq: number): void {
    if (Deferred.isDoneUnsafe(this.broken)) return
    try {
      this.release(lastSeq)
    } catch (defect) {
      Deferred.doneUnsafe(this.broken, Effect.die(defect))
    }
  }

  /** With every tick: what was held goes on as soon as the journal is surely ours. */
  tick(): void {
    if (this.isHeld) this.committed(this.desks.journal.writer.committedSeq)
  }

  /** At the end of a turn of the desk's partner: what it has to wait for before it is read again. */
  wait(desk: Desk): Effect.Effect<void> | undefined {
    const { commits, journal, limits, record } = this.desks
    const partner = this.desks.partnerOf(desk)
    // Nothing new is taken meanwhile, and a link that is not read would fall for want of an echo.
    if (this.desks.isAway) return undefined
    const { committedSeq } = journal.writer
    const isDone = (seq: number): boolean => commits.isDone(partner, seq, committedSeq)
    const seq = this.desks.wayOf(desk).waitsFor(record.last, isDone)
    if (seq > 0) return this.orAway(this.done(partner, seq))
    if (record.pendingBytes <= limits.unwrittenStop) return undefined
    this.roomLatch.closeUnsafe()
    return this.orAway(this.room)
  }

  private orAway(wait: Effect.Effect<void>): Effect.Effect<void> {
    const { leftAlone } = this.desks
    return Effect.raceFirst(
      wait,
      leftAlone.until(() => this.desks.isAway, Number.POSITIVE_INFINITY)
    )
  }

  private release(lastSeq: number): void {
    const { desks } = this
    desks.tick()
    this.isHeld = !desks.journal.isOurs()
    if (this.isHeld) return
    const isDone = desks.commits.run(lastSeq, this.hot, RELEASED_MAX)
    desks.flush()
    if (!isDone) this.later()
    if (desks.record.pendingBytes < desks.limits.unwrittenStop / 2) this.roomLatch.openUnsafe()
  }

  /** The rest is done once everything else that is due now has run, reading from sockets among it. */
  private later(): void {
    if (this.isScheduled) return
    this.isScheduled = true
    const rest = Effect.sync(() => {
      this.isScheduled = false
      this.committed(this.desks.journal.writer.committedSeq)
    })
    this.desks.runtime.fork(Effect.andThen(Effect.yieldNow, rest))
  }

  /** Waits until entry `seq` is on disk, and what the partner waited for up to there is done. */
  private done(partner: number, seq: number): Effect.Effect<void> {
    const { commits, journal } = this.desks
    return Effect.callback((resume) => {
      if (commits.isDone(partner, seq, journal.writer.committedSeq)) return resume(Effect.void)
      const takeBack = commits.whenDone(partner, seq, () => resume(Effect.void))
      return Effect.sync(takeBack)
    })
  }
}
