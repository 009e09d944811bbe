/**
 * `jinka` within this process or as one of its own, as an operator runs it; and a folder for it to run in.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { constants, tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { format } from "node:util"
import { Cause, ConfigProvider, Console, Effect, Exit, Layer, Runtime, Sink, Stdio, Stream } from "effect"
import { jinka as runJinka } from "../../../packages/switch/src/operate/command/Jinka.ts"
import { ask } from "../../../packages/switch/src/operate/control/ControlCall.ts"
import { DrainReport, StatusReport } from "../../../packages/switch/src/operate/control/Report.ts"
import { ProcessEdge } from "../../../packages/switch/src/operate/ProcessEdge.ts"
import * as Platform from "../../../packages/switch/src/Platform.ts"
import { builtProgram } from "../../programs/Programs.ts"
import { testKey } from "../journal/Journals.ts"

const manifest = new URL("../../../packages/switch/package.json", import.meta.url)

/** The key of every journal of these tests. */
export const key = testKey.toString("hex")

const folders: Array<string> = []
const running: Array<ChildProcess> = []

/** A new folder under the system's own; short, because a socket's path has at most 107 bytes. */
export const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), "jinka-"))
  folders.push(made)
  return made
}

/** Ends what a test left running and removes its folders. */
export const cleanUp = (): void => {
  for (const child of running.splice(0)) if (child.exitCode === null) child.kill("SIGKILL")
  for (const one of folders.splice(0)) rmSync(one, { recursive: true, force: true })
}

/** What a program did. */
export interface Done {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Files of a limited process cannot grow beyond this many KiB: a write behind that fails as on a full disk. */
const FILE_LIMIT = 400

const limited = ["bash", "-c", `trap '' XFSZ; ulimit -f ${FILE_LIMIT}; exec "$0" "$@"`]

const start = (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  before: ReadonlyArray<string> = []
) => {
  const main = builtProgram("packages/switch/src/main.ts")
  const [program = "", ...rest] = [...before, process.execPath, main, ...args]
  const child: ChildProcess = spawn(program, rest, {
    env: { ...process.env, NO_COLOR: "1", JINKA_TEST_KEY: key, ...env }
  })
  running.push(child)
  return child
}

/** What a command gets: its standard input, and variables beside ours. */
export interface Given {
  readonly input?: string | Buffer
  readonly env?: Readonly<Record<string, string>>
}

const { version } = JSON.parse(readFileSync(manifest, "utf8"))

/** A process that a command of this one cannot end. */
const edge = ProcessEdge.of({
  pid: process.pid,
  keepToSelf: () => Effect.void,
  takeSignals: Effect.succeed(Effect.never),
  exitNow: () => Effect.die(new Error("a command within this process ended it")),
  killNow: Effect.die(new Error("a command within this process killed it"))
})

/**
 * Runs a command to its end within this process: the whole program but for `main.ts` and `Program.ts`, with standard input,
 * output and environment of its own. A start of a process takes a hundred times as long; tests take one where the process is
 * the point: `jinkaProcess`.
 */
export const jinka = (args: ReadonlyArray<string>, { input = "", env = {} }: Given = {}): Promise<Done> => {
  const out: Array<string> = []
  const err: Array<string> = []
  const into = (lines: Array<string>) => () =>
    Sink.forEach((chunk: string | Uint8Array) => Effect.sync(() => lines.push(Buffer.from(chunk).toString())))
  const printed =
    (lines: Array<string>) =>
    (...said: ReadonlyArray<unknown>) =>
      lines.push(`${format(...said)}\n`)
  const stdio = Stdio.make({
    args: Effect.succeed(args),
    stdinIsTerminal: Effect.succeed(false),
    stdoutIsTerminal: Effect.succeed(false),
    stderrIsTerminal: Effect.succeed(false),
    stdin: input.length === 0 ? Stream.empty : Stream.succeed(Buffer.from(input)),
    stdout: into(out),
    stderr: into(err)
  })
  const environment = { ...process.env, NO_COLOR: "1", JINKA_TEST_KEY: key, ...env } as Record<string, string>
  return runJinka(version, args).pipe(
    Effect.provideService(Stdio.Stdio, stdio),
    Effect.provide(Layer.merge(Platform.layer, Layer.succeed(ProcessEdge, edge))),
    Effect.provideService(Console.Console, { ...console, log: printed(out), error: printed(err) }),
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: environment })),
    Effect.runPromiseExit,
    (ended) =>
      ended.then((exit) => {
        if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) throw Cause.squash(exit.cause)
        let code = 0
        Runtime.defaultTeardown(exit, (given) => {
          code = given
        })
        return { code, out: out.join(""), err: err.join("") }
      })
  )
}

/** Runs a command to its end as a process of its own. */
export const jinkaProcess = (args: ReadonlyArray<string>, { input = "", env = {} }: Given = {}): Promise<Done> => {
  const child = start(args, env)
  const out: Array<Buffer> = []
  const err: Array<Buffer> = []
  child.stdout!.on("data", (chunk) => out.push(chunk))
  child.stderr!.on("data", (chunk) => err.push(chunk))
  child.stdin!.end(input)
  return new Promise((resolve) =>
    child.once("close", (code) =>
      resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() })
    )
  )
}

