/**
 * A program of this project as a process of its own that says what it does in lines of JSON on its standard output, and may be
 * told what to do in lines of JSON. Its standard error goes to a file. It is killed when the scope closes.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, existsSync, openSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { Data, Effect, type Scope } from "effect"

/** One line that a program said. `event` names it. */
export interface Said {
  readonly event: string
  readonly [more: string]: unknown
}

/** A program ended before it said what was waited for. */
export class ChildEnded extends Data.TaggedError("ChildEnded")<{
  readonly name: string
  readonly waitedFor: string
  readonly code: number | string | null
  readonly logFile: string
}> {
  override get message() {
    return `${this.name} ended (${this.code}) before it said "${this.waitedFor}"; its log is ${this.logFile}`
  }
}

/** How to start a program: `file` from the project's root, run by the Node that runs this. */
export interface Start {
  readonly name: string
  readonly file: string
  readonly args: ReadonlyArray<string>
  /** A command that starts it, with its arguments: another network, a tracer. */
  readonly before?: ReadonlyArray<string>
  readonly logFile: string
  readonly env?: { readonly [name: string]: string }
}

const root = fileURLToPath(new URL("../../", import.meta.url))

/** The file to start: the source, or what was built of it where `JINKA_PROGRAMS` names a folder with programs that are. */
export const programFile = (file: string): string => {
  const folder = process.env["JINKA_PROGRAMS"] ?? ""
  const built = join(folder, file.replace(/\.ts$/, ".js"))
  return folder !== "" && existsSync(built) ? built : join(root, file)
}

/** A running program. */
export class Child {
  readonly name: string
  /** Everything it has said in lines of JSON, and its other lines. */
  readonly said: Array<Said> = []
  readonly text: Array<string> = []
  private readonly process: ChildProcess
  private readonly logFile: string
  private readonly waiting = new Set<() => void>()
  private ended: number | string | null | undefined

  constructor({ name, file, args, before = [], logFile, env }: Start) {
    this.name = name
    this.logFile = logFile
    const log = openSync(logFile, "a")
    const [program = "", ...rest] = [...before, process.execPath, programFile(file), ...args]
    this.process = spawn(program, rest, {
      stdio: ["pipe", "pipe", log],
      env: { ...process.env, ...env }
    })
    closeSync(log)
    this.process.stdin!.on("error", () => {})
    const lines = createInterface({ input: this.process.stdout! })
    lines.on("line", (line) => this.hear(line))
    // It has ended when it is gone and its last line was read: either may come first.
    const gone = new Promise<number | string | null>((resolve) =>
      this.process.once("exit", (code, signal) => resolve(signal ?? code))
    )
    lines.once("close", () =>
      gone.then((end) => {
        this.ended = end
        this.wake()
      })
    )
  }

  /** Its exit code or signal, once it has ended. */
  readonly exited: Effect.Effect<number | string | null> = Effect.callback((resume) => {
    const look = () => {
      if (this.ended === undefined) return
      this.waiting.delete(look)
      resume(Effect.succeed(this.ended))
    }
    this.waiting.add(look)
    look()
  })

  /** The first line after `from` lines that has this event; fails when the program ends without saying it. */
  until(event: string, from = 0): Effect.Effect<Said, ChildEnded> {
    return Effect.callback((resume) => {
      const look = () => {
        const said = this.said.slice(from).find((line) => line.event === event)
        if (said === undefined && this.ended === undefined) return
        this.waiting.delete(look)
        const { name, logFile, ended } = this
        const failed = new ChildEnded({ name, waitedFor: event, code: ended ?? null, logFile })
        resume(said === undefined ? Effect.fail(failed) : Effect.succeed(said))
      }
      this.waiting.add(look)
      look()
      return Effect.sync(() => this.waiting.delete(look))
    })
  }

  /** The newest line with this event. */
  last(event: string): Said | undefined {
    return this.said.findLast((line) => line.event === event)
  }

  /** Gives it a command on its standard input. */
  tell(command: { readonly do: string; readonly [more: string]: unknown }): void {
    this.process.stdin!.write(`${JSON.stringify(command)}\n`)
  }

  /** Sends it a signal. */
  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }

  private hear(line: string): void {
    if (!line.startsWith("{")) return void this.text.push(line)
    this.said.push(JSON.parse(line) as Said)
    this.wake()
  }

  private wake(): void {
    for (const look of [...this.waiting]) look()
  }
}

/** Starts a program; it is killed with the scope if it still runs then. */
export const start = (how: Start): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Child(how)),
    (child) => Effect.sync(() => child.signal("SIGKILL"))
  )

/** Runs a program to its end and gives what it said. */
export const run = (
  how: Start
): Effect.Effect<Pick<Child, "said" | "text"> & { readonly end: number | string | null }> =>
  Effect.scoped(
    Effect.gen(function* () {
      const child = yield* start(how)
      const end = yield* child.exited
      return { said: child.said, text: child.text, end }
    })
  )
