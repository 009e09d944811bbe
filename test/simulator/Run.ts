/** Runs of `jinka-sim` that a test steers: as processes, or within its own. */
import { spawn } from "node:child_process"
import { builtProgram } from "../programs/Programs.ts"
import type { Hearing, Started } from "./here.ts"

/** The program that a process runs. */
export const program = builtProgram("packages/simulator/src/main.ts")

type Event = { readonly event: string; readonly [name: string]: unknown }

/** Starts `jinka-sim` as a process of its own. */
export const startProcess = (args: ReadonlyArray<string>, hearing: Hearing): Started => {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["pipe", "pipe", "pipe"] })
  child.stdout.setEncoding("utf8").on("data", hearing.out)
  child.stderr.setEncoding("utf8").on("data", hearing.err)
  return {
    exit: new Promise((resolve) => child.on("close", (code) => resolve(code ?? -1))),
    say: (text) => void child.stdin.write(text),
    hangUp: () => void child.stdin.end(),
    stop: () => void child.kill("SIGTERM"),
    kill: () => void child.kill("SIGKILL")
  }
}

/** One run, and the events that it has said. */
export class Run {
  readonly events: Array<Event> = []
  errors = ""
  readonly exit: Promise<number>
  private readonly started: Started
  private waiting: Array<() => void> = []

  constructor(begin: (args: ReadonlyArray<string>, hearing: Hearing) => Started, args: ReadonlyArray<string>) {
    let rest = ""
    this.started = begin(args, {
      out: (text) => {
        const lines = (rest + text).split("\n")
        rest = lines.pop()!
        for (const line of lines) if (line.startsWith("{")) this.events.push(JSON.parse(line) as Event)
        for (const wake of this.waiting.splice(0)) wake()
      },
      err: (text) => {
        this.errors += text
      }
    })
    this.exit = this.started.exit
  }

  /** The n-th event of a name, when it comes. */
  async event(name: string, count = 1): Promise<Event> {
    for (;;) {
      const before = this.events.length
      const said = this.events.filter(({ event }) => event === name)
      const found = said[count - 1]
      if (found !== undefined) return found
      const ended = await Promise.race([
        this.exit.then(() => true),
        new Promise<boolean>((resolve) => this.waiting.push(() => resolve(false)))
      ])
      if (ended && this.events.length === before) {
        throw new Error(`ended after ${said.length} of ${count} ${name}: ${this.errors}`)
      }
    }
  }

  say(command: object | string): void {
    this.started.say(`${typeof command === "string" ? command : JSON.stringify(command)}\n`)
  }

  hangUp(): void {
    this.started.hangUp()
  }

  /** As a first signal would. */
  stop(): void {
    this.started.stop()
  }

  kill(): void {
    this.started.kill()
  }
}
