/**
 * `npm run bench reading`: what `jinka journal verify` and `jinka journal summary` take over a journal of small groups, as a
 * switch with little traffic leaves it: processor time for each entry, and memory. The baseline is the start of the command
 * alone.
 */
import { spawnSync } from "node:child_process"
import { hash } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { compile, MessageIndex } from "@jinka/codec"
import Table from "cli-table3"
import { Effect, Layer } from "effect"
import { EntryKind } from "../packages/switch/src/journal/EntryKind.ts"
import { Journal } from "../packages/switch/src/journal/Journal.ts"
import { layerSqlite } from "../packages/switch/src/journal/SqliteStore.ts"
import { dialect, frame, template } from "./relay/Frame.ts"

/** One command over one journal. */
export interface ReadingRow {
  readonly command: string
  readonly entries: number
  readonly cpuMs: number
  readonly usPerEntry: number
  readonly rssMiB: number
}

const key = hash("sha256", "the key of this bench")
const jinka = fileURLToPath(new URL("../packages/switch/src/main.ts", import.meta.url))
/** Exchanges that become durable together: groups of four entries. */
const AT_ONCE = 2

/** Answered requests, `count` of them. */
const fill = (directory: string, count: number) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const codec = compile(dialect)
    const { bytes, stanAt } = template()
    const index = new MessageIndex()
    const [origin, target] = [journal.nameId("acquirer", dialect.name), journal.nameId("issuer", dialect.name)]
    const { writer } = journal
    for (let n = 1; n <= count; n++) {
      bytes.write(String(n % 1_000_000).padStart(6, "0"), stanAt, "latin1")
      codec.index(bytes, frame.bytes, bytes.length, index)
      const at = writer.begin(EntryKind.accepted, "issuer", bytes.length + 20)
      writer.on(origin, 1)
      const length = codec.redact(index, writer.buffer, at)
      const pan = codec.matchKey(index, [2], writer.buffer, at + length + 1)
      writer.buffer[at + length] = pan
      const exchange = writer.end(length, pan + 1)
      const answerAt = writer.begin(EntryKind.answered, "00", bytes.length)
      writer.of(exchange)
      writer.on(target, 1)
      writer.end(codec.redact(index, writer.buffer, answerAt), 0)
      writer.floor = writer.next
      if (n % AT_ONCE === 0) yield* journal.drained
    }
    yield* journal.drained
  }).pipe(Effect.provide(Journal.layer.pipe(Layer.provide(layerSqlite({ directory, key: Buffer.from(key, "hex") })))))

/** Tells at its end what the process has used. */
const telling =
  "data:text/javascript,process.on('exit',()=>{const u=process.resourceUsage();process.getBuiltinModule('node:fs').writeSync(2,'\\nused '+JSON.stringify(u))})"

const measured = (command: string, args: ReadonlyArray<string>, entries: number, startMs = 0): ReadingRow => {
  const { stderr } = spawnSync(process.execPath, ["--import", telling, jinka, ...args], {
    encoding: "utf8",
    env: { ...process.env, JINKA_JOURNAL_KEY: key },
    stdio: ["ignore", "ignore", "pipe"]
  })
  const used = JSON.parse(stderr.slice(stderr.lastIndexOf("used ") + 5))
  const cpuMs = Math.round((used.userCPUTime + used.systemCPUTime) / 1000)
  const usPerEntry = entries === 0 ? 0 : Number(((1000 * (cpuMs - startMs)) / entries).toFixed(1))
  return { command, entries, cpuMs, usPerEntry, rssMiB: Math.round(used.maxRSS / 1024) }
}

/** Runs the bench. */
export const run = async (exchanges = 50_000): Promise<ReadonlyArray<ReadingRow>> => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  try {
    await Effect.runPromise(fill(directory, exchanges))
    const start = measured("--version", ["--version"], 0)
    const over = (what: string) => measured(what, ["journal", what, directory], 2 * exchanges, start.cpuMs)
    return [start, over("verify"), over("summary")]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The rows as a table. */
export const report = (rows: ReadonlyArray<ReadingRow>): string => {
  const table = new Table({ head: ["jinka journal", "entries", "CPU ms", "us an entry", "MiB"] })
  for (const { command, entries, cpuMs, usPerEntry, rssMiB } of rows)
    table.push([command, entries, cpuMs, usPerEntry, rssMiB])
  return table.toString()
}
