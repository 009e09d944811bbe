/**
 * A door and its listener: opened, moved to another address, told other settings, closed. The door goes on through all of it, and
 * so do the connections that came in by it (docs/decisions/0015-reload.md).
 */
import { isDeepStrictEqual } from "node:util"
import { Effect, Exit, Scope } from "effect"
import type { Endpoint, ListenFailed, Listening, Transport } from "../../transport/Transport.ts"
import type { DoorWay } from "./Door.ts"

/** Pause before an address that could not be listened on after a reload is tried again, in milliseconds. */
const LISTEN_AGAIN_MS = 1000

/** What the two kinds of door have in common; `S`: their settings, `O`: what their listener is told. */
export interface Enterable<S, O> {
  at: Endpoint
  readonly change: (settings: S) => void
  readonly live: Effect.Effect<void, never, Scope.Scope>
  readonly how: (settings: S) => O
  readonly open: (settings: S) => Effect.Effect<Listening<O>, ListenFailed, Transport | Scope.Scope>
}

/** A listener that is open. */
interface Open<O> {
  readonly listening: Listening<O>
  readonly scope: Scope.Closeable
}

/** A change that is prepared, in its four parts; `take` waits for nothing. */
export interface Step {
  readonly take: () => void
  readonly takeBack: Effect.Effect<void>
  /** Closes what is not needed any more; connections that are in go on. */
  readonly close: Effect.Effect<void>
  /** Opens what could not be opened before. */
  readonly open: Effect.Effect<void, never, Transport>
}

/** A step that does nothing. */
export const noStep: Step = { take: () => {}, takeBack: Effect.void, close: Effect.void, open: Effect.void }

/** See the module header. */
export class Entrance<S extends DoorWay, O> {
  settings: S
  private readonly door: Enterable<S, O>
  /** Of the door, and of the switch: what is closed in the background ends with it at the latest. */
  private readonly life: Scope.Closeable
  private readonly switchScope: Scope.Scope
  private readonly note: (text: string) => void
  private opened: Open<O> | undefined

  constructor(
    door: Enterable<S, O>,
    settings: S,
    life: Scope.Closeable,
    switchScope: Scope.Scope,
    note: (text: string) => void
  ) {
    this.door = door
    this.settings = settings
    this.life = life
    this.switchScope = switchScope
    this.note = note
  }

  /** Lives and listens. */
  readonly begin: Effect.Effect<void, ListenFailed, Transport> = Effect.suspend(() =>
    Effect.andThen(
      Scope.provide(this.door.live, this.life),
      Effect.map(this.listen(this.settings), (open) => this.use(open))
    )
  )

  /** The address that the settings name, and the one that it really has. */
  get addresses(): ReadonlyArray<Endpoint> {
    return [this.settings.at, this.door.at]
  }

  /**
   * Makes ready for other settings. `freed`: ports that are ours, and free only later. `drainMs`: how long calls at the old
   * address may still take.
   */
  prepare(next: S, freed: ReadonlySet<number>, drainMs: number): Effect.Effect<Step, ListenFailed, Transport> {
    if (this.opened === undefined || !isDeepStrictEqual(this.settings.at, next.at)) {
      return this.move(next, freed, drainMs)
    }
    if (isDeepStrictEqual(this.settings, next)) return Effect.succeed(noStep)
    const { listening } = this.opened
    const prepared = listening.prepare?.(this.door.how(next)) ?? Effect.succeed(() => {})
    return Effect.map(prepared, (retune) => ({
      ...noStep,
      take: () => {
        retune()
        this.adopt(next)
      }
    }))
  }

  /** What ends it: nobody new is let in, and what its callers wait for is answered first. */
  end(drainMs: number): Step {
    const close = Effect.suspend(() => this.retired(this.opened, drainMs, this.life))
    return { ...noStep, close }
  }

  /** Another address: the new one is open before the old one closes, unless it is one of ours that has to be freed first. */
  private move(next: S, freed: ReadonlySet<number>, drainMs: number): Effect.Effect<Step, ListenFailed, Transport> {
    const old = this.opened
    const begun = old === undefined ? Scope.provide(this.door.live, this.life) : Effect.void
    const close = old === undefined ? Effect.void : this.retired(old, drainMs, old.scope)
    // A door that is new is nothing any more when it is not taken.
    const undone = old === undefined ? Scope.close(this.life, Exit.void) : Effect.void
    return Effect.andThen(begun, this.listen(next)).pipe(
      Effect.map((open) => ({
        take: () => {
          this.adopt(next)
          this.use(open)
        },
        takeBack: Effect.andThen(Scope.close(open.scope, Exit.void), undone),
        close,
        open: Effect.void
      })),
      Effect.catchIf(
        () => freed.has(next.at.port),
        () => Effect.succeed({ take: () => this.adopt(next), takeBack: undone, close, open: this.later(next) })
      ),
      Effect.onError(() => undone)
    )
  }

  private adopt(next: S): void {
    this.settings = next
    this.door.change(next)
  }

  private use(open: Open<O>): void {
    this.opened = open
    this.door.at = open.listening.endpoint
  }

  private listen(settings: S): Effect.Effect<Open<O>, ListenFailed, Transport> {
    return Effect.gen({ self: this }, function* () {
      const scope = yield* Scope.fork(this.life)
      const opening = Effect.onError(Scope.provide(this.door.open(settings), scope), () =>
        Scope.close(scope, Exit.void)
      )
      return { listening: yield* opening, scope }
    })
  }

  /** Opens an address that has just been freed; one that it cannot have is noted and tried again. */
  private later(next: S): Effect.Effect<void, never, Transport> {
    const attempt = Effect.map(this.listen(next), (open) => this.use(open))
    const again: Effect.Effect<void, never, Transport> = Effect.catch(attempt, ({ cause, host, port }) => {
      this.note(`cannot listen on ${host}:${port}: ${cause}; tried again every ${LISTEN_AGAIN_MS / 1000} s`)
      return Effect.andThen(Effect.sleep(LISTEN_AGAIN_MS), again)
    })
    return Effect.catch(attempt, () => Effect.asVoid(Effect.forkIn(again, this.life)))
  }

  /** Its port is free at once; calls that are still answered are waited for in the background, and then `scope` is closed. */
  private retired(open: Open<O> | undefined, drainMs: number, scope: Scope.Closeable): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const left = yield* open?.listening.retire ?? Effect.succeed(Effect.void)
      const end = Effect.andThen(Effect.timeoutOption(left, drainMs), Scope.close(scope, Exit.void))
      yield* Effect.forkIn(end, this.switchScope)
    })
  }
}
