/** `jinka-sim` within this process, as a user runs it: the whole program but for `main.ts`, which owns signals and the end. */
import { format } from "node:util"
import { Console, Effect, Layer, Sink, Stdio, Stream } from "effect"
import { exitCodeOf, program } from "../../packages/simulator/src/cli/Program.ts"
import { StopSignal } from "../../packages/simulator/src/cli/StopSignal.ts"
import * as Platform from "../../packages/simulator/src/Platform.ts"

/** What a command did. */
export interface Done {
  readonly code: number
  readonly out: string
  readonly err: string
}

/**
 * Runs a command to its end, without standard input. A start of a process takes a hundred times as long; tests take one where the
 * process is the point.
 */
export const simulatorHere = async (...args: ReadonlyArray<string>): Promise<Done> => {
  const said = { out: "", err: "" }
  const into = (to: "out" | "err") => () =>
    Sink.forEach((chunk: string | Uint8Array) =>
      Effect.sync(() => {
        said[to] += Buffer.from(chunk).toString()
      })
    )
  const printed =
    (to: "out" | "err") =>
    (...words: ReadonlyArray<unknown>) => {
      said[to] += `${format(...words)}\n`
    }
  const stdio = Stdio.make({
    args: Effect.succeed(args),
    stdinIsTerminal: Effect.succeed(false),
    stdoutIsTerminal: Effect.succeed(false),
    stderrIsTerminal: Effect.succeed(false),
    stdin: Stream.empty,
    stdout: into("out"),
    stderr: into("err")
  })
  const exit = await program(args).pipe(
    Effect.provideService(StopSignal, { requested: Effect.never, onHangUp: () => () => undefined }),
    Effect.provideService(Console.Console, { ...console, log: printed("out"), error: printed("err") }),
    Effect.provide(Layer.merge(Platform.layer, Layer.succeed(Stdio.Stdio, stdio))),
    Effect.runPromiseExit
  )
  return { code: exitCodeOf(exit), ...said }
}
