// Runs one thing with the project's own Node 24, whatever Node (>= 20) and package manager the
// machine has. Installs the workspace first when it is missing or the lock has changed.
//   node tools/run.mjs examples/main-job/main.ts --seed 7     a program of the repository, in the current folder
//   node tools/run.mjs vitest run                             a command of an installed package, in the root
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { constants } from "node:os"
import { delimiter, dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const inRoot = (...parts) => join(root, ...parts)

const stop = (message, code = 1) => {
  console.error(message)
  process.exit(code)
}

/** Installs what the lock names; the stamp is the lock's content, because pnpm leaves dates alone. */
const install = () => {
  const lock = readFileSync(inRoot("pnpm-lock.yaml"), "utf8")
  const stamp = inRoot("node_modules", ".installed-lock.yaml")
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return
  const { packageManager } = JSON.parse(readFileSync(inRoot("package.json"), "utf8"))
  console.error(`Setting up: ${packageManager} installs Node 24 and the packages of pnpm-lock.yaml (once) ...`)
  // Short waits: a machine without a network should say so in seconds. pnpm has its own retries for the packages.
  const patience = ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=3000"]
  const result = spawnSync("npx", ["-y", ...patience, packageManager, "install", "--frozen-lockfile"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32"
  })
  if (result.error !== undefined) stop(`npx, which comes with npm, could not be started: ${result.error.message}`)
  if (result.signal !== null) process.exit(128 + constants.signals[result.signal])
  if (result.status !== 0) {
    stop(
      "The packages could not be installed; the reason is above. If it is the network: the first run needs one. " +
        "Connect, or point npm at a registry that this machine can reach, and run the same command again.",
      result.status
    )
  }
  writeFileSync(stamp, lock)
}

const ownNode = () => {
  const own = inRoot("node_modules", `node-${process.platform}-${process.arch}`, "bin", "node")
  if (existsSync(own)) return own
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major > 22 || (major === 22 && minor >= 19)) return process.execPath
  return stop(`Node >= 22.19 is needed on ${process.platform}-${process.arch}; this is ${process.version}.`)
}

const binPackage = { tsc: "typescript", biome: "@biomejs/biome" }

/** The file behind a command of an installed package. */
const binFile = (name) => {
  try {
    const file = createRequire(inRoot("package.json")).resolve(`${binPackage[name] ?? name}/package.json`)
    const bin = JSON.parse(readFileSync(file, "utf8")).bin
    return join(dirname(file), typeof bin === "string" ? bin : bin[name])
  } catch {
    return stop(`${name} is neither a program file (.ts, .mjs, .js) nor a command of an installed package.`)
  }
}

/** The file of a program: its source, or what was built of it where JINKA_PROGRAMS names a folder with programs that are. */
const programFile = (name) => {
  const built = join(process.env.JINKA_PROGRAMS || root, relative(root, resolve(root, name)).replace(/\.ts$/, ".js"))
  return process.env.JINKA_PROGRAMS && existsSync(built) ? built : resolve(root, name)
}

const [what, ...args] = process.argv.slice(2)
if (what === undefined) stop("What shall run? node tools/run.mjs <file.ts | command> [arguments]", 2)
install()
const node = ownNode()
const isProgram = /\.[cm]?[jt]s$/.test(what)
const child = spawn(node, [isProgram ? programFile(what) : binFile(what), ...args], {
  ...(isProgram ? {} : { cwd: root }),
  stdio: "inherit",
  env: {
    // Compiled once for all the processes that a program or a test starts: halves their start.
    NODE_COMPILE_CACHE: inRoot("node_modules", ".cache", "compile"),
    ...process.env,
    PATH: dirname(node) + delimiter + process.env.PATH
  }
})
child.on("error", (error) => stop(`${node} could not be started: ${error.message}`))
// A terminal sends Ctrl-C and its own end to the child as well; to pass them on would make two of one.
const isTerminal = process.stdin.isTTY || process.stderr.isTTY
for (const signal of ["SIGINT", "SIGHUP"]) process.on(signal, () => isTerminal || child.kill(signal))
process.on("SIGTERM", () => child.kill("SIGTERM"))
child.on("exit", (code, signal) => {
  process.exitCode = signal === null ? code : 128 + constants.signals[signal]
})
