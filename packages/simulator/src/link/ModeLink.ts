/**
 * A partner's link in one of the five modes, as one thing for its program: connections come and go, messages are told with the
 * connection on which their answer leaves, and messages of our own leave by `say`.
 *
 * Owns which socket carries what: one for both ways, one for each way, one for each exchange or one for each message. Knows
 * no messages.
 */
import { Effect, Exit, Scope } from "effect"
import type { Chance } from "../chance/Chance.ts"
import type { MessageForm } from "../message/CupsMessage.ts"
import type { Connection, Session } from "../partner/Session.ts"
import type { ListenFailed } from "../SimulatorError.ts"
import { makeDials } from "./Dials.ts"
import { type LegName, Legs } from "./Legs.ts"
import type { Endpoint } from "./Listener.ts"
import { PartnerConnection } from "./PartnerConnection.ts"
import { type Cut, type LinkSettings, makePartnerLink, type PartnerLink } from "./PartnerLink.ts"
import type { PartnerEnd } from "./Sockets.ts"
import type { TlsMaterial } from "./TlsSide.ts"

/** How connections of one address come about. */
export interface Way {
  readonly role: "dial" | "listen"
  readonly endpoint: Endpoint
  readonly tls?: TlsMaterial
}

/** Which connections a link has (docs/concepts/modes.md). */
export type Mode =
  | { readonly mode: "async-duplex" | "sync-long"; readonly way: Way }
  /** `keep`: a connection stays for one request after the other. */
  | { readonly mode: "sync-short"; readonly way: Way; readonly keep: boolean }
  | { readonly mode: "async-short"; readonly listen: Way; readonly connect: Way }
  /** Seen from the partner: it sends on one and receives on the other. */
  | { readonly mode: "async-simplex"; readonly send: Way; readonly receive: Way }

/** What all connections of a link have in common. Times in milliseconds. */
export interface ModeSettings<In extends object, Out> {
  readonly mode: Mode
  readonly form: MessageForm<In, Out>
  readonly idleInterval: number
  readonly silenceLimit: number
  readonly redialFrom: number
  readonly redialTo: number
  readonly onTrouble?: (text: string) => void
}

/** A link while it lives. */
export interface ModeLink<Out> {
  /** Where it listens, and what it dials: one for both ways, or where it receives and then where it sends. */
  readonly endpoints: ReadonlyArray<Endpoint>
  /** Sends a message of our own: on a connection that is up, or on one made for it; false: there is none. */
  readonly say: (message: Out) => boolean
  readonly tick: () => void
  readonly cut: (how: Cut, milliseconds: number) => Effect.Effect<void>
  readonly close: Effect.Effect<void>
}

type Made<Out> = Effect.Effect<ModeLink<Out>, ListenFailed, Scope.Scope>

/** What the makers of all modes work with. */
interface Making<In extends object, Out> {
  readonly settings: ModeSettings<In, Out>
  readonly session: Session<In, Out>
  readonly chance: Chance
  readonly nextEpoch: () => number
}

/** Opens the connections of a link; they close with the scope. Its owner ticks it. */
export const makeModeLink = <In extends object, Out>(
  settings: ModeSettings<In, Out>,
  session: Session<In, Out>,
  chance: Chance
): Made<Out> => {
  let epoch = 0
  const making: Making<In, Out> = { settings, session, chance, nextEpoch: () => ++epoch }
  const { mode } = settings
  switch (mode.mode) {
    case "async-duplex":
    case "sync-long":
      return long(making, mode.way)
    case "sync-short":
      return mode.way.role === "listen" ? shortListening(making, mode.way, mode.keep) : shortDialling(making, mode.way)
    case "async-short":
      return asyncShort(making, mode.listen, mode.connect)
    case "async-simplex":
      return simplex(making, mode.send, mode.receive)
  }
}

/** What a connection is for: both ways, one way of two, or one exchange. */
type Use = "duplex" | "sends" | "receives" | "exchange"

