/**
 * The programs of the packages as tests start them: each in a few files. A start from the sources reads some 800 modules, which
 * takes longer than all that comes behind it, and a run of all tests starts some hundreds of them.
 *
 * They are built when a test first starts one, and again when a source has changed: `build.ts`. `npm start`, the pages of
 * test/docs by their first command, test/package and whoever sets nothing start them from their sources.
 */
import { spawnSync } from "node:child_process"
import { hash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** Where they stand, one folder for each state of the sources. */
export const builtPrograms = join(root, "node_modules", ".cache", "programs")

const folders = [...["codec", "simulator", "switch"].map((name) => `packages/${name}/src`), "examples"]

/** All that a built program is made of; the packages that it uses are named by the lock. */
const sources = (): ReadonlyArray<string> => [
  "pnpm-lock.yaml",
  "test/programs/build.ts",
  "test/switch/journal/Journals.ts",
  "test/switch/journal/Writing.ts",
  ...folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .sort()
      .map((file) => `${folder}/${file}`)
  )
]

/** How long a process waits before it looks again for what another one builds, in ms. */
const WAIT_MS = 100

const pause = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

/** Whether this process builds: one of those that begin at the same moment does. The lock of one that has died is taken away. */
const isTaken = (lock: string): boolean => {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" })
    return true
  } catch {
    const owner = Number(existsSync(lock) && readFileSync(lock, "utf8"))
    if (owner > 0 && !existsSync(`/proc/${owner}`)) rmSync(lock, { force: true })
    return false
  }
}

const build = (): string => {
  const state = sources().map((file) => `${file}\n${hash("sha256", readFileSync(join(root, file)))}`)
  const folder = join(builtPrograms, hash("sha256", state.join("\n")).slice(0, 16))
  if (existsSync(folder)) return folder
  const lock = `${folder}.lock`
  mkdirSync(builtPrograms, { recursive: true })
  if (!isTaken(lock)) {
    pause(WAIT_MS)
    return build()
  }
  const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL("build.ts", import.meta.url)), folder])
  rmSync(lock, { force: true })
  if (status !== 0) throw new Error(`the programs cannot be built: ${stderr}`)
  return folder
}

/** Has them built; what this process and its children start by `programFile` are the built ones from now on. */
export const usePrograms = (): void => {
  process.env["JINKA_PROGRAMS"] ??= build()
}

/** The file to start for a program that is named by its source from the root, such as `packages/switch/src/main.ts`. */
export const builtProgram = (source: "packages/simulator/src/main.ts" | "packages/switch/src/main.ts"): string => {
  usePrograms()
  return join(process.env["JINKA_PROGRAMS"]!, source.replace(/\.ts$/, ".js"))
}

/** The file to start for the process that writes a journal until it is killed: `test/switch/journal/Writing.ts`. */
export const builtWriting = (): string => {
  usePrograms()
  return join(process.env["JINKA_PROGRAMS"]!, "Writing.js")
}

/** The same for an example, such as `examples/12-load/main.ts`. */
export const builtExample = (source: string): string => {
  usePrograms()
  return join(process.env["JINKA_PROGRAMS"]!, "tests", source.replace(/\.ts$/, ".js"))
}
