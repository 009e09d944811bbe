/**
 * Two partners joined by one switch: twenty requests, the state of the links, the life of one request, and an orderly end.
 */
import { hash } from "node:crypto"
import { mkdirSync, rmSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { type Child, run, type Start, start } from "../main-job/Child.ts"

const home = fileURLToPath(new URL("../../.jinka/01-first-link", import.meta.url))
const configuration = fileURLToPath(new URL("./switch.yaml", import.meta.url))

/** A key for this demonstration. A real one is made once, with `openssl rand -hex 32`, and kept in a safe place. */
const env = { JINKA_JOURNAL_KEY: hash("sha256", "jinka demonstration") }

const jinka = (name: string, ...args: ReadonlyArray<string>): Start => ({
  name,
  file: "packages/switch/src/main.ts",
  args,
  env,
  logFile: `${home}/${name}.log`
})

const partner = (name: string, ...args: ReadonlyArray<string>): Start => ({
  name,
  file: "packages/simulator/src/main.ts",
  args: [name, ...args, "--seed", "1", "--control"],
  logFile: `${home}/${name}.log`
})

/** Runs a command of `jinka` and prints what it printed. */
const shown = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const [command = "", ...flags] = args
  yield* Console.log(`\n$ jinka ${[command, "switch.yaml", ...flags].join(" ")}`)
  const { text } = yield* run(jinka(command, command, configuration, ...flags))
  yield* Console.log(text.join("\n"))
})

const ended = (child: Child) =>
  Effect.andThen(
    Effect.sync(() => child.tell({ do: "finish" })),
    child.exited
  )

const story = Effect.gen(function* () {
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  yield* shown("check")
  const issuer = yield* start(partner("issuer", "--listen", "127.0.0.1:7812", "--institution", "01020000"))
  yield* issuer.until("started")
  const running = yield* start(jinka("run", "run", configuration))
  yield* running.until("ready")
  const flags = ["--connect", "127.0.0.1:7811", "--institution", "48020000", "--rate", "20", "--count", "20", "--stay"]
  const acquirer = yield* start(partner("acquirer", ...flags))
  yield* acquirer.until("signedOn")
  // Twenty requests at twenty a second, and a moment for the last answer.
  yield* Effect.sleep("1500 millis")
  yield* shown("status")
  yield* shown("trace", "--stan", "2")
  yield* ended(acquirer)
  yield* shown("stop")
  yield* running.exited
  yield* ended(issuer)
  const summary = acquirer.last("summary")
  yield* Console.log(`\n${summary?.["approved"]} approved; the logs and the journal are in .jinka/01-first-link`)
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
