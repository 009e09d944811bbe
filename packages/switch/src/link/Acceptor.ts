/**
 * Takes connections that a partner makes to us: who may, what a second one does while one is up, and who waits for the next.
 */
import { Effect, type Scope } from "effect"
import { type Connection, type ListenFailed, Transport } from "../transport/Transport.ts"
import { LinkEnded } from "./Ended.ts"
import type { Side } from "./Settings.ts"

/** Connections turned away are noted the first time and then every so often: a flood must not fill journal and log. */
const NOTED_EVERY = 100

/** Closes connections that may not come in, and says so now and then. */
export class TurnedAway {
  private count = 0
  private readonly noted: (text: string) => void

  constructor(noted: (text: string) => void) {
    this.noted = noted
  }

  /** Closes one. `why` is noted for the first and for every hundredth. */
  add(connection: Connection, why: string): void {
    connection.close("reset")
    if (this.count++ % NOTED_EVERY === 0) this.noted(this.count === 1 ? why : `${why}, ${this.count} so far`)
  }
}

/** The address that a connection comes from, without its port. */
export const addressOf = ({ remote }: Connection): string => remote.slice(0, remote.lastIndexOf(":"))

/** Whether the address may connect; an empty list lets everybody in. */
export const isAllowed = (from: ReadonlyArray<string>, address: string): boolean =>
  from.length === 0 || from.some((allowed) => allowed === address || `::ffff:${allowed}` === address)

/** What an acceptor needs of its link. */
export interface AcceptorOwner {
  /** A connection is up now. */
  readonly isUp: boolean
  /** Taken away by an operator: no connection is let in. */
  readonly isAway: boolean
  /** Ends the connection that is up. */
  readonly cut: (ended: LinkEnded) => void
  readonly noted: (text: string) => void
}

/** The accepting side of a link or of one of its legs. */
export class Acceptor {
  private readonly owner: AcceptorOwner
  private readonly side: Side & { readonly _tag: "listen" }
  private readonly turnedAway: TurnedAway
  private incoming: Connection | undefined
  private awaiting: ((got: Effect.Effect<Connection>) => void) | undefined

  constructor(owner: AcceptorOwner, side: Side & { readonly _tag: "listen" }) {
    this.owner = owner
    this.side = side
    this.turnedAway = new TurnedAway((text) => owner.noted(text))
  }

  /** Listens for as long as the scope lives. */
  readonly listen: Effect.Effect<void, ListenFailed, Transport | Scope.Scope> = Effect.suspend(() =>
    Effect.asVoid(
      Effect.flatMap(Transport, (transport) => transport.listen(this.side.at, (connection) => this.offer(connection)))
    )
  )

  /** A partner has connected: lets it in, or closes it at once. */
  offer(connection: Connection): void {
    const { from, second } = this.side
    const address = addressOf(connection)
    if (!isAllowed(from, address)) {
      return this.turnedAway.add(connection, `PeerNotAllowed: a connection from ${address} was closed`)
    }
    if (this.owner.isAway) {
      return this.turnedAway.add(connection, `a connection from ${address} was closed, the link is drained`)
    }
    if (this.owner.isUp && second === "refuse") {
      return this.turnedAway.add(connection, `a second connection from ${connection.remote} was closed, one is up`)
    }
    this.close()
    this.incoming = connection
    this.owner.cut(new LinkEnded({ reason: "Replaced", why: `a second connection came from ${connection.remote}` }))
    const awaiting = this.awaiting
    this.awaiting = undefined
    if (awaiting !== undefined) awaiting(this.takeIncoming())
  }

  /** The next connection that is let in. One waits at a time. */
  readonly next: Effect.Effect<Connection> = Effect.callback((resume) => {
    if (this.incoming !== undefined) return resume(this.takeIncoming())
    this.awaiting = resume
    return Effect.sync(() => {
      this.awaiting = undefined
    })
  })

  /** Closes a connection that came in the last moment and belongs to nobody yet. */
  close(): void {
    this.incoming?.close("reset")
    this.incoming = undefined
  }

  private takeIncoming(): Effect.Effect<Connection> {
    const connection = this.incoming!
    this.incoming = undefined
    return Effect.succeed(connection)
  }
}
