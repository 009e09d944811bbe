/**
 * `npm run bench exchange`: what a request and its answer cost the main thread, without sockets and without a disk: one switch,
 * two partners and the journal's memory store in one process. The least of many batches is what a busy machine does not change;
 * two commits are compared by running it in both, in turns.
 *
 * It does not show sockets, the journal's thread, or waiting.
 */
import { compile, isMessageError, MessageIndex, wholeFrame } from "@jinka/codec"
import Table from "cli-table3"
import { Effect, Layer, Logger, type Scope } from "effect"
import { Journal } from "../packages/switch/src/journal/Journal.ts"
import { MemoryStore } from "../packages/switch/src/journal/MemoryStore.ts"
import { make } from "../packages/switch/src/Switch.ts"
import { type Connection, Transport } from "../packages/switch/src/transport/Transport.ts"
import { bin, dialect, frame, template } from "./relay/Frame.ts"
import { limits, link } from "./SwitchUnderTest.ts"

/** One row: microseconds of processor time for a request and its answer. */
export interface ExchangeRow {
  readonly batch: number
  readonly least: number
  readonly median: number
}

/** A partner's connection in memory. */
class Wire implements Connection {
  readonly local = "memory:1"
  readonly remote = "memory:2"
  private coming: Array<Buffer> = []
  private sent: Array<Buffer> = []
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
    return Effect.sync(() => void this.sent.push(Buffer.from(bytes)))
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

  /** Waits until the switch has sent so many bytes; gives them. */
  heard(length: number): Effect.Effect<Buffer> {
    return Effect.promise(async () => {
      while (this.sent.reduce((sum, { length: bytes }) => sum + bytes, 0) < length) {
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
      return Buffer.concat(this.sent.splice(0))
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

/** `count` copies, with the numbers from `first` on; the time grows, as times do. */
const copies = ({ bytes, stanAt, timeAt }: Numbered, first: number, count: number): Buffer => {
  const all = Buffer.alloc(count * bytes.length)
  for (let n = 0; n < count; n++) {
    const at = n * bytes.length
    bytes.copy(all, at)
    all.write(String((first + n) % 1_000_000).padStart(6, "0"), at + stanAt, "latin1")
    all.write(String(1_122_000_000 + Math.floor((first + n) / 5000)), at + timeAt, "latin1")
  }
  return all
}

const side = (port: number) => ({ _tag: "listen", at: { host: "memory", port }, from: [], second: "replace" }) as const

const measured = (batch: number, rounds: number): Effect.Effect<ExchangeRow, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const accepts = new Map<number, (connection: Connection) => void>()
    const transport = Transport.of({
      connect: () => Effect.never,
      listen: (at, accept) => Effect.sync(() => accepts.set(at.port, accept)).pipe(Effect.as({ endpoint: at }))
    })
    const store = new MemoryStore({ schedule: (_, run) => setImmediate(run) })
    const journal = Journal.layer.pipe(Layer.provide(store.layer))
    const context = yield* Layer.build(Layer.mergeAll(journal, Layer.succeed(Transport, transport), Logger.layer([])))
    const links = [link("acquirer", side(1)), link("issuer", side(2))]
    yield* Effect.provideContext(make({ links, routes: [{ bin, to: 1 }], limits }), context)
    yield* Effect.sleep(50)
    const [acquirer, issuer] = [new Wire(), new Wire()]
    accepts.get(1)!(acquirer)
    accepts.get(2)!(issuer)
    yield* Effect.sleep(50)
    const request = template()
    const answer = answerOf(request)
    const each: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      const requests = copies(request, round * batch, batch)
      const answers = copies(answer, round * batch, batch)
      const before = process.cpuUsage()
      acquirer.say(requests)
      yield* issuer.heard(requests.length)
      issuer.say(answers)
      yield* acquirer.heard(answers.length)
      const { system, user } = process.cpuUsage(before)
      if (round >= rounds / 4) each.push((system + user) / batch)
    }
    each.sort((one, other) => one - other)
    return { batch, least: each[0]!, median: each[Math.floor(each.length / 2)]! }
  })

/** Runs the bench. */
export const run = async (): Promise<ReadonlyArray<ExchangeRow>> => {
  const rows: Array<ExchangeRow> = []
  for (const [batch, rounds] of [
    [1, 6000],
    [64, 800],
    [1024, 80]
  ] as const) {
    rows.push(await Effect.runPromise(Effect.scoped(measured(batch, rounds))))
  }
  return rows
}

/** The rows as a table. */
export const report = (rows: ReadonlyArray<ExchangeRow>): string => {
  const table = new Table({ head: ["requests at once", "least us/tx", "median us/tx"] })
  for (const { batch, least, median } of rows) table.push([batch, least.toFixed(1), median.toFixed(1)])
  return table.toString()
}
