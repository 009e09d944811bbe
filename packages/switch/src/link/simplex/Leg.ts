/**
 * One leg of a simplex link: it gets a connection, watches it while it waits for the other leg and while the pair is up, and gets
 * the next one when that has ended, for ever.
 *
 * Whether both legs are up, and what one leg's end means to the other, is `Legs`' business.
 */
import { Clock, Effect, Latch, type Scope } from "effect"
import { type Connection, ConnectionEnded, type ListenFailed, type Transport } from "../../transport/Transport.ts"
import { Acceptor, type AcceptorOwner } from "../Acceptor.ts"
import type { Limits } from "../Backoff.ts"
import { Bell } from "../Bell.ts"
import { Dialer, type DialerOwner } from "../Dialer.ts"
import { endedBy, LinkEnded } from "../LinkEnded.ts"
import type { LegStatus, SimplexLegStatus } from "../LinkStatus.ts"
import type { Side } from "../Settings.ts"
import type { Source } from "../Source.ts"
import { LegConnection } from "./LegConnection.ts"
import { endOfLeg, type LegName } from "./SimplexConnection.ts"

/** What a leg needs of the pair. All calls are synchronous. */
export interface LegOwner {
  readonly settings: { readonly reconnect: Limits }
  /** How long a leg may be up alone, in milliseconds. */
  readonly timeoutMs: number
  readonly cameUp: () => void
  /** The leg's connection has ended. `wasJoined`: the pair was up until now. */
  readonly fell: (leg: Leg, ended: ConnectionEnded, wasJoined: boolean) => void
  /** Ends the pair that is up for a reason of its own. */
  readonly cut: (ended: LinkEnded) => void
  /** No pair came about: an attempt failed, or a leg ended before the other was up. */
  readonly connectFailed: (at: number, why: string, reason?: LinkEnded["reason"]) => void
  readonly noted: (text: string) => void
  /** The same for what somebody should look at. */
  readonly warned: (text: string) => void
  /** A connection was not let in: every one, for the status. */
  readonly turnedAway: (why: string) => void
  /** Taken away by an operator: makes no connections and takes none. */
  readonly isAway: boolean
  /** Waits until it is not. */
  readonly back: Effect.Effect<void>
  /** Waits until nothing is left of the pair that this leg belonged to. */
  readonly dissolved: Effect.Effect<void>
}

/** A leg, made once for its link. */
export class Leg implements DialerOwner, AcceptorOwner {
  readonly name: LegName
  readonly settings: { readonly reconnect: Limits }
  /** Its connection, while that is up. */
  held: LegConnection | undefined
  private readonly owner: LegOwner
  private readonly source: Source
  private readonly dials: boolean
  /** It has a connection, or had one in a pair that is not dissolved. */
  private isTaken = false
  private since = 0
  private lastByte = 0
  private lastEnd: SimplexLegStatus["lastEnd"]
  /** The link is taken away. */
  private readonly leaving = new Bell<undefined>()
  /** Why we end it, where the transport cannot know. */
  private why: string | undefined

  constructor(name: LegName, side: Side, owner: LegOwner) {
    this.name = name
    this.owner = owner
    this.settings = owner.settings
    this.dials = side._tag === "connect"
    this.source = side._tag === "connect" ? new Dialer(this, side) : new Acceptor(this, side)
  }

  /** See `AcceptorOwner`: up, or in a pair that is not dissolved. */
  get isUp(): boolean {
    return this.isTaken
  }

  /** See `AcceptorOwner`. */
  get isAway(): boolean {
    return this.owner.isAway
  }

  /** Listens, if the partner makes this leg's connections. */
  readonly listen: Effect.Effect<void, ListenFailed, Transport | Scope.Scope> = Effect.suspend(() => this.source.listen)

