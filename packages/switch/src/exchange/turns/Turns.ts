/**
 * Whose bytes the switch works on: partners take turns, not connections, and not whoever has sent most. Pure but for `later`.
 *
 * A partner may have some 32 KiB (a hundred messages, half a millisecond) worked on; then it waits until all
 * others have had the chance to say something. So a flood costs another partner's message the time of one such piece for each
 * partner that floods, however much has arrived and over however many connections.
 */
import { ByTurns } from "./ByTurns.ts"

/** Bytes of one partner that are worked on in one round. */
export const ROUND_BYTES = 32_768

interface Waiting {
  readonly bytes: number
  readonly go: () => void
}

/** The turns of one switch. */
export class Turns {
  private readonly later: (run: () => void) => void
  private readonly spent = new Map<number, number>()
  private readonly waiting = new ByTurns<Waiting>()
  private isScheduled = false

  /** `later` runs something once everything else that is due now has run, reading from sockets among it. */
  constructor(later: (run: () => void) => void) {
    this.later = later
  }

  /** Whether `bytes` of the partner may be worked on now; they count then. Else `wait` for it. */
  may(partner: number, bytes: number): boolean {
    const spent = this.spent.get(partner) ?? 0
    if (spent >= ROUND_BYTES || this.waiting.has(partner)) return false
    this.spent.set(partner, spent + bytes)
    return true
  }

  /** Calls `go` when it is the partner's turn. */
  wait(partner: number, bytes: number, go: () => void): void {
    this.waiting.push(partner, { bytes, go })
    this.schedule()
  }

  private schedule(): void {
    if (this.isScheduled) return
    this.isScheduled = true
    this.later(() => this.round())
  }

  private round(): void {
    this.isScheduled = false
    this.spent.clear()
    const due: Array<Waiting> = []
    const hasLeft = (partner: number, { bytes }: Waiting): boolean => {
      const spent = this.spent.get(partner) ?? 0
      if (spent >= ROUND_BYTES) return false
      this.spent.set(partner, spent + bytes)
      return true
    }
    for (let one = this.waiting.next(hasLeft); one !== undefined; one = this.waiting.next(hasLeft)) due.push(one)
    if (this.waiting.length > 0) this.schedule()
    for (const { go } of due) go()
  }
}
