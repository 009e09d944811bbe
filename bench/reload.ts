/**
 * `npm run bench reload`: how long the thread of a switch with 1,000 links stands still while it reloads its file, and while it
 * refuses one with 5,000 errors. The baseline is the same switch with nothing to do.
 *
 * The links dial an address where nobody listens: what is measured is the reading and the change, not their partners.
 */
import { fork, spawn } from "node:child_process"
import { hash } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import Table from "cli-table3"
import { said } from "./Children.ts"

/** One figure. */
export interface ReloadRow {
  readonly what: string
  readonly links: number
  /** What `jinka reload` took, its own start included, in ms. */
  readonly tookMs: number
  /** The longest time that the loop stood still meanwhile, in ms. */
  readonly stalledMs: number
  /** The most processor time that one pass of the loop took, in ms: the same as far as it is the switch's own. */
  readonly busiestMs: number
}

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const jinka = file("../packages/switch/src/main.ts")

/** How long a start or a change is given to come to rest, in ms. */
const SETTLE_MS = 2000

/**
 * A configuration with so many links; the last one's name is `last`. `faults` of its links have a wrong dialect. All of them have
 * this window.
 */
const configuration = (links: number, last: string, faults = 0, window = 64): string => {
  const one = (n: number) => `  - name: ${n === links - 1 ? last : `link-${n}`}
    institution: "${String(10_000_000 + n)}"
    dialect: ${n < faults ? "cusp" : "cups"}
    window: ${window}
    connect: { host: 127.0.0.1, port: 9 }
    reconnect: { min: 20 minutes, max: 20 minutes }
`
  return `name: bench
institution: "00010000"
journal: { directory: ./journal, key: { env: JINKA_JOURNAL_KEY } }
links:
${Array.from({ length: links }, (_, n) => one(n)).join("")}routes:
  - { bin: "62", to: link-0 }
`
}

/** Runs the bench. */
export const run = async (links = 1000, faults = 5000): Promise<ReadonlyArray<ReloadRow>> => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  const path = join(directory, "switch.yaml")
  const env = { ...process.env, JINKA_JOURNAL_KEY: hash("sha256", "the key of this bench") }
  writeFileSync(path, configuration(links, "last"))
  const child = fork(jinka, ["run", path], {
    env,
    execArgv: ["--import", file("./reload/watch.ts")],
    stdio: ["ignore", "pipe", "ignore", "ipc"]
  })
  try {
    await once(child.stdout!, "data")
    const measured = async (what: string, count: number, meanwhile: () => Promise<unknown>): Promise<ReloadRow> => {
      await delay(SETTLE_MS)
      child.send("begin")
      const began = performance.now()
      await meanwhile()
      const tookMs = Math.round(performance.now() - began)
      const told = said<{ readonly ms: number; readonly busiestMs: number }>(child, "stalled")
      child.send("end")
      const { busiestMs, ms } = await told
      return { what, links: count, tookMs, stalledMs: ms, busiestMs }
    }
    const reload = (text: string) => () => {
      writeFileSync(path, text)
      return once(
        spawn(process.execPath, [jinka, "reload", path, "--control", join(directory, "journal")], {
          env,
          stdio: "ignore"
        }),
        "close"
      )
    }
    return [
      await measured("nothing", links, () => delay(SETTLE_MS)),
      await measured("one link goes, one comes", links, reload(configuration(links, "renamed"))),
      await measured("every link changes", links, reload(configuration(links, "renamed", 0, 32))),
      await measured(`refused: ${faults} errors`, faults, reload(configuration(faults, "renamed", faults)))
    ]
  } finally {
    child.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The rows as a table. */
export const report = (rows: ReadonlyArray<ReloadRow>): string => {
  const table = new Table({
    head: ["reload", "links in the file", "took ms", "longest stall ms", "busiest pass, CPU ms"]
  })
  for (const { what, links, tookMs, stalledMs, busiestMs } of rows) {
    table.push([what, links, tookMs, stalledMs.toFixed(1), busiestMs.toFixed(1)])
  }
  return table.toString()
}
