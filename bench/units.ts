/**
 * `npm run bench -- units`: what a group of the journal costs PostgreSQL: bytes of its row, write-ahead log, CPU of the server's
 * processes for it, and room on the disk. Counts and CPU time, and no rates: other work on the machine changes them little. What
 * docs/operate/sizing.md counts with. `JINKA_POSTGRES_BIN` names another PostgreSQL, one with lz4 for example.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Table from "cli-table3"
import { Effect, Layer } from "effect"
import { Journal } from "../packages/switch/src/journal/Journal.ts"
import { readPostgresUrl } from "../packages/switch/src/journal/postgres/PostgresAddress.ts"
import { layerPostgres } from "../packages/switch/src/journal/postgres/PostgresStore.ts"
import { RealPostgres } from "../test/postgres/RealPostgres.ts"
import { key, writeOne } from "./fleet.ts"

/** Entries of a group, and how many groups are written. */
const sizes = [16, 64, 256] as const
const ENTRIES = 64_000
/** Of `/proc/PID/stat`: sysconf(_SC_CLK_TCK) is 100 on every Linux of today. */
const TICK_MS = 10

/** What one group costs. */
export interface UnitRow {
  readonly entries: number
  readonly groups: number
  readonly rowBytes: number
  readonly walBytes: number
  readonly postgresCpuMs: number
  readonly diskBytesAnEntry: number
}

/** All rows, and the server that they are of. */
export interface UnitFigures {
  readonly server: string
  readonly storage: string
  readonly rows: ReadonlyArray<UnitRow>
}

/** CPU that a process has had, in milliseconds: user and system time (proc_pid_stat(5), fields 14 and 15). */
const cpuMs = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ")
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

const measured = async (server: RealPostgres, directory: string, entries: number): Promise<UnitRow> => {
  const address = readPostgresUrl(server.url())
  if ("rule" in address) throw new Error(address.rule)
  const name = `units-${entries}`
  const place = { address, tls: undefined, schema: "jinka", name, node: "bench" }
  const store = layerPostgres({ place, directory: join(directory, name), key })
  const groups = ENTRIES / entries
  const ask = (sql: string) => server.administer(sql).then(([row]) => row!)
  const look = async () => {
    const pids = await server.administer(
      `SELECT pid FROM pg_stat_activity WHERE application_name = 'jinka ${name} bench'`
    )
    const { wal } = await ask("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS wal")
    return { wal: Number(wal), cpu: pids.reduce((sum, { pid }) => sum + cpuMs(Number(pid)), 0) }
  }
  const written = Effect.gen(function* () {
    const { drained, writer } = yield* Journal
    const group = Effect.suspend(() => {
      writer.beginTogether()
      for (let n = 0; n < entries; n++) writeOne(writer)
      writer.endTogether()
      writer.flush()
      return drained
    })
    yield* Effect.repeat(group, { times: 100 })
    yield* Effect.promise(() => server.administer("CHECKPOINT"))
    const before = yield* Effect.promise(look)
    yield* Effect.repeat(group, { times: groups - 1 })
    const after = yield* Effect.promise(look)
    return { wal: after.wal - before.wal, cpu: after.cpu - before.cpu }
  }).pipe(Effect.provide(Journal.layer.pipe(Layer.provide(store))))
  const { cpu, wal } = await Effect.runPromise(written)
  const id = `(SELECT id FROM jinka.journal WHERE switch = '${name}')`
  const { bytes } = await ask(
    `SELECT avg(octet_length(bytes))::float8 AS bytes FROM jinka.commit_group WHERE journal = ${id} AND last - first = ${entries - 1}`
  )
  const { disk, last } = await ask(`SELECT sum(pg_total_relation_size(c.oid))::float8 AS disk,
    (SELECT max(last) FROM jinka.commit_group WHERE journal = ${id})::float8 AS last
    FROM pg_class c WHERE relname LIKE 'group\\_' || ${id} || '\\_%' AND relkind = 'r'`)
  return {
    ...{ entries, groups, rowBytes: Math.round(Number(bytes)), walBytes: Math.round(wal / groups) },
    postgresCpuMs: Number((cpu / groups).toFixed(3)),
    diskBytesAnEntry: Math.round(Number(disk) / Number(last))
  }
}

/** Runs the bench. */
export const run = async (): Promise<UnitFigures> => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  const server = await RealPostgres.begin({ settings: { shared_buffers: "256MB", max_wal_size: "4GB" } })
  try {
    const [about] = await server.administer(`SELECT current_setting('server_version') AS version,
      (SELECT CASE WHEN attcompression = 'l' THEN 'lz4' ELSE 'not compressed' END FROM pg_attribute
       WHERE attrelid = 'jinka.commit_group'::regclass AND attname = 'bytes') AS storage`)
    const rows: Array<UnitRow> = []
    for (const entries of sizes) rows.push(await measured(server, directory, entries))
    return { server: String(about!["version"]), storage: String(about!["storage"]), rows }
  } finally {
    await server.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The rows as a table. */
export const report = ({ rows, server, storage }: UnitFigures): string => {
  const head = [
    "entries a group",
    "groups",
    "row, bytes",
    "WAL, bytes",
    "CPU of PostgreSQL, ms",
    "disk, bytes an entry"
  ]
  const table = new Table({ head })
  for (const row of rows) {
    table.push([row.entries, row.groups, row.rowBytes, row.walBytes, row.postgresCpuMs, row.diskBytesAnEntry])
  }
  return `PostgreSQL ${server}, ${storage}\n${table.toString()}`
}
