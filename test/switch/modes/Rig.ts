/**
 * A whole switch in this process on real sockets, its journal in memory, and partners on `node:net` that do what a test says.
 */
import { connect, createServer, type Server, type Socket } from "node:net"
import {
  type Codec,
  compile,
  cups,
  cupsFrame,
  type FrameFormat,
  Framer,
  isMessageError,
  type Message,
  wholeFrame
} from "@jinka/codec"
import { Deferred, Effect, Fiber, Layer, Logger } from "effect"
import type { Entry } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { Journal } from "../../../packages/switch/src/journal/Journal.ts"
import { MemoryStore } from "../../../packages/switch/src/journal/MemoryStore.ts"
import * as Listening from "../../../packages/switch/src/operate/Listening.ts"
import * as Switch from "../../../packages/switch/src/Switch.ts"
import * as NodeTransport from "../../../packages/switch/src/transport/NodeTransport.ts"
import type { Endpoint } from "../../../packages/switch/src/transport/Transport.ts"
import { isOver } from "../../Pace.ts"
import { type LinkAll, usualLink } from "../LinkSettings.ts"

export type { LinkAll }

const codec = compile(cups)
/** Reads what a refusal echoes, too. */
const lenient = compile({ ...cups, lenient: true })

/** A link of CUPS messages that waits longer than a busy machine takes: a test of a deadline gives its own. */
export const linkOf = (name: string, more: Partial<LinkAll> = {}): LinkAll => ({
  ...usualLink,
  name,
  institution: name.startsWith("issuer") ? "01020000" : "48020000",
  side: { _tag: "listen", at: { host: "127.0.0.1", port: 0 }, from: [], second: "replace" },
  watchdog: { intervalMs: more.short === undefined ? 60_000 : 0, probe: false, proofs: 0 },
  window: 512,
  frameTimeoutMs: 30_000,
  writeTimeoutMs: 30_000,
  delivery: { timeoutMs: 30_000, retryMs: 100, attemptsMax: 50, window: 8 },
  ...more
})

/** What a short link has besides. */
export const short = (more: Partial<NonNullable<LinkAll["short"]>> = {}): NonNullable<LinkAll["short"]> => ({
  dial: undefined,
  keep: false,
  firstMessageMs: 30_000,
  idleMs: 60_000,
  connectionsMax: 600,
  ...more
})

/** A link that dials a partner of this process. */
export const dialling = (name: string, port: number, more: Partial<LinkAll> = {}): LinkAll =>
  linkOf(name, { side: { _tag: "connect", to: { host: "127.0.0.1", port }, timeoutMs: 30_000 }, ...more })

/** A running switch. */
export interface Rig {
  readonly running: Switch.Running
  readonly port: (link: string) => number
  readonly entries: () => ReadonlyArray<Entry>
  /** How many entries of a kind there are. */
  readonly count: (kind: keyof typeof EntryKind) => number
  readonly stop: () => Promise<void>
}

const rigs: Array<Rig> = []
const servers: Array<Server> = []
const sockets = new Set<Socket>()

/** Ends everything that the tests of a file have started. */
export const cleanUp = async (): Promise<void> => {
  for (const rig of rigs.splice(0)) await rig.stop()
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  for (const server of servers.splice(0)) server.close()
}

/** A journal that makes everything durable at once. */
export const makeStore = (): MemoryStore => new MemoryStore({ schedule: (_, run) => queueMicrotask(run) })

/** Starts a switch; requests to BIN 62 go to the link with the name `issuer`. */
export const startRig = async (
  links: ReadonlyArray<LinkAll>,
  {
    requestTimeoutMs = 30_000,
    store = makeStore(),
    http = [],
    doors = []
  }: {
    requestTimeoutMs?: number
    store?: MemoryStore
    http?: NonNullable<Switch.SwitchSettings["http"]>
    doors?: NonNullable<Switch.SwitchSettings["doors"]>
  } = {}
): Promise<Rig> => {
  const started = Deferred.makeUnsafe<{
    running: Switch.Running
    endpointOf: (asked: Endpoint) => Endpoint | undefined
  }>()
  const to = links.findIndex(({ name }) => name === "issuer")
  const network = Listening.layer.pipe(Layer.provide(NodeTransport.layer))
  const journal = Journal.layer.pipe(Layer.provide(store.layer))
  const whole = Effect.gen(function* () {
    const running = yield* Switch.make({
      links,
      http,
      doors,
      routes: [{ bin: "62", to }],
      limits: { requestTimeoutMs, recentKeys: 4096, unwrittenRefuse: 1 << 24, unwrittenStop: 1 << 25 }
    })
    const listening = yield* Listening.Listening
    yield* listening.reached(links.filter(({ side }) => side._tag === "listen").length + http.length + doors.length)
    Deferred.doneUnsafe(started, Effect.succeed({ running, endpointOf: listening.endpointOf }))
    return yield* running.failed
  }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(network, journal, Logger.layer([]))))
  const fiber = Effect.runFork(whole)
  // A switch that does not start says why.
  const failed = Effect.flatMap(Fiber.join(fiber), () => Effect.die(new Error("the switch ended")))
  const { running, endpointOf } = await Effect.runPromise(Effect.raceFirst(Deferred.await(started), failed))
  const rig: Rig = {
    running,
    port: (name) => {
      const { side } = links.find((link) => link.name === name)!
      return side._tag === "listen" ? endpointOf(side.at)!.port : 0
    },
    entries: () => store.entries,
    count: (kind) => store.entries.filter((entry) => entry.kind === EntryKind[kind]).length,
    stop: async () => {
      await Effect.runPromise(Fiber.interrupt(fiber))
    }
  }
  rigs.push(rig)
  return rig
}