/** The last one that the program takes over; Node itself catches the others from the beginning. */
const hangUp = 1n << BigInt(constants.signals.SIGHUP - 1)

/** Starts a command that waits for its standard input, sends it a signal once it catches them, and gives what ended it. */
export const jinkaSignalled = (
  args: ReadonlyArray<string>,
  signal: NodeJS.Signals
): Promise<NodeJS.Signals | number | null> => {
  const child = start(args, {})
  const looking = setInterval(() => {
    const caught = /^SigCgt:\t(\w+)$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))
    if ((BigInt(`0x${caught?.[1] ?? 0}`) & hangUp) === 0n) return
    clearInterval(looking)
    child.kill(signal)
  }, 10)
  return new Promise((resolve) => child.once("close", (code, by) => resolve(by ?? code)))
}

/** A line that a running switch prints, as far as the tests look at it. */
export interface Said {
  readonly event: string
  readonly reason?: string
  readonly pid: number
  readonly control: string
  readonly links: ReadonlyArray<{ readonly name: string; readonly listens?: { readonly port: number } }>
  readonly doors: ReadonlyArray<{ readonly name: string; readonly listens: { readonly port: number } }>
  readonly admin?: { readonly host: string; readonly port: number }
  readonly recovered: { readonly ended: number; readonly resumed: number }
  readonly unfinished: ReadonlyArray<unknown>
}

/** A switch that runs. */
export interface RunningSwitch {
  readonly ready: Said
  readonly port: (link: string) => number
  readonly signal: (signal: NodeJS.Signals) => void
  /** Standard error so far. */
  readonly err: () => string
  /** What `jinka status --json` would print. */
  readonly status: () => Promise<StatusReport>
  /** Stops it as `jinka stop` does, and waits for its end. */
  readonly stop: () => Promise<void>
  /** All lines of standard output and all of standard error, when it has ended. */
  readonly ended: Promise<{
    readonly code: number | null
    readonly lines: ReadonlyArray<Said>
    readonly err: string
  }>
}

/** Starts a switch and waits until it is ready; fails with what it said when it ends before. */
export const runSwitch = (file: string, ...flags: ReadonlyArray<string>): Promise<RunningSwitch> =>
  watched(start(["run", file, ...flags], {}))

/** The same with more in its environment. */
export const runSwitchIn = (
  env: Readonly<Record<string, string>>,
  file: string,
  ...more: ReadonlyArray<string>
): Promise<RunningSwitch> => watched(start(["run", file, ...more], env))

/** The same with a journal that cannot grow beyond a few hundred KiB. */
export const runLimitedSwitch = (file: string): Promise<RunningSwitch> => watched(start(["run", file], {}, limited))

/** The same behind another program that is given ours to start: strace, for a disk that fails. */
export const runSwitchUnder = (before: ReadonlyArray<string>, file: string): Promise<RunningSwitch> =>
  watched(start(["run", file], {}, before))

const watched = (child: ChildProcess): Promise<RunningSwitch> => {
  const lines: Array<Said> = []
  const err: Array<Buffer> = []
  child.stderr!.on("data", (chunk) => err.push(chunk))
  const ended = new Promise<Awaited<RunningSwitch["ended"]>>((resolve) =>
    child.once("close", (code) => resolve({ code, lines, err: Buffer.concat(err).toString() }))
  )
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const ready: Said = JSON.parse(line)
      lines.push(ready)
      if (ready.event !== "ready") return
      resolve({
        ready,
        port: (name) => ready.links.find((link) => link.name === name)?.listens?.port ?? 0,
        signal: (signal) => child.kill(signal),
        err: () => Buffer.concat(err).toString(),
        status: () => Effect.runPromise(ask(ready.control, "GET", "/status", StatusReport)),
        stop: async () => {
          await Effect.runPromise(ask(ready.control, "POST", "/drain", DrainReport))
          await ended
        },
        ended
      })
    })
    void ended.then((end) => reject(new Error(`the switch ended with ${end.code}: ${end.err}`)))
  })
}

/** Writes a configuration of an acquirer and an issuer that both connect to the switch; returns its path. */
export const configuration = (directory: string, changes: (text: string) => string = (text) => text): string => {
  const file = join(directory, "switch.yaml")
  writeFileSync(
    file,
    changes(`name: demo
institution: "00010000"
journal: { directory: ./journal, key: { env: JINKA_TEST_KEY }, reserve: 1 MiB }
requestTimeout: 1 seconds
drainTimeout: 2 seconds
links:
  - name: acquirer
    institution: "48020000"
    dialect: cups
    listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }
  - name: issuer
    institution: "01020000"
    dialect: cups
    listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }
    storeAndForward: { timeout: 1 seconds, retry: 1 seconds }
routes:
  - { bin: "621234", to: issuer }
`)
  )
  return file
}
