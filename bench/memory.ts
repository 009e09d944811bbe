/**
 * `npm run bench memory`: what 1,000 idle links and a request that is outstanding cost in memory. The baseline is a process with
 * as many plain sockets. One child process for each figure; sizes after a full collection.
 *
 * It does not show kernel memory: each TCP connection has buffers of its own there.
 */
import { type ChildProcess, fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Table from "cli-table3"

/** One figure. */
export interface MemoryRow {
  readonly what: string
  readonly count: number
  readonly totalMiB: number
  readonly bytesEach: number
}

const file = (name: string) => new URL(`./memory/${name}.ts`, import.meta.url).pathname

const started = (child: ChildProcess): Promise<Record<string, number>> =>
  new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as Record<string, number>))
    child.once("exit", () => reject(new Error(`${child.spawnargs.join(" ")} ended early`)))
  })

/** Runs the bench with `links` idle links and `requests` outstanding requests. */
export const run = async (links = 1000, requests = 10_000): Promise<ReadonlyArray<MemoryRow>> => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  const children: Array<ChildProcess> = []
  const child = (name: string, ...args: ReadonlyArray<string | number>) => {
    const made = fork(file(name), args.map(String), { execArgv: ["--expose-gc"] })
    children.push(made)
    return started(made)
  }
  try {
    const { port } = await child("silent")
    const rows: Array<MemoryRow> = []
    for (const [what, name] of [
      ["idle links of the switch, RSS", "links"],
      ["plain sockets, RSS", "sockets"]
    ] as const) {
      const none = await child(name, port!, 1, join(directory, `${name}-1`))
      const many = await child(name, port!, links + 1, join(directory, `${name}-n`))
      const bytes = many["rss"]! - none["rss"]!
      rows.push({ what, count: links, totalMiB: many["rss"]! / 2 ** 20, bytesEach: Math.round(bytes / links) })
    }
    const before = await child("outstanding", port!, 0, join(directory, "outstanding-0"))
    const after = await child("outstanding", port!, requests, join(directory, "outstanding-n"))
    const bytes = after["heapUsed"]! + after["external"]! - before["heapUsed"]! - before["external"]!
    rows.push({
      what: "outstanding requests, heap and buffers",
      count: requests,
      totalMiB: (after["heapUsed"]! + after["external"]!) / 2 ** 20,
      bytesEach: Math.round(bytes / requests)
    })
    return rows
  } finally {
    for (const made of children) made.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The rows as a table. */
export const report = (rows: ReadonlyArray<MemoryRow>): string => {
  const table = new Table({ head: ["what", "count", "whole process MiB", "bytes each"] })
  for (const { what, count, totalMiB, bytesEach } of rows) table.push([what, count, totalMiB.toFixed(1), bytesEach])
  return table.toString()
}
