/** `jinka-sim check`: judges the files of a run. */
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { check } from "../checker/Checker.ts"
import { readEvidence } from "../checker/EvidenceFiles.ts"
import { counted } from "../file/Counted.ts"
import { millisecondsOf } from "../file/YamlNodes.ts"
import { verdictLine, verdictTable } from "../report/Report.ts"
import { isTerminal, Unsettled } from "./Conduct.ts"
import { listOf } from "./Flags.ts"

/** Files with commas between, or the flag again for each of them. */
const files = (name: string, description: string, least = 1): Flag.Flag<ReadonlyArray<string>> =>
  Flag.String(name).pipe(
    Flag.withMetavar("files"),
    Flag.withDescription(description),
    Flag.atLeast(least),
    Flag.map((texts) => texts.flatMap(listOf))
  )

const flags = {
  acquirer: files("acquirer", "Histories of the acquirers, with commas between"),
  issuer: files("issuer", "Histories of the issuers, with commas between"),
  ledger: files("ledger", "Ledger files of the issuers, with commas between"),
  journal: files("journal", "The switch's account, one transaction a line: mti, key, rrn, end, code, reversed", 0),
  proxy: files(
    "proxy",
    "Histories of fault proxies in front of the switch or system under test: what they made themselves is no finding",
    0
  ),
  issuerProxy: files("issuer-proxy", "The same of proxies between the switch and issuers", 0),
  traffic: files("traffic", "Traffic that proxies recorded: the bytes of a finding's messages", 0),
  log: files("log", "Logs and other files in which card data is sought", 0),
  away: Flag.Boolean("away").pipe(
    Flag.withDescription("The journal's store was away for a time: refusals of that time need not be in the journal"),
    Flag.withDefault(false)
  ),
  within: Flag.String("within").pipe(
    Flag.withMetavar("duration"),
    Flag.withDescription('Longest time of a request at its acquirer, "15 seconds" (default: it is not looked at)'),
    Flag.filterMap(
      (text) => Option.fromNullishOr(millisecondsOf(text)),
      (text) => `--within takes a duration, "15 seconds", not "${text}"`
    ),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  ),
  format: Flag.Literals("format", ["json", "table"]).pipe(
    Flag.withDescription("One JSON object, or tables (default table)"),
    Flag.withDefault("table" as const)
  )
}

/** The command `jinka-sim check`. */
export const checkCommand = Command.make(
  "check",
  flags,
  Effect.fn(function* (input) {
    const verdict = check({ ...(yield* readEvidence(input)), withinMs: input.within, wasAway: input.away })
    yield* Console.log(input.format === "json" ? verdictLine(verdict) : verdictTable(verdict, yield* isTerminal))
    if (!verdict.isPassed) {
      return yield* new Unsettled({ reason: `${counted(verdict.findings.length, "finding")}: see the rules above` })
    }
  })
).pipe(
  Command.withDescription(
    "Reconciles a run from the files that the partners wrote: every request ended once, nothing lost, nothing doubled, " +
      "the right answers, and the sum of approvals less reversals equal to the ledger. With --journal also what the " +
      "switch says; with --proxy what was done on the way, and with --traffic the bytes. Each finding is shown as a " +
      "timeline. At the end it says what no rule can see. Exit codes: 0 every rule was kept, 1 a rule was broken, 2 a " +
      "file cannot be read."
  ),
  Command.withShortDescription("Reconciles both histories, the ledger and the switch's journal"),
  Command.withExamples([
    {
      command: "jinka-sim check --acquirer acquirer.jsonl --issuer issuer.jsonl --ledger ledger.jsonl",
      description: "The table and the findings of a run"
    }
  ])
)
