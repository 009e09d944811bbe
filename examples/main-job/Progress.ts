/** What a person sees while the main job runs: what happens, and every second what the traffic is. */
import { Clock, Console, Effect, Fiber, type Scope } from "effect"
import type { Child, Said } from "./Child.ts"

let startedAt: number | undefined

const elapsed = Effect.map(Clock.currentTimeMillis, (now) => {
  startedAt ??= now
  return `${((now - startedAt) / 1000).toFixed(1).padStart(5)} s`
})

/** One line about what happens now. */
export const say = (what: string): Effect.Effect<void> =>
  Effect.flatMap(elapsed, (time) => Console.log(`${time}  ${what}`))

const count = (status: Said | undefined, name: string): string => String(status?.[name] ?? 0).padStart(5)

const line = (acquirer: Child, issuer: Child): string => {
  const a = acquirer.last("status")
  const i = issuer.last("status")
  return [
    `sent ${count(a, "sent")}`,
    `approved ${count(a, "approved")}`,
    `declined ${count(a, "declined")}`,
    `failed ${count(a, "failed")}`,
    `waiting ${count(a, "outstanding")}`,
    `in doubt ${count(a, "inDoubt")}`,
    `reversed ${count(i, "reversals")}`
  ].join("  ")
}

/** Prints what the traffic is once a second until stopped. */
export const watch = (
  acquirer: Child,
  issuer: Child
): Effect.Effect<{ readonly stop: Effect.Effect<void> }, never, Scope.Scope> =>
  Effect.map(
    Effect.forkScoped(
      Effect.forever(
        Effect.andThen(
          Effect.sleep("1 second"),
          Effect.suspend(() => say(`  ${line(acquirer, issuer)}`))
        )
      )
    ),
    (fiber) => ({ stop: Effect.asVoid(Fiber.interrupt(fiber)) })
  )
