/**
 * Replays seeds of the simulation: `node tools/run.mjs test/simulation/run.ts SEED [--hash | --trace | LAST] [WISHES]`.
 *
 * Prints what the seed drew, the end of the trace (all of it with --trace), what came of it and the findings; with --hash only
 * the hash; with LAST only the findings of all seeds from SEED to LAST. WISHES is `Wishes` (Options.ts) as JSON, for another mix
 * of faults. Ends with 1 when there are findings, with 2 when it cannot tell what to do.
 */
import type { Wishes } from "./Options.ts"
import { type RunResult, runSeed } from "./Simulation.ts"
import { subject, wishes } from "./Tested.ts"

const usage = "usage: run.ts SEED [--hash | --trace | LAST] [WISHES as JSON]      SEED, LAST: whole numbers from 0\n"

const isSeed = (text: string | undefined): text is string => text !== undefined && /^\d{1,15}$/.test(text)

const report = ({ options, trace, stats, findings, hash, events }: RunResult): string =>
  [
    JSON.stringify(options, undefined, 1),
    trace,
    JSON.stringify(stats),
    ...findings,
    `${findings.length} findings, ${events} events, hash ${hash}\n`
  ].join("\n")

const findingsOf = ({ seed, findings }: RunResult): string => findings.map((finding) => `${seed} ${finding}\n`).join("")

const main = ([text, how, json]: ReadonlyArray<string>): void => {
  if (!isSeed(text) || !(how === undefined || how === "--hash" || how === "--trace" || isSeed(how))) {
    process.stderr.write(usage)
    process.exitCode = 2
    return
  }
  const wished = json === undefined ? wishes : (JSON.parse(json) as Wishes)
  for (let seed = Number(text); seed <= Number(isSeed(how) ? how : text); seed++) {
    const result = runSeed(seed, { subject, wishes: wished, keepTrace: how === "--trace" })
    if (result.findings.length > 0) process.exitCode = 1
    if (isSeed(how)) process.stdout.write(findingsOf(result))
    else process.stdout.write(how === "--hash" ? `${result.hash}\n` : report(result))
  }
}

main(process.argv.slice(2))
