/** Connections that are dialled one by one, for whatever a short link has to send. They are dialled at once, in any number. */
import { Effect, Queue, type Scope } from "effect"
import { type PartnerEnd, type Place, Sockets } from "./Sockets.ts"

/** Dials once; `then` is given the connection, or why there is none. */
export type Dials = (then: (opened: PartnerEnd | string) => void) => void

/** Makes what dials a place until the scope ends. */
export const makeDials = (place: Place): Effect.Effect<Dials, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const { dial } = yield* Sockets
    const wanted = yield* Queue.unbounded<(opened: PartnerEnd | string) => void>()
    const attempt = (then: (opened: PartnerEnd | string) => void) =>
      Effect.map(dial({ ...place, isHalfOpen: true }), then)
    yield* Queue.take(wanted).pipe(
      Effect.flatMap((then) => Effect.forkIn(attempt(then), scope)),
      Effect.forever,
      Effect.forkScoped
    )
    return (then) => void Queue.offerUnsafe(wanted, then)
  })
