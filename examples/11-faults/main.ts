/**
 * A link that loses, doubles, delays and changes answers: an acquirer, an issuer and a fault proxy between them, judged by the
 * checker.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { run, type Start, start } from "../main-job/Child.ts"

const home = fileURLToPath(new URL("../../.jinka/11-faults", import.meta.url))
const file = fileURLToPath(new URL("proxy.yaml", import.meta.url))

const sim = (name: string, args: ReadonlyArray<string>): Start => ({
  name,
  file: "packages/simulator/src/main.ts",
  args,
  logFile: `${home}/${name}.log`
})

const issuer = sim("issuer", [
  ...["issuer", "--listen", "127.0.0.1:7932", "--control"],
  ...["--history", `${home}/issuer.jsonl`, "--ledger", `${home}/ledger.jsonl`]
])

const acquirer = sim("acquirer", [
  ...["acquirer", "--connect", "127.0.0.1:7931", "--rate", "60", "--duration", "3 seconds", "--seed", "7"],
  ...["--timeout", "1 second", "--repeat", "500 millis", "--history", `${home}/acquirer.jsonl`]
])

const shown = Effect.fnUntraced(function* (name: string, args: ReadonlyArray<string>) {
  yield* Console.log(`\n$ jinka-sim ${args.map((word) => (word.includes(" ") ? `"${word}"` : word)).join(" ")}`)
  const { text } = yield* run(sim(name, args))
  yield* Console.log(text.join("\n"))
})

const story = Effect.gen(function* () {
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const running = yield* start(issuer)
  yield* running.until("started")
  const proxy = yield* start(sim("proxy", ["proxy", file, "--history", `${home}/faults.jsonl`]))
  yield* proxy.until("started")
  const loading = yield* start(acquirer)
  yield* loading.until("signedOn")
  yield* shown("set", ["proxy", "set", "drop 0430 once"])
  const { approved, duplicateAnswers, late, mismatches, reversalsAcknowledged } = yield* loading.until("summary")
  yield* shown("list", ["proxy", "list"])
  proxy.signal("SIGTERM")
  running.tell({ do: "finish" })
  yield* Effect.all([proxy.exited, running.exited])
  yield* Console.log(
    `\nthe acquirer: ${approved} approved, ${reversalsAcknowledged} reversed, ${late} late, ${duplicateAnswers} answered twice, ` +
      `${mismatches} with a wrong amount`
  )
  const faults = readFileSync(`${home}/faults.jsonl`, "utf8").trimEnd().split("\n")
  const kinds = faults.map((line) => JSON.parse(line).did as string)
  for (const kind of new Set(kinds)) {
    yield* Console.log(`the proxy: ${kind} ${kinds.filter((one) => one === kind).length}`)
  }
  yield* shown("check", [
    ...["check", "--acquirer", `${home}/acquirer.jsonl`, "--issuer", `${home}/issuer.jsonl`],
    ...["--ledger", `${home}/ledger.jsonl`, "--proxy", `${home}/faults.jsonl`]
  ])
  if (!(Number(duplicateAnswers) > 0 && Number(mismatches) > 0 && Number(reversalsAcknowledged) > 0))
    return yield* Effect.die(new Error("not as told"))
  yield* Console.log("\nthe histories are in .jinka/11-faults")
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
