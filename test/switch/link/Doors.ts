/** A door over real sockets, with what it gives to each link and what it notes. */
import { connect, type Socket } from "node:net"
import { compile, cups, cupsFrame, isMessageError, type Message, wholeFrame } from "@jinka/codec"
import { Effect, Exit, Layer, Scope } from "effect"
import { Door, type DoorMember, type DoorSettings } from "../../../packages/switch/src/link/door/Door.ts"
import type { Connection } from "../../../packages/switch/src/transport/Transport.ts"
import { network } from "../transport/Sockets.ts"

/** The messages of these tests. */
export const codec = compile(cups)

/** A connection that a link got. */
export interface Given {
  readonly link: string
  readonly connection: Connection
}

/** A door that listens. */
export interface OpenDoor {
  readonly door: Door
  readonly port: number
  readonly notes: ReadonlyArray<string>
  /** The next connection that a link gets. */
  readonly given: () => Promise<Given>
  readonly close: () => Promise<void>
}

/** Settings with wide limits. */
export const door = (by: DoorSettings["by"], more: Partial<DoorSettings> = {}): DoorSettings => ({
  name: "front",
  at: { host: "127.0.0.1", port: 0 },
  from: [],
  limits: { connections: 1000, perSource: 1000, newPerSecond: 1000, pending: 1000 },
  by,
  ...more
})

/** By what the first message says. */
export const byFirst = (field: number, waitMs = 1000): DoorSettings["by"] => ({
  _tag: field === 0 ? "header" : "field",
  field,
  waitMs
})

/** Opens a door with these links behind it. */
export const open = async (
  settings: DoorSettings,
  members: ReadonlyArray<Partial<DoorMember> & { readonly name: string }>
): Promise<OpenDoor> => {
  const notes: Array<string> = []
  const came: Array<Given> = []
  const waiting: Array<(one: Given) => void> = []
  const offer = (link: string) => (connection: Connection) => {
    const one = waiting.shift()
    if (one === undefined) came.push({ link, connection })
    else one({ link, connection })
  }
  const whole = members.map((one) => ({
    from: [],
    certificate: undefined,
    value: "",
    language: { frame: cupsFrame, codec },
    offer: offer(one.name),
    ...one
  }))
  const made = new Door(settings, (text) => notes.push(text))
  made.serve(whole)
  const scope = Effect.runSync(Scope.make())
  const context = await Effect.runPromise(Layer.buildWithScope(network, scope))
  const listening = Effect.andThen(made.live, made.open(settings))
  const { endpoint } = await Effect.runPromise(listening.pipe(Scope.provide(scope), Effect.provideContext(context)))
  return {
    door: made,
    port: endpoint.port,
    notes,
    given: () => {
      const one = came.shift()
      return one === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(one)
    },
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

/** A partner's bare socket. `closed` resolves when it has ended, however. */
export interface Knock {
  readonly socket: Socket
  readonly closed: Promise<void>
}

/** Connects from an address of the loopback network. */
export const knock = (port: number, localAddress = "127.0.0.1"): Promise<Knock> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress })
    const closed = new Promise<void>((ended) => socket.once("close", () => ended()))
    socket.on("error", () => undefined)
    socket.once("connect", () => resolve({ socket, closed }))
    socket.once("close", () => resolve({ socket, closed }))
  })

/** A message in its frame. */
export const framed = (message: Message): Buffer => {
  const bytes = codec.encode(message)
  if (isMessageError(bytes)) throw new Error(bytes._tag)
  return wholeFrame(cupsFrame, bytes)
}

/** An echo request as an institution sends it first. */
export const hello = (source: string, fields: Message["fields"] = {}): Message => ({
  mti: "0820",
  header: { destination: "00010000", source },
  fields: { 7: "1122223829", 11: "000001", 33: source, 53: "2600000000000000", 70: "301", 100: "00010000", ...fields }
})
