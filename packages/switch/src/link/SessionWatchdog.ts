/**
 * The watchdog of one connection: the pure table of `Watchdog` with its timer, and what its commands do.
 *
 * It has no fiber of its own: the session's keeper asks `due` and calls `tick`; the receiver tells what came.
 */
import type { Connection } from "../transport/Transport.ts"
import type { LinkEnded } from "./LinkEnded.ts"
import type { LinkSettings } from "./Settings.ts"
import { unproved } from "./Silence.ts"
import * as Watchdog from "./Watchdog.ts"

/** What it needs of its session. Times are monotonic milliseconds. */
export interface WatchedSession {
  readonly connection: Connection
  readonly lastReceived: number
  readonly lastSent: number
  /** See `Management`. */
  readonly management: {
    readonly echoAt: number
    readonly cameInstead: string
    readonly ask: (what: "echo") => void
  }
  readonly now: () => number
  readonly changed: (phase: Watchdog.Phase) => void
  readonly fail: (ended: LinkEnded) => void
  /** Writes what was put, and calls `tick` at this time at the latest. */
  readonly wake: (at: number) => void
}

/** One connection's watchdog. */
export class SessionWatchdog {
  private readonly settings: LinkSettings["watchdog"]
  private readonly session: WatchedSession
  private readonly chance: () => number
  private state = Watchdog.initial
  private setAt = 0
  private timerMs = 0
  private doubtAnswered: ((words: string) => void) | undefined

  /** `chance` is uniform in [0, 1). */
  constructor(settings: LinkSettings["watchdog"], session: WatchedSession, chance: () => number) {
    this.settings = settings
    this.session = session
    this.chance = chance
  }

  /** As it is, for the status. */
  get now(): Watchdog.Watchdog {
    return this.state
  }

  /** It watches: the connection is signed on. */
  get isOn(): boolean {
    return this.state.phase !== "DOWN"
  }

  /** When it acts next unless something comes. */
  get due(): number {
    const { phase, doubted } = this.state
    const since = phase === "OKAY" && !doubted ? Math.max(this.setAt, this.session.lastReceived) : this.setAt
    return since + this.timerMs
  }

  /** Begins, at once or by proofs: a connection that is not its link's first has to prove itself. */
  begin(isFirst: boolean): void {
    const { intervalMs, probe, proofs } = this.settings
    if (this.isOn || intervalMs === 0) return
    this.step({ _tag: "connected", proofs: isFirst || !probe ? 0 : proofs })
  }

  /** The partner sends no more: nothing is waited for. */
  stop(): void {
    this.state = Watchdog.initial
  }

  /** Bytes came. */
  received(): void {
    if (this.state.phase === "SUSPECT") this.step({ _tag: "received" })
    // Without probes anything that comes is the answer to the silence.
    else if (this.state.pending && !this.settings.probe) this.step({ _tag: "probeAnswered" })
  }

  /** An echo was answered with success; `words` say how. */
  proved(words: string): void {
    const { doubtAnswered } = this
    this.doubtAnswered = undefined
    this.step({ _tag: "probeAnswered" })
    doubtAnswered?.(words)
  }

  /**
   * Too many requests in a row were not answered: the partner is asked by an echo, and `answered` hears in words how it answers.
   * False where it cannot be asked.
   */
  doubt(answered: (words: string) => void): boolean {
    if (!this.settings.probe || this.state.phase !== "OKAY") return false
    this.doubtAnswered = answered
    this.step({ _tag: "doubted" })
    return true
  }

  /** A request was answered. */
  trust(): void {
    this.doubtAnswered = undefined
    this.step({ _tag: "trusted" })
  }

  /** Its time is over. */
  expired(): void {
    this.step({ _tag: "expired" })
  }

  private step(event: Watchdog.Event): void {
    const before = this.state
    const { next, command } = Watchdog.step(before, event)
    if (next === before) return
    this.state = next
    this.setAt = this.session.now()
    this.timerMs = Watchdog.timerMs(this.settings.intervalMs, this.chance())
    this.session.changed(next.phase)
    if (command === "probe" && this.settings.probe) this.session.management.ask("echo")
    if (command === "close") this.session.fail(this.unproved(before))
    this.session.wake(this.setAt + this.timerMs)
  }

  private unproved({ phase, proofsMissing, doubted }: Watchdog.Watchdog): LinkEnded {
    const { connection, lastReceived, lastSent, management } = this.session
    const { proofs, probe } = this.settings
    return unproved(connection, {
      now: this.session.now(),
      lastReceived,
      hasWritten: lastSent > lastReceived,
      echoAt: probe ? management.echoAt : 0,
      cameInstead: management.cameInstead,
      proof: phase === "REOPEN" ? { number: proofs + 1 - proofsMissing, of: proofs } : undefined,
      isDoubted: doubted
    })
  }
}
