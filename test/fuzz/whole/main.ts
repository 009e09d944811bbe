/**
 * Fuzzes the whole switch in virtual time: `node tools/run.mjs test/fuzz/whole/main.ts --messages 1000000 [--seed 1] [--rounds
 * 400]`. A world in which a promise is broken is printed with its seed, and the run ends with 1: `--seed N --worlds 1` shows it
 * again.
 */
import { parseArgs } from "node:util"
import { Effect } from "effect"
import { runWorld } from "./Whole.ts"
import { worldOf, worldText } from "./worlds.ts"

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "100000" },
    worlds: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "400" },
    seed: { type: "string", default: "1" }
  }
})

let messages = 0
let forwarded = 0
let broken = 0
let seed = Number(values.seed)
const first = seed
for (; messages < Number(values.messages) && seed - first < Number(values.worlds); seed++) {
  const world = worldOf(seed, Number(values.rounds))
  const run = await Effect.runPromise(runWorld(world))
  messages += run.messages
  forwarded += run.forwarded
  if (run.findings.length === 0) continue
  broken++
  process.stdout.write(`${worldText(world)}\n  ${run.findings.slice(0, 8).join("\n  ")}\n`)
}
process.stdout.write(
  `seeds ${first} to ${seed - 1}: ${messages} messages, ${forwarded} of them reached a host; ${broken} worlds broke a promise\n`
)
process.exitCode = broken === 0 ? 0 : 1
