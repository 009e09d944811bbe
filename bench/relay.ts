/**
 * `npm run bench relay`: what one request and its answer cost through the switch, with both on disk before they go on, beside
 * a relay that only passes frames on. Acquirer, echo and relay are three processes on one machine and share its cores.
 */
import { type ChildProcess, fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Table from "cli-table3"
import { asServed, Children, said } from "./Children.ts"
import type { Measured } from "./relay/acquirer.ts"

interface Usage {
  readonly cpuUs: number
  readonly mainUs: number
  readonly rss: number
}

/** One row: what was measured at the acquirer, and what the relay used for it. */
export interface Row extends Measured {
  readonly relay: "switch" | "raw"
  readonly load: string
  readonly cpuUs: number
  readonly mainUs: number
  readonly rssMiB: number
}

const file = (name: string) => new URL(`./relay/${name}.ts`, import.meta.url).pathname

const usage = async (relay: ChildProcess): Promise<Usage> => {
  const answer = new Promise<Usage>((resolve) => relay.once("message", (usage) => resolve(usage as unknown as Usage)))
  relay.send("usage")
  return answer
}

/** Acquirers started: each sends transmission times of its own. */
let acquirers = 0

const drive = async (
  kind: Row["relay"],
  relay: ChildProcess,
  port: number,
  mode: string,
  amount: number,
  seconds: number
) => {
  const first = (acquirers++ % 100) * 100
  const acquirer = fork(file("acquirer"), [String(port), mode, String(amount), String(seconds), String(first)])
  const marks: Array<Promise<Usage>> = []
  acquirer.on("message", (message: { mark?: string }) => {
    if (message.mark !== undefined) marks.push(usage(relay))
  })
  const measured = await said<Measured>(acquirer, "measured")
  const [begin, end] = await Promise.all(marks)
  const row: Row = {
    relay: kind,
    load: mode === "open" ? `${amount}/s` : `${amount} outstanding`,
    ...measured,
    cpuUs: (end!.cpuUs - begin!.cpuUs) / measured.answered,
    mainUs: (end!.mainUs - begin!.mainUs) / measured.answered,
    rssMiB: end!.rss / 2 ** 20
  }
  return row
}

/** Runs the bench; `seconds` for each row. */
export const run = async (seconds = 4): Promise<ReadonlyArray<Row>> => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  const rows: Array<Row> = []
  const children = new Children()
  const start = (name: string, args: ReadonlyArray<string>) =>
    children.start(file(name), args, name === "switch" ? asServed : [])
  try {
    const echo = await said<number>(start("echo", []), "port")
    for (const kind of ["raw", "switch"] as const) {
      const relay = start(kind, [String(echo), directory])
      const port = await said<number>(relay, "port")
      for (const outstanding of [64, 1024, 1]) rows.push(await drive(kind, relay, port, "closed", outstanding, seconds))
      rows.push(await drive(kind, relay, port, "open", 10_000, seconds))
      relay.kill()
    }
  } finally {
    children.end()
    rmSync(directory, { recursive: true, force: true })
  }
  return rows
}

/** The rows as a table. */
export const report = (rows: ReadonlyArray<Row>): string => {
  const table = new Table({
    head: ["relay", "load", "tx/s", "p50 us", "p99", "p99.9", "CPU us/tx", "main us/tx", "RSS MiB"]
  })
  for (const row of rows) {
    table.push([
      row.relay,
      row.load,
      row.perSecond,
      row.p50,
      row.p99,
      row.p999,
      row.cpuUs.toFixed(1),
      row.mainUs.toFixed(1),
      row.rssMiB.toFixed(0)
    ])
  }
  return table.toString()
}
