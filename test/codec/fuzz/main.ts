/**
 * Fuzzes the codec: `node tools/run.mjs test/codec/fuzz/main.ts --seconds 60 [--seed N] [--target decode] [--keep 40]`. Every
 * target gets the same share of the time. `--keep` writes that many inputs a target to test/fixtures/fuzz/corpus.json, those
 * whose outcomes differ. A broken promise is printed with its input and ends the run with 1.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { Chance, mutate } from "./Mutation.ts"
import { seeds } from "./Seeds.ts"
import { type Target, targets } from "./Targets.ts"

const corpusFile = new URL("../../fixtures/fuzz/corpus.json", import.meta.url)

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    target: { type: "string" },
    keep: { type: "string" }
  }
})

const readCorpus = (): Record<string, ReadonlyArray<string>> => {
  try {
    return JSON.parse(readFileSync(corpusFile, "utf8")).inputs
  } catch {
    return {}
  }
}

const run = (name: string, target: Target, known: ReadonlyArray<string>, seconds: number): ReadonlyArray<Buffer> => {
  const chance = new Chance(Number(values.seed))
  const corpus = [...seeds[name]!, ...known.map((hex) => Buffer.from(hex, "hex"))]
  const outcomes = new Map<string, Buffer>()
  const end = Date.now() + 1000 * seconds
  let runs = 0
  const attempt = (bytes: Buffer): void => {
    runs++
    try {
      const outcome = target(bytes)
      if (outcomes.has(outcome)) return
      outcomes.set(outcome, bytes)
      if (corpus.length < 5000) corpus.push(bytes)
    } catch (error) {
      process.stdout.write(`${name}: ${error instanceof Error ? error.stack : error}\ninput ${bytes.toString("hex")}\n`)
      process.exit(1)
    }
  }
  for (const bytes of [...corpus]) attempt(bytes)
  while (Date.now() < end) attempt(mutate(corpus, chance))
  process.stdout.write(`${name}: seed ${values.seed}, ${runs} inputs, ${outcomes.size} outcomes, no promise broken\n`)
  return [...outcomes.values()]
}

const known = readCorpus()
const chosen = Object.entries(targets).filter(([name]) => values.target === undefined || name === values.target)
const kept: Record<string, ReadonlyArray<string>> = { ...known }
for (const [name, target] of chosen) {
  const found = run(name, target, known[name] ?? [], Number(values.seconds) / chosen.length)
  if (values.keep === undefined) continue
  const chance = new Chance(7)
  const few = found.filter(({ length }) => length <= 400)
  const picked = Array.from(
    { length: Math.min(Number(values.keep), few.length) },
    () => few.splice(chance.below(few.length), 1)[0]!
  )
  kept[name] = picked.map((bytes) => bytes.toString("hex"))
}
if (values.keep !== undefined) writeFileSync(corpusFile, `${JSON.stringify({ inputs: kept }, null, 1)}\n`)
