/**
 * A small TCP proxy that does to a link what networks and partners do: cuts, black holes, delay, slices, refusal, and, by a plan
 * that reads frames, whatever may befall single messages.
 *
 * Owns the pairs of sockets and the faults in force. Faults are commands or a plan (proxy/FaultRules); the proxy itself knows
 * nothing of messages and draws nothing but from its seed. A black hole never heals for connections that lost bytes through it:
 * when it ends they are reset, because a TCP stream with a gap cannot exist.
 */
import { Clock, Effect, Latch, type Scope } from "effect"
import { chanceOf } from "../chance/Chance.ts"
import { timepieceOf } from "../partner/Session.ts"
import { type ListenFailed, reasonOf } from "../SimulatorError.ts"
import { FaultFlow, type FlowFaults, noFlowFaults, plainFlow, type Stage, type StageOut } from "./FaultFlow.ts"
import { type Endpoint, endpointOf, listen as listenOn } from "./Listener.ts"
import type { Cut } from "./PartnerLink.ts"
import type { LineTls } from "./PassThrough.ts"
import { dialSocket, type OpenSocket, type TlsMaterial, takeSocket } from "./TlsSide.ts"

/** Direction of bytes: towards the target that is dialled, or from it. */
export type Direction = "toTarget" | "fromTarget" | "both"

/** One direction. */
export type OneWay = Exclude<Direction, "both">

/** What a plan may do to the connections of a proxy. Connections count from 1. */
export interface PlanActs {
  /** Cuts one connection, or all with 0, on both sides. */
  readonly cut: (how: Cut, connection: number) => void
  /** Ends one direction of one connection, or of all with 0, with a FIN. */
  readonly halfClose: (direction: OneWay, connection: number) => void
}

/** Faults by a plan: what each direction meets now, and who looks at its messages. */
export interface FaultPlan {
  /** Faults of the bytes at this moment, over those that commands set. */
  readonly flow: (direction: OneWay, now: number) => Partial<FlowFaults>
  readonly stage: ((connection: number, direction: OneWay, out: StageOut) => Stage) | undefined
  /** Called every tick: carries out what time brings, and says whether new connections are refused. */
  readonly tick: (now: number, acts: PlanActs) => boolean
  readonly opened: (connection: number) => void
  /** `why`: what the target's side said when no connection to it came about; "" otherwise. */
  readonly closed: (connection: number, why: string) => void
  readonly corrupted: (connection: number, direction: OneWay, at: number) => void
  /** Taken once, before the first connection. */
  readonly begin: (now: number, acts: PlanActs) => void
}

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

/** What a proxy may be given besides its two addresses. */
export interface ProxyOptions {
  /** Of everything that is drawn (default 1). */
  readonly seed?: number
  readonly plan?: FaultPlan
  readonly tls?: LineTls
}

interface Pair {
  readonly number: number
  readonly near: OpenSocket
  readonly far: OpenSocket
  readonly toTarget: FaultFlow
  readonly fromTarget: FaultFlow
}

/** Starts a proxy from `listen` to `target`; it ends with the scope. Port 0 takes any free port. */
export const makeFaultProxy = (
  listen: Endpoint,
  target: Endpoint,
  { plan, seed = 1, tls = {} }: ProxyOptions = {}
): Effect.Effect<FaultProxy, ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const time = timepieceOf(yield* Clock.Clock)
    const pairs = new Set<Pair>()
    const commanded = { toTarget: noFlowFaults, fromTarget: noFlowFaults }
    const faultsOf = (direction: OneWay): FlowFaults => {
      const planned = plan?.flow(direction, time.monotonic())
      return planned === undefined ? commanded[direction] : { ...commanded[direction], ...planned }
    }
    let number = 0
    const accept = (near: OpenSocket): void => {
      number++
      pair({ number, near, target, tls: tls.target, seed, plan, pairs, faultsOf, now: time.monotonic })
    }
    const take = takeSocket(tls.listen, accept, (why) => tls.refused?.(why))
    // Half-open is allowed: the FIN of one side must reach the other in its place in the stream, not at once.
    const open = (at: Endpoint) => listenOn(at, take, { allowHalfOpen: true })
    let server = yield* open(listen)
    const endpoint = endpointOf(server, listen.host)
    const cut = (how: Cut, only = 0): void => {
      for (const one of [...pairs]) {
        if (only === 0 || one.number === only) for (const side of [one.near, one.far]) end(side, how)
      }
    }
    const halfClose = (direction: OneWay, only: number): void => {
      for (const one of [...pairs]) if (only === 0 || one.number === only) one[direction].halfClose()
    }
    const acts: PlanActs = { cut, halfClose }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        server.close()
        cut("reset")
      })
    )
    plan?.begin(time.monotonic(), acts)
    let isRefusing = false
    const follow = (wish: boolean): Effect.Effect<void> => {
      if (wish === isRefusing) return Effect.void
      isRefusing = wish
      if (!wish) {
        return Effect.map(Effect.orDie(open(endpoint)), (again) => {
          server = again
        })
      }
      return Effect.sync(() => void server.close())
    }
    const work = Latch.makeUnsafe(true)
    // Without a plan and a fault bytes go on as they come, and nobody has to look at them a thousand times a second.
    const isAtRest = (): boolean =>
      plan === undefined &&
      commanded.toTarget === noFlowFaults &&
      commanded.fromTarget === noFlowFaults &&
      [...pairs].every(({ toTarget, fromTarget }) => toTarget.isIdle && fromTarget.isIdle)
    const pause = Effect.suspend(() => {
      if (!isAtRest()) return Effect.sleep("1 millis")
      work.closeUnsafe()
      return work.await
    })
    yield* Effect.suspend(() => {
      const wish = plan?.tick(time.monotonic(), acts) ?? false
      for (const { toTarget, fromTarget } of pairs) {
        toTarget.pump()
        fromTarget.pump()
      }
      resetHoled(pairs, faultsOf)
      return follow(wish)
    }).pipe(Effect.andThen(pause), Effect.forever, Effect.forkScoped)
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
        if (direction !== "fromTarget") commanded.toTarget = { ...commanded.toTarget, ...change }
        if (direction !== "toTarget") commanded.fromTarget = { ...commanded.fromTarget, ...change }
        work.openUnsafe()
      },
      heal: () => {
        commanded.toTarget = commanded.fromTarget = noFlowFaults
      }
    }
  })

