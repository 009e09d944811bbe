/**
 * A whole switch on a transport and a journal that the test holds in its hands: virtual time, nothing durable before `commit`.
 */
import { type Codec, cups, type Dialect, isMessageError, type Message } from "@jinka/codec"
import { Effect, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import type { SecurityModule } from "../../../packages/switch/src/guard/SecurityModule.ts"
import { Journal } from "../../../packages/switch/src/journal/Journal.ts"
import { MemoryStore } from "../../../packages/switch/src/journal/MemoryStore.ts"
import * as Switch from "../../../packages/switch/src/Switch.ts"
import {
  ConnectFailed,
  type Connection,
  ConnectionEnded,
  Transport
} from "../../../packages/switch/src/transport/Transport.ts"
import { markWaited } from "../../../packages/switch/src/transport/Waited.ts"
import { codecOf, type LinkAll, lenientOf, usualLink } from "../LinkSettings.ts"

export type { LinkAll }

const local = new ConnectionEnded({ how: "local", cause: "closed by this side" })

/** One connection as the test sees it: it plays the partner. */
export class Wire implements Connection {
  readonly local = "127.0.0.1:1"
  readonly remote = "127.0.0.1:2"
  /** Whether writes are taken at once; else they wait for ever. */
  takes = true
  isOpen = true
  /** Bytes of the write that waits for ever; a test may say that the kernel has taken some of them. */
  waiting = 0
  private readonly settings: LinkAll
  private readonly reading: Codec
  private readonly chunks: Array<Buffer> = []
  private readonly sent: Array<Buffer> = []
  private ended: ConnectionEnded | undefined
  private wakePuller: (() => void) | undefined
  private failWriter: (() => void) | undefined

  constructor(settings: LinkAll) {
    this.settings = settings
    this.reading = lenientOf(settings.dialect)
  }

  readonly pull: Connection["pull"] = Effect.callback((resume) => {
    const look = () => {
      if (this.chunks.length > 0) resume(Effect.succeed(this.chunks.splice(0)))
      else if (this.ended !== undefined) resume(Effect.fail(this.ended))
      else return false
      return true
    }
    if (!look()) {
      this.wakePuller = () => {
        this.wakePuller = undefined
        look()
      }
    }
  })

  write(bytes: Buffer): Effect.Effect<void, ConnectionEnded> {
    return Effect.suspend(() => {
      if (this.ended !== undefined) return Effect.fail(this.ended)
      if (this.takes) {
        this.sent.push(Buffer.from(bytes))
        return Effect.void
      }
      this.waiting = bytes.length
      return Effect.callback<void, ConnectionEnded>((resume) => {
        this.failWriter = () => resume(Effect.fail(this.ended!))
      })
    })
  }

  unsent(): number {
    return this.waiting
  }

  close(): void {
    this.isOpen = false
    this.end(local)
  }

  /** The partner or the network ends it; a waiting write hears of it first, as with a socket. */
  end(ended: ConnectionEnded): void {
    if (this.ended !== undefined) return
    this.ended = ended
    this.failWriter?.()
    this.wakePuller?.()
  }

  /** The partner sends these messages in one read. */
  say(...messages: ReadonlyArray<Message | Buffer>): void {
    this.chunks.push(Buffer.concat(messages.map((message) => this.frame(message))))
    this.wakePuller?.()
  }

  /** The same, in a read that may have waited for `ms` before it was read. */
  sayLate(ms: number, ...messages: ReadonlyArray<Message>): void {
    const chunk = Buffer.concat(messages.map((message) => this.frame(message)))
    markWaited(chunk, ms)
    this.chunks.push(chunk)
    this.wakePuller?.()
  }

  /** The same, while nobody is pulling: for what is in the kernel when the end comes. */
  keep(message: Message): void {
    this.chunks.push(this.frame(message))
  }

  /** The partner sends these bytes, whatever they are. */
  raw(bytes: Buffer): void {
    this.chunks.push(bytes)
    this.wakePuller?.()
  }

  /** What the switch has sent since the last call. */
  heard(): ReadonlyArray<Message> {
    return this.messagesIn(Buffer.concat(this.sent.splice(0)))
  }

  /** The messages of a write. */
  messagesIn(written: Buffer): ReadonlyArray<Message> {
    return this.framesIn(written).map((bytes) => {
      const message = this.reading.decode(bytes)
      if (isMessageError(message)) throw new Error(`the switch sent a bad message: ${message._tag}`)
      return message
    })
  }

  /** What the switch has sent since the last call, as it is in its frames. */
  heardBytes(): ReadonlyArray<Buffer> {
    return this.framesIn(Buffer.concat(this.sent.splice(0)))
  }

  private framesIn(bytes: Buffer): ReadonlyArray<Buffer> {
    const messages: Array<Buffer> = []
    for (let at = 0; at < bytes.length; ) {
      const end = at + 4 + Number(bytes.toString("latin1", at, at + 4))
      messages.push(bytes.subarray(at + 4, end))
      at = end
    }
    return messages
  }

  private frame(message: Message | Buffer): Buffer {
    const bytes = Buffer.isBuffer(message) ? message : this.settings.codec.encode(message)
    if (isMessageError(bytes)) throw new Error(`the test's message is wrong: ${bytes._tag}`)
    return Buffer.concat([Buffer.from(String(bytes.length).padStart(4, "0")), bytes])
  }
}

/** A link of the bench: nobody signs on, nobody is probed. */
export const linkOf = (name: string, port: number, dialect: Dialect = cups): LinkAll => ({
  ...usualLink,
  name,
  institution: `${port}0000`,
  dialect,
  codec: codecOf(dialect),
  side: { _tag: "listen", at: { host: "bench", port }, from: [], second: "replace" },
  watchdog: { intervalMs: 3_600_000, probe: false, proofs: 0 },
  reconnect: { minMs: 100, maxMs: 100 },
  delivery: { ...usualLink.delivery, retryMs: 1000 }
})

/** The same with a connection for each message, which is dialled. */
export const dialledLinkOf = (name: string, port: number): LinkAll => ({
  ...linkOf(name, port),
  mode: "async-short",
  short: {
    dial: { _tag: "connect", to: { host: "bench", port: 1 }, timeoutMs: 30_000 },
    keep: false,
    firstMessageMs: 1000,
    idleMs: 5000,
    connectionsMax: 10
  }
})

/** A purchase on its way from 4802 to BIN 62. */
export const purchase = (fields: Message["fields"] = {}, mti = "0200"): Message => ({
  mti,
  header: { destination: "00010000", source: "48020000" },
  fields: {
    2: "6200000000000005",
    3: "000000",
    4: "000000012300",
    7: "1122223829",
    11: "000001",
    18: "5411",
    25: "00",
    32: "48020000",
    33: "48020000",
    41: "T0000001",
    49: "156",
    ...fields
  }
})

/** The answer of the partner that heard `message`. */
export const answerTo = (message: Message, mti: string, fields: Message["fields"] = {}): Message => ({
  ...message,
  mti,
  fields: { ...message.fields, 39: "00", ...fields }
})

/** Lets every fiber run until it waits. Not by `Effect.repeat`: its schedule takes longer than what the fibers do. */
export const settle = Effect.gen(function* () {
  for (let turn = 0; turn < 50; turn++) yield* Effect.yieldNow
})

/** What outlives a switch: its journal, and what is on its way there. */
export const makeDisk = () => {
  const waiting: Array<() => void> = []
  const schedule = (_: number, run: () => void) => {
    if (disk.isHeld) waiting.push(run)
    else queueMicrotask(run)
  }
  const disk = { isHeld: false, waiting, store: new MemoryStore({ schedule }) }
  return disk
}

/** A running switch, in a scope; `acquirer` (link 0) and `issuer` (link 1) and whatever else is given. */
export const startBench = (
  links: ReadonlyArray<LinkAll>,
  disk = makeDisk(),
  more: Partial<Pick<Switch.SwitchSettings, "groups" | "routes" | "limits">> = {},
  module?: SecurityModule,
  connect: Transport["Service"]["connect"] = () => Effect.fail(new ConnectFailed({ reason: "Refused", cause: "bench" }))
) =>
  Effect.gen(function* () {
    const accepts = new Map<number, (connection: Connection) => void>()
    const { store, waiting } = disk
    disk.isHeld = false
    const transport = Transport.of({
      connect,
      listen: (at, accept) => Effect.sync(() => accepts.set(at.port, accept)).pipe(Effect.as({ endpoint: at }))
    })
    // The journal makes all durable, and what follows from that, until nothing is left to write.
    const commit = Effect.gen(function* () {
      yield* settle
      for (let round = 0; round < 5 && waiting.length > 0; round++) {
        while (waiting.length > 0) waiting.shift()!()
        yield* settle
      }
    })
    const settings: Switch.SwitchSettings = {
      links,
      routes: [{ bin: "62", to: 1 }],
      limits: {
        requestTimeoutMs: 1000,
        recentKeys: 1024,
        unwrittenRefuse: 1 << 20,
        unwrittenStop: 1 << 21
      },
      ...more
    }
    const journal = Journal.layer.pipe(Layer.provide(store.layer))
    const context = yield* Layer.build(Layer.mergeAll(journal, Layer.succeed(Transport, transport), Logger.layer([])))
    // The journal's own finalizer waits until all is on disk.
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        disk.isHeld = false
        return commit
      })
    )
    const running = yield* Effect.provideContext(Switch.make(settings, module), context)
    yield* TestClock.adjust(1)
    disk.isHeld = true
    /** The partner of a link with these settings connects. */
    const offer = (settings: LinkAll): Wire => {
      const wire = new Wire(settings)
      if (settings.side._tag === "listen") accepts.get(settings.side.at.port)!(wire)
      return wire
    }
    const dial = (link: number): Wire => offer(links[link]!)
    /** One leg of a simplex link of which the partner makes both. */
    const dialLeg = (link: number, leg: "send" | "receive"): Wire => {
      const { side } = links[link]!
      const wire = new Wire(links[link]!)
      if (side._tag === "legs" && side[leg]._tag === "listen") accepts.get(side[leg].at.port)!(wire)
      return wire
    }
    return { running, store, commit, dial, offer, dialLeg, links, settings }
  })
