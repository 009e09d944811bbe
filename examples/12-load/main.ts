/** Load on an issuer by a schedule, a report with plots, and the highest rate that keeps a bound. */
import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { run, type Start, start } from "../main-job/Child.ts"

const home = fileURLToPath(new URL("../../.jinka/12-load", import.meta.url))
const file = fileURLToPath(new URL("load.yaml", import.meta.url))

const sim = (name: string, args: ReadonlyArray<string>): Start => ({
  name,
  file: "packages/simulator/src/main.ts",
  args,
  logFile: `${home}/${name}.log`
})

const shown = Effect.fnUntraced(function* (name: string, args: ReadonlyArray<string>) {
  const words = args.map((word) => word.replace(file, "load.yaml").replace(home, ".jinka/12-load"))
  yield* Console.log(`\n$ jinka-sim ${words.map((word) => (word.includes(" ") ? `"${word}"` : word)).join(" ")}`)
  const { text } = yield* run(sim(name, args))
  yield* Console.log(text.join("\n"))
})

const story = Effect.gen(function* () {
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const issuer = yield* start(sim("issuer", ["issuer", "--listen", "127.0.0.1:7941", "--control"]))
  yield* issuer.until("started")
  yield* shown("load", ["load", file, "--html", `${home}/load.html`, "--json", `${home}/load.json`])
  yield* shown("knee", ["load", file, "--find-knee", "p90 < 100 ms", "--step", "125 millis"])
  const { answered, sent } = JSON.parse(readFileSync(`${home}/load.json`, "utf8"))
  if (!(sent > 400 && answered === sent)) return yield* Effect.die(new Error(`${answered} of ${sent} answered`))
  yield* Console.log("\nthe report with its plots is .jinka/12-load/load.html")
}).pipe(Effect.scoped)

NodeRuntime.runMain(story)
