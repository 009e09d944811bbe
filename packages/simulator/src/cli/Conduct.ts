/**
 * From start to summary: what every partner's command does around its run.
 *
 * Owns event lines on standard output, commands on standard input, signals, and the final line.
 */
import { Clock, Console, Data, Deferred, Effect, Queue, type Scope, Stdio, Stream } from "effect"
import { eventOf, type Steered, steer } from "../control/Control.ts"
import type { HistoryLine } from "../history/History.ts"
import { endpointText } from "../link/Listener.ts"
import { StopSignal } from "./StopSignal.ts"

/** The run came to its end, but not to a good one. Exit code 1. */
export class Unsettled extends Data.TaggedError("Unsettled")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

/** Whether standard output shows colours. */
export const isTerminal = Effect.flatMap(Stdio.Stdio, (stdio) => stdio.stdoutIsTerminal)

/** How to conduct a run. */
export interface ConductOptions {
  readonly control: boolean
  readonly format: "json" | "table"
  /** Milliseconds; 0: no status lines. */
  readonly statusEvery: number
  readonly seed: number
}

/** Where a run puts its history lines for events: unsafe because it is called from within a tick. */
export interface Output {
  readonly onLine: (line: HistoryLine) => void
  /** A line for people, on standard error. */
  readonly tell: (text: string) => void
  readonly emit: (event: object) => Effect.Effect<void>
  /** Prints everything that waits. */
  readonly drain: Effect.Effect<void>
}

/** Standard output as lines of JSON; with format "table" events are not printed. */
export const makeOutput = (format: ConductOptions["format"]): Effect.Effect<Output, never, Scope.Scope> =>
  Effect.gen(function* () {
    const events = yield* Queue.unbounded<object>()
    const told = yield* Queue.unbounded<string>()
    const tell = (text: string): Effect.Effect<void> => Console.error(`jinka-sim: ${text}`)
    yield* Queue.take(told).pipe(Effect.flatMap(tell), Effect.forever, Effect.forkScoped)
    const print = (event: object): Effect.Effect<void> =>
      format === "json" ? Console.log(JSON.stringify(event)) : Effect.void
    yield* Queue.take(events).pipe(Effect.flatMap(print), Effect.forever, Effect.forkScoped)
    return {
      onLine: (line) => {
        const event = eventOf(line)
        if (event !== undefined) Queue.offerUnsafe(events, event)
      },
      tell: (text) => void Queue.offerUnsafe(told, text),
      emit: (event) => Effect.asVoid(Queue.offer(events, event)),
      drain: Effect.repeat(Effect.yieldNow, { until: () => Queue.sizeUnsafe(events) === 0 }).pipe(
        Effect.andThen(Effect.yieldNow),
        Effect.asVoid
      )
    }
  })

/**
 * Runs until the load is over or somebody asks for the end, then ends in order and gives the final totals, which are
 * also printed as the summary event.
 */
export const conduct = <Totals extends object>(
  options: ConductOptions,
  output: Output,
  steered: Steered,
  isOver: Effect.Effect<void>,
  finish: Effect.Effect<Totals>
): Effect.Effect<Totals, never, Scope.Scope | StopSignal | Stdio.Stdio> =>
  Effect.gen(function* () {
    const { role, link } = steered
    const stop = yield* StopSignal
    const stdio = yield* Stdio.Stdio
    const clock = yield* Clock.Clock
    const asked = yield* Deferred.make<void>()
    const at = (): number => clock.currentTimeMillisUnsafe()
    yield* output.emit({
      event: "started",
      at: at(),
      role,
      endpoint: endpointText(link.endpoint),
      port: link.endpoint.port,
      seed: options.seed
    })
    if (options.control) {
      const lines = stdio.stdin.pipe(Stream.decodeText(), Stream.splitLines)
      yield* steer(steered, lines, output.emit).pipe(
        Effect.andThen(Deferred.succeed(asked, undefined)),
        Effect.forkScoped
      )
    }
    if (options.statusEvery > 0) {
      yield* Effect.suspend(() => output.emit({ event: "status", at: at(), role, ...steered.status() })).pipe(
        Effect.delay(options.statusEvery),
        Effect.forever,
        Effect.forkScoped
      )
    }
    const begun = Effect.raceAllFirst([stop.requested, Deferred.await(asked), isOver]).pipe(
      Effect.andThen(Effect.suspend(() => output.emit({ event: "finishing", at: at(), role }))),
      Effect.andThen(finish)
    )
    const totals = yield* Effect.raceFirst(begun, link.broken)
    yield* output.emit({ event: "summary", at: at(), role, seed: options.seed, ...totals })
    yield* output.drain
    return totals
  })
