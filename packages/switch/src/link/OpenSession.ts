/** A session for a new connection, with the clock and the chance of the fiber that opens it. */
import { Clock, Effect, Random } from "effect"
import type { Connection } from "../transport/Transport.ts"
import { Session } from "./Session.ts"
import type { SessionOwner } from "./SessionOwner.ts"

/** A session for connection `epoch` of `link`, not running yet. */
export const openSession = (link: SessionOwner, epoch: number, connection: Connection): Effect.Effect<Session> =>
  Effect.map(
    Effect.all([Clock.Clock, Random.Random]),
    ([clock, random]) => new Session(link, epoch, connection, clock, () => random.nextDoubleUnsafe())
  )
