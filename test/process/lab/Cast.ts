/**
 * Acquirer, switch and issuer as processes of their own, on one machine or on three, and the accounts that must agree when they
 * have ended: the acquirer's history, the issuer's history and ledger, and the switch's journal.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { parse, stringify } from "yaml"
import { files } from "../../../examples/main-job/Cast.ts"
import { type Child, type Said, start } from "../../../examples/main-job/Child.ts"
import { reconcile, type SummaryLine } from "../../../examples/main-job/Reconciliation.ts"
import { freePort, givePortBack } from "../../../examples/shared/FreePort.ts"
import { ask } from "../../../packages/switch/src/operate/control/ControlCall.ts"
import { StatusReport } from "../../../packages/switch/src/operate/control/Report.ts"
import { isOver } from "../../Pace.ts"
import { usePrograms } from "../../programs/Programs.ts"
import { isEachApproved } from "../../simulator/Kinds.ts"
import { jinka as jinkaHere, key } from "../../switch/operate/program.ts"

usePrograms()

const jinka = "packages/switch/src/main.ts"
const simulator = "packages/simulator/src/main.ts"
const example = new URL("../../../examples/main-job/switch.yaml", import.meta.url)

/** Where a program runs, and the address under which its partners find it. */
export interface Place {
  readonly before: ReadonlyArray<string>
  readonly address: string
}

/** The machine of the test. */
export const here: Place = { before: [], address: "127.0.0.1" }

/** One link of the configuration, to be changed by a test. */
export type LinkText = Record<string, unknown>

/** What one run is told. */
export interface Plan {
  readonly seed: number
  /** Requests a second. */
  readonly rate: number
  /** The switch's time for an answer, in milliseconds. The acquirer waits two seconds longer. */
  readonly requestTimeoutMs: number
  /** Tw of both links, in milliseconds. */
  readonly watchdogMs: number
  readonly acquirer?: Place
  /** Where the acquirer finds the switch. */
  readonly switch?: Place
  readonly issuer?: Place
  /** More flags of the issuer. */
  readonly issuerFlags?: ReadonlyArray<string>
  /** Something in front of the switch's own command, behind that of its place. */
  readonly tool?: ReadonlyArray<string>
}

/** All that runs. */
export interface Cast {
  readonly directory: string
  readonly acquirer: Child
  readonly issuer: Child
  readonly switch: Child
  readonly status: Effect.Effect<StatusReport>
  /** Whether each kind of transaction was approved once: less cannot be judged. */
  readonly isEnough: Effect.Effect<boolean>
  /** The link `name` of the status. */
  readonly link: (name: string) => Effect.Effect<StatusReport["links"][number]>
  /** Ends the load, waits until nothing is open, ends everybody, and compares the accounts. */
  readonly accounts: Effect.Effect<{
    readonly verdict: Effect.Success<ReturnType<typeof reconcile>>
    readonly summary: ReadonlyArray<SummaryLine>
    readonly ended: Said
    readonly stopped: Said | undefined
  }>
}

const millis = (count: number): string => `${count} millis`

const switchFile = (directory: string, plan: Plan, listenPort: number, issuerPort: number): string => {
  const document = parse(readFileSync(example, "utf8")) as Record<string, unknown> & {
    links: readonly [LinkText, LinkText]
  }
  const interval = millis(plan.watchdogMs)
  const from = (plan.acquirer ?? here).address
  const [acquirer, issuer] = document.links
  const watchdog = { interval, probe: true, proofs: 3 }
  Object.assign(acquirer, { listen: { host: "0.0.0.0", port: listenPort, from: [from], second: "replace" }, watchdog })
  const { address } = plan.issuer ?? here
  Object.assign(issuer, {
    connect: { host: address, port: issuerPort, timeout: "1 second" },
    reconnect: { min: "100 millis", max: "500 millis" },
    watchdog
  })
  const file = files(directory).configuration
  const rest = { journal: { directory: "./journal", key: { env: "JINKA_JOURNAL_KEY" } } }
  writeFileSync(file, stringify({ ...document, ...rest, requestTimeout: millis(plan.requestTimeoutMs) }))
  return file
}

