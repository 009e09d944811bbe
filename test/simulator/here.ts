/** `jinka-sim` within this process, as a user runs it: the whole program but for `main.ts`, which owns signals and the end. */
import { PassThrough } from "node:stream"
import { format } from "node:util"
import { Console, Deferred, Effect, Fiber, Layer, Sink, Stdio, Stream } from "effect"
import { exitCodeOf, program } from "../../packages/simulator/src/cli/Program.ts"
import { StopSignal } from "../../packages/simulator/src/cli/StopSignal.ts"
import * as Platform from "../../packages/simulator/src/Platform.ts"

/** What a command did. */
export interface Done {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** What hears a command's two outputs. */
export interface Hearing {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/** A command that runs, as a process would: with standard input, a first signal, and an end by force. */
export interface Started {
  readonly exit: Promise<number>
  readonly say: (text: string) => void
  readonly hangUp: () => void
  readonly stop: () => void
  readonly kill: () => void
}

/** Starts a command. A start of a process takes a hundred times as long; tests take one where the process is the point. */
export const startHere = (args: ReadonlyArray<string>, hearing: Hearing): Started => {
  const stdin = new PassThrough()
  const signalled = Deferred.makeUnsafe<void>()
  const into = (to: "out" | "err") => () =>
    Sink.forEach((chunk: string | Uint8Array) => Effect.sync(() => hearing[to](Buffer.from(chunk).toString())))
  const printed =
    (to: "out" | "err") =>
    (...words: ReadonlyArray<unknown>) =>
      hearing[to](`${format(...words)}\n`)
  const stdio = Stdio.make({
    args: Effect.succeed(args),
    stdinIsTerminal: Effect.succeed(false),
    stdoutIsTerminal: Effect.succeed(false),
    stderrIsTerminal: Effect.succeed(false),
    stdin: Stream.fromAsyncIterable<Uint8Array, never>(stdin, (error) => {
      throw error
    }),
    stdout: into("out"),
    stderr: into("err")
  })
  const requested = Deferred.await(signalled)
  const fiber = program(args).pipe(
    Effect.provideService(StopSignal, { requested, onHangUp: () => () => undefined }),
    Effect.provideService(Console.Console, { ...console, log: printed("out"), error: printed("err") }),
    Effect.provide(Layer.merge(Platform.layer, Layer.succeed(Stdio.Stdio, stdio))),
    Effect.runFork
  )
  return {
    exit: Effect.runPromise(Effect.map(Fiber.await(fiber), exitCodeOf)),
    say: (text) => void stdin.write(text),
    hangUp: () => void stdin.end(),
    stop: () => Deferred.doneUnsafe(signalled, Effect.void),
    kill: () => fiber.interruptUnsafe()
  }
}

/** Runs a command to its end, without standard input. */
export const simulatorHere = async (...args: ReadonlyArray<string>): Promise<Done> => {
  const said = { out: "", err: "" }
  const add = (to: "out" | "err") => (text: string) => {
    said[to] += text
  }
  const started = startHere(args, { out: add("out"), err: add("err") })
  started.hangUp()
  return { code: await started.exit, ...said }
}
