/** The processes of a bench, and what they say to it over Node's own channel. */
import { type ChildProcess, fork } from "node:child_process"

/** What a child says under `key` for the first time from now on; fails when it ends before. */
export const said = <A>(child: ChildProcess, key: string): Promise<A> =>
  new Promise((resolve, reject) => {
    const exited = () => reject(new Error(`${child.spawnargs[1]} ended before it said ${key}`))
    const heard = (message: Record<string, A>) => {
      if (message[key] === undefined) return
      child.off("message", heard).off("exit", exited)
      resolve(message[key])
    }
    child.on("message", heard).once("exit", exited)
  })

/** Options of the engine that a switch gets from its service files (packages/switch/service). */
export const asServed: ReadonlyArray<string> = ["--max-semi-space-size=8"]

/** Children that end together. */
export class Children {
  private readonly all: Array<ChildProcess> = []

  /** Starts the program in `file`, a path; `options`: of the engine. */
  start(file: string, args: ReadonlyArray<string>, options: ReadonlyArray<string> = []): ChildProcess {
    const child = fork(file, args, { execArgv: [...process.execArgv, ...options] })
    this.all.push(child)
    return child
  }

  /** Ends those that have not. */
  end(): void {
    for (const child of this.all) child.kill()
  }
}
