/**
 * Wakes the fiber that waits for something, from plain code. It keeps nothing: rung while nobody waits, it wakes nobody later
 * either. That is what sets it apart from a latch.
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
