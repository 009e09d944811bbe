/**
 * Takes connections that a partner makes to us: who may, what a second one does while one is up, and who waits for the next.
 */
import { Clock, Effect, type Scope } from "effect"
import { monotonicMs } from "../transport/Monotonic.ts"
import type { Connection, ListenFailed, Transport } from "../transport/Transport.ts"
import { Bell } from "./Bell.ts"
import { listenOn } from "./door/Door.ts"
import { LinkEnded } from "./LinkEnded.ts"
import { CHALLENGE_MS, type DoorSide, type ListenSide } from "./Settings.ts"
import type { Source, SourceStatus } from "./Source.ts"
import { TurnedAway } from "./TurnedAway.ts"

/** What an acceptor needs of its link. */
export interface AcceptorOwner {
  /** A connection is up now. */
  readonly isUp: boolean
  /** Taken away by an operator: no connection is let in. */
  readonly isAway: boolean
  /** Ends the connection that is up. */
  readonly cut: (ended: LinkEnded) => void
  /**
   * Asks the connection that is up for a sign of life: `told` hears of an answer. Returns what tells whether anything was
   * received since. Left out: there is no way to ask, and a second connection is refused.
   */
  readonly challenge?: (told: () => void) => () => boolean
  /** For what somebody should look at. */
  readonly warned: (text: string) => void
  /** A connection was not let in: every one, for the status. */
  readonly turnedAway: (why: string) => void
}

/** The accepting side of a link or of one of its legs. */
export class Acceptor implements Source {
  private readonly owner: AcceptorOwner
  private readonly side: ListenSide | DoorSide
  private readonly turnedAway: TurnedAway
  private incoming: Connection | undefined
  /** A second connection that waits for what becomes of the first. */
  private challenger: Connection | undefined
  private readonly taker = new Bell<Connection>(() => {
    // The first has ended meanwhile.
    if (this.incoming === undefined && this.challenger !== undefined) this.proved(false)
    return this.incoming === undefined ? undefined : this.takeIncoming()
  })
  private fork: (effect: Effect.Effect<void>) => void = () => {}
  private now: () => number = () => 0

  constructor(owner: AcceptorOwner, side: ListenSide | DoorSide) {
    this.owner = owner
    this.side = side
    this.turnedAway = new TurnedAway(
      (text) => owner.warned(text),
      () => this.now(),
      (why) => owner.turnedAway(why)
    )
  }

  /** See `Source`: where the link has an address of its own. A shared door calls `offer` instead. */
  readonly listen: Effect.Effect<void, ListenFailed, Transport | Scope.Scope> = Effect.gen(
    { self: this },
    function* () {
      const fork = Effect.runForkWith(yield* Effect.context<never>())
      const scope = yield* Effect.scope
      const clock = yield* Clock.Clock
      this.now = () => monotonicMs(clock)
      this.fork = (effect) => void fork(Effect.forkIn(effect, scope))
      const { side } = this
      if (side._tag === "listen") yield* listenOn(side, this, this.owner)
    }
  )

  /** See `Source`. One connection for each identity, and the stated rule for the second. */
  offer(connection: Connection): void {
    const { remote } = connection
    if (this.owner.isAway) {
      return this.turnedAway.add(connection, "drained", `a connection from ${remote} was closed, the link is drained`)
    }
    const { second, challengeMs = CHALLENGE_MS } = this.side
    if (!this.owner.isUp || second === "replace") return this.take(connection)
    if (second === "refuse" || this.owner.challenge === undefined) {
      return this.turnedAway.add(connection, "second", `a second connection from ${remote} was closed, one is up`)
    }
    if (this.challenger !== undefined) {
      return this.turnedAway.add(connection, "waits", `a connection from ${remote} was closed, another waits already`)
    }
    this.challenger = connection
    const decide = (isAlive: boolean) => {
      if (this.challenger === connection) this.proved(isAlive)
    }
    const isHeard = this.owner.challenge(() => decide(true))
    this.fork(Effect.map(Effect.sleep(challengeMs), () => decide(isHeard())))
  }

  /** The connection that was up gave a sign of life, or did not. */
  private proved(isAlive: boolean): void {
    const challenger = this.challenger!
    this.challenger = undefined
    if (!isAlive) return this.take(challenger, ", and the first one gave no sign of life")
    const why = `a second connection from ${challenger.remote} was closed, the first one gave a sign of life`
    this.turnedAway.add(challenger, "alive", why)
  }

  private take(connection: Connection, why = ""): void {
    this.incoming?.close("reset")
    this.incoming = connection
    const came = `a second connection came from ${connection.remote}${why}`
    this.owner.cut(new LinkEnded({ reason: "Replaced", why: came }))
    if (this.taker.isAwaited) this.taker.ring(this.takeIncoming())
  }

  /** See `Source`: the next connection that is let in. */
  readonly next: Effect.Effect<Connection> = this.taker.rung

  /** See `Source`: the partner dials. */
  retry(): boolean {
    return false
  }

  /** See `Source`: what has come and is nobody's yet would find a link that reads nothing. */
  leave(on: boolean): void {
    if (on) this.close()
  }

  /** See `Source`. */
  ended(): void {}

  /** See `Source`. */
  status(): SourceStatus {
    return { attempts: 0, nextAttempt: 0, legs: undefined }
  }

  /** See `Source`. */
  close(): void {
    this.incoming?.close("reset")
    this.challenger?.close("reset")
    this.incoming = undefined
    this.challenger = undefined
  }

  private takeIncoming(): Connection {
    const connection = this.incoming!
    this.incoming = undefined
    return connection
  }
}
