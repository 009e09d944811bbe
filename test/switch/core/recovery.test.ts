/** A start over a real journal: what recovery takes from the disk, and what it refuses. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "@effect/vitest"
import { compile, cups, isMessageError } from "@jinka/codec"
import { Clock, Context, Effect, Exit, Layer, Logger, type Scope } from "effect"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { Journal } from "../../../packages/switch/src/journal/Journal.ts"
import type { SqliteStoreOptions } from "../../../packages/switch/src/journal/SqliteStore.ts"
import * as Switch from "../../../packages/switch/src/Switch.ts"
import { ConnectFailed, Transport } from "../../../packages/switch/src/transport/Transport.ts"
import { layerIn, temporaryDirectory, testKey, withJournal, write } from "../journal/Journals.ts"
import { linkOf, purchase } from "./Bench.ts"

const advice = compile(cups).encode(purchase({}, "0220"))
if (isMessageError(advice)) throw new Error("the test's message is wrong")

/** An advice for the issuer that nobody has acknowledged. */
const queue = ({ nameId, writer }: Journal["Service"]): void => {
  write(writer, { kind: EntryKind.queued, link: nameId("issuer", cups.name), code: "from acquirer", rest: advice })
}

const request = compile(cups).encode(purchase())
if (isMessageError(request)) throw new Error("the test's message is wrong")

/** On this clock every look at what has passed takes a millisecond, and nothing else does. */
const lookingClock = (real: Clock.Clock): Clock.Clock => {
  let looks = 0n
  return Object.assign(Object.create(real), { monotonicTimeNanosUnsafe: () => ++looks * 1_000_000n })
}

const transport = Transport.of({
  connect: () => Effect.fail(new ConnectFailed({ reason: "Refused", cause: "nobody" })),
  listen: (at) => Effect.succeed({ endpoint: at })
})

type Beside = (journal: Journal["Service"]) => Effect.Effect<unknown>

/** A switch of two links that nobody calls, on the journal of a directory, until the scope ends; and what runs beside it. */
const start = (directory: string, options: Partial<SqliteStoreOptions> = {}, beside: Beside = () => Effect.void) =>
  Effect.gen(function* () {
    const layers = [layerIn(directory, options), Layer.succeed(Transport, transport), Logger.layer([])] as const
    const context = yield* Layer.build(Layer.mergeAll(...layers))
    const settings: Switch.SwitchSettings = {
      links: [linkOf("acquirer", 4802), linkOf("issuer", 103)],
      routes: [{ bin: "62", to: 1 }],
      limits: { requestTimeoutMs: 1000, recentKeys: 1024, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 }
    }
    yield* Effect.forkScoped(beside(Context.get(context, Journal)))
    return yield* Effect.provideContext(Switch.make(settings), context)
  })

setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

/** All bytes that something still refers to. */
const all = (): number => {
  collect()
  const { external, heapUsed } = process.memoryUsage()
  return external + heapUsed
}

/** Bytes outside of the heap that something still refers to. */
const held = (): number => {
  collect()
  return process.memoryUsage().external
}

const live = (title: string, body: Effect.Effect<void, unknown, Scope.Scope>) =>
  it.live(title, () => Effect.scoped(body))

describe("a start over a journal on disk", () => {
  live(
    "sends what waited before an accepted loss as a repeat: its first attempt may be among what was lost",
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* withJournal(directory, (journal) => {
        journal.writer.floor = 1
        queue(journal)
        journal.writer.note("loss accepted: entries 3 to 9")
        queue(journal)
        return journal.drained
      })
      const { pending } = yield* start(directory)

      expect(pending.list().messages.map(({ attempts }) => attempts)).toEqual([1, 0])
    })
  )

  live(
    "keeps a hundred bytes or two of each message that waits, and the messages themselves on disk",
    Effect.gen(function* () {
      const count = 20_000
      const directory = yield* temporaryDirectory
      yield* Effect.scoped(start(yield* temporaryDirectory))
      const before = all()
      yield* withJournal(directory, (journal) =>
        Effect.gen(function* () {
          journal.writer.floor = 1
          for (let n = 0; n < count; n++) {
            queue(journal)
            if (n % 1000 === 0) yield* journal.drained
          }
          yield* journal.drained
        })
      )
      const { pending, recovered, status } = yield* start(directory)
      const grown = () => (all() - before) / count
      for (let n = 0; n < 100 && grown() >= 250; n++) yield* Effect.sleep(50)

      expect(recovered.resumed).toBe(count)
      expect(status().links[1]!.stored.size).toBe(count)
      expect(pending.list().waiting).toBe(count)
      expect(grown()).toBeLessThan(250)
    })
  )

  live(
    "keeps no more in memory than the messages that wait, however much lies between them",
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      // A start of another journal first: the code that it loads is not what is measured.
      yield* Effect.scoped(start(yield* temporaryDirectory))
      const before = held()
      yield* withJournal(directory, (journal) =>
        Effect.gen(function* () {
          journal.writer.floor = 1
          for (let n = 0; n < 150; n++) {
            queue(journal)
            for (let more = 0; more < 5; more++)
              write(journal.writer, { kind: EntryKind.event, message: Buffer.alloc(65_000) })
            yield* journal.drained
          }
        })
      )
      const { recovered } = yield* start(directory)
      expect(recovered.resumed).toBe(150)
      // 50 MB were read.
      const grown = () => (held() - before) / 1e6
      // What a closed journal or an earlier test of this process has left is given back a little later.
      for (let n = 0; n < 100 && grown() >= 20; n++) yield* Effect.sleep(50)
      expect(grown()).toBeLessThan(20)
    })
  )

  live(
    "lets others have their turns while it ends what is open, so that an owner's beats go on",
    Effect.gen(function* () {
      const count = 2000
      const directory = yield* temporaryDirectory
      yield* withJournal(directory, (journal) => {
        const link = journal.nameId("acquirer", cups.name)
        for (let n = 0; n < count; n++)
          write(journal.writer, { link, code: "issuer", message: request, pan: "6222021234567890" })
        return journal.drained
      })
      let seen = 0
      let most = 0
      const beats: Beside = ({ writer }) =>
        Effect.sync(() => {
          most = Math.max(most, seen === 0 ? 0 : writer.next - seen)
          seen = writer.next
        }).pipe(Effect.andThen(Effect.yieldNow), Effect.forever({ disableYield: true }))
      const clock = lookingClock(yield* Clock.Clock)
      const { recovered } = yield* Effect.provideService(start(directory, {}, beats), Clock.Clock, clock)

      expect(recovered).toMatchObject({ ended: count, reversed: count })
      // A slice of 5 ms: five looks, with two entries each.
      expect(most).toBe(10)
    })
  )

  live(
    "is refused while the key of an open exchange is missing, and sends nothing half",
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const newKey = Buffer.alloc(32, 0x77)
      yield* withJournal(directory, (journal) => {
        queue(journal)
        return journal.drained
      })
      const changed = { key: newKey, previousKeys: [testKey] }
      yield* withJournal(
        directory,
        (journal) => {
          write(journal.writer, {
            kind: EntryKind.refused,
            link: journal.nameId("issuer", cups.name),
            pan: "6222020000000000"
          })
          return journal.drained
        },
        changed
      )
      const refused = yield* Effect.exit(Effect.scoped(start(directory, { key: newKey })))
      expect(String(Exit.isFailure(refused) && refused.cause)).toMatch(/KeyWrong: .* was written with the key/)
      expect((yield* Effect.scoped(start(directory, changed))).recovered.resumed).toBe(1)
    })
  )
})
