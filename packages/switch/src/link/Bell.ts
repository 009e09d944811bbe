/**
 * Wakes the fiber that waits for something, from plain code. It keeps nothing: rung while nobody waits, it wakes nobody later
 * either. That is what sets it apart from a latch.
 */
import { Effect } from "effect"

/** A bell for one fiber at a time. */
export class Bell {
  private wake: (() => void) | undefined

  /** Waits until it is rung. */
  readonly rung: Effect.Effect<undefined> = Effect.callback((resume) => {
    this.wake = () => {
      this.wake = undefined
      resume(Effect.succeed(undefined))
    }
    return Effect.sync(() => {
      this.wake = undefined
    })
  })

  /** Wakes the fiber that waits. False when none does. */
  ring(): boolean {
    const { wake } = this
    wake?.()
    return wake !== undefined
  }
}
