/**
 * `npm run bench load`: how many requests a second `jinka-sim load` sends from one process, with every latency from its intended
 * start, beside the bench's own acquirer, which writes messages that were made beforehand and measures nothing by schedule. Load,
 * echo and acquirer are processes of one machine and share its cores.
 */
import { fork, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Table from "cli-table3"
import { said } from "./Children.ts"
import { dialect, fields } from "./relay/Frame.ts"

/** One rate. Latencies in milliseconds. */
export interface Row {
  readonly asked: string
  readonly perSecond: number
  readonly answered: number
  readonly p50: number
  readonly p99: number
  readonly lagP99: number
  readonly valid: boolean
}

const path = (name: string): string => new URL(name, import.meta.url).pathname

/** The message of the relay bench; its number, times, amount and reference are new in each. */
const changing: { readonly [de: string]: string } = {
  4: "{amount 100..9999}",
  7: "{time}",
  11: "{stan}",
  12: "{time hhmmss}",
  13: "{time MMDD}",
  37: "{rrn}"
}

const loadFile = (port: number, rate: number, seconds: number): string => {
  const lines = Object.entries(fields).map(([de, value]) => {
    const text = changing[de] ?? (typeof value === "string" ? value : value.toString("hex"))
    return `    ${de}: "${text}"`
  })
  return `
links:
  a: { connect: 127.0.0.1:${port}, dialect: ${dialect.name}, frame: ascii4, connections: 4 }
messages:
  purchase:
    mti: "0200"
${lines.join("\n")}
mix: [1 purchase]
profile: [fixed ${rate}/s for ${seconds}s]
warm up: 1s
`
}

const loaded = (folder: string, port: number, rate: number, seconds: number): Promise<Row> => {
  const file = join(folder, "load.yaml")
  const json = join(folder, "load.json")
  writeFileSync(file, loadFile(port, rate, seconds))
  const program = path("../packages/simulator/src/main.ts")
  const child = spawn(process.execPath, [program, "load", file, "--json", json, "--quiet"], { stdio: "ignore" })
  return new Promise((resolve) => {
    child.once("close", () => {
      const { answered, lag, latency, sent, valid, seconds: lasted } = JSON.parse(readFileSync(json, "utf8"))
      const perSecond = Math.round(sent / Math.min(lasted, seconds))
      resolve({ asked: `${rate}/s`, perSecond, answered, p50: latency.p50, p99: latency.p99, lagP99: lag.p99, valid })
    })
  })
}

/** Runs the bench; `seconds` for each rate. */
export const run = async (seconds = 5): Promise<ReadonlyArray<Row>> => {
  const folder = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  const echo = fork(path("relay/echo.ts"))
  try {
    const port = await said<number>(echo, "port")
    const acquirer = fork(path("relay/acquirer.ts"), [String(port), "closed", "1024", "3", "0"])
    const ceiling = (await said<number>(acquirer, "measured")) as unknown as {
      readonly perSecond: number
      readonly p50: number
      readonly p99: number
    }
    const rows: Array<Row> = [
      {
        asked: "baseline: 1024 outstanding",
        perSecond: ceiling.perSecond,
        answered: ceiling.perSecond * 3,
        p50: ceiling.p50 / 1000,
        p99: ceiling.p99 / 1000,
        lagP99: 0,
        valid: true
      }
    ]
    for (const rate of [25_000, 50_000, 100_000, 150_000]) rows.push(await loaded(folder, port, rate, seconds))
    return rows
  } finally {
    echo.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The rows as a table. */
export const report = (rows: ReadonlyArray<Row>): string => {
  const table = new Table({ head: ["asked", "sent/s", "of the baseline", "p50 ms", "p99", "lag p99", "valid"] })
  const ceiling = rows[0]!.perSecond
  for (const { asked, lagP99, p50, p99, perSecond, valid } of rows) {
    const share = `${((perSecond / ceiling) * 100).toFixed(0)} %`
    table.push([asked, perSecond, share, p50.toFixed(2), p99.toFixed(2), lagP99.toFixed(2), valid ? "yes" : "no"])
  }
  return table.toString()
}