/** A message with its frame around it. */
export const framed = (message: Message, frame: FrameFormat = cupsFrame, by: Codec = codec): Buffer => {
  const bytes = by.encode(message)
  if (isMessageError(bytes)) throw new Error(`the test's message is wrong: ${bytes._tag}`)
  return wholeFrame(frame, bytes)
}

/** Calls `each` for every message that a socket brings, and `end` when it has ended in order. */
export const listenTo = (
  socket: Socket,
  frame: FrameFormat,
  each: (message: Message) => void,
  end = () => {}
): void => {
  const framer = new Framer(frame)
  const sink = {
    frame: (buffer: Buffer, start: number, to: number) => {
      const message = lenient.decode(buffer, start, to)
      if (isMessageError(message)) throw new Error(`the switch sent a bad message: ${message._tag}`)
      each(message)
    },
    idle: () => {}
  }
  sockets.add(socket)
  socket.on("close", () => sockets.delete(socket))
  socket.on("data", (chunk) => framer.push(chunk, sink))
  socket.on("end", () => {
    framer.end(sink)
    end()
  })
  socket.on("error", () => {})
}

/** A partner that listens. `each` is called for every message; `connections` counts. */
export const host = async (
  each: (message: Message, socket: Socket, connection: number) => void,
  { frame = cupsFrame, onConnection }: { frame?: FrameFormat; onConnection?: (socket: Socket, n: number) => void } = {}
): Promise<{ readonly port: number; connections: number; readonly heard: Array<Message>; close: () => void }> => {
  const partner = { port: 0, connections: 0, heard: [] as Array<Message>, close: () => void server.close() }
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const n = ++partner.connections
    onConnection?.(socket, n)
    listenTo(
      socket,
      frame,
      (message) => {
        partner.heard.push(message)
        each(message, socket, n)
      },
      () => {
        if (frame.kind !== "until-close") socket.end()
      }
    )
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  partner.port = (server.address() as { port: number }).port
  return partner
}

/** What came of one short connection to the switch: the messages until its end, and how that was. */
export interface Called {
  readonly messages: ReadonlyArray<Message>
  readonly end: "fin" | "reset"
}

/** Connects, sends, and waits for the end of the connection; `isHalf`: closes its own half behind the message. */
export const call = (
  port: number,
  message: Message | Buffer | undefined,
  { frame = cupsFrame, isHalf = false }: { frame?: FrameFormat; isHalf?: boolean } = {}
): Promise<Called> =>
  new Promise((resolve) => {
    const messages: Array<Message> = []
    let end: Called["end"] = "reset"
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => {
      const bytes = message === undefined || Buffer.isBuffer(message) ? message : framed(message, frame)
      if (bytes !== undefined) socket.write(bytes)
      if (isHalf) socket.end()
    })
    listenTo(
      socket,
      frame,
      (one) => messages.push(one),
      () => {
        end = "fin"
        socket.end()
      }
    )
    socket.on("close", () => resolve({ messages, end }))
  })

/** A purchase of BIN 62 with this STAN. */
export const purchase = (stan: number, fields: Message["fields"] = {}, mti = "0200"): Message => ({
  mti,
  header: { destination: "00010000", source: "48020000" },
  fields: {
    2: "6200000000000005",
    3: "000000",
    4: "000000012300",
    7: "1122223829",
    11: String(stan).padStart(6, "0"),
    18: "5411",
    25: "00",
    32: "48020000",
    33: "48020000",
    37: String(stan).padStart(12, "0"),
    41: "T0000001",
    49: "156",
    ...fields
  }
})

/** The answer to a message. */
export const answerTo = (message: Message, code = "00", fields: Message["fields"] = {}): Message => ({
  ...message,
  mti: String(Number(message.mti) - (Number(message.mti) % 2) + 10).padStart(4, "0"),
  fields: { ...message.fields, 39: code, ...fields }
})

/** Waits until something holds, as long as a test may take. */
export const until = async (holds: () => boolean, ms = 5000): Promise<void> => {
  const began = performance.now()
  while (!holds()) {
    if (isOver(began, ms)) throw new Error(`not within ${ms} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
