/**
 * What the switch tells whoever started it and watches over it, in the words of sd_notify(3): that it is ready, reads its
 * configuration again, stops, and, from its main thread, that it is alive.
 *
 * Knows no process and no pipe: `ProcessEdge.supervisor` hands the words over (docs/decisions/0030-supervised.md).
 */
import { Effect } from "effect"
import { ProcessEdge } from "./ProcessEdge.ts"

/** How often a start that takes its time says so, and for how long that holds, in milliseconds. */
const STARTING_EVERY_MS = 5000
const STARTING_HOLDS_MS = 30_000

/** Signs of life in the time that one of them holds. */
const BEATS = 3

/** On top of the drain: signing off, closing, the journal's last bytes; in milliseconds. */
const CLOSING_MS = 10_000

const told = (...parts: ReadonlyArray<string>): Effect.Effect<void, never, ProcessEdge> =>
  Effect.map(ProcessEdge, ({ supervisor }) => supervisor?.say(parts))

const micros = (ms: number): number => Math.ceil(ms * 1000)

/** For as long as the program lives: signs of life of the main thread, as often as they are wanted. */
const living = Effect.flatMap(ProcessEdge, ({ supervisor }) =>
  supervisor?.watchdogMs === undefined
    ? Effect.never
    : Effect.forever(Effect.andThen(told("WATCHDOG=1"), Effect.sleep(supervisor.watchdogMs / BEATS)))
)

/** Runs the program with its signs of life. */
export const supervised = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | ProcessEdge> =>
  Effect.raceFirst(program, living)

/** Runs what comes before the switch is ready: it may take as long as it goes on. */
export const starting = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | ProcessEdge> =>
  Effect.raceFirst(
    work,
    Effect.forever(
      Effect.andThen(told(`EXTEND_TIMEOUT_USEC=${micros(STARTING_HOLDS_MS)}`), Effect.sleep(STARTING_EVERY_MS))
    )
  )

/** It is ready, or stands by; `words` say what it does. */
export const sayReady = (words: string): Effect.Effect<void, never, ProcessEdge> => told("READY=1", `STATUS=${words}`)

/** Runs a reload, and says when it begins and when it is over. */
export const reloading = <A, E, R>(reload: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | ProcessEdge> =>
  Effect.clockWith((clock) => told("RELOADING=1", `MONOTONIC_USEC=${clock.monotonicTimeNanosUnsafe() / 1000n}`)).pipe(
    Effect.andThen(reload),
    Effect.ensuring(told("READY=1"))
  )

/** It stops; `drainMs`: how long it may wait for what is outstanding. */
export const sayStopping = (drainMs: number): Effect.Effect<void, never, ProcessEdge> =>
  told("STOPPING=1", `EXTEND_TIMEOUT_USEC=${micros(drainMs + CLOSING_MS)}`)
