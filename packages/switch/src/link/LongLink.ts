/**
 * The connections of a long link: it gets one from its source, runs a session on it, and gets the next one when that has ended,
 * for ever.
 *
 * It owns the session and the source. What an end means to the link is its owner's business.
 */
import { Effect, Latch, type Scope } from "effect"
import type { Connection, ListenFailed, Transport } from "../transport/Transport.ts"
import { Acceptor, type AcceptorOwner } from "./Acceptor.ts"
import { Bell } from "./Bell.ts"
import { Dialer } from "./Dialer.ts"
import { answerOverdue, LinkEnded } from "./LinkEnded.ts"
import { Session } from "./Session.ts"
import type { SessionOwner } from "./SessionOwner.ts"
import type { LinkSettings } from "./Settings.ts"
import type { Source, SourceStatus } from "./Source.ts"
import { Legs, type LegsOwner } from "./simplex/Legs.ts"

/** What it needs of its link. */
export interface LongOwner extends SessionOwner, AcceptorOwner, LegsOwner {
  readonly settings: LinkSettings
  /** The number of the next connection. */
  readonly nextEpoch: () => number
  /** A connection has come, and its session is about to run. */
  readonly opened: (session: Session) => void
  /** A connection has ended; there is no session any more. */
  readonly over: (session: Session, ended: LinkEnded) => void
}

const sourceOf = (link: LongOwner): Source => {
  const { side } = link.settings
  if (side._tag === "legs") return new Legs(link, side)
  return side._tag === "connect" ? new Dialer(link, side) : new Acceptor(link, side)
}

const stopping = new LinkEnded({ reason: "Stopping", why: "the switch is stopping" })

/** The connections of one link; made by it. */
export class LongLink {
  private readonly link: LongOwner
  private readonly source: Source
  private current: Session | undefined
  /** The link is taken away. */
  private readonly leaving = new Bell<undefined>()
  /** Open while it is not. */
  private readonly back = Latch.makeUnsafe(true)

  constructor(link: LongOwner) {
    this.link = link
    this.source = sourceOf(link)
  }

  /** The session of the connection that is up now. */
  get session(): Session | undefined {
    return this.current
  }

  /** A connection is up now. One whose partner has closed its direction is not in the way of the next. */
  get isUp(): boolean {
    return this.current !== undefined && !this.current.isHalfClosed
  }

  /** See `Source`. */
  get status(): SourceStatus {
    return this.source.status()
  }

  /** Bytes that the partner has not taken. */
  get unsent(): number {
    return this.current === undefined ? 0 : this.current.outbox.waiting + this.current.connection.unsent()
  }

  /** See `Source`. */
  offer(connection: Connection): void {
    this.source.offer(connection)
  }

  /** See `Source`. */
  retry(): boolean {
    return this.source.retry()
  }

  /** Closes its connection in order and makes and takes none (`on`), or comes back. */
  leave(on: boolean, ended: LinkEnded): void {
    this.source.leave(on)
    if (!on) {
      this.back.openUnsafe()
      return
    }
    this.back.closeUnsafe()
    this.current?.close(ended)
    this.leaving.ring(undefined)
  }

  /** Ends the current connection. */
  cut(ended: LinkEnded): void {
    this.current?.fail(ended)
  }

  /** Listens if the partner connects to us, calls `begun`, then keeps the connections coming until interrupted. */
  run(begun: () => void): Effect.Effect<never, ListenFailed, Transport | Scope.Scope> {
    const { source } = this
    const next = Effect.andThen(this.back.await, Effect.raceFirst(source.next, this.leaving.rung))
    const all = Effect.forever(
      Effect.flatMap(next, (connection) => {
        if (connection !== undefined && !this.link.isAway) return this.hold(connection)
        return Effect.sync(() => connection?.close("reset"))
      })
    )
    const whole = source.keep === undefined ? all : Effect.raceFirst(all, source.keep)
    return Effect.flatMap(source.listen, () => {
      begun()
      return Effect.ensuring(
        whole,
        Effect.sync(() => source.close())
      )
    })
  }

  /** One connection, from its opening to its end. */
  private hold(connection: Connection): Effect.Effect<void> {
    return Effect.flatMap(Session.open(this.link, this.link.nextEpoch(), connection), (session) => {
      this.current = session
      this.link.opened(session)
      return Effect.map(
        Effect.onInterrupt(session.run, () => Effect.sync(() => this.over(session, session.failed ?? stopping))),
        (ended) => this.over(session, ended)
      )
    })
  }

  private over(session: Session, ended: LinkEnded): void {
    this.current = undefined
    // A connection that we gave up for a missing answer is no failed attempt.
    this.source.ended(ended === answerOverdue ? Number.POSITIVE_INFINITY : session.now() - session.openedAt)
    this.link.over(session, ended)
  }
}
