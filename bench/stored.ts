/**
 * `npm run bench -- stored`: what a million messages cost that wait in store-and-forward because their partner is away. A real
 * switch with a real journal: how long its start takes, what it has in memory, how long `jinka pending list` takes, and how many
 * it delivers a second when the partner is back. The baseline is the same over an empty journal.
 *
 * Half of the messages are the switch's own, half are one partner's: the longest queues that there can be. The journal holds
 * nothing else, so the start reads as few entries as it can for so many.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { hash } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { compile, MessageIndex } from "@jinka/codec"
import Table from "cli-table3"
import { Effect, Layer } from "effect"
import { freePort } from "../examples/shared/FreePort.ts"
import { EntryKind } from "../packages/switch/src/journal/EntryKind.ts"
import { Journal } from "../packages/switch/src/journal/Journal.ts"
import { sourceText } from "../packages/switch/src/journal/Source.ts"
import { layerSqlite } from "../packages/switch/src/journal/SqliteStore.ts"
import { Children, said } from "./Children.ts"
import { bin, dialect } from "./relay/Frame.ts"
import { advice } from "./stored/Advice.ts"
import type { usage } from "./Usage.ts"

/** One start. */
export interface StoredRow {
  readonly stored: number
  /** From the start of the process to its first line: it is ready. */
  readonly startMs: number
  /** Time of the main thread until two seconds later, in ms: what a busy machine does not change. */
  readonly mainMs: number
  /** After a full collection: all that the process has, and of that what is still referred to. */
  readonly rssMiB: number
  readonly heldMiB: number
  /** `jinka pending list`, its own start included. */
  readonly listMs: number
  /** Messages acknowledged a second, over the seconds that were looked at; 0: none waited. */
  readonly delivered: number
}

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const jinka = file("../packages/switch/src/main.ts")

/** How long it is looked at what is delivered, in ms. */
const LOOKED_MS = 10_000

const secret = hash("sha256", "the key of this bench")

const configuration = (port: number): string => `name: bench
institution: "00010000"
journal: { directory: ./journal, key: { env: JINKA_JOURNAL_KEY } }
links:
  - name: acquirer
    institution: "48020000"
    dialect: ${dialect.name}
    frame: { kind: length, encoding: ascii, bytes: 4, lengthMax: 2048 }
    connect: { host: 127.0.0.1, port: 9 }
  - name: issuer
    institution: "01020000"
    dialect: ${dialect.name}
    frame: { kind: length, encoding: ascii, bytes: 4, lengthMax: 2048 }
    connect: { host: 127.0.0.1, port: ${port} }
    reconnect: { min: 100 millis, max: 100 millis }
routes:
  - { bin: "${bin}", to: issuer }
`

/** Writes so many messages that wait for the issuer, as a switch does. */
const fill = (directory: string, count: number) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const { writer } = journal
    const codec = compile(dialect)
    const index = new MessageIndex()
    const { bytes, stanAt } = advice()
    journal.nameId("acquirer", dialect.name)
    const issuer = journal.nameId("issuer", dialect.name)
    writer.floor = 1
    for (let n = 0; n < count; n++) {
      bytes.write(String(n % 1_000_000).padStart(6, "0"), stanAt, "latin1")
      codec.index(bytes, 0, bytes.length, index)
      const source = n % 2 === 0 ? "reversal" : sourceText({ link: "acquirer", stan: undefined })
      const at = writer.begin(EntryKind.queued, source, 2 * bytes.length + 21)
      writer.on(issuer)
      const length = codec.redact(index, writer.buffer, at)
      const pan = codec.matchKey(index, [2], writer.buffer, at + length + 1)
      writer.buffer[at + length] = pan
      bytes.copy(writer.buffer, at + length + 1 + pan)
      writer.end(length, 1 + pan + bytes.length)
      if (n % 1000 === 0) {
        writer.flush()
        yield* journal.drained
      }
    }
    yield* journal.drained
  }).pipe(
    Effect.provide(Journal.layer.pipe(Layer.provide(layerSqlite({ directory, key: Buffer.from(secret, "hex") }))))
  )

const delivering = async (children: Children, port: number, stored: number): Promise<number> => {
  const partner = children.start(file("./stored/partner.ts"), [String(port)])
  const seen: Array<{ readonly count: number; readonly at: number }> = []
  partner.on("message", (told: (typeof seen)[number]) => {
    if (told.count > 0) seen.push(told)
  })
  const isOver = () => seen.length > 1 && (seen.at(-1)!.count >= stored || seen.at(-1)!.at - seen[0]!.at >= LOOKED_MS)
  while (!isOver()) await delay(100)
  const from = seen[0]!
  const to = seen.find(({ count }) => count === seen.at(-1)!.count)!
  return Math.round((1000 * (to.count - from.count)) / Math.max(1, to.at - from.at))
}

const measure = async (stored: number): Promise<StoredRow> => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  const path = join(directory, "switch.yaml")
  const journal = join(directory, "journal")
  const port = await Effect.runPromise(freePort)
  const children = new Children()
  const env = { ...process.env, JINKA_JOURNAL_KEY: secret }
  let child: ChildProcess | undefined
  try {
    writeFileSync(path, configuration(port))
    if (stored > 0) await Effect.runPromise(fill(journal, stored))
    const began = performance.now()
    child = spawn(process.execPath, ["--import", file("./stored/watch.ts"), jinka, "run", path], {
      env,
      stdio: ["ignore", "pipe", "inherit", "ipc"]
    })
    await once(child.stdout!, "data")
    const startMs = performance.now() - began
    await delay(2000)
    const told = said<ReturnType<typeof usage>>(child, "usage")
    child.send("usage")
    const { external, heapUsed, mainUs, rss } = await told
    const listBegan = performance.now()
    await once(
      spawn(process.execPath, [jinka, "pending", "list", "--control", journal], { env, stdio: "ignore" }),
      "close"
    )
    const listMs = performance.now() - listBegan
    const delivered = stored === 0 ? 0 : await delivering(children, port, stored)
    const heldMiB = (heapUsed + external) / 2 ** 20
    return { stored, startMs, mainMs: mainUs / 1000, rssMiB: rss / 2 ** 20, heldMiB, listMs, delivered }
  } finally {
    child?.kill("SIGKILL")
    children.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Runs the bench. */
export const run = async (stored = [0, 1000, 1_000_000]): Promise<ReadonlyArray<StoredRow>> => {
  const rows: Array<StoredRow> = []
  for (const count of stored) rows.push(await measure(count))
  return rows
}

/** The rows as a table. */
export const report = (rows: ReadonlyArray<StoredRow>): string => {
  const table = new Table({
    head: ["waiting", "start ms", "main thread ms", "RSS MiB", "held MiB", "pending list ms", "delivered/s"]
  })
  for (const row of rows) {
    const { delivered, heldMiB, listMs, mainMs, rssMiB, startMs, stored } = row
    table.push([stored, ...[startMs, mainMs, rssMiB, heldMiB, listMs].map(Math.round), delivered])
  }
  return table.toString()
}
