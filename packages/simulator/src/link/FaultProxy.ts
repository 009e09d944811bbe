/**
 * A small TCP proxy that does to a link what networks do: cuts, black holes, delay, slices, refusal.
 *
 * Owns the pairs of sockets and the faults in force. Knows nothing of frames or messages. Faults are commands, not
 * chance: who draws them (a test, the main job) also knows them. A black hole never heals for connections that lost
 * bytes through it: when it ends they are reset, because a TCP stream with a gap cannot exist.
 */
import { connect, type Socket } from "node:net"
import { Clock, Effect, type Scope } from "effect"
import { timepieceOf } from "../partner/Session.ts"
import type { ListenFailed } from "../SimulatorError.ts"
import { FaultFlow, type FlowFaults, noFlowFaults } from "./FaultFlow.ts"
import { type Endpoint, endpointOf, listen as listenOn } from "./Listener.ts"
import type { Cut } from "./PartnerLink.ts"

/** Direction of bytes: towards the target that is dialled, or from it. */
export type Direction = "toTarget" | "fromTarget" | "both"

/** A running proxy. All commands take effect at once. */
export interface FaultProxy {
  /** Where to connect to instead of the target. */
  readonly endpoint: Endpoint
  /** Pairs that are up. */
  readonly connections: () => number
  /** Cuts every pair on both sides. New connections are taken. */
  readonly cut: (how: Cut) => void
  /** Refuses new connections for a time (the port is closed); pairs that are up stay. */
  readonly refuse: (milliseconds: number) => Effect.Effect<void>
  /** Changes the faults of one direction or both; what is not named stays. */
  readonly set: (direction: Direction, faults: Partial<FlowFaults>) => void
  /** No faults any more; pairs that lost bytes are reset. */
  readonly heal: () => void
}

interface Pair {
  readonly near: Socket
  readonly far: Socket
  readonly toTarget: FaultFlow
  readonly fromTarget: FaultFlow
}

/** Starts a proxy from `listen` to `target`; it ends with the scope. Port 0 takes any free port. */
export const makeFaultProxy = (
  listen: Endpoint,
  target: Endpoint
): Effect.Effect<FaultProxy, ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const time = timepieceOf(yield* Clock.Clock)
    const pairs = new Set<Pair>()
    const faults = { toTarget: noFlowFaults, fromTarget: noFlowFaults }
    const accept = (near: Socket): void => void pair(near, target, faults, time.monotonic, pairs)
    // Half-open is allowed: the FIN of one side must reach the other in its place in the stream, not at once.
    const open = (at: Endpoint) => listenOn(at, accept, { allowHalfOpen: true })
    let server = yield* open(listen)
    const endpoint = endpointOf(server, listen.host)
    const cut = (how: Cut): void => {
      for (const { near, far } of [...pairs]) for (const socket of [near, far]) end(socket, how)
    }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        server.close()
        cut("reset")
      })
    )
    yield* Effect.sync(() => {
      const now = time.monotonic()
      for (const { toTarget, fromTarget } of pairs) {
        toTarget.pump(faults.toTarget, now)
        fromTarget.pump(faults.fromTarget, now)
      }
    }).pipe(Effect.andThen(Effect.sleep("1 millis")), Effect.forever, Effect.forkScoped)
    return {
      endpoint,
      connections: () => pairs.size,
      cut,
      refuse: (milliseconds) =>
        Effect.gen(function* () {
          server.close()
          yield* Effect.sleep(milliseconds)
          server = yield* Effect.orDie(open(endpoint))
        }),
      set: (direction, change) => {
        if (direction !== "fromTarget") faults.toTarget = { ...faults.toTarget, ...change }
        if (direction !== "toTarget") faults.fromTarget = { ...faults.fromTarget, ...change }
      },
      heal: () => {
        faults.toTarget = faults.fromTarget = noFlowFaults
        for (const { near, far, toTarget, fromTarget } of [...pairs]) {
          if (toTarget.swallowed + fromTarget.swallowed === 0) continue
          end(near, "reset")
          end(far, "reset")
        }
      }
    }
  })

/** Dials the target for an accepted connection and joins the two. */
const pair = (
  near: Socket,
  target: Endpoint,
  faults: { readonly toTarget: FlowFaults; readonly fromTarget: FlowFaults },
  now: () => number,
  pairs: Set<Pair>
): void => {
  const far = connect({ host: target.host, port: target.port, allowHalfOpen: true })
  const joined: Pair = {
    near,
    far,
    toTarget: new FaultFlow(near, far, () => faults.toTarget, now),
    fromTarget: new FaultFlow(far, near, () => faults.fromTarget, now)
  }
  pairs.add(joined)
  const leave = (other: Socket) => (): void => {
    pairs.delete(joined)
    if (!other.destroyed) other.resetAndDestroy()
  }
  for (const [socket, other] of [
    [near, far],
    [far, near]
  ] as const) {
    socket.setNoDelay(true)
    // A reset on one side is passed on as a reset: `close` follows every error.
    socket.on("error", leave(other))
    socket.on("close", () => {
      pairs.delete(joined)
      if (!other.destroyed) other.destroySoon()
    })
  }
}

const end = (socket: Socket, how: Cut): void => {
  if (how === "reset") socket.resetAndDestroy()
  else socket.destroySoon()
}
