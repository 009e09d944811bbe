/**
 * `jinka` within this process or as one of its own, as an operator runs it; and a folder for it to run in.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { constants } from "node:os"
import { join } from "node:path"
import { format } from "node:util"
import { Cause, ConfigProvider, Console, Effect, Exit, Fiber, Layer, Runtime, Sink, Stdio, Stream } from "effect"
import { jinka as runJinka } from "../../../packages/switch/src/operate/command/Jinka.ts"
import { ask } from "../../../packages/switch/src/operate/control/ControlCall.ts"
import { DrainReport, StatusReport } from "../../../packages/switch/src/operate/control/Report.ts"
import { ProcessEdge } from "../../../packages/switch/src/operate/ProcessEdge.ts"
import * as Platform from "../../../packages/switch/src/Platform.ts"
import { builtProgram } from "../../programs/Programs.ts"
import { testFolder } from "../../TestFolder.ts"
import { testKey } from "../journal/Journals.ts"

const manifest = new URL("../../../packages/switch/package.json", import.meta.url)

/** The key of every journal of these tests. */
export const key = testKey.toString("hex")

const folders: Array<string> = []
const running: Array<ChildProcess> = []
const runningHere: Array<Fiber.Fiber<unknown, unknown>> = []

/** A new folder under the system's own; short, because a socket's path has at most 107 bytes. */
export const folder = (): string => {
  const made = mkdtempSync(join(testFolder(), "jinka-"))
  folders.push(made)
  return made
}

/** Ends what a test left running and removes its folders. */
export const cleanUp = async (): Promise<void> => {
  for (const child of running.splice(0)) if (child.exitCode === null) child.kill("SIGKILL")
  await Promise.all(runningHere.splice(0).map((fiber) => Effect.runPromise(Fiber.interrupt(fiber))))
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

/** A command that runs within this process. */
interface Command {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly signal: (signal: NodeJS.Signals) => void
  /** Its exit code; fails with a defect of the command. */
  readonly code: Promise<number>
}

/** Where a command prints. */
type Printer = (text: string) => void

/** The edge of a process, as a command of this one sees it: the next signal that a test sends, and an end that is not ours. */
const edgeOf = (end: (code: number) => void) => {
  const arrived: Array<string> = []
  const waiting: Array<(signal: string) => void> = []
  let areTaken = false
  const next = Effect.callback<string>((resume) => {
    const wake = (signal: string) => resume(Effect.succeed(signal))
    const signal = arrived.shift()
    if (signal === undefined) waiting.push(wake)
    else wake(signal)
  })
  const signal = (name: NodeJS.Signals) => {
    if (!areTaken) throw new Error(`a command within this process does not take ${name}: start it as a process`)
    const wake = waiting.shift()
    if (wake === undefined) arrived.push(name)
    else wake(name)
  }
  const service = ProcessEdge.of({
    pid: process.pid,
    keepToSelf: () => Effect.void,
    takeSignals: Effect.sync(() => {
      areTaken = true
      return next
    }),
    exitNow: (code) =>
      Effect.andThen(
        Effect.sync(() => end(code)),
        Effect.never
      ),
    killNow: Effect.die(new Error("a command within this process killed it"))
  })
  return { service, signal }
}

/** Starts a command within this process: the whole program but for `main.ts` and `Program.ts`. */
const startHere = (
  args: ReadonlyArray<string>,
  { input = "", env = {} }: Given,
  out: Printer,
  err: Printer
): Command => {
  const into = (print: Printer) => () =>
    Sink.forEach((chunk: string | Uint8Array) => Effect.sync(() => print(Buffer.from(chunk).toString())))
  const printed =
    (print: Printer) =>
    (...said: ReadonlyArray<unknown>) =>
      print(`${format(...said)}\n`)
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
  let exitCode: number | undefined
  const edge = edgeOf((code) => {
    exitCode = code
    fiber.interruptUnsafe()
  })
  const fiber = runJinka(version, args).pipe(
    Effect.provideService(Stdio.Stdio, stdio),
    Effect.provide(Layer.merge(Platform.layer, Layer.succeed(ProcessEdge, edge.service))),
    Effect.provideService(Console.Console, { ...console, log: printed(out), error: printed(err) }),
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: environment })),
    Effect.runFork
  )
  const code = new Promise<number>((resolve, reject) =>
    fiber.addObserver((exit) => {
      if (exitCode !== undefined) return resolve(exitCode)
      if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) return reject(Cause.squash(exit.cause))
      Runtime.defaultTeardown(exit, resolve)
    })
  )
  return { fiber, signal: edge.signal, code }
}

/**
 * Runs a command to its end within this process, with standard input, output and environment of its own. A start of a process
 * takes a hundred times as long; tests take one where the process is the point: `jinkaProcess`.
 */
