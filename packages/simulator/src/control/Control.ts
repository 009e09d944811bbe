/**
 * Steering one running partner until it ends.
 *
 * Owns what each command does, and when a run is over: its load is done, a command or signal says so, or the parent has
 * gone (end of standard input). Everything that happens is an event line; printing is the caller's.
 */
import { Duration, Effect, Option, type PlatformError, type Scope, Stdio, Stream } from "effect"
import type { HistoryLine } from "../history/History.ts"
import type { PartnerLink } from "../link/PartnerLink.ts"
import { type Command, parseCommand } from "./Command.ts"

/** A partner as the control sees it. */
export interface Steered {
  readonly role: "acquirer" | "issuer"
  readonly link: PartnerLink
  /** Counters for a status line. */
  readonly status: () => object
  /** Carries out what only one role can do; false: this role cannot. */
  readonly own: (command: Command) => boolean
}

/** One line on standard output. `event` says which. */
export type Emit = (event: object) => Effect.Effect<void>

/** Lines of the history that are worth an event. */
const links: ReadonlySet<string> = new Set(["linkUp", "linkDown", "signedOn", "signedOff"])

/** The event of a history line, when it has one. */
export const eventOf = (line: HistoryLine): object | undefined =>
  links.has(line.what)
    ? {
        event: line.what,
        at: line.at,
        epoch: line.epoch,
        ...(line.reason === undefined ? {} : { reason: line.reason })
      }
    : undefined

/** Takes each line of standard input until `end`; without a parent there it goes on until then. */
export const takeLines = <E>(
  take: (line: string) => Effect.Effect<void>,
  end: Effect.Effect<void, E>
): Effect.Effect<void, E, Stdio.Stdio> =>
  Effect.flatMap(Stdio.Stdio, ({ stdin }) =>
    stdin.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.filter((line) => line.trim() !== ""),
      Stream.runForEach(take),
      Effect.ignore,
      Effect.andThen(Effect.never),
      Effect.raceFirst(end)
    )
  )

/** Takes commands until one says finish or the lines end. A line that is no command is answered, not fatal. */
export const steer = (
  steered: Steered,
  lines: Stream.Stream<string, PlatformError.PlatformError>,
  emit: Emit
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const take = (line: string): Effect.Effect<boolean> => {
      const command = parseCommand(line)
      if ("refused" in command) return Effect.as(emit({ event: "refused", reason: command.refused }), true)
      switch (command.do) {
        case "status":
          return Effect.as(emit({ event: "status", role: steered.role, ...steered.status() }), true)
        case "cut":
          return emit({ event: "cut", how: command.how, milliseconds: Duration.toMillis(command.for) }).pipe(
            Effect.andThen(
              Effect.forkIn(steered.link.cut(command.how, Duration.toMillis(command.for)), scope, {
                startImmediately: true
              })
            ),
            Effect.as(true)
          )
        case "finish":
          return Effect.succeed(false)
        default:
          return steered.own(command)
            ? Effect.as(emit({ event: "done", did: command.do }), true)
            : Effect.as(emit({ event: "refused", reason: `an ${steered.role} cannot ${command.do}` }), true)
      }
    }
    yield* lines.pipe(
      Stream.filter((line) => line.trim() !== ""),
      Stream.mapEffect(take),
      Stream.takeWhile((goesOn) => goesOn),
      Stream.runDrain,
      // Standard input that breaks is a parent that has gone.
      Effect.option,
      Effect.map(Option.getOrUndefined)
    )
  })
