/**
 * `npm run bench fleet`: what a journal costs in PostgreSQL, beside the same journal in SQLite, in turns of the same run: entries
 * a second, latency, CPU of the main thread, and how long a node takes to take a journal over. Both stores work in a thread of
 * their own; PostgreSQL is a real one on this machine and shares its cores and disk.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Table from "cli-table3"
import { Context, Effect, Layer, type Scope } from "effect"
import { build } from "hdr-histogram-js"
import { writeSecret } from "../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../packages/switch/src/journal/EntryKind.ts"
import { Journal } from "../packages/switch/src/journal/Journal.ts"
import type { JournalError } from "../packages/switch/src/journal/JournalError.ts"
import type { JournalStore } from "../packages/switch/src/journal/JournalStore.ts"
import { readPostgresUrl } from "../packages/switch/src/journal/postgres/PostgresAddress.ts"
import { layerPostgres } from "../packages/switch/src/journal/postgres/PostgresStore.ts"
import { layerSqlite } from "../packages/switch/src/journal/SqliteStore.ts"
import { letHeapGrow } from "../packages/switch/src/operate/HeapGrowth.ts"
import { RealPostgres } from "../test/postgres/RealPostgres.ts"

const MESSAGE_LENGTH = 330

/** Messages that differ as those of a day do: amounts, numbers, merchants. A server that compresses finds no more in them. */
const messages = Array.from({ length: 1024 }, (_, n) => {
  const drawn = Math.imul(n + 1, 2_654_435_761) >>> 0
  const digits = (value: number, length: number) => String(value).padStart(length, "0").slice(-length)
  const text =
    `0200F23C46D129E08620000000000000002116622202******${digits(drawn, 4)}000000${digits(drawn % 900_000, 12)}1126` +
    `${digits(drawn, 6)}${digits(n, 6)}${digits(n, 6)}11262912541105100000801020000080305000037622202******` +
    `${digits(drawn, 4)}D2912${"*".repeat(11)}${digits(n * 7919, 12)}T${digits(drawn % 5000, 7)}M${digits(drawn % 900, 14)}` +
    `SHOP ${digits(drawn % 900, 4)} OF THE MERCHANT      BEIJING      CN156${"*".repeat(16)}26${digits(drawn, 24)}`
  return Buffer.from(text.padEnd(MESSAGE_LENGTH, "0").slice(0, MESSAGE_LENGTH))
})
const pan = "6222020000000000"
/** Of the benches' journals. */
export const key = Buffer.alloc(32, 7)

/** Writes an accepted message, every second one with a card number; gives its entry's number. */
export const writeOne = (writer: Journal["Service"]["writer"]): number => {
  const at = writer.begin(EntryKind.accepted, "00", MESSAGE_LENGTH + 20)
  messages[writer.next & 1023]!.copy(writer.buffer, at)
  return writer.end(MESSAGE_LENGTH, writer.next % 2 === 0 ? writeSecret(writer.buffer, at + MESSAGE_LENGTH, pan) : 0)
}

/** Entries on their way at any time. */
const loads = [1, 64, 512] as const
const ROUNDS = 8
const TURN_MS = 300
/** Files of PostgreSQL's log, 16 MB each: more than all turns write. */
const LOG_FILES = 64
/** Entries back to the recovery floor, for a takeover: 10,000 open exchanges and what came between. */
const FLOOR_ENTRIES = 30_000

/** One store under one load: medians of the turns. */
export interface FleetRow {
  readonly store: string
  readonly outstanding: number
  readonly entriesPerSecond: number
  /** Of SQLite's in the same run. */
  readonly ofSqlite: number
  readonly entriesPerGroup: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU of the main thread, us an entry. */
  readonly mainUs: number
}

/** All figures. */
export interface FleetFigures {
  readonly rows: ReadonlyArray<FleetRow>
  /** From opening to having read every entry from the floor on, ms. */
  readonly takeoverMs: { readonly sqlite: number; readonly postgres: number }
}

/** The middle one. */
export const median = (values: ReadonlyArray<number>): number =>
  [...values].sort((one, other) => one - other)[values.length >> 1]!
/** With so many digits behind the point. */
export const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits))

/** Entries written by closed loops: `outstanding` are on their way at any time, a new one follows each that is durable. */
export const turn = ({ writer }: Journal["Service"], outstanding: number) =>
  Effect.gen(function* () {
    const latency = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 })
    const writtenAt = new Float64Array(1 << 16)
    let groups = 0
    const write = (now: number): void => {
      writtenAt[writeOne(writer) & 0xffff] = now
    }
    const first = writer.next
    const cpu = process.threadCpuUsage()
    const started = performance.now()
    yield* Effect.callback<void>((resume) => {
      let acknowledged = first - 1
      writer.onCommitted = (last) => {
        const now = performance.now()
        groups++
        for (let seq = acknowledged + 1; seq <= last; seq++) {
          latency.recordValue((now - writtenAt[seq & 0xffff]!) * 1000)
          if (now - started < TURN_MS) write(now)
        }
        acknowledged = last
        writer.flush()
        if (writer.pendingEntries === 0) resume(Effect.void)
      }
      for (let n = 0; n < outstanding; n++) write(started)
      writer.flush()
    })
    const elapsed = performance.now() - started
    const { user, system } = process.threadCpuUsage(cpu)
    const entries = writer.next - first
    return {
      perSecond: (entries * 1000) / elapsed,
      groupsPerSecond: (groups * 1000) / elapsed,
      perGroup: entries / groups,
      p50: latency.getValueAtPercentile(50) / 1000,
      p99: latency.getValueAtPercentile(99) / 1000,
      main: (user + system) / entries
    }
  })

