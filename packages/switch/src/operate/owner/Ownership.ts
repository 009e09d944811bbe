/**
 * A switch that several nodes are started for: this node stands by, takes the switch when it is its turn, runs it, and hands it
 * over.
 *
 *     standing by -> the beat stands still, or was handed over -> takes it -> beats, and runs the switch
 *          ^                                                 |                     |
 *          `-- another node was quicker: it never had it ----'-- `jinka yield` ----'
 *
 * A signal, a stop and every failure of an owner end the process; whoever started it starts it again, and it stands by.
 */
import { Console, Effect, type FileSystem, type Path } from "effect"
import type { JournalError } from "../../journal/JournalError.ts"
import { type Configuration, load } from "../Configuration.ts"
import { planOf } from "../configuration/Plan.ts"
import type { Ending } from "../control/Answers.ts"
import { type CommandFailed, failedBy } from "../Exit.ts"
import { ProcessEdge } from "../ProcessEdge.ts"
import { keeping, type Tenure } from "./Claim.ts"
import { type Place, standBy } from "./StandBy.ts"

/** The end of a switch that ran here, and the configuration that it had by then. */
export interface Served extends Ending {
  readonly configuration: Configuration
}

/** What a node does, besides standing by. */
export interface Duty<R> {
  /** Runs the switch to its end in order. Fails like the process would. */
  readonly serve: (configuration: Configuration) => Effect.Effect<Served, CommandFailed, R>
  /** Ends the process at once: another node has the switch, or PostgreSQL has forgotten that this one has it. */
  readonly overtaken: (error: JournalError) => Effect.Effect<never, never, R>
  /** What the switch that runs asks whether it still is this node's. */
  readonly tenure: Tenure
}

/** See the header. Ends when somebody has told the node to. */
export const owning = Effect.fnUntraced(function* <R>(
  place: Place,
  started: Configuration,
  { overtaken, serve, tenure }: Duty<R>
): Effect.fn.Return<void, CommandFailed, R | FileSystem.FileSystem | Path.Path | ProcessEdge> {
  const { takeSignals } = yield* ProcessEdge
  const { connect, name, node, takeoverAfterMs } = place
  const signal = yield* takeSignals
  let configuration = started
  let hasLeft = false
  while (true) {
    const why = yield* Effect.mapError(standBy(place, hasLeft, signal), failedBy)
    if (why !== undefined) {
      yield* Effect.logInfo(`stopping: ${why}; node ${node} stood by`)
      return yield* Console.log(JSON.stringify({ event: "stopped", name, reason: why, unfinished: [] }))
    }
    yield* Effect.logInfo(`node ${node} takes the switch over`)
    configuration = yield* asOfNow(configuration)
    const ended = yield* keeping(connect, takeoverAfterMs, tenure, overtaken, serve(configuration)).pipe(
      Effect.catchTag("JournalError", (error) => Effect.fail(failedBy(error))),
      Effect.catchIf(
        ({ exit }) => exit === "overtaken",
        () => Effect.as(Effect.logInfo(`node ${node} comes too late: another node took the switch first`), undefined)
      )
    )
    hasLeft = false
    if (ended === undefined) continue
    if (!ended.isYield) return
    yield* Effect.logInfo(`node ${node} has handed the switch over, and stands by`)
    configuration = ended.configuration
    hasLeft = true
  }
})

/**
 * The configuration as the file is now: the owner may have been reloaded since this node read it. What a reload could not take,
 * or a file that is no good, leaves what there was.
 */
const asOfNow = Effect.fnUntraced(function* (before: Configuration) {
  const next = yield* load(before.file).pipe(
    Effect.catch((wrong) =>
      Effect.as(
        Effect.logError(`${failedBy(wrong).says.replaceAll("\n", " ")} It goes on as it was read before.`),
        before
      )
    )
  )
  const { restart } = yield* planOf(before, next)
  if (restart.length === 0) return next
  yield* Effect.logError(`${before.file}: restart needed: ${restart.join(", ")}. It goes on as it was read before.`)
  return before
})
