/**
 * `npm run bench keys`: what zones cost. The relay bench's request with MACs verified and made on both sides (four of them) and
 * its PIN block translated, by the software module and by a device in the network that takes 2 ms for each command, beside the
 * same switch without keys.
 */
import { type ChildProcess, fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Table from "cli-table3"
import { Children, said } from "./Children.ts"
import { sealedFields } from "./keys/Zones.ts"
import type { Measured } from "./relay/acquirer.ts"

/** One row: what is guarded by which module, and what was measured at the acquirer. */
export interface Row extends Measured {
  readonly guarded: string
  readonly module: string
  readonly load: string
  /** Processor time of the switch for each transaction, in microseconds. */
  readonly cpuUs: number
  /** What a command of the device took as the switch saw it, in milliseconds. */
  readonly answerMs?: number | undefined
}

/** How long a command of the device takes, in milliseconds. */
const DEVICE_MS = 2

const file = (name: string) => new URL(`./${name}.ts`, import.meta.url).pathname

type Used = { readonly cpuUs: number; readonly answerMs?: number }

const usage = (relay: ChildProcess): Promise<Used> => {
  const answer = new Promise<Used>((resolve) => relay.once("message", (usage) => resolve(usage as Used)))
  relay.send("usage")
  return answer
}

let acquirers = 0

const drive = async (relay: ChildProcess, port: number, mode: string, amount: number, seconds: number) => {
  const first = (acquirers++ % 100) * 100
  const { block, mac } = sealedFields()
  const acquirer = fork(file("relay/acquirer"), [String(port), mode, String(amount), String(seconds), String(first)], {
    env: { ...process.env, JINKA_BENCH_MAC: mac.toString("hex"), JINKA_BENCH_PIN: block.toString("hex") }
  })
  const marks: Array<Promise<Used>> = []
  acquirer.on("message", (message: { mark?: string }) => {
    if (message.mark !== undefined) marks.push(usage(relay))
  })
  const measured = await said<Measured>(acquirer, "measured")
  const [begin, end] = await Promise.all(marks)
  return { ...measured, cpuUs: (end!.cpuUs - begin!.cpuUs) / measured.answered, answerMs: end!.answerMs }
}

const kinds = [
  { guarded: "none", module: "none" },
  { guarded: "mac", module: "software" },
  { guarded: "both", module: "software" },
  { guarded: "pin", module: "device" },
  { guarded: "mac", module: "device" }
] as const

/** Runs the bench; `seconds` for each row. */
export const run = async (seconds = 4): Promise<ReadonlyArray<Row>> => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  const rows: Array<Row> = []
  const children = new Children()
  const start = (name: string, args: ReadonlyArray<string>) => children.start(file(name), args)
  try {
    const echo = await said<number>(start("relay/echo", []), "port")
    const device = await said<number>(start("keys/device", [String(DEVICE_MS)]), "port")
    for (const [at, { guarded, module }] of kinds.entries()) {
      const place = join(directory, String(at))
      const of = module === "device" ? [String(device)] : []
      const relay = start("keys/switch", [String(echo), place, guarded, ...of])
      const port = await said<number>(relay, "port")
      for (const [mode, amount] of [
        ["closed", 256],
        ["open", 1000]
      ] as const) {
        const load = mode === "open" ? `${amount}/s` : `${amount} outstanding`
        rows.push({ guarded, module, load, ...(await drive(relay, port, mode, amount, seconds)) })
      }
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
    head: ["guarded", "module", "load", "tx/s", "p50 us", "p99", "CPU us/tx", "a command, ms", "unanswered"]
  })
  for (const row of rows) {
    const { guarded, load, module, p50, p99, perSecond, unanswered } = row
    table.push([guarded, module, load, perSecond, p50, p99, row.cpuUs.toFixed(1), row.answerMs ?? "", unanswered])
  }
  return table.toString()
}
