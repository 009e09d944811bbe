/**
 * Notices a disk that has stopped answering: entries wait, and nothing becomes durable for too long. Pure; the caller has the
 * clock. A slow disk is another matter: as long as commits end, the switch pushes back and goes on. So is a store that says
 * itself that it is away: that has a limit of its own, and none of its time counts for the disk.
 */
import { JournalError } from "./JournalError.ts"

/** Milliseconds without one commit, though entries wait, after which the switch stops (guarantees G7 and G9). */
export const STALL_MS = 30_000

/** Longest time between two looks that counts: a process that was stopped for an hour has seen nothing of its disk. */
const LOOK_MS = 2000

/** Watches one journal. */
export class Stall {
  private committedSeq = -1
  private lookedAt = 0
  private waited = 0
  private gone = 0

  /**
   * To be called about once a second, with monotonic milliseconds. Returns the error to stop with once nothing was committed for
   * {@link STALL_MS} although `pending` entries wait.
   */
  look(now: number, committedSeq: number, pending: number, place: string): JournalError | undefined {
    const passed = this.passed(now)
    this.gone = 0
    this.waited = pending === 0 || committedSeq !== this.committedSeq ? 0 : this.waited + passed
    this.committedSeq = committedSeq
    if (this.waited < STALL_MS) return undefined
    const problem = `The disk has not answered for ${STALL_MS / 1000} s; ${pending} entries wait behind entry ${committedSeq}.`
    return JournalError.of("DiskStalled", place, problem)
  }

  /** The same while the store says that it is away, and `why`: it may be for `limitMs`. */
  away(now: number, limitMs: number, pending: number, why: string): JournalError | undefined {
    this.gone += this.passed(now)
    this.waited = 0
    if (this.gone < limitMs) return undefined
    const last = why === "" ? "" : ` ${why}${why.endsWith(".") ? "" : "."}`
    const problem = `The store has not answered for ${Math.round(this.gone / 1000)} s; ${pending} entries wait.${last}`
    return JournalError.of("StoreAway", "the journal's store", problem)
  }

  private passed(now: number): number {
    const passed = Math.min(now - this.lookedAt, LOOK_MS)
    this.lookedAt = now
    return passed
  }
}
