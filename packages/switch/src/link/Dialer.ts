/**
 * Makes connections to one address of a partner, with pauses between attempts that fail, and never gives up.
 */
import { Clock, Effect, Random } from "effect"
import { monotonicMs } from "../transport/Monotonic.ts"
import { type Connection, Transport } from "../transport/Transport.ts"
import * as Backoff from "./Backoff.ts"
import { Bell } from "./Bell.ts"
import { Notices, patient } from "./Notices.ts"
import type { ConnectSide } from "./Settings.ts"
import type { Source, SourceStatus } from "./Source.ts"

/** Whom a dialer tells of an attempt that came to nothing. */
export interface DialerOwner {
  readonly settings: { readonly reconnect: Backoff.Limits }
  readonly connectFailed: (at: number, why: string) => void
  readonly warned: (text: string) => void
}

/** The connecting side of a link or of one of its legs. */
export class Dialer implements Source {
  /** Attempts since the last connection that lasted. */
  private attempts = 0
  /** Monotonic milliseconds of the next attempt; 0: none is waited for. */
  private nextAttempt = 0
  /** Ends the pause before the next attempt. */
  private readonly hurry = new Bell<undefined>()
  private readonly failures = new Notices(patient)
  private readonly owner: DialerOwner
  private readonly side: ConnectSide

  constructor(owner: DialerOwner, side: ConnectSide) {
    this.owner = owner
    this.side = side
  }

  /** See `Source`: there is nothing to listen on. */
  readonly listen = Effect.void

  /** See `Source`. Waits before an attempt that follows a failed one. */
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
      const noted = this.failures.add("connect", why, now())
      if (noted !== undefined) this.owner.warned(noted)
    }
  })

  /** See `Source`: we dial, nobody is let in. */
  offer(connection: Connection): void {
    connection.close("reset")
  }

  /** See `Source`. */
  retry(): boolean {
    return this.hurry.ring(undefined)
  }

  /** See `Source`: what is being dialled is dropped by whoever waits for it. */
  leave(): void {}

  /** See `Source`. */
  ended(lastedMs: number): void {
    this.attempts = Backoff.attemptAfter(this.attempts, lastedMs)
    if (this.attempts === 0) this.failures.over("connect")
  }

  /** See `Source`. */
  status(): SourceStatus {
    return { attempts: this.attempts, nextAttempt: this.nextAttempt, legs: undefined }
  }

  /** See `Source`. */
  close(): void {}
}
