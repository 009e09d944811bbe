/**
 * The links of a partner: it dials one address for ever, or listens and takes every connection.
 *
 * Owns dialling again at once with a small seeded delay, listening, cutting its own links on demand, and the ticks. Not
 * paced for kindness: a simulator comes back fast so that the switch is tested. Everything ends with the scope.
 */
import { Clock, Effect, Fiber, Latch, Schedule, type Scope } from "effect"
import type { Chance } from "../chance/Chance.ts"
import type { PartnerMessage } from "../message/PartnerMessage.ts"
import { type Session, timepieceOf } from "../partner/Session.ts"
import type { ListenFailed } from "../SimulatorError.ts"
import { type Endpoint, endpointText } from "./Listener.ts"
import { type ConnectionSettings, PartnerConnection } from "./PartnerConnection.ts"
import { type PartnerEnd, Sockets } from "./Sockets.ts"
import type { TlsMaterial } from "./TlsSide.ts"

/** Settings of a partner's links. Times in milliseconds. */
export interface LinkSettings<In extends object = PartnerMessage, Out = In> extends ConnectionSettings<In, Out> {
  readonly role: "dial" | "listen"
  readonly endpoint: Endpoint
  /** TLS on top of every connection; left out: none. */
  readonly tls?: TlsMaterial
  /** Before dialling again: drawn between these. */
  readonly redialFrom: number
  readonly redialTo: number
  /** Between two ticks of the session; 0: the owner ticks the link. */
  readonly tick: number
  /** Told once when dialling fails, again when it fails for another reason, and when it works again. */
  readonly onTrouble?: (text: string) => void
}

/** How a link is cut: RST, or FIN. */
export type Cut = "reset" | "fin"

/** A partner's links while they live. */
export interface PartnerLink {
  /** Where it listens (the port that was really taken), or what it dials. */
  readonly endpoint: Endpoint
  /** Cuts every connection now and makes no new one for a while. */
  readonly cut: (how: Cut, milliseconds: number) => Effect.Effect<void>
  /** One tick: idle frames, silence, and the session's own. */
  readonly tick: () => void
  /** Closes every connection with FIN, makes no new one, and waits until they are down. */
  readonly close: Effect.Effect<void>
  /** Never ends, except with the defect of a session that broke in a tick. */
  readonly broken: Effect.Effect<never>
}

/** Longest time for a partner to take our FIN; milliseconds. */
const CLOSE_TIMEOUT = 1_000

/** Opens the links of a session; they close with the scope. */
export const makePartnerLink = <In extends object = PartnerMessage, Out = In>(
  settings: LinkSettings<In, Out>,
  session: Session<In, Out>,
  chance: Chance,
  nextEpoch: () => number = countedFrom1()
): Effect.Effect<PartnerLink, ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const time = timepieceOf(yield* Clock.Clock)
    const connections = new Set<PartnerConnection<In, Out>>()
    const attach = (open: PartnerEnd): void => {
      const onDown = (connection: PartnerConnection<In, Out>): void => void connections.delete(connection)
      connections.add(new PartnerConnection(open, nextEpoch(), session, settings, time, onDown))
    }
    const drop = (how: Cut, reason: string): void => {
      for (const connection of [...connections]) {
        if (how === "reset") connection.reset(reason)
        else connection.close(reason)
      }
    }
    yield* Effect.addFinalizer(() => Effect.sync(() => drop("fin", "partner stops")))
    const entrance =
      settings.role === "listen" ? yield* makeListener(settings, attach) : yield* makeDialer(settings, chance, attach)
    const tick = (): void => {
      const now = time.monotonic()
      for (const connection of connections) connection.tick(now)
      session.tick()
    }
    const ticking = yield* Effect.forkScoped(
      settings.tick === 0
        ? Effect.never
        : Effect.sync(tick).pipe(Effect.andThen(Effect.sleep(settings.tick)), Effect.forever)
    )
    const shut = (how: Cut, reason: string): Effect.Effect<void> =>
      Effect.andThen(
        entrance.shut,
        Effect.sync(() => drop(how, reason))
      )
    return {
      endpoint: entrance.endpoint,
      tick,
      cut: (how, milliseconds) =>
        shut(how, "cut on demand").pipe(Effect.andThen(Effect.sleep(milliseconds)), Effect.andThen(entrance.open)),
      close: shut("fin", "partner stops").pipe(
        Effect.andThen(Effect.repeat(Effect.sleep(1), { until: () => connections.size === 0 })),
        Effect.timeoutOption(CLOSE_TIMEOUT),
        Effect.asVoid
      ),
      broken: Fiber.join(ticking)
    }
  })

