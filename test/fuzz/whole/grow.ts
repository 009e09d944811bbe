/**
 * Grows the corpus: `node tools/run.mjs test/fuzz/whole/grow.ts [--messages 500] [--most 30] [--seed 1]`. Draws so many messages
 * for each dialect, with the host's STANs its own and the caller's, and keeps the first with each outcome that no other had, made
 * as short as it can be with that outcome; at most `most` of a dialect and a kind of STAN.
 */
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { dialects } from "@jinka/codec"
import { Chance } from "../../codec/fuzz/Mutation.ts"
import { corpus, corpusFile, type Kept, keptOf } from "./Corpus.ts"
import { FuzzedMessages } from "./FuzzedMessages.ts"
import { outcomeOf, shorter } from "./Outcome.ts"

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "500" },
    most: { type: "string", default: "30" },
    seed: { type: "string", default: "1" }
  }
})

const kept: Array<Kept> = [...corpus]
for (const dialect of Object.values(dialects)) {
  for (const stan of ["callers", "own"] as const) {
    const own = kept.filter((one) => one.dialect === dialect.name && one.stan === stan)
    const seen = new Set(own.map(({ outcome }) => outcome))
    const fuzzed = new FuzzedMessages(dialect, new Chance(Number(values.seed)), keptOf(dialect.name))
    let count = own.length
    for (let n = 0; n < Number(values.messages) && count < Number(values.most); n++) {
      let bytes = fuzzed.next("70010000", { destination: "00010000", source: "70010000" })
      const outcome = await outcomeOf(dialect, stan, bytes)
      if (seen.has(outcome)) continue
      seen.add(outcome)
      for (let isShorter = true; isShorter; ) {
        isShorter = false
        for (const one of shorter(dialect, bytes)) {
          if (one.length >= bytes.length || (await outcomeOf(dialect, stan, one)) !== outcome) continue
          bytes = one
          isShorter = true
          break
        }
      }
      kept.push({ dialect: dialect.name, stan, outcome, hex: bytes.toString("hex") })
      count++
    }
    process.stdout.write(`${dialect.name}, stan ${stan}: ${count}\n`)
  }
}
writeFileSync(corpusFile, kept.map((one) => `${JSON.stringify(one)}\n`).join(""))