  /** Keeps the leg going until interrupted. */
  readonly keep: Effect.Effect<never, never, Transport> = Effect.gen({ self: this }, function* () {
    const clock = yield* Clock.Clock
    const next = Effect.andThen(this.owner.back, Effect.raceFirst(this.source.next, this.leaving.rung))
    return yield* Effect.forever(
      Effect.flatMap(next, (connection) => (connection === undefined ? Effect.void : this.hold(connection, clock)))
    )
  }).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        this.held?.connection.close("reset")
        this.source.close()
      })
    )
  )

  /** The link is taken away: a leg that waits for the other is closed; a pair is closed by its session. */
  leave(): void {
    this.source.leave(true)
    this.leaving.ring(undefined)
    if (this.held?.isJoined === false) this.close("closed by this side: the link was drained")
  }

  /** Dials now and not after the pause; see `Source`. */
  retry(): boolean {
    return this.source.retry()
  }

  /** Ends the connection because the pair has lost its other leg. */
  follow(other: LegName, ended?: ConnectionEnded): void {
    this.close(ended?.how === "local" ? ended.cause : `closed by this side: the ${other} leg had ended`)
  }

  /** See `AcceptorOwner`: a second connection takes the leg's place, and so the pair ends. */
  cut(ended: LinkEnded): void {
    if (!this.isTaken) return
    this.lose(ended)
  }

  /** See `DialerOwner`. */
  connectFailed(at: number, why: string): void {
    this.owner.connectFailed(at, `${this.name} leg: ${why}`)
  }

  /** See `DialerOwner` and `AcceptorOwner`. */
  warned(text: string): void {
    this.owner.warned(`${this.name} leg: ${text}`)
  }

  /** See `AcceptorOwner`. */
  turnedAway(why: string): void {
    this.owner.turnedAway(`${this.name} leg: ${why}`)
  }

  status(): LegStatus {
    const { held } = this
    const { attempts, nextAttempt } = this.source.status()
    return {
      leg: this.name,
      local: held?.connection.local ?? "",
      remote: held?.connection.remote ?? "",
      simplex: {
        state: this.state(),
        since: this.since,
        lastByte: held?.lastByte ?? this.lastByte,
        attempts,
        nextAttempt,
        lastEnd: this.lastEnd
      }
    }
  }

  private state(): SimplexLegStatus["state"] {
    if (this.held !== undefined) return this.held.isJoined ? "up" : "waiting for the other leg"
    if (this.isTaken) return "down"
    if (!this.dials) return "listening"
    return this.source.status().nextAttempt > 0 ? "down" : "connecting"
  }

  /** One connection, from its opening until nothing is left of it and of its pair. */
  private hold(connection: Connection, clock: Clock.Clock): Effect.Effect<void> {
    return Effect.suspend(() => {
      const over = Latch.makeUnsafe(false)
      const held: LegConnection = new LegConnection(
        connection,
        {
          ended: (ended) => {
            this.over(held, ended)
            over.openUnsafe()
          },
          spoke: (bytes) =>
            this.lose(
              new LinkEnded({
                reason: "WrongLeg",
                why: `${bytes} bytes came on the leg that only sends to the partner`
              })
            )
        },
        clock
      )
      this.held = held
      this.isTaken = true
      this.since = held.openedAt
      this.why = undefined
      this.owner.noted(`${this.name} leg: connected ${connection.local} to ${connection.remote}`)
      this.owner.cameUp()
      const watch = this.name === "send" ? held.watchSending : held.watchReceiving
      // The watch is not interrupted: what its last pull brings belongs to the pair. The end of the connection ends it.
      const whole = Effect.all([watch, over.await], { concurrency: 2, discard: true })
      return Effect.raceFirst(whole, Effect.andThen(this.alone(held), Effect.never))
    }).pipe(
      Effect.andThen(this.owner.dissolved),
      Effect.map(() => {
        this.isTaken = false
      })
    )
  }

  /** Ends a leg that has waited too long for the other. */
  private alone(held: LegConnection): Effect.Effect<void> {
    const { timeoutMs } = this.owner
    return Effect.map(Effect.sleep(timeoutMs), () => {
      if (held.isJoined || this.held !== held) return
      const other = this.name === "send" ? "receive" : "send"
      this.lose(new LinkEnded({ reason: "HalfOpen", why: `up for ${timeoutMs} ms without the ${other} leg` }))
    })
  }

  /** Ends the connection for a reason that the transport does not know; with it the pair, if it is up. */
  private lose({ reason, why }: LinkEnded): void {
    const { held } = this
    this.why = why
    if (held === undefined || held.isJoined) {
      return this.owner.cut(new LinkEnded({ reason, why: `${this.name} leg: ${why}` }))
    }
    const at = held.now()
    this.close(why)
    this.owner.connectFailed(at, `${this.name} leg: ${why}`, reason)
  }

  private close(why: string): void {
    if (this.held === undefined) return
    this.why ??= why
    this.held.end(new ConnectionEnded({ how: "local", cause: why }))
  }

  private over(held: LegConnection, ended: ConnectionEnded): void {
    const now = held.now()
    const ours = this.why === undefined ? undefined : new ConnectionEnded({ how: "local", cause: this.why })
    const told = held.finished ?? ours ?? ended
    const { cause } = endOfLeg(this.name, told)
    this.held = undefined
    this.since = now
    this.lastByte = held.lastByte
    this.lastEnd = { at: now, why: cause.slice(`${this.name} leg: `.length) }
    // Only a pair counts as a connection that lasted: a leg alone is an attempt that came to nothing.
    this.source.ended(held.isJoined ? now - held.openedAt : 0)
    if (!held.isJoined) {
      this.owner.warned(`${cause}, before the other leg was up`)
      if (this.why === undefined) this.owner.connectFailed(now, cause, endedBy(ended).reason)
    }
    this.owner.fell(this, ended, held.isJoined)
  }
}
