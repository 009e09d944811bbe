/**
 * A process that writes a journal until it is killed; started by the tests as `node Writing.ts <directory> <mode>
 * [limit]`.
 *
 * Each entry's content follows from its seq, so that whoever opens the journal afterwards can check all of it. Every
 * seq that was acknowledged is written to stdout at once, one a line. Modes: `forever`; `entries` (kills itself once
 * `limit` are acknowledged).
 */
import { writeSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { type Entry, secretPan } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { Journal } from "../../../packages/switch/src/journal/Journal.ts"
import { layerIn, messageOf, testPan, write } from "./Journals.ts"

/** Every third exchange times out: its end and its reversal must never be parted. */
const isTimedOut = (n: number): boolean => n % 3 === 0

/** One exchange: two or three entries. */
const writeExchange = (journal: Journal["Service"], n: number): void => {
  const { writer } = journal
  const exchange = write(writer, { message: messageOf(writer.next, 40 + (n % 300)), pan: testPan, code: "0200" })
  if (!isTimedOut(n)) {
    write(writer, { kind: EntryKind.answered, exchange, message: messageOf(writer.next), code: "00" })
    return
  }
  writer.beginTogether()
  write(writer, { kind: EntryKind.timedOut, exchange, message: messageOf(writer.next), code: "98" })
  write(writer, { kind: EntryKind.queued, about: exchange, message: messageOf(writer.next), pan: testPan })
  writer.endTogether()
}

/** What is wrong with entries that `Writing.ts` wrote, or undefined. `entries` are all, from seq 1. */
export const faultOf = (entries: ReadonlyArray<Entry>): string | undefined => {
  for (const [n, entry] of entries.entries()) {
    if (entry.seq !== n + 1) return `entry ${n + 1} has seq ${entry.seq}`
    if (entry.kind === EntryKind.named) continue
    const message = messageOf(entry.seq, entry.message.length).toString()
    if (entry.message.toString() !== message) return `entry ${entry.seq} has another message`
    const wantsPan = entry.kind === EntryKind.accepted || entry.kind === EntryKind.queued
    if (secretPan(entry.secret) !== (wantsPan ? testPan : "")) return `entry ${entry.seq} has another secret`
    if (entry.kind === EntryKind.timedOut && entries[n + 1]?.kind !== EntryKind.queued) {
      return `entry ${entry.seq} timed out, and its reversal is missing`
    }
  }
  return undefined
}

/** Says lines on stdout at once, as far as the pipe takes them; the rest goes with the next line. */
const sayer = () => {
  let unsaid = ""
  return (line: string | number): void => {
    unsaid += `${line}\n`
    try {
      unsaid = unsaid.slice(writeSync(1, unsaid))
    } catch (error) {
      if ((error as { code?: string }).code !== "EAGAIN") throw error
    }
  }
}

const program = (directory: string, mode: string, limit: number) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const { writer } = journal
    const say = sayer()
    let n = writer.next
    const turn = (): void => {
      for (let more = 1 + (n % 17); more > 0; more--) writeExchange(journal, n++)
      writer.flush()
    }
    writer.onCommitted = (last) => {
      say(last)
      if (mode === "entries" && last >= limit) process.kill(process.pid, "SIGKILL")
      turn()
    }
    writer.now = 1_750_000_000_000
    turn()
    turn()
    yield* journal.failed
  }).pipe(
    Effect.provide(layerIn(directory, { walMax: 4 * 1024 * 1024 })),
    Effect.catchTag("JournalError", (error) => Effect.sync(() => void writeSync(1, `${error.message}\n`)))
  )

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [directory = "", mode = "forever", limit = "0"] = process.argv.slice(2)
  await Effect.runPromise(program(directory, mode, Number(limit)))
}
