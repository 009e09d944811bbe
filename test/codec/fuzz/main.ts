/**
 * Fuzzes the codec, guided by coverage: `node tools/run.mjs test/codec/fuzz/main.ts --seconds 60 [--seed N] [--target decode]
 * [--keep]`. Every target gets the same share of the time. An input that reaches a branch that none before it reached, or runs
 * one in another order of magnitude, joins the corpus. `--keep` writes the smallest set of inputs that reaches the same to
 * test/fixtures/fuzz/corpus.json. A broken promise is printed with its input and ends the run with 1.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { clear, Reached, register } from "./Coverage.ts"
import { Chance, mutate } from "./Mutation.ts"
import type { Target } from "./Targets.ts"

const corpusFile = new URL("../../fixtures/fuzz/corpus.json", import.meta.url)

/** Longer inputs find nothing that these do not, and make the corpus large. */
const KEPT_BYTES_MAX = 400

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    target: { type: "string" },
    keep: { type: "boolean", default: false }
  }
})

register()
const { targets } = await import("./Targets.ts")
const { seeds } = await import("./Seeds.ts")

const readCorpus = (): Record<string, ReadonlyArray<string>> => JSON.parse(readFileSync(corpusFile, "utf8")).inputs

/** Whether the input reaches something new; a broken promise ends the run. */
const reaches = (name: string, target: Target, bytes: Buffer, reached: Reached): boolean => {
  clear()
  try {
    target(bytes)
  } catch (error) {
    process.stdout.write(`${name}: ${error instanceof Error ? error.stack : error}\ninput ${bytes.toString("hex")}\n`)
    process.exit(1)
  }
  return reached.add()
}

const run = (name: string, target: Target, known: ReadonlyArray<string>, seconds: number): ReadonlyArray<Buffer> => {
  const chance = new Chance(Number(values.seed))
  const reached = new Reached()
  const corpus = [...seeds[name]!, ...known.map((hex) => Buffer.from(hex, "hex"))]
  for (const bytes of corpus) reaches(name, target, bytes, reached)
  const before = reached.size
  const end = Date.now() + 1000 * seconds
  let runs = corpus.length
  for (; Date.now() < end; runs++) {
    const bytes = mutate(corpus, chance)
    if (reaches(name, target, bytes, reached)) corpus.push(bytes)
  }
  const found = `${reached.size} branches and counts, ${reached.size - before} of them new`
  process.stdout.write(`${name}: seed ${values.seed}, ${runs} inputs, ${found}; no promise broken\n`)
  return corpus.slice(seeds[name]!.length)
}

/** Inputs that together reach, beyond the seeds, all that `found` reaches: the short ones first, then without the needless. */
const smallest = (name: string, target: Target, found: ReadonlyArray<Buffer>): ReadonlyArray<Buffer> => {
  const pick = (from: ReadonlyArray<Buffer>): ReadonlyArray<Buffer> => {
    const reached = new Reached()
    for (const bytes of seeds[name]!) reaches(name, target, bytes, reached)
    return from.filter((bytes) => reaches(name, target, bytes, reached))
  }
  const short = found.filter(({ length }) => length <= KEPT_BYTES_MAX).sort((one, other) => one.length - other.length)
  // What long inputs reach makes some short ones needless.
  return pick([...pick(short)].reverse()).toReversed()
}

const kept: Record<string, ReadonlyArray<string>> = { ...readCorpus() }
const chosen = Object.entries(targets).filter(([name]) => values.target === undefined || name === values.target)
for (const [name, target] of chosen) {
  const found = run(name, target, kept[name] ?? [], Number(values.seconds) / chosen.length)
  if (!values.keep) continue
  kept[name] = smallest(name, target, found).map((bytes) => bytes.toString("hex"))
  process.stdout.write(`${name}: ${kept[name].length} inputs kept\n`)
}
if (values.keep) writeFileSync(corpusFile, `${JSON.stringify({ inputs: kept }, null, 1)}\n`)
