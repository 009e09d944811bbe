// `npm run check`: types, then lint and format. Every check runs; the exit code is non-zero if one failed.
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const runner = fileURLToPath(new URL("run.mjs", import.meta.url))
const checks = [
  ["types", ["tsc", "-p", "tsconfig.check.json"]],
  ["lint and format", ["biome", "check", "--error-on-warnings"]]
]
let failed = 0
for (const [name, command] of checks) {
  const { status } = spawnSync(process.execPath, [runner, ...command], { stdio: "inherit" })
  console.log(`${name}: ${status === 0 ? "good" : "FAILED"}`)
  if (status !== 0) failed++
}
process.exitCode = failed === 0 ? 0 : 1
