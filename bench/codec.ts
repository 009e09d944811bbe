/**
 * `npm run bench codec`: speed of the codec on one core, beside npm `iso_8583` on the same message in the same run. Each dialect
 * has a thread of its own; the threads follow each other, several times over, because a shared machine is faster at one moment
 * than at another. Figures are of short turns, so that the best one shows the code and the median the machine.
 */
import { Worker } from "node:worker_threads"
import Table from "cli-table3"
import { groups } from "./codec/operations.ts"

/** One operation: messages a second in its best turn, in the quarter of its turns that went best, and in half of them. */
export interface CodecRow {
  readonly dialect: string
  readonly what: string
  /** Of one message, without the length header. */
  readonly messageBytes: number
  readonly best: number
  readonly quarter: number
  readonly median: number
}

interface Measured extends Pick<CodecRow, "dialect" | "what" | "messageBytes"> {
  readonly nanoseconds: ReadonlyArray<number>
}

const PASSES = 4
const TURNS_OF_PASS = 40

const measure = (name: string): Promise<ReadonlyArray<Measured>> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./codec/thread.ts", import.meta.url), {
      workerData: { name, turns: TURNS_OF_PASS }
    })
    worker.once("message", resolve).once("error", reject)
  })

/** Runs the bench, about a minute. */
export const run = async (): Promise<ReadonlyArray<CodecRow>> => {
  const rows = new Map<string, Measured>()
  for (let pass = 0; pass < PASSES; pass++) {
    for (const name of Object.keys(groups)) {
      for (const one of await measure(name)) {
        const key = `${one.dialect}, ${one.what}`
        rows.set(key, { ...one, nanoseconds: [...(rows.get(key)?.nanoseconds ?? []), ...one.nanoseconds] })
      }
    }
  }
  return [...rows.values()].map(({ nanoseconds, ...row }) => {
    const sorted = [...nanoseconds].sort((one, other) => one - other)
    const perSecond = (part: number): number => Math.round(1e9 / sorted[Math.floor(sorted.length * part)]!)
    return { ...row, best: perSecond(0), quarter: perSecond(0.25), median: perSecond(0.5) }
  })
}

const millions = (perSecond: number): string => (perSecond / 1e6).toFixed(perSecond < 1e6 ? 3 : 2)

/** The rows as a table of millions of messages a second; ns are those of the best turn. */
export const report = (rows: ReadonlyArray<CodecRow>): string => {
  const table = new Table({ head: ["dialect", "what", "bytes", "best M/s", "quarter", "median", "best ns"] })
  for (const { dialect, what, messageBytes, best, quarter, median } of rows)
    table.push([dialect, what, messageBytes, ...[best, quarter, median].map(millions), Math.round(1e9 / best)])
  return table.toString()
}
