/**
 * Replays one seed of the simulation: `node tools/run.mjs test/simulation/run.ts SEED [--hash | --trace]`.
 *
 * Prints what the seed drew, the end of the trace (all of it with --trace), what came of it and the findings; with --hash only
 * the hash. Ends with 1 when there are findings, with 2 when it cannot tell what to do.
 */
import { type RunResult, runSeed } from "./Simulation.ts"
import { subject, wishes } from "./Tested.ts"

const usage = "usage: run.ts SEED [--hash | --trace]      SEED is a whole number from 0\n"

const report = ({ options, trace, stats, findings, hash, events }: RunResult): string =>
  [
    JSON.stringify(options, undefined, 1),
    trace,
    JSON.stringify(stats),
    ...findings,
    `${findings.length} findings, ${events} events, hash ${hash}\n`
  ].join("\n")

const main = ([text, option]: ReadonlyArray<string>): void => {
  const seed = Number(text)
  if (text === undefined || !Number.isSafeInteger(seed) || seed < 0) {
    process.stderr.write(usage)
    process.exitCode = 2
    return
  }
  const result = runSeed(seed, { subject, wishes, keepTrace: option === "--trace" })
  process.stdout.write(option === "--hash" ? `${result.hash}\n` : report(result))
  process.exitCode = result.findings.length > 0 ? 1 : 0
}

main(process.argv.slice(2))
