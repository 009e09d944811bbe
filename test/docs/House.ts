/** A clean copy of the repository, and a shell in it that runs the commands of a page one after the other. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { isOver } from "../Pace.ts"
import { builtProgram, usePrograms } from "../programs/Programs.ts"
import { testFolder } from "../TestFolder.ts"

/** How long a quiet machine may take until a command that runs beside is up. */
const UP_MS = 20_000

const root = fileURLToPath(new URL("../../", import.meta.url))

/** The program behind a script of package.json. */
const programOf = { jinka: "packages/switch/src/main.ts", sim: "packages/simulator/src/main.ts" } as const

/** What a command printed, both streams, and how it ended. */
export interface Ran {
  readonly code: number | null
  readonly out: string
}

/** The copy. */
export class House {
  readonly path = mkdtempSync(join(testFolder(), "jinka-docs-"))
  private readonly exports: Array<string> = []
  private readonly running: Array<ChildProcess> = []
  private readonly npmRan = new Set<string>()

  constructor() {
    usePrograms()
    const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root })
    const files = listed.toString().split("\0").filter(Boolean)
    for (const folder of new Set(files.map((file) => dirname(file))))
      mkdirSync(join(this.path, folder), { recursive: true })
    for (const file of files) copyFileSync(join(root, file), join(this.path, file))
    // What the first command would install.
    symlinkSync(join(root, "node_modules"), join(this.path, "node_modules"))
    for (const name of readdirSync(join(root, "packages"))) {
      symlinkSync(join(root, "packages", name, "node_modules"), join(this.path, "packages", name, "node_modules"))
    }
  }

  /** Runs a command to its end. An `export` holds for all that come behind it. */
  async run(command: string): Promise<Ran> {
    if (command.startsWith("export ")) this.exports.push(command)
    const child = this.start(command)
    return new Promise((resolve) => child.once("close", (code) => resolve({ code, out: outputOf(child) })))
  }

  /** Runs a command beside; done when its output looks as `isUp` says. Fails when it ends before. */
  async runBeside(command: string, isUp: (output: string) => boolean): Promise<void> {
    const child = this.start(command)
    const began = performance.now()
    while (!isUp(outputOf(child))) {
      const ended = child.exitCode ?? child.signalCode
      if (ended !== null) throw new Error(`${command} ended with ${ended}:\n${outputOf(child)}`)
      if (isOver(began, UP_MS)) throw new Error(`${command} is not up in ${UP_MS} ms:\n${outputOf(child)}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** Ends what runs beside, and removes the copy. */
  close(): void {
    for (const { pid } of this.running) {
      try {
        if (pid !== undefined) process.kill(-pid, "SIGKILL")
      } catch {
        // It has ended already.
      }
    }
    rmSync(this.path, { recursive: true, force: true })
  }

  /** A script that npm has run once is run without npm from then on: npm takes as long as what it starts. */
  private known(command: string): string {
    const [called, name] = /^npm run (?:--silent )?(jinka|sim) -- /.exec(command) ?? []
    if (called === undefined) return command
    const isFirst = !this.npmRan.has(name!)
    this.npmRan.add(name!)
    // As a reader runs it, from the sources; then what was built of them, which starts in a third of the time.
    return isFirst
      ? `JINKA_PROGRAMS= ${command}`
      : `"${process.execPath}" "${builtProgram(programOf[name as "jinka" | "sim"])}" ${command.slice(called.length)}`
  }

  private start(command: string): ChildProcess {
    const { JINKA_JOURNAL_KEY: _, ...env } = process.env
    const child = spawn("bash", ["-c", [...this.exports, this.known(command)].join("\n")], {
      cwd: this.path,
      env: { ...env, NO_COLOR: "1" },
      // A group of its own: npm starts more than one process.
      detached: true
    })
    const chunks: Array<Buffer> = []
    outputs.set(child, chunks)
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => chunks.push(chunk))
    this.running.push(child)
    return child
  }
}

const outputs = new WeakMap<ChildProcess, Array<Buffer>>()

const outputOf = (child: ChildProcess): string => Buffer.concat(outputs.get(child) ?? []).toString()
