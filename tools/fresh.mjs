// Does the repository work on a machine that knows nothing of it? Clones the last commit into an empty folder, and runs a
// command there with an empty home and no environment but PATH. Not part of the test suite: it downloads everything.
//   node tools/fresh.mjs                        npm test
//   node tools/fresh.mjs npm run jinka          another command
//   node tools/fresh.mjs --uncommitted npm test the files as they are now, without what git ignores
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const isUncommitted = process.argv[2] === "--uncommitted"
const given = process.argv.slice(isUncommitted ? 3 : 2)
const [command, ...args] = given.length > 0 ? given : ["npm", "test"]

const folder = mkdtempSync(join(tmpdir(), "jinka-fresh-"))
const clone = join(folder, "jinka")
const home = join(folder, "home")
mkdirSync(home)

const git = (...gitArgs) => {
  const { status, stdout } = spawnSync("git", gitArgs, { cwd: root, stdio: ["ignore", "pipe", "inherit"] })
  if (status !== 0) process.exit(status ?? 1)
  return stdout.toString()
}
if (isUncommitted) {
  for (const file of git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0").filter(Boolean)) {
    cpSync(join(root, file), join(clone, file))
  }
} else git("clone", "--quiet", "--no-local", root, clone)

const started = Date.now()
const { status } = spawnSync(command, args, {
  cwd: clone,
  stdio: ["ignore", "inherit", "inherit"],
  env: { PATH: [dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter), HOME: home }
})
console.log(`${[command, ...args].join(" ")}: exit code ${status}, ${((Date.now() - started) / 1000).toFixed(1)} s`)
if (status === 0) rmSync(folder, { recursive: true, force: true })
else console.log(`Left for a look: ${clone}`)
process.exitCode = status ?? 1