export const jinka = async (args: ReadonlyArray<string>, given: Given = {}): Promise<Done> => {
  const out: Array<string> = []
  const err: Array<string> = []
  const command = startHere(
    args,
    given,
    (text) => out.push(text),
    (text) => err.push(text)
  )
  return { code: await command.code, out: out.join(""), err: err.join("") }
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

/**
 * Starts a switch within this process and waits until it is ready; fails with what it said when it ends before. A signal is what
 * a test says it is; how a process takes it, dies of one, and what it leaves behind, need `runSwitchProcess`.
 */
export const runSwitch = (file: string, ...flags: ReadonlyArray<string>): Promise<RunningSwitch> =>
  runSwitchIn({}, file, ...flags)

/** The same with more in its environment. */
export const runSwitchIn = (
  env: Readonly<Record<string, string>>,
  file: string,
  ...flags: ReadonlyArray<string>
): Promise<RunningSwitch> =>
  watched((out, err) => {
    const { code, fiber, signal } = startHere(["run", file, ...flags], { env }, out, err)
    runningHere.push(fiber)
    return { code, signal }
  })

/** Starts a switch as a process of its own. */
export const runSwitchProcess = (file: string, ...flags: ReadonlyArray<string>): Promise<RunningSwitch> =>
  runSwitchProcessIn({}, file, ...flags)

/** The same with more in its environment. */
export const runSwitchProcessIn = (
  env: Readonly<Record<string, string>>,
  file: string,
  ...flags: ReadonlyArray<string>
): Promise<RunningSwitch> => watchedProcess(start(["run", file, ...flags], env))

/** The same, and once it is ready nobody reads what it prints and logs any more. */
export const runSwitchUnread = async (file: string): Promise<RunningSwitch> => {
  const child = start(["run", file], {})
  const running = await watchedProcess(child)
  child.stdout!.destroy()
  child.stderr!.destroy()
  return running
}

/** A command whose standard output nobody reads, as behind `| true`, and how it ends. */
export const jinkaUnread = (
  args: ReadonlyArray<string>
): Promise<{ readonly code: number | null; readonly err: string }> => {
  const child = start(args, {})
  let err = ""
  child.stdout!.destroy()
  child.stderr!.on("data", (text) => {
    err += text
  })
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, err })))
}

/** The same with a journal that cannot grow beyond a few hundred KiB. */
export const runLimitedSwitch = (file: string): Promise<RunningSwitch> =>
  watchedProcess(start(["run", file], {}, limited))

/** The same behind another program that is given ours to start: strace, for a disk that fails. */
export const runSwitchUnder = (before: ReadonlyArray<string>, file: string): Promise<RunningSwitch> =>
  watchedProcess(start(["run", file], {}, before))

const watchedProcess = (child: ChildProcess): Promise<RunningSwitch> =>
  watched((out, err) => {
    child.stdout!.setEncoding("utf8").on("data", out)
    child.stderr!.setEncoding("utf8").on("data", err)
    const code = new Promise<number | null>((resolve) => child.once("close", resolve))
    return { code, signal: (signal) => child.kill(signal) }
  })

/** What a start gives to look at it. */
type Starting = (
  out: Printer,
  err: Printer
) => {
  readonly code: Promise<number | null>
  readonly signal: (signal: NodeJS.Signals) => void
}

const watched = (starting: Starting): Promise<RunningSwitch> => {
  const lines: Array<Said> = []
  let err = ""
  let unended = ""
  return new Promise((resolve, reject) => {
    const { code, signal } = starting(
      (text) => {
        const parts = (unended + text).split("\n")
        unended = parts.pop()!
        for (const line of parts) heard(JSON.parse(line))
      },
      (text) => {
        err += text
      }
    )
    const ended = code.then((ending) => ({ code: ending, lines, err }))
    const heard = (ready: Said): void => {
      lines.push(ready)
      if (ready.event !== "ready") return
      resolve({
        ready,
        port: (name) => ready.links.find((link) => link.name === name)?.listens?.port ?? 0,
        signal,
        err: () => err,
        status: () => Effect.runPromise(ask(ready.control, "GET", "/status", StatusReport)),
        stop: async () => {
          await Effect.runPromise(ask(ready.control, "POST", "/drain", DrainReport))
          await ended
        },
        ended
      })
    }
    void ended.then((end) => reject(new Error(`the switch ended with ${end.code}: ${end.err}`)), reject)
  })
}

/** A configuration whose requests end without an answer after two seconds, for tests that wait for that. */
export const hasty = (yaml: string): string => yaml.replace("requestTimeout: 20 seconds", "requestTimeout: 2 seconds")

/**
 * Writes a configuration of an acquirer and an issuer that both connect to the switch; returns its path. Requests wait longer
 * than any machine stands still, unless it is `hasty`.
 */
export const configuration = (directory: string, changes: (text: string) => string = (text) => text): string => {
  const file = join(directory, "switch.yaml")
  writeFileSync(
    file,
    changes(`name: demo
institution: "00010000"
journal: { directory: ./journal, key: { env: JINKA_TEST_KEY }, reserve: 1 MiB }
requestTimeout: 20 seconds
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