/** Resets the pairs that lost bytes in a direction that is no black hole any more. */
const resetHoled = (pairs: ReadonlySet<Pair>, faultsOf: (direction: OneWay) => FlowFaults): void => {
  for (const { near, far, toTarget, fromTarget } of [...pairs]) {
    const isGap = (flow: FaultFlow, way: OneWay): boolean => flow.swallowed > 0 && !faultsOf(way).isBlackHole
    if (!isGap(toTarget, "toTarget") && !isGap(fromTarget, "fromTarget")) continue
    end(near, "reset")
    end(far, "reset")
  }
}

interface Joining {
  readonly number: number
  readonly near: OpenSocket
  readonly target: Endpoint
  readonly tls: TlsMaterial | undefined
  readonly seed: number
  readonly plan: FaultPlan | undefined
  readonly pairs: Set<Pair>
  readonly faultsOf: (direction: OneWay) => FlowFaults
  readonly now: () => number
}

/** Dials the target for an accepted connection and joins the two. */
const pair = ({ number, near, target, tls, seed, plan, pairs, faultsOf, now }: Joining): void => {
  let isUp = false
  let why = ""
  const far = dialSocket(target, tls, { allowHalfOpen: true }, (error) => {
    if (!isUp) why = `the target: ${reasonOf(error)}`
  })
  far.socket.once(far.isUpAt, () => {
    isUp = true
  })
  const flow = (source: OpenSocket, sink: OpenSocket, way: OneWay): FaultFlow =>
    new FaultFlow(source.socket, sink.socket, {
      ...plainFlow(() => faultsOf(way), now),
      chance: chanceOf(seed, "connection", number, way),
      stage: plan?.stage === undefined ? undefined : (out) => plan.stage!(number, way, out),
      onCorrupted: (at) => plan?.corrupted(number, way, at)
    })
  const joined: Pair = {
    number,
    near,
    far,
    toTarget: flow(near, far, "toTarget"),
    fromTarget: flow(far, near, "fromTarget")
  }
  pairs.add(joined)
  plan?.opened(number)
  const gone = (): void => {
    if (!pairs.delete(joined)) return
    const lost = joined.toTarget.swallowed + joined.fromTarget.swallowed
    plan?.closed(number, why === "" && lost > 0 ? `bytes lost in a black hole: ${lost}` : why)
  }
  const leave =
    ({ raw }: OpenSocket) =>
    (): void => {
      gone()
      if (!raw.destroyed) raw.resetAndDestroy()
    }
  for (const [one, other] of [
    [near, far],
    [far, near]
  ] as const) {
    one.raw.setNoDelay(true)
    // A reset on one side is passed on as a reset: `close` follows every error.
    one.socket.on("error", leave(other))
    one.socket.on("close", () => {
      gone()
      if (!other.socket.destroyed) other.socket.destroySoon()
    })
  }
}

const end = ({ raw, socket }: OpenSocket, how: Cut): void => {
  if (how === "reset") raw.resetAndDestroy()
  else socket.destroySoon()
}