/** What came of one turn. */
export type Turn = Effect.Success<ReturnType<typeof turn>>
type MakeStore = () => Layer.Layer<JournalStore>

const withStore = <A>(store: MakeStore, use: Effect.Effect<A, JournalError, Journal | Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(use).pipe(Effect.provide(Journal.layer.pipe(Layer.provide(store())))))

/** Opens a journal until the scope ends. */
export const opened = (store: MakeStore) =>
  Effect.map(Layer.build(Journal.layer.pipe(Layer.provide(store()))), (context) => Context.get(context, Journal))

/**
 * Waits until the index of a journal has all of it: a thread that catches up while the other store has its turn takes one of the
 * cores that this one needs. A question makes it do so at once.
 */
const indexed = (journal: Journal["Service"]) => journal.find({ stan: 0 })

/** Both stores under one load, in short turns: each sees the same other work of the machine, and nothing of the other's. */
const compared = (sqlite: MakeStore, postgres: MakeStore, outstanding: number) =>
  Effect.gen(function* () {
    const journals = [yield* opened(sqlite), yield* opened(postgres)] as const
    const turns: readonly [Array<Turn>, Array<Turn>] = [[], []]
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [n, journal] of journals.entries()) {
        yield* Effect.forEach(journals, indexed)
        const one = yield* turn(journal, outstanding)
        // The first turn compiles.
        if (round > 0) turns[n]!.push(one)
      }
    }
    return turns
  })

/** ms from opening a journal to having read all from its floor. */
const takeover = async (store: MakeStore): Promise<number> => {
  await withStore(
    store,
    Effect.gen(function* () {
      const { writer, drained } = yield* Journal
      writer.floor = writer.next
      for (let n = 0; n < FLOOR_ENTRIES; n++) {
        const at = writer.begin(EntryKind.accepted, "00", MESSAGE_LENGTH + 20)
        messages[n & 1023]!.copy(writer.buffer, at)
        writer.end(MESSAGE_LENGTH, writeSecret(writer.buffer, at + MESSAGE_LENGTH, pan))
        if (n % 16 === 15) writer.flush()
      }
      yield* drained
    })
  )
  const began = performance.now()
  await withStore(
    store,
    Effect.gen(function* () {
      const { recover } = yield* Journal
      const read = yield* recover(() => undefined)
      if (read < FLOOR_ENTRIES) throw new Error(`only ${read} entries came back`)
    })
  )
  return performance.now() - began
}

/**
 * A server that has been running for a while: files of its log are there to be used again. A new one makes each of them, 16 MB of
 * zeros and a flush, in the middle of a commit: six a second at this rate, some 20 ms each.
 */
const begin = async (): Promise<RealPostgres> => {
  const settings = { shared_buffers: "256MB", min_wal_size: "2GB", max_wal_size: "4GB" }
  const server = await RealPostgres.begin({ settings })
  const filled = ["SELECT pg_logical_emit_message(true, 'bench', '')::text AS at", "SELECT pg_switch_wal()::text AS at"]
  const files = Array.from({ length: LOG_FILES }, () => filled)
  await server.administer(...files.flat(), "CHECKPOINT")
  return server
}

/** Runs all of it. */
export const run = async (): Promise<FleetFigures> => {
  // As `jinka run` does.
  letHeapGrow()
  const server = await begin()
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  const address = readPostgresUrl(server.url())
  if ("rule" in address) throw new Error(address.rule)
  let made = 0
  const postgres =
    (name: string): MakeStore =>
    () =>
      layerPostgres({
        place: { address, tls: undefined, schema: "jinka", name, node: "bench" },
        directory: join(directory, name),
        key
      })
  const sqlite =
    (name: string): MakeStore =>
    () =>
      layerSqlite({ directory: join(directory, name), key })
  try {
    const rows: Array<FleetRow> = []
    for (const outstanding of loads) {
      const both = compared(sqlite(`s${++made}`), postgres(`p${++made}`), outstanding)
      const [ofSqlite, ofPostgres] = await Effect.runPromise(Effect.scoped(both))
      const of = (all: ReadonlyArray<Turn>, what: keyof Turn) => median(all.map((one) => one[what]))
      const base = of(ofSqlite, "perSecond")
      for (const [store, all] of [
        ["SQLite", ofSqlite],
        ["PostgreSQL", ofPostgres]
      ] as const) {
        rows.push({
          store,
          outstanding,
          entriesPerSecond: Math.round(of(all, "perSecond")),
          ofSqlite: rounded(of(all, "perSecond") / base),
          entriesPerGroup: Math.round(of(all, "perGroup")),
          p50Ms: rounded(of(all, "p50")),
          p99Ms: rounded(of(all, "p99")),
          mainUs: rounded(of(all, "main"))
        })
      }
    }
    const takeoverMs = {
      sqlite: Math.round(await takeover(sqlite("takeover-s"))),
      postgres: Math.round(await takeover(postgres("takeover-p")))
    }
    return { rows, takeoverMs }
  } finally {
    await server.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** As a table. */
export const report = ({ rows, takeoverMs }: FleetFigures): string => {
  const table = new Table({
    head: ["store", "outstanding", "entries/s", "of SQLite's", "entries a group", "p50 ms", "p99 ms", "main thread us"]
  })
  for (const row of rows) {
    table.push([
      row.store,
      row.outstanding,
      row.entriesPerSecond,
      row.ofSqlite,
      row.entriesPerGroup,
      row.p50Ms,
      row.p99Ms,
      row.mainUs
    ])
  }
  const { postgres, sqlite } = takeoverMs
  return `${table.toString()}\nopened, and ${FLOOR_ENTRIES} entries read from the floor: SQLite ${sqlite} ms, PostgreSQL ${postgres} ms`
}
