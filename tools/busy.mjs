// Is the suite true on a machine that has other work to do? Runs `npm test` three times in a row beside four busy loops.
//   npm run test:busy                      three runs, four loops
//   node tools/busy.mjs --runs 1 --loops 8 vitest run test/process      other numbers, some of the tests
import { spawn, spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const given = process.argv.slice(2)
const option = (name, usual) => {
  const at = given.indexOf(`--${name}`)
  if (at < 0) return usual
  const number = Number(given.splice(at, 2)[1])
  if (Number.isInteger(number) && number > 0) return number
  console.error(`--${name} takes a whole number from 1 on.`)
  process.exit(2)
}
const runs = option("runs", 3)
const loops = option("loops", 4)
const command = given.length > 0 ? given : ["vitest", "run"]

const runner = fileURLToPath(new URL("run.mjs", import.meta.url))
// A loop ends with this process, also when it is killed: its input closes.
const busy =
  "process.stdin.on('end', () => process.exit()).resume(); const spin = () => { for (let n = 0; n < 3e7; n++); setImmediate(spin) }; spin()"
const loop = () => spawn(process.execPath, ["-e", busy], { stdio: ["pipe", "ignore", "ignore"] })
const running = Array.from({ length: loops }, loop)

let failed = 0
for (let run = 1; run <= runs; run++) {
  const began = Date.now()
  console.log(`Run ${run} of ${runs}, beside ${loops} busy loops: ${command.join(" ")}`)
  const { status } = spawnSync(process.execPath, [runner, ...command], { stdio: "inherit" })
  console.log(`Run ${run} of ${runs}: exit code ${status}, ${Math.round((Date.now() - began) / 1000)} s`)
  if (status !== 0) failed++
}
for (const child of running) child.kill()
console.log(failed === 0 ? `All ${runs} runs were good.` : `${failed} of ${runs} runs FAILED.`)
process.exitCode = failed === 0 ? 0 : 1
