/**
 * Two connections as one: what is read comes from the receiving leg, what is written goes to the sending leg.
 *
 * Either leg's end ends both, and the reason names the leg that ended first. What the receiving leg had brought by then is
 * delivered before the end is. It makes no connections and keeps no clocks: `Legs` does.
 */
import { Effect } from "effect"
import { type Connection, ConnectionEnded } from "../../transport/Transport.ts"
import type { LegConnection } from "./LegConnection.ts"

/** The halves of a simplex link, as the partner and the operator speak of them: seen from us. */
export type LegName = "send" | "receive"

/** How an end of the transport is said of one leg. */
const words = ({ how, cause }: ConnectionEnded): string => {
  switch (how) {
    case "fin":
      return "closed by the partner"
    case "reset":
      return `reset by the partner or the network (${cause})`
    case "local":
      return cause
  }
}

/** `ended`, as the end of one leg. */
export const endOfLeg = (leg: LegName, ended: ConnectionEnded): ConnectionEnded =>
  new ConnectionEnded({ how: ended.how, cause: `${leg} leg: ${words(ended)}`, leg })

/** The pair, for as long as both legs are up. */
export class SimplexConnection implements Connection {
  readonly local: string
  readonly remote: string
  readonly legs: NonNullable<Connection["legs"]>
  readonly pull: Connection["pull"]
  private readonly sending: LegConnection
  private readonly receiving: LegConnection
  /** The end of the leg that ended first. */
  private ended: ConnectionEnded | undefined
  /** See `finish`. */
  isFinished = false

  constructor(sending: LegConnection, receiving: LegConnection) {
    this.sending = sending
    this.receiving = receiving
    this.local = `${sending.connection.local} and ${receiving.connection.local}`
    this.remote = `${sending.connection.remote} and ${receiving.connection.remote}`
    this.legs = [
      { leg: "send", local: sending.connection.local, remote: sending.connection.remote },
      { leg: "receive", local: receiving.connection.local, remote: receiving.connection.remote }
    ]
    this.pull = receiving.pull.pipe(
      Effect.mapError((ended) => {
        // A partner that has only finished sending gets its answers on the other leg; the session ends the pair then.
        if (ended.how === "fin" && this.ended === undefined) receiving.finished ??= ended
        else receiving.end(ended)
        return this.ended ?? endOfLeg("receive", ended)
      })
    )
  }

  write(bytes: Buffer): Effect.Effect<void, ConnectionEnded> {
    return this.sending.write(bytes)
  }

  /** See `Connection`: of the sending leg. */
  get probe(): Connection["probe"] {
    return this.sending.connection.probe
  }

  unsent(): number {
    return this.sending.connection.unsent()
  }

  /** The partner has finished sending, and only answers of ours still leave. */
  get isHalfClosed(): boolean {
    return this.receiving.finished !== undefined
  }

  /** We have nothing more to say: FIN on the sending leg; the receiving one is read on. */
  finish(): void {
    this.isFinished = true
    this.sending.connection.finish?.()
  }

  /** Ends both legs: the sending one after what is unsent, or at once. */
  close(how: "fin" | "reset"): void {
    const local = new ConnectionEnded({ how: "local", cause: "closed by this side" })
    this.sending.connection.close(how)
    this.receiving.connection.close(how)
    this.sending.end(local)
    this.receiving.end(local)
  }

  /** One leg has ended: `pull` fails with its end once the receiving leg has been read out. Only the first call counts. */
  fell(leg: LegName, ended: ConnectionEnded): void {
    this.ended ??= endOfLeg(leg, ended)
  }
}