const linkSettings = <In extends object, Out>(
  { settings }: Making<In, Out>,
  way: Way,
  use: Use
): LinkSettings<In, Out> => ({
  ...way,
  form: settings.form,
  idleInterval: use === "duplex" || use === "sends" ? settings.idleInterval : Number.POSITIVE_INFINITY,
  silenceLimit: use === "sends" ? Number.POSITIVE_INFINITY : settings.silenceLimit,
  redialFrom: settings.redialFrom,
  redialTo: settings.redialTo,
  tick: 0,
  isHalfOpen: use === "exchange",
  ...(settings.onTrouble === undefined ? {} : { onTrouble: settings.onTrouble })
})

const open = <In extends object, Out>(
  making: Making<In, Out>,
  way: Way,
  session: Session<In, Out>,
  use: Use
): Effect.Effect<PartnerLink, ListenFailed, Scope.Scope> =>
  makePartnerLink(linkSettings(making, way, use), session, making.chance, making.nextEpoch)

/** One connection, both ways; own messages leave on the one that came up first. */
const long = <In extends object, Out>(making: Making<In, Out>, way: Way): Made<Out> => {
  const live = new Map<number, Connection<Out>>()
  const { session } = making
  const seen: Session<In, Out> = {
    ...sessionOf(session),
    linkUp: (connection) => {
      live.set(connection.epoch, connection)
      session.linkUp(connection)
    },
    linkDown: (connection, reason) => {
      live.delete(connection.epoch)
      session.linkDown(connection, reason)
    }
  }
  return Effect.map(open(making, way, seen, "duplex"), (link) => ({
    ...linkParts([link]),
    say: (message) => {
      const [first] = live.values()
      first?.send(message)
      return first !== undefined
    }
  }))
}

/** The methods of a session as plain functions, to be wrapped. */
const sessionOf = <In extends object, Out>(session: Session<In, Out>): Session<In, Out> => ({
  linkUp: (connection) => session.linkUp(connection),
  linkDown: (connection, reason) => session.linkDown(connection, reason),
  received: (connection, message) => session.received(connection, message),
  tick: () => session.tick()
})

const linkParts = (links: ReadonlyArray<PartnerLink>): Omit<ModeLink<never>, "say"> => ({
  endpoints: links.map(({ endpoint }) => endpoint),
  tick: () => {
    for (const link of links) link.tick()
  },
  cut: (how, milliseconds) =>
    Effect.forEach(links, (link) => link.cut(how, milliseconds), { concurrency: "unbounded", discard: true }),
  close: Effect.forEach(links, (link) => link.close, { concurrency: "unbounded", discard: true })
})

/** A connection for each request: it closes behind the answer. Nothing of our own can leave. */
const shortListening = <In extends object, Out>(making: Making<In, Out>, way: Way, keep: boolean): Made<Out> => {
  const { session } = making
  const closing = (connection: Connection<Out>): Connection<Out> => ({
    epoch: connection.epoch,
    send: (message) => {
      connection.send(message)
      if (!keep) connection.close("answered")
    },
    close: (reason, how) => connection.close(reason, how)
  })
  const answered: Session<In, Out> = {
    ...sessionOf(session),
    received: (connection, message) => session.received(closing(connection), message)
  }
  return Effect.map(open(making, way, answered, "exchange"), (link) => ({ ...linkParts([link]), say: () => false }))
}

/** What a connection that is made for one message does with what comes on it. */
interface Errand<Out> {
  readonly message: Out
  /** The answer comes on the same connection; otherwise it is closed behind the message. */
  readonly awaitsAnswer: boolean
}

/** Dials for each message. Failed attempts are told; the message is lost with them, as on a real line. */
const makeErrands = <In extends object, Out>(
  making: Making<In, Out>,
  way: Way
): Effect.Effect<{ readonly go: (errand: Errand<Out>) => void; readonly tick: () => void }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { session, settings } = making
    const dials = yield* makeDials(way)
    const connections = new Set<PartnerConnection<In, Out>>()
    const timepiece = { monotonic: yield* monotonic, wall: () => 0 }
    const carry = (opened: PartnerEnd, { awaitsAnswer, message }: Errand<Out>): void => {
      const one: Session<In, Out> = {
        linkUp: (connection) => connection.send(message),
        linkDown: () => undefined,
        received: (connection, answer) => {
          session.received(connection, answer)
          connection.close("answered")
        },
        tick: () => undefined
      }
      const connection: PartnerConnection<In, Out> = new PartnerConnection(
        opened,
        making.nextEpoch(),
        one,
        linkSettings(making, way, "exchange"),
        timepiece,
        (down) => void connections.delete(down)
      )
      connections.add(connection)
      const endsWithFin = settings.form.frame.kind === "until-close"
      if (!awaitsAnswer) connection.close("sent")
      else if (endsWithFin) connection.finishSending()
    }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const connection of connections) connection.close("partner stops")
      })
    )
    return {
      go: (errand) =>
        dials((opened) => {
          if (typeof opened !== "string") return carry(opened, errand)
          settings.onTrouble?.(`a message did not leave: no connection (${opened})`)
        }),
      tick: () => {
        for (const connection of connections) connection.tick(timepiece.monotonic())
      }
    }
  })

