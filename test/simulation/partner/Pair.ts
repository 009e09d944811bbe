/**
 * Two connections of a simulated partner used as one: it sends on one and receives on the other, each dialled or accepted.
 *
 * It shares nothing with the switch's legs but the transport seam, and is simpler: it looks ten times a second whether both are
 * there.
 */
import { Effect } from "effect"
import type { Connection, Endpoint, Transport } from "../../../packages/switch/src/transport/Transport.ts"

/** One of the two, seen from the partner. */
export interface Half {
  readonly role: "dials" | "listens"
  /** Where to dial, or where to listen. */
  readonly endpoint: Endpoint
}

/** Both. The partner sends on `out` and receives on `into`. */
export interface PairOptions {
  readonly out: Half
  readonly into: Half
}

const LOOK_EVERY = 100
/** How long one may wait for the other, milliseconds. */
const ALONE_MAX = 20_000
const connectMax = "5 seconds"

/** The newest connection of one half, and for how long it has waited. */
class Waiting {
  connection: Connection | undefined
  waited = 0
  /** One came while a pair was in use: the switch has given that pair up. */
  cameAnew = false

  put(connection: Connection): void {
    this.connection?.close("reset")
    this.connection = connection
    this.waited = 0
    this.cameAnew = true
  }

  /** Another moment has passed; a connection that waits too long is closed. */
  pass(): void {
    this.waited += LOOK_EVERY
    if (this.connection === undefined || this.waited < ALONE_MAX) return
    this.connection.close("reset")
    this.connection = undefined
  }

  take(): Connection {
    const connection = this.connection!
    this.connection = undefined
    this.cameAnew = false
    return connection
  }
}

const joined = (out: Connection, into: Connection): Connection => ({
  local: out.local,
  remote: out.remote,
  // The end of the silent direction is an end, too.
  pull: Effect.raceFirst(into.pull, Effect.andThen(out.pull, Effect.never)),
  write: (bytes) => out.write(bytes),
  unsent: () => out.unsent(),
  close: (how) => {
    out.close(how)
    into.close(how)
  }
})

/** Keeps both for ever, and calls `converse` for every pair. `pause` is what it waits between attempts to dial. */
export const keepPair = (
  transport: Transport["Service"],
  { out, into }: PairOptions,
  pause: Effect.Effect<void>,
  converse: (connection: Connection) => Effect.Effect<void>
): Effect.Effect<never> => {
  const halves = [
    { half: out, waiting: new Waiting() },
    { half: into, waiting: new Waiting() }
  ] as const
  const dial = ({ endpoint }: Half, waiting: Waiting, isInUse: () => boolean) =>
    Effect.suspend(() =>
      waiting.connection !== undefined || isInUse()
        ? Effect.sleep(LOOK_EVERY)
        : transport.connect(endpoint).pipe(
            Effect.timeout(connectMax),
            Effect.map((connection) => waiting.put(connection)),
            Effect.ignore,
            Effect.andThen(pause)
          )
    ).pipe(Effect.forever)
  return Effect.scoped(
    Effect.gen(function* () {
      let isInUse = false
      for (const { half, waiting } of halves) {
        if (half.role === "dials") yield* Effect.forkScoped(dial(half, waiting, () => isInUse))
        else yield* transport.listen(half.endpoint, (connection) => waiting.put(connection))
      }
      const [first, second] = halves.map(({ waiting }) => waiting) as [Waiting, Waiting]
      for (;;) {
        yield* Effect.sleep(LOOK_EVERY)
        if (first.connection === undefined || second.connection === undefined) {
          first.pass()
          second.pass()
          continue
        }
        isInUse = true
        const pair = joined(first.take(), second.take())
        const givenUp = Effect.sleep(LOOK_EVERY).pipe(
          Effect.repeat({ while: () => !first.cameAnew && !second.cameAnew }),
          Effect.asVoid
        )
        yield* Effect.raceFirst(converse(pair), givenUp)
        pair.close("reset")
        isInUse = false
      }
    })
  ).pipe(Effect.orDie)
}
