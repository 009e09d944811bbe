/**
 * Where the connections of a simplex link come from: two legs, joined into one connection when both are up, and falling together.
 *
 *     send:    down -> up alone -> joined -> down          a leg that is up alone too long is closed and tried again
 *     receive: down -> up alone -> joined -> down          either leg's end ends both; `collect` lets the receiving one end later
 *
 * The session on top sees one `Connection` (`SimplexConnection`), so watchdog, sign-on and flow control are those of every link:
 * a probe goes out on one leg and its answer is expected on the other.
 */
import { Effect, Latch, type Scope } from "effect"
import type { Connection, ConnectionEnded, ListenFailed, Transport } from "../../transport/Transport.ts"
import type { Limits } from "../Backoff.ts"
import { Bell } from "../Bell.ts"
import { endedBy, type LinkEnded } from "../LinkEnded.ts"
import type * as LinkState from "../LinkState.ts"
import type { LegsSettings } from "../Settings.ts"
import type { Source, SourceStatus } from "../Source.ts"
import { Leg, type LegOwner } from "./Leg.ts"
import { endOfLeg, SimplexConnection } from "./SimplexConnection.ts"

/** What the legs need of their link. */
export interface LegsOwner {
  readonly settings: { readonly reconnect: Limits }
  /** Taken away by an operator: makes no connections and takes none. */
  readonly isAway: boolean
  readonly cut: (ended: LinkEnded) => void
  readonly connectFailed: (at: number, why: string, reason?: LinkEnded["reason"]) => void
  readonly noted: (text: string) => void
  readonly warned: (text: string) => void
  readonly turnedAway: (why: string) => void
  readonly change: (event: LinkState.Event) => void
}

/** Both legs of one link. */
export class Legs implements Source, LegOwner {
  readonly settings: { readonly reconnect: Limits }
  readonly timeoutMs: number
  private readonly link: LegsOwner
  private readonly collectMs: number
  private readonly sending: Leg
  private readonly receiving: Leg
  private pair: SimplexConnection | undefined
  /** Open while there is no pair. */
  private readonly apart = Latch.makeUnsafe(true)
  /** Open while an operator has not taken the link away. */
  private readonly present = Latch.makeUnsafe(true)
  private isCollecting = false
  private readonly taker = new Bell<Connection>(() => this.join())

  constructor(link: LegsOwner, { send, receive, timeoutMs, collectMs }: LegsSettings) {
    this.link = link
    this.settings = link.settings
    this.timeoutMs = timeoutMs
    this.collectMs = collectMs
    this.sending = new Leg("send", send, this)
    this.receiving = new Leg("receive", receive, this)
  }

  /** See `Source`. */
  readonly listen: Effect.Effect<void, ListenFailed, Transport | Scope.Scope> = Effect.suspend(() =>
    Effect.andThen(this.sending.listen, this.receiving.listen)
  )

  /** See `Source`: keeps both legs going. */
  readonly keep: Effect.Effect<never, never, Transport> = Effect.suspend(() =>
    Effect.raceFirst(this.sending.keep, this.receiving.keep)
  )

  /** See `Source`: the next pair. */
  readonly next: Effect.Effect<Connection> = this.taker.rung

  /** See `Source`: each leg has attempts of its own. */
  status(): SourceStatus {
    return { attempts: 0, nextAttempt: 0, legs: [this.sending.status(), this.receiving.status()] }
  }

  /** See `Source`: no door gives a leg its connection. */
  offer(connection: Connection): void {
    connection.close("reset")
  }

  /** See `Source`: a leg counts its own. */
  ended(): void {}

  /** See `Source`: each leg closes its own. */
  close(): void {}

  /** Waits until there is no pair; the receiving leg of one whose sending leg has ended is read for a while yet. */
  readonly dissolved: Effect.Effect<void> = Effect.suspend((): Effect.Effect<void> => {
    if (!this.isCollecting) return this.apart.await
    const collected = Effect.map(Effect.sleep(this.collectMs), () => this.receiving.follow("send"))
    return Effect.raceFirst(this.apart.await, collected)
  })

  /** A leg is up: joins the two if both are and the link waits for them. */
  cameUp(): void {
    const pair = this.taker.isAwaited ? this.join() : undefined
    if (pair !== undefined) this.taker.ring(pair)
  }

  private join(): Connection | undefined {
    const { sending, receiving } = this
    if (sending.held === undefined || receiving.held === undefined) return undefined
    sending.held.isJoined = receiving.held.isJoined = true
    this.pair = new SimplexConnection(sending.held, receiving.held)
    this.isCollecting = false
    this.apart.closeUnsafe()
    return this.pair
  }

  /** See `LegOwner`. */
  fell(leg: Leg, ended: ConnectionEnded, wasJoined: boolean): void {
    const { pair } = this
    if (pair === undefined || !wasJoined) return
    pair.fell(leg.name, ended)
    if (leg === this.sending && this.isReadOn(pair, ended)) return
    this.sending.follow("receive", ended)
    this.receiving.follow("send", ended)
    this.pair = undefined
    this.apart.openUnsafe()
  }

  /** The sending leg has ended: whether the receiving one is still read. */
  private isReadOn(pair: SimplexConnection, ended: ConnectionEnded): boolean {
    if (this.receiving.held === undefined || ended.how === "local") return false
    // Our own FIN was answered; the session says when it has heard enough.
    if (pair.isFinished && ended.how === "fin") return true
    if (pair.isHalfClosed) {
      // The session only stays to give answers, and now it cannot.
      this.link.cut(endedBy(endOfLeg("send", ended)))
      return false
    }
    if (this.collectMs === 0) return false
    this.isCollecting = true
    this.link.change({ _tag: "collecting" })
    const { reason, why } = endedBy(endOfLeg("send", ended))
    this.link.warned(`${reason}, ${why}: late answers are read for ${this.collectMs} ms`)
    return true
  }

  /** See `LegOwner`. */
  get isAway(): boolean {
    return this.link.isAway
  }

  /** See `LegOwner`. */
  readonly back: Effect.Effect<void> = Effect.suspend(() => Effect.asVoid(this.present.await))

  /** See `Source`. */
  leave(on: boolean): void {
    if (!on) {
      this.present.openUnsafe()
      return
    }
    this.present.closeUnsafe()
    this.sending.leave()
    this.receiving.leave()
  }

  /** See `Source`: both legs. */
  retry(): boolean {
    const [sends, receives] = [this.sending.retry(), this.receiving.retry()]
    return sends || receives
  }

  /** See `LegOwner`. */
  cut(ended: LinkEnded): void {
    this.link.cut(ended)
    // The session on top may only be on its way.
    this.pair?.close("reset")
  }

  /** See `LegOwner`. */
  connectFailed(at: number, why: string, reason?: LinkEnded["reason"]): void {
    this.link.connectFailed(at, why, reason)
  }

  /** See `LegOwner`. */
  noted(text: string): void {
    this.link.noted(text)
  }

  /** See `LegOwner`. */
  warned(text: string): void {
    this.link.warned(text)
  }

  /** See `LegOwner`. */
  turnedAway(why: string): void {
    this.link.turnedAway(why)
  }
}