/** Starts everybody and waits until both partners are signed on. */
export const makeCast = Effect.fnUntraced(function* (plan: Plan) {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "jinka-lab-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const at = files(directory)
  const seed = String(plan.seed)
  const listenPort = yield* Effect.acquireRelease(freePort, givePortBack)
  const issuer = yield* start({
    name: "issuer",
    file: simulator,
    before: plan.issuer?.before ?? [],
    args: [
      ...["issuer", "--listen", "0.0.0.0:0", "--institution", "01020000", "--seed", seed, "--control"],
      ...["--history", at.issuer, "--ledger", at.ledger, "--idle", "1 second"],
      ...(plan.issuerFlags ?? [])
    ],
    logFile: at.log("issuer")
  })
  const file = switchFile(directory, plan, listenPort, Number((yield* issuer.until("started"))["port"]))
  const before = [...(plan.switch?.before ?? []), ...(plan.tool ?? [])]
  const command = (name: string, args: ReadonlyArray<string>, more: ReadonlyArray<string> = []) => ({
    ...{ name, file: jinka, args, before: more, logFile: at.log(name) },
    env: { JINKA_JOURNAL_KEY: key }
  })
  const running = yield* start(command("switch", ["run", file, "--log", "json"], before))
  const { control } = (yield* running.until("ready")) as Said & { readonly control: string }
  const acquirer = yield* start({
    name: "acquirer",
    file: simulator,
    before: plan.acquirer?.before ?? [],
    args: [
      ...["acquirer", "--connect", `${(plan.switch ?? here).address}:${listenPort}`, "--institution", "48020000"],
      ...["--seed", seed, "--rate", String(plan.rate), "--duration", "600 seconds", "--control"],
      ...["--timeout", millis(plan.requestTimeoutMs + 2000), "--repeat", "1 second", "--drain", "20 seconds"],
      ...["--history", at.acquirer, "--idle", "1 second"]
    ],
    logFile: at.log("acquirer")
  })
  yield* acquirer.until("signedOn")
  const status = Effect.orDie(ask(control, "GET", "/status", StatusReport))
  const cast: Cast = {
    ...{ directory, acquirer, issuer, switch: running, status },
    isEnough: Effect.sync(() => isEachApproved(at.acquirer)),
    link: (name) => Effect.map(status, ({ links }) => links.find((link) => link.name === name)!),
    accounts: accountsOf({ directory, acquirer, issuer, running, status, file })
  }
  yield* until(Effect.map(status, ({ links }) => links.every(({ ready }) => ready)))
  return cast
})

/** Pause between two looks, in ms: what a look costs is work that others wait for. */
const LOOK_MS = 100

/** Waits until `look` gives true; the milliseconds that it took. Fails when that takes too long. */
export const until = (look: Effect.Effect<boolean>, limitMs = 20_000): Effect.Effect<number> => {
  const began = performance.now()
  const again: Effect.Effect<number> = Effect.flatMap(look, (isSo) => {
    const took = performance.now() - began
    if (isSo) return Effect.succeed(took)
    if (isOver(began, limitMs)) return Effect.die(new Error(`did not come about in ${limitMs} ms: ${look}`))
    return Effect.andThen(Effect.sleep(LOOK_MS), again)
  })
  return again
}

/** How long the load goes on, in ms, on a quiet machine, for each kind of transaction to be approved once. */
const ENOUGH_MS = 3000

/** What `jinka journal summary` says of the exchanges in the journal of a configuration. */
export const summaryOf = (file: string, journalKey: string): Effect.Effect<ReadonlyArray<SummaryLine>> =>
  Effect.promise(async () => {
    const { out } = await jinkaHere(["journal", "summary", file, "--json"], { env: { JINKA_JOURNAL_KEY: journalKey } })
    const lines = out.split("\n").filter((line) => line.startsWith("{"))
    return lines.map((line) => JSON.parse(line)).filter((line) => "exchange" in line)
  })

interface Ending {
  readonly directory: string
  readonly acquirer: Child
  readonly issuer: Child
  readonly running: Child
  readonly status: Effect.Effect<StatusReport>
  readonly file: string
}

const accountsOf = ({ acquirer, directory, file, issuer, running, status }: Ending) =>
  Effect.gen(function* () {
    const began = performance.now()
    // The load goes on until it is a run that the checker can judge; where it was stopped, that says what is missing.
    while (!isEachApproved(files(directory).acquirer) && !isOver(began, ENOUGH_MS)) yield* Effect.sleep("100 millis")
    acquirer.tell({ do: "finish" })
    const ended = yield* acquirer.until("summary")
    yield* until(
      Effect.map(status, ({ links }) => links.every(({ outstanding, stored }) => outstanding + stored === 0)),
      30_000
    )
    running.signal("SIGTERM")
    yield* running.exited
    issuer.tell({ do: "finish" })
    yield* issuer.exited
    const lines = yield* summaryOf(file, key)
    const stopped = running.last("stopped")
    const verdict = yield* Effect.orDie(reconcile(directory, lines, stopped))
    return { verdict, summary: lines, ended, stopped }
  }).pipe(Effect.orDie)
