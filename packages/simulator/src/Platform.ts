/**
 * What the commands need of Node: standard input and output, and whether a path is there. `main.ts`
 * provides it. The simulator reads and writes its own files itself.
 *
 * Owns the few calls that the commands make, and no more (docs/decisions/0018-few-packages.md).
 */
import { accessSync, statSync } from "node:fs"
import { Effect, FileSystem, Layer, Path, PlatformError, Sink, Stdio, Stream, Terminal } from "effect"
import { ChildProcessSpawner } from "effect/process"

const failed = (method: string) => (cause: unknown) =>
  PlatformError.systemError({ _tag: "Unknown", module: "Platform", method, cause })

/** What the flags that take a path look at: whether it is there, and whether it is a folder. */
const files = FileSystem.makeNoop({
  exists: (path) =>
    Effect.try({ try: () => accessSync(path), catch: (cause) => cause as NodeJS.ErrnoException }).pipe(
      Effect.as(true),
      Effect.catch((cause) => (cause.code === "ENOENT" ? Effect.succeed(false) : Effect.fail(failed("exists")(cause))))
    ),
  stat: (path) =>
    Effect.try({
      try: () => ({ type: statSync(path).isDirectory() ? "Directory" : "File" }) as FileSystem.File.Info,
      catch: failed("stat")
    })
})

const written = (to: () => NodeJS.WriteStream, name: string) => () =>
  Sink.forEach((chunk: string | Uint8Array) =>
    Effect.callback<void, PlatformError.PlatformError>((resume) => {
      to().write(chunk, (error) => resume(error ? Effect.fail(failed(name)(error)) : Effect.void))
    })
  )

const standard = Stdio.make({
  args: Effect.sync(() => process.argv.slice(2)),
  stdinIsTerminal: Effect.sync(() => process.stdin.isTTY),
  stdoutIsTerminal: Effect.sync(() => process.stdout.isTTY),
  stderrIsTerminal: Effect.sync(() => process.stderr.isTTY),
  stdin: Stream.unwrap(
    Effect.sync(() => Stream.fromAsyncIterable<Uint8Array, PlatformError.PlatformError>(process.stdin, failed("stdin")))
  ),
  stdout: written(() => process.stdout, "stdout"),
  stderr: written(() => process.stderr, "stderr")
})

/** The commands take flags and arguments; none asks a question on the terminal. */
const terminal = Terminal.make({
  // What is written to a file may still be watched on standard error. A terminal that does not know its size says 0.
  columns: Effect.sync(() => process.stdout.columns || process.stderr.columns || 80),
  rows: Effect.sync(() => process.stdout.rows || 24),
  size: Effect.die(new Error("no command follows the terminal's size")),
  readInput: Effect.die(new Error("no command reads keys")),
  readLine: Effect.die(new Error("no command reads a line from the terminal")),
  display: (text) => Effect.sync(() => void process.stdout.write(text))
})

/** Standard input and output of this process. It starts no other processes. */
export const layer = Layer.mergeAll(
  Layer.succeed(FileSystem.FileSystem, files),
  Path.layer,
  Layer.succeed(Stdio.Stdio, standard),
  Layer.succeed(Terminal.Terminal, terminal),
  Layer.succeed(
    ChildProcessSpawner.ChildProcessSpawner,
    ChildProcessSpawner.make(() => Effect.die(new Error("the simulator starts no processes")))
  )
)
