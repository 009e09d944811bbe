/**
 * The links of a partner: it dials one address for ever, or listens and takes every connection.
 *
 * Owns cutting its own links on demand, and the ticks; how connections come to be is Entrance. Not paced for kindness: a
 * simulator comes back fast so that the switch is tested. Everything ends with the scope.
 */
import { Clock, Effect, Fiber, type Scope } from "effect"
import type { Chance } from "../chance/Chance.ts"
import type { PartnerMessage } from "../message/PartnerMessage.ts"
import { type Session, timepieceOf } from "../partner/Session.ts"
import type { ListenFailed } from "../SimulatorError.ts"
import { type EntranceSettings, makeEntrance } from "./Entrance.ts"
import type { Endpoint } from "./Listener.ts"
import { type ConnectionSettings, PartnerConnection } from "./PartnerConnection.ts"
import type { PartnerEnd } from "./Sockets.ts"
import { makeTicks } from "./Ticks.ts"

/** Settings of a partner's links. Times in milliseconds. */
export interface LinkSettings<In extends object = PartnerMessage, Out = In>
  extends ConnectionSettings<In, Out>,
    EntranceSettings {
  /** Between two ticks of a session that has nothing to do; 0: the owner ticks the link. */
  readonly tick: number
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
    const tick = (): void => {
      const now = time.monotonic()
      for (const connection of connections) connection.tick(now)
      session.tick()
    }
    const nextAt = () => session.nextAt?.() ?? Number.POSITIVE_INFINITY
    const ticks = makeTicks({ most: settings.tick, nextAt, tick, time })
    const told: Session<In, Out> = {
      ...{ linkUp: session.linkUp.bind(session), linkDown: session.linkDown.bind(session), tick },
      received: (connection, message) => {
        session.received(connection, message)
        ticks.look()
      }
    }
    const attach = (open: PartnerEnd): void => {
      const onDown = (connection: PartnerConnection<In, Out>): void => void connections.delete(connection)
      connections.add(new PartnerConnection(open, nextEpoch(), told, settings, time, onDown))
    }
    const drop = (how: Cut, reason: string): void => {
      for (const connection of [...connections]) {
        if (how === "reset") connection.reset(reason)
        else connection.close(reason)
      }
    }
    yield* Effect.addFinalizer(() => Effect.sync(() => drop("fin", "partner stops")))
    const entrance = yield* makeEntrance(settings, chance, attach)
    const ticking = yield* Effect.forkScoped(settings.tick === 0 ? Effect.never : ticks.run)
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
