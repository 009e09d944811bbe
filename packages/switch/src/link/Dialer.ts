/**
 * Makes connections to one address of a partner, with pauses between attempts that fail, and never gives up.
 */

import { Clock, Effect, Random } from "effect"
import { monotonicMs } from "../transport/Monotonic.ts"
import { type Connection, Transport } from "../transport/Transport.ts"
import * as Backoff from "./Backoff.ts"
import { Bell } from "./Bell.ts"
import type { Side } from "./Settings.ts"

/** Attempts that failed are noted the first time and then every so often: a night without the partner must not fill the log. */
const NOTED_EVERY = 10

/** Whom a dialer tells of an attempt that came to nothing. */
export interface DialerOwner {
  readonly settings: { readonly reconnect: Backoff.Limits }
  readonly connectFailed: (at: number, why: string) => void
  readonly warned: (text: string) => void
}

/** The connecting side of a link or of one of its legs. */
export class Dialer {
  /** Attempts since the last connection that lasted. */
  attempts = 0
  /** Monotonic milliseconds of the next attempt; 0: none is waited for. */
  nextAttempt = 0
  /** Ends the pause before the next attempt. */
  private readonly hurry = new Bell<undefined>()
  private readonly owner: DialerOwner
  private readonly side: Side & { readonly _tag: "connect" }

  constructor(owner: DialerOwner, side: Side & { readonly _tag: "connect" }) {
    this.owner = owner
    this.side = side
  }

  /** A connection of this dialer has ended after `upMs` milliseconds: one that did not last counts as a failed attempt. */
  ended(upMs: number): void {
    this.attempts = Backoff.attemptAfter(this.attempts, upMs)
  }

  /** Ends the pause before the next attempt. False when no pause is running. */
  retry(): boolean {
    return this.hurry.ring(undefined)
  }

  /** The next connection. Waits before an attempt that follows a failed one. */
  readonly next: Effect.Effect<Connection, never, Transport> = Effect.gen({ self: this }, function* () {
    const { to, timeoutMs } = this.side
    const transport = yield* Transport
    const clock = yield* Clock.Clock
    const now = () => monotonicMs(clock)
    for (;;) {
      if (this.attempts > 0) {
        const wait = Backoff.delayMs(this.owner.settings.reconnect, this.attempts - 1, yield* Random.next)
        this.nextAttempt = now() + wait
        yield* Effect.raceFirst(Effect.sleep(wait), this.hurry.rung)
      }
      this.nextAttempt = 0
      const connection = yield* transport.connect(to, this.side).pipe(
        Effect.timeoutOrElse({ duration: timeoutMs, orElse: () => Effect.succeed("Timeout" as const) }),
        Effect.catchTag("ConnectFailed", (failed) => Effect.succeed(`${failed.reason} (${failed.cause})`))
      )
      if (typeof connection !== "string") return connection
      this.attempts++
      const why = `no connection to ${to.host}:${to.port}: ${connection}`
      this.owner.connectFailed(now(), why)
      if (this.attempts === 1 || this.attempts % NOTED_EVERY === 0) {
        this.owner.warned(`${why}, attempt ${this.attempts}`)
      }
    }
  })
}
