/** What the engine is told about its heap: a flag of V8 that a newer Node may not know any more. */
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const module = fileURLToPath(new URL("../../../packages/switch/src/operate/HeapGrowth.ts", import.meta.url))

/** Keeps some 20 MB and collects; the engine prints how far the heap may grow from there. */
const program = `
  const { letHeapGrow } = await import(${JSON.stringify(module)})
  letHeapGrow()
  const kept = Array.from({ length: 300_000 }, (_, n) => ({ n }))
  gc()
  console.log(kept.length)
`

it("lets the heap grow to three times what is alive, however little collecting has cost so far", () => {
  const flags = ["--trace-gc-verbose", "--expose-gc", "--max-semi-space-size=1", "--input-type=module"]
  const said = execFileSync(process.execPath, [...flags, "--eval", program], { encoding: "utf8" })

  const [, alive, limit] = /\[HeapController\] Limit: old size: (\d+) KB, new limit: (\d+) KB/.exec(said)!.map(Number)

  expect(limit! / alive!).toBeGreaterThanOrEqual(3)
  // The nursery is added; left alone the engine would say 4 here, and 1.1 in a switch that has run for a while.
  expect(limit! / alive!).toBeLessThan(3.5)
})
