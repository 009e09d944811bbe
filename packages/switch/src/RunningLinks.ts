/**
 * The links of a running switch as fibers: each in a scope of its own, so that one can be ended without the others.
 */
import { Cause, Deferred, Effect, Exit, Scope } from "effect"
import type { Link } from "./link/Link.ts"
import { LinkEnded } from "./link/LinkEnded.ts"
import type { ListenFailed, Transport } from "./transport/Transport.ts"

/** Pause before an address that could not be listened on after a reload is tried again, in milliseconds. */
const LISTEN_AGAIN_MS = 1000

/** The running links. */
export class RunningLinks {
  private readonly scope: Scope.Scope
  private readonly scopes = new Map<Link, Scope.Closeable>()
  /** Fails with the first link that cannot listen at the start, and dies with any defect of a link. */
  readonly failed = Deferred.makeUnsafe<never, ListenFailed>()

  constructor(scope: Scope.Scope) {
    this.scope = scope
  }

  /** Starts a link. An address that cannot be listened on ends the switch: it has just been started. */
  start(link: Link): Effect.Effect<void, never, Transport> {
    return this.run(link, link.run)
  }

  /** Starts a link of a running switch, and waits until it listens. An address that it cannot have is noted and tried again. */
  join(link: Link, nowMs: () => number): Effect.Effect<void, never, Transport> {
    const again = Effect.scoped(link.run).pipe(
      Effect.catchTag("ListenFailed", ({ host, port, cause }) =>
        Effect.andThen(
          Effect.sync(() => {
            link.connectFailed(nowMs(), `cannot listen on ${host}:${port}: ${cause}`)
            link.begun.openUnsafe()
          }),
          Effect.sleep(LISTEN_AGAIN_MS)
        )
      ),
      Effect.forever
    )
    return Effect.andThen(this.run(link, again), link.begun.await)
  }

  /** Ends a link's fiber and its listening; waits until that is so. */
  stop(link: Link): Effect.Effect<void> {
    return Effect.suspend(() => {
      const scope = this.scopes.get(link)
      this.scopes.delete(link)
      return scope === undefined ? Effect.void : Scope.close(scope, Exit.void)
    })
  }

  private run(
    link: Link,
    life: Effect.Effect<never, ListenFailed, Transport | Scope.Scope>
  ): Effect.Effect<void, never, Transport> {
    return Effect.gen({ self: this }, function* () {
      const scope = yield* Scope.fork(this.scope)
      this.scopes.set(link, scope)
      yield* life.pipe(
        Scope.provide(scope),
        Effect.onExit((exit) =>
          Effect.sync(() => {
            if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
            Deferred.doneUnsafe(this.failed, Effect.failCause(exit.cause))
          })
        ),
        Effect.forkIn(scope)
      )
    })
  }
}

/** The end that a reload makes. */
export const reloaded = (user: string): LinkEnded =>
  new LinkEnded({ reason: "Reloaded", why: `the configuration was reloaded by ${user}` })