const monotonic = Effect.clockWith((clock) => Effect.succeed(() => Number(clock.monotonicTimeNanosUnsafe()) / 1e6))

/** Dials for each message of our own and takes the answer on the same connection; nothing comes to us otherwise. */
const shortDialling = <In extends object, Out>(making: Making<In, Out>, way: Way): Made<Out> =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const errands = yield* makeErrands(making, way).pipe(Scope.provide(scope))
    return {
      endpoints: [way.endpoint],
      say: (message) => {
        errands.go({ message, awaitsAnswer: true })
        return true
      },
      tick: () => {
        errands.tick()
        making.session.tick()
      },
      cut: (_how, milliseconds) => Effect.sleep(milliseconds),
      close: Scope.close(scope, Exit.void)
    }
  })

/** Takes each message on a connection of the far side's, and sends each on one of our own. */
const asyncShort = <In extends object, Out>(making: Making<In, Out>, listen: Way, connect: Way): Made<Out> =>
  Effect.gen(function* () {
    const { session } = making
    const errands = yield* makeErrands(making, connect)
    const away = (connection: Connection<Out>): Connection<Out> => ({
      epoch: connection.epoch,
      send: (message) => errands.go({ message, awaitsAnswer: false }),
      close: (reason, how) => connection.close(reason, how)
    })
    // A connection that brought a message says nothing by its end: what is due leaves on another one.
    const read: Session<In, Out> = {
      linkUp: () => undefined,
      linkDown: () => undefined,
      received: (connection, message) => session.received(away(connection), message),
      tick: () => session.tick()
    }
    const link = yield* open(making, listen, read, "receives")
    const parts = linkParts([link])
    return {
      ...parts,
      endpoints: [...parts.endpoints, connect.endpoint],
      say: (message) => {
        errands.go({ message, awaitsAnswer: false })
        return true
      },
      tick: () => {
        parts.tick()
        errands.tick()
      }
    }
  })

/** Two connections that are one: up when both are, down when either falls. */
const simplex = <In extends object, Out>(making: Making<In, Out>, send: Way, receive: Way): Made<Out> =>
  Effect.gen(function* () {
    const { session } = making
    let joined: Connection<Out> | undefined
    const legs = new Legs<Connection<Out>>({
      joined: (sends, receives) => {
        joined = {
          epoch: making.nextEpoch(),
          send: (message) => sends.send(message),
          close: (reason, how) => {
            sends.close(reason, how)
            receives.close(reason, how)
          }
        }
        session.linkUp(joined)
      },
      parted: (reason) => {
        const fallen = joined!
        joined = undefined
        session.linkDown(fallen, reason)
      },
      close: (leg, reason) => leg.close(reason)
    })
    const leg = (name: LegName): Session<In, Out> => ({
      linkUp: (connection) => legs.came(name, connection),
      linkDown: (connection, reason) => legs.fell(name, connection, reason),
      // What comes before both legs are up waits for nobody: a partner that sends too early is not heard.
      received: (_, message) => {
        if (joined !== undefined && name === "receives") session.received(joined, message)
      },
      tick: () => {
        if (name === "receives") session.tick()
      }
    })
    const links = [
      yield* open(making, receive, leg("receives"), "receives"),
      yield* open(making, send, leg("sends"), "sends")
    ]
    return {
      ...linkParts(links),
      say: (message) => {
        joined?.send(message)
        return joined !== undefined
      }
    }
  })
