/**
 * The four programs of the main job, started with free ports in a directory of their own: acquirer, switch, issuer, and a
 * proxy in front of the issuer where its line can be cut.
 */
import { hash } from "node:crypto"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { makeFaultProxy } from "@jinka/simulator"
import { Effect } from "effect"
import { parse, stringify } from "yaml"
import { freePort } from "../shared/FreePort.ts"
import { type Said, start } from "./Child.ts"

/** What one run of the main job is told. */
export interface Plan {
  readonly seed: number
  /** Requests a second that the acquirer sends. */
  readonly rate: number
  /** Seconds of load. */
  readonly seconds: number
  /** Answers of the issuer that come 100 ms to 3 s late, in percent; 1 when left out. */
  readonly delayed?: number
  /** Everything that the run writes: journal, histories, logs. Made anew. */
  readonly directory: string
}

const host = "127.0.0.1"
const jinka = "packages/switch/src/main.ts"
const simulator = "packages/simulator/src/main.ts"
const example = new URL("./switch.yaml", import.meta.url)

/** The files of a run. */
export const files = (directory: string) => ({
  configuration: join(directory, "switch.yaml"),
  journal: join(directory, "journal"),
  summary: join(directory, "journal.jsonl"),
  acquirer: join(directory, "acquirer.jsonl"),
  issuer: join(directory, "issuer.jsonl"),
  ledger: join(directory, "ledger.jsonl"),
  log: (name: string) => join(directory, `${name}.log`)
})

/** A key for the journal of a demonstration, different for each seed. A real one is made once and kept in a safe place. */
const journalKey = (seed: number): string => hash("sha256", `jinka seed ${seed}`)

const portOf = (said: Said): number => Number(said["port"])

/** Sets the stage: issuer, proxy and a configuration with their ports. The acquirer starts by `raise`. */
export const prepare = Effect.fnUntraced(function* ({ seed, rate, seconds, delayed = 1, directory }: Plan) {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const at = files(directory)
  const issuer = yield* start({
    name: "issuer",
    file: simulator,
    args: [
      ...["issuer", "--listen", `${host}:0`, "--institution", "01020000", "--seed", String(seed), "--control"],
      ...["--history", at.issuer, "--ledger", at.ledger, "--format", "json", "--status-every", "500 millis"],
      ...["--decline", "6", "--drop", "0.4", "--ignore", "0.3", "--delay", String(delayed)],
      ...["--delay-from", "100 millis", "--delay-to", "3 seconds", "--idle", "5 seconds"]
    ],
    logFile: at.log("issuer")
  })
  const proxy = yield* makeFaultProxy({ host, port: 0 }, { host, port: portOf(yield* issuer.until("started")) })
  const switchPort = yield* freePort
  const configuration = parse(readFileSync(example, "utf8")) as {
    readonly journal: { directory: string }
    readonly links: [Record<string, object>, Record<string, object>]
  }
  configuration.journal["directory"] = "./journal"
  configuration.links[0]["listen"] = { ...configuration.links[0]["listen"], port: switchPort }
  configuration.links[1]["connect"] = { ...configuration.links[1]["connect"], port: proxy.endpoint.port }
  writeFileSync(at.configuration, stringify(configuration))
  const command = (name: string, args: ReadonlyArray<string>) => ({
    name,
    file: jinka,
    args,
    logFile: at.log(name),
    env: { JINKA_JOURNAL_KEY: journalKey(seed) }
  })
  const startSwitch = Effect.gen(function* () {
    const child = yield* start(command("switch", ["run", at.configuration, "--log", "json"]))
    yield* child.until("ready")
    return child
  })
  const raise = start({
    name: "acquirer",
    file: simulator,
    args: [
      ...["acquirer", "--connect", `${host}:${switchPort}`, "--institution", "48020000", "--seed", String(seed)],
      ...["--rate", String(rate), "--duration", `${seconds} seconds`, "--timeout", "4 seconds", "--repeat", "1 second"],
      ...["--drain", "20 seconds", "--history", at.acquirer, "--track2", "30", "--pin", "30", "--idle", "5 seconds"],
      ...["--control", "--format", "json", "--status-every", "500 millis"]
    ],
    logFile: at.log("acquirer")
  })
  return { issuer, proxy, startSwitch, raise, command }
})
