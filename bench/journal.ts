/**
 * `npm run bench journal`: what the journal costs: throughput and commit latency through the service on a real disk, the
 * writer's cost on the main thread, and a bare better-sqlite3 insert loop in the same run as the baseline.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import type BetterSqlite3 from "better-sqlite3"
import Table from "cli-table3"
import { Effect, Layer } from "effect"
import { build } from "hdr-histogram-js"
import { writeSecret } from "../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../packages/switch/src/journal/EntryKind.ts"
import { Journal } from "../packages/switch/src/journal/Journal.ts"
import { settings } from "../packages/switch/src/journal/SqliteFile.ts"
import { layerSqlite } from "../packages/switch/src/journal/SqliteStore.ts"

const Database = createRequire(new URL("../packages/switch/package.json", import.meta.url))(
  "better-sqlite3"
) as typeof BetterSqlite3

const MESSAGE_LENGTH = 330
const message = Buffer.alloc(MESSAGE_LENGTH, 0x31)
const pan = "6222020000000000"

/** One way to write entries. */
export interface JournalRow {
  readonly what: string
  readonly entriesPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly loopDelayP99Ms: number
}

/** All figures. */
export interface JournalFigures {
  readonly rows: ReadonlyArray<JournalRow>
  /** What one entry costs the main thread, without a store behind. */
  readonly writerNsPerEntry: number
}

const rounded = (value: number, digits = 3): number => Number(value.toFixed(digits))

/** Bare inserts of the same bytes, one statement a row, in the calling thread: what SQLite alone gives. */
const bare = (group: number, durationMs: number): JournalRow => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  const database = new Database(join(directory, "bare.db"))
  for (const { name, set } of settings) database.pragma(`${name} = ${set}`)
  database.exec("CREATE TABLE entry (seq INTEGER PRIMARY KEY, message BLOB) STRICT")
  const insert = database.prepare("INSERT INTO entry VALUES (?, ?)")
  const [begin, commit] = [database.prepare("BEGIN"), database.prepare("COMMIT")]
  const latency = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 })
  const started = performance.now()
  let seq = 0
  while (performance.now() - started < durationMs) {
    const from = performance.now()
    begin.run()
    for (let n = 0; n < group; n++) insert.run(++seq, message)
    commit.run()
    latency.recordValue((performance.now() - from) * 1000)
  }
  const elapsed = performance.now() - started
  database.close()
  rmSync(directory, { recursive: true })
  return row(`bare SQLite, groups of ${group}`, (seq / elapsed) * 1000, latency, 0)
}

const row = (
  what: string,
  entriesPerSecond: number,
  latency: ReturnType<typeof build>,
  loopDelayP99Ms: number
): JournalRow => ({
  what,
  entriesPerSecond: Math.round(entriesPerSecond),
  p50Ms: rounded(latency.getValueAtPercentile(50) / 1000),
  p99Ms: rounded(latency.getValueAtPercentile(99) / 1000),
  maxMs: rounded(latency.maxValue / 1000),
  loopDelayP99Ms: rounded(loopDelayP99Ms)
})

/**
 * Entries written by closed loops: `outstanding` are on their way at any time, a new one follows each that is
 * durable.
 */
const closedLoop = (outstanding: number, durationMs: number) =>
  Effect.gen(function* () {
    const { writer } = yield* Journal
    const latency = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 })
    const writtenAt = new Float64Array(1 << 17)
    const write = (now: number): void => {
      const at = writer.begin(EntryKind.accepted, "00", MESSAGE_LENGTH + 20)
      writer.on(1, 1)
      message.copy(writer.buffer, at)
      const secret = writer.next % 2 === 0 ? writeSecret(writer.buffer, at + MESSAGE_LENGTH, pan) : 0
      writtenAt[writer.end(MESSAGE_LENGTH, secret) & 0x1ffff] = now
    }
    yield* Effect.callback<void>((resume) => {
      const started = performance.now()
      const first = writer.next
      let acknowledged = first - 1
      writer.onCommitted = (last) => {
        const now = performance.now()
        for (let seq = acknowledged + 1; seq <= last; seq++) {
          latency.recordValue((now - writtenAt[seq & 0x1ffff]!) * 1000)
          if (now - started < durationMs) write(now)
        }
        acknowledged = last
        writer.flush()
        if (writer.pendingEntries === 0) resume(Effect.void)
      }
      for (let n = 0; n < outstanding; n++) write(started)
      writer.flush()
    })
    writer.onCommitted = () => undefined
    return latency
  })

const measured = (what: string, outstanding: number, durationMs: number) =>
  Effect.gen(function* () {
    const { writer } = yield* Journal
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const first = writer.next
    const started = performance.now()
    delay.enable()
    const latency = yield* closedLoop(outstanding, durationMs)
    delay.disable()
    const elapsed = performance.now() - started
    return row(what, ((writer.next - first) / elapsed) * 1000, latency, delay.percentile(99) / 1e6)
  })

/** ns that one entry costs the main thread, without a store behind. */
const writerCost = Effect.gen(function* () {
  const { writer } = yield* Journal
  const groups = 200
  let spent = 0
  for (let group = 0; group < groups; group++) {
    const from = performance.now()
    for (let n = 0; n < 256; n++) {
      const at = writer.begin(EntryKind.accepted, "00", MESSAGE_LENGTH + 20)
      writer.on(1, 1)
      message.copy(writer.buffer, at)
      writer.end(MESSAGE_LENGTH, 0)
    }
    spent += performance.now() - from
    writer.flush()
    yield* Effect.asVoid(
      Effect.callback<void>((resume) => void writer.whenCommitted(writer.next - 1, () => resume(Effect.void)))
    )
  }
  return Math.round((spent * 1e6) / (groups * 256))
})

const ways = [
  ["journal, one entry at a time", 1],
  ["journal, 64 outstanding", 64],
  ["journal, 512 outstanding (groups of 256)", 512],
  ["journal, 4096 outstanding", 4096]
] as const

const figures = (durationMs: number, directory: string) =>
  Effect.gen(function* () {
    const rows: Array<JournalRow> = [bare(1, durationMs / 2), bare(256, durationMs / 2)]
    yield* closedLoop(64, durationMs)
    for (const [what, outstanding] of ways) rows.push(yield* measured(what, outstanding, durationMs))
    const made: JournalFigures = { rows, writerNsPerEntry: yield* writerCost }
    return made
  }).pipe(Effect.provide(Journal.layer.pipe(Layer.provide(layerSqlite({ directory, key: Buffer.alloc(32, 7) })))))

/** Runs the bench; `seconds` for each row. */
export const run = async (seconds = 3): Promise<JournalFigures> => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  try {
    return await Effect.runPromise(figures(seconds * 1000, directory))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The figures as a table. */
export const report = ({ rows, writerNsPerEntry }: JournalFigures): string => {
  const table = new Table({ head: ["what", "entries/s", "p50 ms", "p99", "max", "loop delay p99 ms"] })
  for (const row of rows)
    table.push([row.what, row.entriesPerSecond, row.p50Ms, row.p99Ms, row.maxMs, row.loopDelayP99Ms])
  return `${table.toString()}\nwriter on the main thread: ${writerNsPerEntry} ns for an entry of ${MESSAGE_LENGTH} bytes`
}
