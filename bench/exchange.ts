/**
 * `npm run bench exchange`: what a request and its answer cost the main thread, without sockets and without a disk: one switch,
 * two partners and a store that keeps nothing in one process. A busy machine changes the fastest batches least; two commits are
 * compared by running it in both, in turns.
 *
 * It does not show sockets, the journal's thread, or waiting.
 */
import { compile, isMessageError, MessageIndex, wholeFrame } from "@jinka/codec"
import Table from "cli-table3"
import { Effect, Layer, Logger, type Scope } from "effect"
import type { CommitGroup } from "../packages/switch/src/journal/CommitGroup.ts"
import { Journal } from "../packages/switch/src/journal/Journal.ts"
import { JournalStore, type StoreEvents } from "../packages/switch/src/journal/JournalStore.ts"
import { MemoryStore } from "../packages/switch/src/journal/MemoryStore.ts"
import { make } from "../packages/switch/src/Switch.ts"
import { type Connection, Transport } from "../packages/switch/src/transport/Transport.ts"
import { bin, dialect, frame, template } from "./relay/Frame.ts"
import { limits, link } from "./SwitchUnderTest.ts"

/** One row: microseconds of processor time for a request and its answer. */
export interface ExchangeRow {
  readonly batch: number
  /** A hundredth of the batches took less, and half of them. */
  readonly fast: number
  readonly median: number
  /** All batches together, garbage collection and compilation among them. */
  readonly mean: number
}

/** A partner's connection in memory. It counts what it is sent: the bench must not pay for copies. */
class Wire implements Connection {
  readonly local = "memory:1"
  readonly remote = "memory:2"
  private coming: Array<Buffer> = []
  private sent = 0
  private wake: (() => void) | undefined

  readonly pull: Connection["pull"] = Effect.callback((resume) => {
    const look = () => {
      if (this.coming.length === 0) return false
      resume(Effect.succeed(this.coming.splice(0)))
      return true
    }
    if (!look()) this.wake = look
  })

  write(bytes: Buffer): Effect.Effect<void> {
    return Effect.sync(() => {
      this.sent += bytes.length
    })
  }

  unsent(): number {
    return 0
  }

  close(): void {}

  /** The partner sends these bytes in one read. */
  say(bytes: Buffer): void {
    this.coming.push(bytes)
    const { wake } = this
    this.wake = undefined
    wake?.()
  }

  /** Waits until the switch has sent so many bytes. */
  heard(length: number): Effect.Effect<void> {
    return Effect.promise(async () => {
      while (this.sent < length) await new Promise<void>((resolve) => setImmediate(resolve))
      this.sent -= length
    })
  }
}

/** A frame that is written again and again with another STAN and time. */
interface Numbered {
  readonly bytes: Buffer
  readonly stanAt: number
  readonly timeAt: number
}

const answerOf = ({ bytes }: Numbered): Numbered => {
  const codec = compile(dialect)
  const request = codec.decode(bytes.subarray(frame.bytes))
  if (isMessageError(request)) throw new Error(`the bench message is wrong: ${request._tag}`)
  const message = codec.encode({ ...request, mti: "0210", fields: { ...request.fields, 39: "00" } })
  if (isMessageError(message)) throw new Error(`the bench answer is wrong: ${message._tag}`)
  const whole = wholeFrame(frame, message)
  const index = new MessageIndex()
  codec.index(whole, frame.bytes, whole.length, index)
  return { bytes: whole, stanAt: index.from(11), timeAt: index.from(7) }
}

/** `count` copies behind each other. */
const copies = ({ bytes }: Numbered, count: number): Buffer => Buffer.concat(new Array<Buffer>(count).fill(bytes))

/** Gives the copies in `all` the numbers from `first` on; the time grows, as times do. */
const number = ({ bytes, stanAt, timeAt }: Numbered, all: Buffer, first: number): void => {
  for (let at = 0, n = first; at < all.length; at += bytes.length, n++) {
    all.write(String(n % 1_000_000).padStart(6, "0"), at + stanAt, "latin1")
    all.write(String(1_122_000_000 + Math.floor(n / 5000)), at + timeAt, "latin1")
  }
}

/** A store for which everything is on disk at once, and that keeps nothing. */
const forgetful = Layer.effect(
  JournalStore,
  Effect.map(JournalStore, (inner) => ({
    open: (events: StoreEvents) =>
      Effect.map(inner.open(events), (store) => ({
        ...store,
        commit: (group: CommitGroup) => void setImmediate(() => events.committed(group))
      }))
  }))
).pipe(Layer.provide(new MemoryStore({ schedule: (_, run) => setImmediate(run) }).layer))

const side = (port: number) => ({ _tag: "listen", at: { host: "memory", port }, from: [], second: "replace" }) as const

const measured = (batch: number, rounds: number): Effect.Effect<ExchangeRow, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const accepts = new Map<number, (connection: Connection) => void>()
    const transport = Transport.of({
      connect: () => Effect.never,
      listen: (at, accept) => Effect.sync(() => accepts.set(at.port, accept)).pipe(Effect.as({ endpoint: at }))
    })
    const journal = Journal.layer.pipe(Layer.provide(forgetful))
    const context = yield* Layer.build(Layer.mergeAll(journal, Layer.succeed(Transport, transport), Logger.layer([])))
    const links = [link("acquirer", side(1)), link("issuer", side(2), { institution: "03080000" })]
    yield* Effect.provideContext(make({ links, routes: [{ bin, to: 1 }], limits }), context)
    yield* Effect.sleep(50)
    const [acquirer, issuer] = [new Wire(), new Wire()]
    accepts.get(1)!(acquirer)
    accepts.get(2)!(issuer)
    yield* Effect.sleep(50)
    const request = template()
    const answer = answerOf(request)
    const requests = copies(request, batch)
    const answers = copies(answer, batch)
    const each: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      number(request, requests, round * batch)
      number(answer, answers, round * batch)
      const before = process.cpuUsage()
      acquirer.say(requests)
      yield* issuer.heard(requests.length)
      issuer.say(answers)
      yield* acquirer.heard(answers.length)
      const { system, user } = process.cpuUsage(before)
      if (round >= rounds / 2) each.push((system + user) / batch)
    }
    each.sort((one, other) => one - other)
    const mean = each.reduce((sum, one) => sum + one, 0) / each.length
    return { batch, fast: each[Math.floor(each.length / 100)]!, median: each[Math.floor(each.length / 2)]!, mean }
  })

/** Runs the bench. */
export const run = async (): Promise<ReadonlyArray<ExchangeRow>> => {
  const rows: Array<ExchangeRow> = []
  for (const [batch, rounds] of [
    [1, 20_000],
    [64, 4000],
    [1024, 250]
  ] as const) {
    rows.push(await Effect.runPromise(Effect.scoped(measured(batch, rounds))))
  }
  return rows
}

/** The rows as a table. */
export const report = (rows: ReadonlyArray<ExchangeRow>): string => {
  const table = new Table({ head: ["requests at once", "fastest hundredth, us/tx", "median", "mean"] })
  for (const { batch, fast, median, mean } of rows)
    table.push([batch, ...[fast, median, mean].map((us) => us.toFixed(1))])
  return table.toString()
}
