import { writeFileSync } from "node:fs"
import { jinkaSwitch as subject } from "./JinkaSwitch.ts"
import { runSeed } from "./Simulation.ts"

const [seed, wishes] = [Number(process.argv[2]), JSON.parse(process.argv[3] ?? "{}")]
const r = runSeed(seed, { subject, wishes, keepTrace: true })
writeFileSync(`/tmp/t${seed}.txt`, JSON.stringify(r.options, undefined, 1) + "\n" + r.trace)
console.log(JSON.stringify(r.stats), r.findings.slice(0, 20), r.hash)
for (const f of r.options.faults) console.log(JSON.stringify(f))
