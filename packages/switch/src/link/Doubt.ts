/**
 * Requests of ours in a row that the partner did not answer: when it is asked whether anybody is there, and what is said of it.
 *
 * A missing answer is no evidence against a link (RFC 3539 3.4: only the watchdog is), but a partner that goes on sending idle
 * frames is never silent, and so it would never be asked. After some requests in a row an echo is sent, and again after as many,
 * at most once in an interval of the watchdog (docs/decisions/0005-watchdog.md).
 */
import type { LinkSettings } from "./Settings.ts"

/** Milliseconds between two questions, or two lines, where the link has no watchdog. */
const PAUSE_MS = 30_000

/** What it needs of its link. */
export interface DoubtOwner {
  readonly settings: LinkSettings
  /** The connection that is up on a long link. */
  readonly session: { readonly epoch: number; readonly watchdog: Asking } | undefined
  readonly noted: (text: string) => void
  readonly warned: (text: string) => void
}

interface Asking {
  /** Asks by an echo; `answered` hears in words how it was answered. False where it cannot be asked. */
  readonly doubt: (answered: (words: string) => void) => boolean
  readonly trust: () => void
}

/** For the status. `askedAt` in monotonic milliseconds, 0: the partner was not asked; `came`: what came of it, in words. */
export interface DoubtStatus {
  readonly inARow: number
  readonly askedAt: number
  readonly came: string
}

/** The doubt of one link. */
export class Doubt {
  private readonly link: DoubtOwner
  private inARow = 0
  private askedAt = 0
  private came = ""
  /** How many in a row there were when the partner was asked last. */
  private askedFor = 0

  constructor(link: DoubtOwner) {
    this.link = link
  }

  /** For the status. */
  get status(): DoubtStatus {
    const { inARow, askedAt, came } = this
    return { inARow, askedAt, came }
  }

  /** A request that was sent on connection `epoch` was answered. */
  answered(epoch: number): void {
    if (this.inARow === 0 || !this.isOf(epoch)) return
    const many = this.askedAt === 0 ? 0 : this.inARow
    this.clear()
    this.link.session?.watchdog.trust()
    if (many > 0) this.link.noted(`a request was answered again, after ${many} in a row that were not`)
  }

  /** A request that was sent on connection `epoch` got no answer in time; `now` in monotonic milliseconds. */
  unanswered(epoch: number, now: number): void {
    if (!this.isOf(epoch)) return
    this.inARow++
    const { unanswered = 0, intervalMs } = this.link.settings.watchdog
    if (unanswered === 0 || this.inARow < this.askedFor + unanswered) return
    if (this.askedAt > 0 && now < this.askedAt + (intervalMs || PAUSE_MS)) return
    this.askedFor = this.inARow
    this.askedAt = now
    this.came = ""
    const many = `${this.inARow} requests in a row were not answered`
    if (this.link.session?.watchdog.doubt((words) => this.echoAnswered(words)) === true) {
      return this.link.warned(`${many}: the partner is asked by an echo`)
    }
    this.came = "there is no echo to ask with"
    this.link.warned(`${many}, and ${this.came}`)
  }

  /** A new connection has nothing against it. */
  clear(): void {
    this.inARow = 0
    this.askedAt = 0
    this.came = ""
    this.askedFor = 0
  }

  /** The connections of a short link are all the same; on a long one only the present one counts. */
  private isOf(epoch: number): boolean {
    return this.link.settings.short !== undefined || this.link.session?.epoch === epoch
  }

  private echoAnswered(words: string): void {
    this.came = `our echo was ${words}, so the line is alive and the system behind it is not`
    this.link.warned(`${this.inARow} requests in a row were not answered; ${this.came}`)
  }
}
