/**
 * One connection of one leg, watched from its first moment: also while it waits for the other leg, and also in the direction
 * that carries nothing.
 *
 * What comes on a receiving leg before the pair is joined is kept and read first. It decides nothing: `Leg` does.
 */
import { type Clock, Effect } from "effect"
import { monotonicMs } from "../../transport/Monotonic.ts"
import type { Connection, ConnectionEnded } from "../../transport/Transport.ts"
import { markWaited, waitedMs } from "../../transport/Waited.ts"
import { Bell } from "../Bell.ts"

/** Bytes that a receiving leg may bring before the other leg is up; above that it is not read until then. */
const EARLY_MAX = 64 * 1024

/** Whom a leg's connection tells. All calls are synchronous, each at most once. */
export interface LegConnectionOwner {
  readonly ended: (ended: ConnectionEnded) => void
  /** Bytes came on a leg that only sends. */
  readonly spoke: (bytes: number) => void
}

/** The connection and what is known of it. */
export class LegConnection {
  readonly connection: Connection
  /** Monotonic milliseconds. */
  readonly openedAt: number
  /** Of the last byte in the leg's own direction; 0: none yet. */
  lastByte = 0
  /** The partner's FIN on a receiving leg of a pair, before the pair ends. */
  finished: ConnectionEnded | undefined
  /** The pair was joined: what comes is pulled by it. */
  isJoined = false
  private readonly owner: LegConnectionOwner
  private readonly clock: Clock.Clock
  /** What came before the pair was joined, and when it may have come at the earliest. */
  private early: Array<{ readonly chunk: Buffer; readonly since: number }> = []
  private earlyBytes = 0
  private isWatching = false
  private isOver = false
  /** The watch's pull is over. */
  private readonly looked = new Bell<undefined>()

  constructor(connection: Connection, owner: LegConnectionOwner, clock: Clock.Clock) {
    this.connection = connection
    this.owner = owner
    this.clock = clock
    this.openedAt = this.now()
  }

  /** Monotonic milliseconds. */
  now(): number {
    return monotonicMs(this.clock)
  }

  /** Ends it, unless it has ended, and tells the owner. */
  end(ended: ConnectionEnded): void {
    this.connection.close("reset")
    if (this.isOver) return
    this.isOver = true
    this.owner.ended(ended)
  }

  write(bytes: Buffer): Effect.Effect<void, ConnectionEnded> {
    this.lastByte = this.now()
    return this.connection.write(bytes)
  }

  /** What came before the pair was joined, then what comes. */
  readonly pull: Connection["pull"] = Effect.suspend(() => {
    if (this.early.length > 0) return Effect.succeed(this.takeEarly())
    return this.isWatching ? this.watched : this.direct
  })

  private readonly direct: Connection["pull"] = Effect.suspend(() => this.connection.pull).pipe(
    Effect.map((chunks) => {
      this.lastByte = this.now()
      return chunks
    })
  )

  /** The watch has a pull under way, and there is one at a time: what that brings is the pair's. */
  private readonly watched: Connection["pull"] = Effect.suspend(() => Effect.andThen(this.looked.rung, this.pull))

  /** Watches a leg that only sends, until it ends: nothing may come on it. */
  readonly watchSending: Effect.Effect<void> = Effect.suspend(() => this.connection.pull).pipe(
    Effect.match({
      onFailure: (ended) => this.end(ended),
      onSuccess: (chunks) => this.owner.spoke(chunks.reduce((sum, { length }) => sum + length, 0))
    })
  )

  /**
   * Watches a leg that receives, until the pair is joined and pulls by itself. Whether it is joined is asked right before each
   * pull, with no pause between the two: two pulls at once would lose what comes.
   */
  readonly watchReceiving: Effect.Effect<void> = Effect.suspend(() =>
    this.isOver || this.isJoined || this.earlyBytes >= EARLY_MAX
      ? Effect.void
      : Effect.flatMap(this.watchOnce, () => this.watchReceiving)
  )

  private readonly watchOnce: Effect.Effect<void> = Effect.suspend(() => {
    this.isWatching = true
    return this.connection.pull
  }).pipe(
    Effect.match({
      // Of a pair the session hears it, behind what was kept.
      onFailure: (ended) => (this.isJoined ? undefined : this.end(ended)),
      onSuccess: (chunks) => this.keep(chunks)
    }),
    Effect.map(() => {
      this.isWatching = false
      this.looked.ring(undefined)
    })
  )

  private keep(chunks: ReadonlyArray<Buffer>): void {
    this.lastByte = this.now()
    for (const chunk of chunks) {
      this.early.push({ chunk, since: this.lastByte - waitedMs(chunk) })
      this.earlyBytes += chunk.length
    }
  }

  private takeEarly(): ReadonlyArray<Buffer> {
    const { early } = this
    const now = this.now()
    this.early = []
    return early.map(({ chunk, since }) => {
      markWaited(chunk, now - since)
      return chunk
    })
  }
}