const countedFrom1 = (): (() => number) => {
  let epoch = 0
  return () => ++epoch
}

/** How connections come to be: shut makes no new ones until as many opens have followed. */
interface Entrance {
  readonly endpoint: Endpoint
  readonly shut: Effect.Effect<void>
  readonly open: Effect.Effect<void>
}

/** Where connections come from, whatever their messages are. */
type Way = Pick<LinkSettings<never>, "endpoint" | "isHalfOpen" | "onTrouble" | "redialFrom" | "redialTo" | "tls">

/** Dials, stays until the connection falls, waits a little, and again. */
const makeDialer = (
  settings: Way,
  chance: Chance,
  attach: (open: PartnerEnd) => void
): Effect.Effect<Entrance, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = yield* Sockets
    const isAllowed = yield* Latch.make(true)
    let shuts = 0
    const tell = troubleTeller(settings)
    yield* isAllowed.await.pipe(
      Effect.andThen(sockets.dial(settings)),
      Effect.map((dialled) => {
        tell(typeof dialled === "string" ? dialled : "")
        return typeof dialled === "string" ? undefined : dialled
      }),
      Effect.flatMap((socket) => (socket === undefined ? Effect.void : stay(socket, shuts > 0, attach))),
      Effect.andThen(Effect.suspend(() => Effect.sleep(chance.between(settings.redialFrom, settings.redialTo)))),
      Effect.forever,
      Effect.forkScoped
    )
    return {
      endpoint: settings.endpoint,
      shut: Effect.suspend(() => {
        shuts++
        return isAllowed.close
      }),
      open: Effect.suspend(() => {
        shuts--
        return shuts === 0 ? isAllowed.open : Effect.void
      })
    }
  })

/** Says why no connection comes about, once for each reason in a row; "" is no trouble. */
const troubleTeller = ({ endpoint, onTrouble }: Way): ((why: string) => void) => {
  let last = ""
  return (why) => {
    if (why === last) return
    last = why
    const at = endpointText(endpoint)
    onTrouble?.(why === "" ? `connected to ${at}` : `no connection to ${at} (${why}); it is tried again and again`)
  }
}

/** Ends when the connection has fallen. One that came up while it was not wanted is dropped at once. */
const stay = (open: PartnerEnd, isShut: boolean, attach: (open: PartnerEnd) => void): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (open.socket.destroyed || isShut) {
      open.socket.destroy()
      return resume(Effect.void)
    }
    attach(open)
    open.socket.once("close", () => resume(Effect.void))
    return Effect.sync(() => open.socket.destroySoon())
  })

/** Listens; shut closes the port, so that connects are refused, and open takes the same port again. */
const makeListener = (
  way: Way,
  attach: (end: PartnerEnd) => void
): Effect.Effect<Entrance, ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = yield* Sockets
    const { endpoint, onTrouble } = way
    let shuts = 0
    const refused = (why: string): void => onTrouble?.(`a connection to ${endpointText(endpoint)} was refused: ${why}`)
    let open = yield* sockets.listen(way, attach, refused)
    const taken = open.endpoint
    yield* Effect.addFinalizer(() => Effect.sync(() => open.close()))
    const reopen = Effect.gen(function* () {
      const again = sockets.listen({ ...way, endpoint: taken }, attach, refused)
      open = yield* again.pipe(Effect.retry(Schedule.spaced("50 millis")), Effect.orDie)
    })
    return {
      endpoint: taken,
      shut: Effect.sync(() => {
        shuts++
        open.close()
      }),
      open: Effect.suspend(() => {
        shuts--
        return shuts === 0 ? reopen : Effect.void
      })
    }
  })
