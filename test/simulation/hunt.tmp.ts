import { jinkaSwitch as subject } from "./JinkaSwitch.ts"
import { runSeed } from "./Simulation.ts"

const [from, to] = process.argv.slice(2).map(Number)
const wishes = JSON.parse(process.argv[4] ?? "{}")
const t = performance.now()
let v = 0
let p = 0
for (let seed = from!; seed <= to!; seed++) {
  const r = runSeed(seed, { subject, wishes })
  v += r.stats.virtualSeconds
  p += r.stats.purchases
  if (r.findings.length) {
    console.log(
      seed,
      r.findings.length,
      r.findings.slice(0, 6).map((x) => x.slice(0, 300))
    )
  }
  if (process.argv[5]) console.log(seed, JSON.stringify(r.stats))
}
console.log(v, "virtual s", p, "purchases", ((performance.now() - t) / 1000).toFixed(1), "s")
