/**
 * `npm run bench links`: 1,000 links of one switch, in four moments: started and all ready; a steady minute's share of idle
 * frames; every connection reset at once; and all of them back. Baseline of the same run: a process with as many plain
 * sockets that does the same, and sends the same idle frames, without any of what makes a link. Partners are one process
 * more.
 *
 * It does not show a network: a thousand handshakes over loopback cost no round trips. Nor traffic: see `relay`.
 */
import { type ChildProcess, fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Table from "cli-table3"
import { said } from "./Children.ts"

/** What one side did. Times in milliseconds, memory in MiB. */
export interface LinksRow {
  readonly what: "links of the switch" | "plain sockets"
  readonly count: number
  /** From the start of the process's own work until every one was up. */
  readonly startMs: number
  /** Part of one processor while nothing but idle frames goes out. */
  readonly steadyCpu: number
  /** Idle frames that arrived at the partners in one second. */
  readonly idlePerSecond: number
  readonly steadyMiB: number
  /** Resident memory of one, with that of a process with a single one taken off. */
  readonly kibEach: number
  /** From the reset of all until every one was up again. */
  readonly flapMs: number
  readonly flapPeakMiB: number
  /** The longest turn of the main thread during the flap. */
  readonly flapLoopDelayMs: number
}

/** What a child says of itself when it is asked. */
interface Measured {
  readonly up: number
  readonly at: number
  readonly cpuUs: number
  readonly rss: number
  readonly loopDelayMs: number
}

const file = (name: string) => new URL(`./links/${name}.ts`, import.meta.url).pathname

const ask = <A>(child: ChildProcess, what: string): Promise<A> => {
  const answer = said<A>(child, what)
  child.send(what)
  return answer
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits until it is so of what the child tells; the last thing measured. `each` sees everything on the way. */
const until = async (
  child: ChildProcess,
  isSo: (measured: Measured) => boolean,
  each: (measured: Measured) => void = () => {}
): Promise<Measured> => {
  for (;;) {
    const measured = await ask<Measured>(child, "measured")
    each(measured)
    if (isSo(measured)) return measured
    await pause(10)
  }
}

const measure = async (
  what: LinksRow["what"],
  name: string,
  count: number,
  seconds: number,
  directory: string
): Promise<LinksRow> => {
  const partners = fork(file("partners"))
  const children = [partners]
  const started = (links: number): ChildProcess => {
    const child = fork(file(name), [String(port), String(links), join(directory, `${name}-${links}`)])
    children.push(child)
    return child
  }
  const port = await said<number>(partners, "port")
  try {
    const single = started(1)
    await until(single, ({ up }) => up === 1)
    await pause(1000)
    const { rss } = await ask<Measured>(single, "measured")
    single.kill()
    const child = started(count)
    const began = await said<number>(child, "begun")
    const { at } = await until(child, ({ up }) => up === count)
    await pause(2000)
    const idle = await ask<number>(partners, "idle")
    const before = await ask<Measured>(child, "measured")
    await pause(seconds * 1000)
    const after = await ask<Measured>(child, "measured")
    const idlePerSecond = ((await ask<number>(partners, "idle")) - idle) / seconds
    let peak = 0
    let loopDelayMs = 0
    const reset = performance.now()
    partners.send("reset")
    await said(partners, "reset")
    const watch = (measured: Measured) => {
      peak = Math.max(peak, measured.rss)
      loopDelayMs = Math.max(loopDelayMs, measured.loopDelayMs)
    }
    await until(child, ({ up }) => up < count, watch)
    await until(child, ({ up }) => up === count, watch)
    return {
      what,
      count,
      startMs: at - began,
      steadyCpu: (after.cpuUs - before.cpuUs) / (seconds * 1e6),
      idlePerSecond,
      steadyMiB: after.rss / 2 ** 20,
      kibEach: (after.rss - rss) / 1024 / (count - 1),
      flapMs: performance.now() - reset,
      flapPeakMiB: peak / 2 ** 20,
      flapLoopDelayMs: loopDelayMs
    }
  } finally {
    for (const child of children) child.kill()
  }
}

/** Runs the bench: `count` links, `seconds` of steady state. */
export const run = async (count = 1000, seconds = 10): Promise<ReadonlyArray<LinksRow>> => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  try {
    return [
      await measure("plain sockets", "sockets", count, seconds, directory),
      await measure("links of the switch", "links", count, seconds, directory)
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The rows as a table. */
export const report = (rows: ReadonlyArray<LinksRow>): string => {
  const table = new Table({
    head: ["", "count", "all up ms", "CPU idle", "idle/s", "MiB", "KiB each", "flap: back ms", "peak MiB", "loop ms"]
  })
  for (const row of rows) {
    table.push([
      row.what,
      row.count,
      row.startMs.toFixed(0),
      `${(row.steadyCpu * 100).toFixed(2)} %`,
      row.idlePerSecond.toFixed(0),
      row.steadyMiB.toFixed(0),
      row.kibEach.toFixed(1),
      row.flapMs.toFixed(0),
      row.flapPeakMiB.toFixed(0),
      row.flapLoopDelayMs.toFixed(1)
    ])
  }
  return table.toString()
}
