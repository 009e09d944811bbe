/**
 * Waking fibers from plain code: a bell for the one fiber that waits for something, and a change for whoever waits until
 * something is so. Neither keeps anything: rung while nobody waits, they wake nobody later. That sets them apart from a latch.
 */
import { Effect } from "effect"

/** A bell for one fiber at a time, which hears `A` from it. */
export class Bell<A> {
  private wake: ((heard: Effect.Effect<A>) => void) | undefined
  private readonly already: () => A | undefined

  /** `already`: what there is to be heard without waiting; asked when a fiber begins to wait. Left out: nothing. */
  constructor(already: () => A | undefined = () => undefined) {
    this.already = already
  }

  /** Waits until it is rung. */
  readonly rung: Effect.Effect<A> = Effect.callback((resume) => {
    const heard = this.already()
    if (heard !== undefined) return resume(Effect.succeed(heard))
    this.wake = resume
    return Effect.sync(() => {
      this.wake = undefined
    })
  })

  /** A fiber waits. */
  get isAwaited(): boolean {
    return this.wake !== undefined
  }

  /** Wakes the fiber that waits. False when none does. */
  ring(heard: A): boolean {
    const { wake } = this
    this.wake = undefined
    wake?.(Effect.succeed(heard))
    return wake !== undefined
  }
}

/** What many places can bring about, such as the end of the last open request: whoever waits looks after each change. */
export class Change {
  private waiting: Set<() => void> | undefined

  /** Waits until `isDone`, which is asked now and after each change; at most `limitMs` milliseconds. */
  until(isDone: () => boolean, limitMs: number): Effect.Effect<void> {
    const done = Effect.callback<void>((resume) => {
      if (isDone()) return resume(Effect.void)
      const waiting = this.waiting ?? new Set()
      const look = () => {
        if (!isDone()) return
        // What is returned below is called only when the wait is interrupted.
        waiting.delete(look)
        resume(Effect.void)
      }
      this.waiting = waiting.add(look)
      return Effect.sync(() => waiting.delete(look))
    })
    return Effect.suspend(() => (isDone() ? Effect.void : Effect.asVoid(Effect.timeoutOption(done, limitMs))))
  }

  /** Something has changed. */
  happened(): void {
    if (this.waiting !== undefined) for (const look of this.waiting) look()
  }
}
