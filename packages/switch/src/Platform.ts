/**
 * What the commands need of Node: files, paths, standard input and output. `main.ts` provides it.
 *
 * Owns the few calls that the switch makes, and no more. The usual package for it also brings an HTTP, a WebSocket and a Redis
 * library into a process that sits between banks (docs/decisions/0018-few-packages.md).
 */
import { createReadStream, type Stats } from "node:fs"
import { access, chmod, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { ByteSize, Effect, FileSystem, Layer, Option, Path, PlatformError, Sink, Stdio, Stream, Terminal } from "effect"
import { ChildProcessSpawner } from "effect/process"

const tags: Readonly<Record<string, PlatformError.SystemErrorTag>> = {
  ENOENT: "NotFound",
  EACCES: "PermissionDenied",
  EPERM: "PermissionDenied",
  EEXIST: "AlreadyExists",
  EISDIR: "BadResource",
  ENOTDIR: "BadResource",
  ELOOP: "BadResource",
  EBUSY: "Busy"
}

const failed = (module: string, method: string, path?: string) => (cause: unknown) => {
  const { code = "", syscall } = cause as { readonly code?: string; readonly syscall?: string }
  return PlatformError.systemError({
    ...{ _tag: tags[code] ?? "Unknown", module, method, syscall, cause },
    ...(path === undefined ? {} : { pathOrDescriptor: path })
  })
}

const call = <A>(method: string, path: string, made: () => Promise<A>) =>
  Effect.tryPromise({ try: made, catch: failed("FileSystem", method, path) })

const typeOf = (info: Stats): FileSystem.File.Type =>
  info.isDirectory()
    ? "Directory"
    : info.isFile()
      ? "File"
      : info.isFIFO()
        ? "FIFO"
        : info.isSocket()
          ? "Socket"
          : "Unknown"

const infoOf = (info: Stats): FileSystem.File.Info => ({
  type: typeOf(info),
  mtime: Option.some(info.mtime),
  atime: Option.some(info.atime),
  birthtime: Option.some(info.birthtime),
  dev: BigInt(info.dev),
  ino: Option.some(BigInt(info.ino)),
  mode: info.mode,
  nlink: Option.some(BigInt(info.nlink)),
  uid: Option.some(info.uid),
  gid: Option.some(info.gid),
  rdev: Option.some(BigInt(info.rdev)),
  size: ByteSize.bytes(info.size),
  blksize: Option.none(),
  blocks: Option.some(BigInt(info.blocks))
})

const streamOf = (path: string) =>
  Stream.unwrap(
    Effect.sync(() =>
      Stream.fromAsyncIterable<Uint8Array, PlatformError.PlatformError>(
        createReadStream(path),
        failed("FileSystem", "stream", path)
      )
    )
  )

const own: Partial<FileSystem.FileSystem> = {
  exists: (path) =>
    call("exists", path, () => access(path)).pipe(
      Effect.as(true),
      Effect.catchIf(
        ({ reason }) => reason._tag === "NotFound",
        () => Effect.succeed(false)
      )
    ),
  readFile: (path) => call("readFile", path, () => readFile(path)),
  readFileString: (path) => call("readFileString", path, () => readFile(path, "utf8")),
  stream: streamOf,
  stat: (path) =>
    Effect.map(
      call("stat", path, () => stat(path)),
      infoOf
    ),
  chmod: (path, mode) => call("chmod", path, () => chmod(path, mode)),
  rename: (from, to) => call("rename", from, () => rename(from, to)),
  remove: (path, options) => call("remove", path, () => rm(path, options)),
  makeDirectory: (path, options) => Effect.asVoid(call("makeDirectory", path, () => mkdir(path, options))),
  writeFileString: (path, text, options) => call("writeFileString", path, () => writeFile(path, text, options))
}

/** Every other call of a file system is a mistake in the switch, and says so. */
const files = new Proxy(FileSystem.makeNoop(own), {
  get: (all, name) => {
    const found = Reflect.get(all, name)
    if (typeof found !== "function" || name in own) return found
    return () => Effect.die(new Error(`the switch's platform has no ${String(name)}`))
  }
})

const written = (to: () => NodeJS.WriteStream, name: string) => () =>
  Sink.forEach((chunk: string | Uint8Array) =>
    Effect.callback<void, PlatformError.PlatformError>((resume) => {
      to().write(chunk, (error) => resume(error ? Effect.fail(failed("Stdio", name)(error)) : Effect.void))
    })
  )

const standard = Stdio.make({
  args: Effect.sync(() => process.argv.slice(2)),
  stdinIsTerminal: Effect.sync(() => process.stdin.isTTY),
  stdoutIsTerminal: Effect.sync(() => process.stdout.isTTY),
  stderrIsTerminal: Effect.sync(() => process.stderr.isTTY),
  stdin: Stream.unwrap(
    Effect.sync(() =>
      Stream.fromAsyncIterable<Uint8Array, PlatformError.PlatformError>(process.stdin, failed("Stdio", "stdin"))
    )
  ),
  stdout: written(() => process.stdout, "stdout"),
  stderr: written(() => process.stderr, "stderr")
})

/** The commands take flags and arguments; none asks a question on the terminal. */
const terminal = Terminal.make({
  columns: Effect.sync(() => process.stdout.columns ?? 80),
  rows: Effect.sync(() => process.stdout.rows ?? 24),
  size: Effect.die(new Error("no command follows the terminal's size")),
  readInput: Effect.die(new Error("no command reads keys")),
  readLine: Effect.die(new Error("no command reads a line from the terminal")),
  display: (text) => Effect.sync(() => void process.stdout.write(text))
})

/** Files, paths, standard input and output of this process. It starts no other processes. */
export const layer = Layer.mergeAll(
  Layer.succeed(FileSystem.FileSystem, files),
  Path.layer,
  Layer.succeed(Stdio.Stdio, standard),
  Layer.succeed(Terminal.Terminal, terminal),
  Layer.succeed(
    ChildProcessSpawner.ChildProcessSpawner,
    ChildProcessSpawner.make(() => Effect.die(new Error("the switch starts no processes")))
  )
)
