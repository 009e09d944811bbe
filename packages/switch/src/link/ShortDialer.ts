/**
 * Makes the connections of a short link, one for each message: at once, also after failures, because a message waits for it.
 *
 * It keeps when nothing but a request should try again, for what can wait.
 */
import { Clock, Effect, Random } from "effect"
import { monotonicMs } from "../transport/Monotonic.ts"
import { type Connection, Transport } from "../transport/Transport.ts"
import { delayMs } from "./Backoff.ts"
import type { DialerOwner } from "./Dialer.ts"
import { Notices, patient } from "./Notices.ts"
import type { ConnectSide } from "./Settings.ts"
import type { SourceStatus } from "./Source.ts"

/** The connecting side of a short link. */
export class ShortDialer {
  private readonly owner: DialerOwner
  private readonly side: ConnectSide
  private readonly failures = new Notices(patient)
  /** Attempts in a row that failed, and monotonic milliseconds before which nothing but a request tries again. */
  private attempts = 0
  private nextAttempt = 0
  private failingSince = 0
  private underWay = 0

  constructor(owner: DialerOwner, side: ConnectSide) {
    this.owner = owner
    this.side = side
  }

  /** Attempts under way. */
  get size(): number {
    return this.underWay
  }

  /** The last attempt failed. */
  get isUnreachable(): boolean {
    return this.attempts > 0
  }

  /** Since when every attempt has failed, monotonic milliseconds; `undefined`: the last one did not. */
  get unreachableSince(): number | undefined {
    return this.isUnreachable ? this.failingSince : undefined
  }

  /** What can wait may try at `now`: the partner was reachable last, or the pause after a failure is over. */
  mayTry(now: number): boolean {
    return !this.isUnreachable || now >= this.nextAttempt
  }

  /** For the status. */
  get status(): SourceStatus {
    return { attempts: this.attempts, nextAttempt: this.nextAttempt, legs: undefined }
  }

  /** A connection, or `undefined` when there is none by `untilMs`, monotonic. The attempt counts from this call on. */
  connect(untilMs: number): Effect.Effect<Connection | undefined, never, Transport> {
    this.underWay++
    const { to, timeoutMs } = this.side
    return Effect.gen({ self: this }, function* () {
      const transport = yield* Transport
      const clock = yield* Clock.Clock
      const wait = Math.max(1, Math.min(timeoutMs, untilMs - monotonicMs(clock)))
      const connection = yield* transport.connect(to, this.side).pipe(
        Effect.timeoutOrElse({ duration: wait, orElse: () => Effect.succeed("Timeout" as const) }),
        Effect.catchTag("ConnectFailed", (failed) => Effect.succeed(`${failed.reason} (${failed.cause})`))
      )
      if (typeof connection !== "string") {
        this.attempts = 0
        return connection
      }
      this.failed(`no connection to ${to.host}:${to.port}: ${connection}`, monotonicMs(clock), yield* Random.next)
      return undefined
    }).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          this.underWay--
        })
      )
    )
  }

  private failed(why: string, now: number, chance: number): void {
    if (!this.isUnreachable) this.failingSince = now
    this.attempts++
    this.nextAttempt = now + delayMs(this.owner.settings.reconnect, this.attempts - 1, chance)
    this.owner.connectFailed(now, why)
    const noted = this.failures.add("connect", why, now)
    if (noted !== undefined) this.owner.warned(noted)
  }
}
