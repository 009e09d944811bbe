/**
 * `npm start`: two institutions joined by one switch, on real sockets, with a journal that survives.
 *
 * Traffic flows, the issuer's line is cut and comes back, the switch is killed with SIGKILL under load and started again,
 * everything drains, and four accounts of the run are compared. Ends with 1 when a transaction was lost or doubled.
 */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { verdictLine, verdictTable } from "@jinka/simulator"
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { type Plan, prepare } from "./Cast.ts"
import { run } from "./Child.ts"
import { say, watch } from "./Progress.ts"
import { mostInteresting, reconcile, type SummaryLine } from "./Reconciliation.ts"
import { type Jinka, settled } from "./Settled.ts"

const home = fileURLToPath(new URL("../../.jinka/main-job", import.meta.url))

/** Seconds after the begin of the load, as parts of its length. */
const CUT_AT = 0.3
const KILL_AT = 0.65

const story = Effect.fnUntraced(function* (plan: Plan) {
  yield* say("starting an issuer, a switch and an acquirer, each a process of its own")
  const { issuer, proxy, startSwitch, raise, command } = yield* prepare(plan)
  const first = yield* startSwitch
  const acquirer = yield* raise
  yield* acquirer.until("signedOn")
  yield* say(`both are signed on; ${plan.rate} requests a second for ${plan.seconds} seconds`)
  const watching = yield* watch(acquirer, issuer)

  yield* Effect.sleep(plan.seconds * CUT_AT * 1000)
  yield* say("the issuer's line is cut (RST) and refuses connections for 2 seconds")
  proxy.cut("reset")
  yield* proxy.refuse(2000)
  yield* say("the line may be used again")

  yield* Effect.sleep(Math.max(0, plan.seconds * (KILL_AT - CUT_AT) * 1000 - 2000))
  yield* say("kill -9 for the switch, under load")
  first.signal("SIGKILL")
  yield* first.exited
  const second = yield* startSwitch
  yield* say("started again: it has read its journal, ended what was open and goes on")

  const summary = yield* acquirer.until("summary")
  yield* say("the acquirer has sent all and waits for nothing more; the switch delivers what it still owes")
  yield* settled(plan, command)
  second.signal("SIGTERM")
  yield* second.exited
  issuer.tell({ do: "finish" })
  yield* issuer.exited
  yield* watching.stop
  return { command, stopped: second.last("stopped"), acquirer: summary }
})

const report = Effect.fnUntraced(function* (plan: Plan, isJson: boolean) {
  const { command, stopped } = yield* Effect.scoped(story(plan))
  const configuration = join(plan.directory, "switch.yaml")
  const { said } = yield* run(command("summary", ["journal", "summary", configuration, "--json"]))
  const summary = said.filter((line) => "exchange" in line) as unknown as ReadonlyArray<SummaryLine>
  const verdict = yield* reconcile(plan.directory, summary, stopped)
  yield* Console.log(`\n${verdictTable(verdict, process.stdout.isTTY)}`)
  yield* showOne(plan, command, mostInteresting(summary))
  yield* byHand(plan)
  if (isJson) yield* Console.log(verdictLine(verdict))
  if (!verdict.isPassed) process.exitCode = 1
})

/** One transaction's life, as an operator would look it up. */
const showOne = Effect.fnUntraced(function* (plan: Plan, command: Jinka, line: SummaryLine | undefined) {
  if (line === undefined) return
  const args = ["trace", join(plan.directory, "switch.yaml"), "--rrn", line.rrn]
  yield* Console.log(`\nOne transaction that was reversed: npm run jinka -- ${args.join(" ")}\n`)
  const { text } = yield* run(command("trace", args))
  yield* Console.log(text.join("\n"))
})

const byHand = ({ directory }: Plan) =>
  Console.log(`
By hand (the journal, histories and logs of this run are in ${directory}):
  test -f .jinka/by-hand.key || openssl rand -hex 32 > .jinka/by-hand.key     # once: no other key opens the journal
  export JINKA_JOURNAL_KEY=$(cat .jinka/by-hand.key)
  npm run sim -- issuer --listen 127.0.0.1:7802 --institution 01020000
  npm run jinka -- run examples/main-job/switch.yaml
  npm run sim -- acquirer --connect 127.0.0.1:7801 --institution 48020000 --rate 100 --duration "30 seconds"
  npm run jinka -- status examples/main-job/switch.yaml`)

const main = Command.make(
  "start",
  {
    seed: Flag.Int("seed").pipe(
      Flag.withDescription("The run's seed: another one gives other transactions and other faults"),
      Flag.withDefault(1)
    ),
    rate: Flag.Int("rate").pipe(Flag.withDescription("Requests a second"), Flag.withDefault(400)),
    seconds: Flag.Int("seconds").pipe(Flag.withDescription("Seconds of load, at least 10"), Flag.withDefault(18)),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("The totals as one line of JSON at the end"),
      Flag.withDefault(false)
    )
  },
  ({ seed, rate, seconds, json }) =>
    report({ seed, rate, seconds: Math.max(10, seconds), directory: home }, json).pipe(
      Effect.catch((failed: unknown) =>
        Effect.andThen(
          Console.error(`The main job stopped: ${failed instanceof Error ? failed.message : String(failed)}`),
          Effect.sync(() => {
            process.exitCode = 1
          })
        )
      )
    )
).pipe(
  Command.withDescription(
    "Two institutions joined by one switch: traffic, a cut line, a killed switch, and the reconciliation"
  )
)

Command.run(main, { version: "0.1.0" }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
