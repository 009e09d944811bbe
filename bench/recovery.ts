/**
 * `npm run bench recovery`: how long a switch takes to start over a journal with 100,000 requests that have no end. Each of them
 * is ended and reversed, in the journal, before the first connection is made. The baseline is the start over an empty journal.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compile, MessageIndex } from "@jinka/codec"
import Table from "cli-table3"
import { Effect, Layer, References } from "effect"
import { EntryKind } from "../packages/switch/src/journal/EntryKind.ts"
import { Journal } from "../packages/switch/src/journal/Journal.ts"
import type { JournalStore } from "../packages/switch/src/journal/JournalStore.ts"
import { layerSqlite } from "../packages/switch/src/journal/SqliteStore.ts"
import { make, type SwitchSettings } from "../packages/switch/src/Switch.ts"
import { layer as nodeTransport } from "../packages/switch/src/transport/NodeTransport.ts"
import { bin, dialect, frame, template } from "./relay/Frame.ts"
import { key, limits, link } from "./SwitchUnderTest.ts"

/** One start. */
export interface RecoveryRow {
  readonly openEntries: number
  readonly ms: number
  readonly ended: number
  readonly reversed: number
}

const nowhere = { _tag: "connect", to: { host: "127.0.0.1", port: 9 }, timeoutMs: 1000 } as const
const settings: SwitchSettings = {
  links: [link("acquirer", nowhere), link("issuer", nowhere)],
  routes: [{ bin: bin, to: 1 }],
  limits
}

const provided = <A, E>(store: Layer.Layer<JournalStore>, program: Effect.Effect<A, E, Journal>) =>
  program.pipe(
    Effect.provide(Journal.layer.pipe(Layer.provide(store))),
    Effect.provideService(References.MinimumLogLevel, "Error")
  )

/** Writes `count` accepted requests and nothing else: what a switch leaves that is killed at its fullest. */
export const fill = (store: Layer.Layer<JournalStore>, count: number) =>
  provided(
    store,
    Effect.gen(function* () {
      const journal = yield* Journal
      const codec = compile(dialect)
      const { bytes, stanAt } = template()
      const index = new MessageIndex()
      const origin = journal.nameId("acquirer", dialect.name)
      const { writer } = journal
      writer.floor = 1
      for (let n = 1; n <= count; n++) {
        bytes.write(String(n % 1_000_000).padStart(6, "0"), stanAt, "latin1")
        codec.index(bytes, frame.bytes, bytes.length, index)
        const at = writer.begin(EntryKind.accepted, "issuer", bytes.length + 20)
        writer.on(origin, 1)
        const length = codec.redact(index, writer.buffer, at)
        const pan = codec.matchKey(index, [2], writer.buffer, at + length + 1)
        writer.buffer[at + length] = pan
        writer.end(length, pan + 1)
        if (n % 1000 === 0) {
          writer.flush()
          yield* journal.drained
        }
      }
      yield* journal.drained
    })
  )

/** Starts a switch over the journal, and ends it again. */
export const start = (store: Layer.Layer<JournalStore>, openEntries: number) =>
  Effect.gen(function* () {
    const from = performance.now()
    const { ended, reversed } = yield* provided(
      store,
      Effect.scoped(
        Effect.map(make(settings), ({ recovered }) => ({ ...recovered, ms: performance.now() - from }))
      ).pipe(Effect.provide(nodeTransport))
    )
    const row: RecoveryRow = { openEntries, ms: performance.now() - from, ended, reversed }
    return row
  })

/** Runs the bench. */
export const run = async (openEntries = 100_000): Promise<ReadonlyArray<RecoveryRow>> => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  try {
    const stored = (name: string) => layerSqlite({ directory: join(directory, name), key })
    const empty = await Effect.runPromise(start(stored("empty"), 0))
    await Effect.runPromise(fill(stored("full"), openEntries))
    return [empty, await Effect.runPromise(start(stored("full"), openEntries))]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The rows as a table. */
export const report = (rows: ReadonlyArray<RecoveryRow>): string => {
  const table = new Table({ head: ["open entries", "start ms", "ended", "reversed"] })
  for (const { openEntries, ms, ended, reversed } of rows) table.push([openEntries, Math.round(ms), ended, reversed])
  return table.toString()
}
