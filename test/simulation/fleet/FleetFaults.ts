/**
 * What goes wrong with a fleet, as data: its nodes, the way to their PostgreSQL, and PostgreSQL itself. Drawn from the seed
 * before the run, printed with it, carried out by `FleetNemesis`. Times are virtual milliseconds.
 */
import type { CrashKind } from "../world/Machine.ts"
import type { SeededRandom } from "../world/SeededRandom.ts"

/** A node as the moment has it, or one by its number. */
export type Which = "owner" | "standby" | 0 | 1

/** One kind of trouble. */
export type FleetTrouble =
  /** A node dies; `beforeEffect`: in the middle of its work, just before that write or commit. */
  | {
      readonly kind: "kill"
      readonly node: Which
      readonly how: CrashKind
      readonly downMs: number
      readonly beforeEffect: number
    }
  /** Nothing of a node runs, and its clocks go on; then all that was due happens at once. */
  | { readonly kind: "freeze"; readonly node: Which; readonly forMs: number }
  /** Nothing gets from a node to PostgreSQL, back, or both. */
  | { readonly kind: "cutFromStore"; readonly node: Which; readonly way: "both" | "in" | "out"; readonly forMs: number }
  /** Nothing gets through between a node and all partners. */
  | { readonly kind: "cutFromPartners"; readonly node: Which; readonly forMs: number }
  /** The connections of a node to PostgreSQL are reset, in the middle of whatever is under way. */
  | { readonly kind: "resetStore"; readonly node: Which; readonly losesInFlight: boolean }
  /** A middlebox forgets the connections of a node to PostgreSQL. */
  | { readonly kind: "swallowStore"; readonly node: Which }
  /** An operator hands the switch over, or stops the node in order and its supervisor starts it again. */
  | { readonly kind: "handOver"; readonly how: "yield" | "stop" }
  | { readonly kind: "nodeClock"; readonly node: Which; readonly byMs: number; readonly forMs: number }
  /** PostgreSQL dies, and is back with all that it had on disk. */
  | { readonly kind: "storeCrash"; readonly downMs: number }
  /** Its standby takes over: it has all that was acknowledged. */
  | { readonly kind: "failOver"; readonly downMs: number }
  /**
   * Its standby is gone: commits wait. `resetAfter`: the owner's connections are cut meanwhile, and what waited is seen. Then the
   * standby is back, or takes the place of the primary as it is, without what waited.
   */
  | {
      readonly kind: "standbyGone"
      readonly forMs: number
      readonly resetAfter: number | undefined
      readonly ends: "back" | "failOver"
    }
  /** Every commit takes longer. */
  | { readonly kind: "slowStore"; readonly byMs: number; readonly forMs: number }
  /** Its standby takes over and lacks so many changes that were acknowledged. No promise holds then, but one: to stop. */
  | { readonly kind: "loss"; readonly changes: number; readonly downMs: number }

/** Trouble and the virtual millisecond when it begins. */
export type FleetFault = FleetTrouble & { readonly at: number }

/** How often each kind comes, relative to the others. */
export type FleetWeights = Readonly<Record<FleetTrouble["kind"], number>>

/** How often where nothing is wished. */
export const usualWeights: FleetWeights = {
  ...{ kill: 4, freeze: 5, cutFromStore: 4, cutFromPartners: 2, resetStore: 4, swallowStore: 2, handOver: 3 },
  ...{ nodeClock: 1, storeCrash: 3, failOver: 3, standbyGone: 2, slowStore: 2, loss: 0 }
}

const nodes: ReadonlyArray<Which> = ["owner", "owner", "owner", "standby", 0, 1]

/** Chance that a run ends with a fail-over that lost something, where nothing else is wished. */
const LOSSES = 0.12
/** Chance that a hand-over has begun just before. */
const HANDED_OVER = 0.7

const drawTrouble = (random: SeededRandom, kind: FleetTrouble["kind"]): FleetTrouble => {
  const node = random.pick(nodes)
  const troubles: Record<FleetTrouble["kind"], () => FleetTrouble> = {
    kill: () => ({
      ...{ kind: "kill", node, how: random.pick(["process", "power"]) },
      ...{ downMs: random.tailed(100, 30_000), beforeEffect: random.whole(0, 20) }
    }),
    freeze: () => ({ kind: "freeze", node, forMs: random.tailed(500, 40_000) }),
    cutFromStore: () => ({
      ...{ kind: "cutFromStore", node, way: random.pick(["both", "both", "in", "out"]) },
      forMs: random.tailed(200, 60_000)
    }),
    cutFromPartners: () => ({ kind: "cutFromPartners", node, forMs: random.tailed(500, 40_000) }),
    resetStore: () => ({ kind: "resetStore", node, losesInFlight: random.chance(0.5) }),
    swallowStore: () => ({ kind: "swallowStore", node }),
    handOver: () => ({ kind: "handOver", how: random.pick(["yield", "stop"]) }),
    nodeClock: () => ({
      ...{ kind: "nodeClock", node, byMs: random.pick([-3_600_000, -1500, 1500, 3_600_000]) },
      forMs: random.between(1000, 40_000)
    }),
    storeCrash: () => ({ kind: "storeCrash", downMs: random.tailed(100, 30_000) }),
    failOver: () => ({ kind: "failOver", downMs: random.tailed(200, 20_000) }),
    standbyGone: () => ({
      ...{ kind: "standbyGone", forMs: random.tailed(200, 30_000), ends: random.pick(["back", "failOver"]) },
      resetAfter: random.chance(0.5) ? random.between(100, 3000) : undefined
    }),
    slowStore: () => ({ kind: "slowStore", byMs: random.between(20, 2000), forMs: random.between(500, 20_000) }),
    loss: () => ({ kind: "loss", changes: random.whole(1, 40), downMs: random.tailed(200, 4000) })
  }
  return troubles[kind]()
}

/** A hand-over that is under way when what was acknowledged is lost. */
const drawHandOver = (random: SeededRandom, duration: number): FleetFault => ({
  ...drawTrouble(random, "handOver"),
  at: duration - random.tailed(20, 12_000)
})

/**
 * Draws the faults of a run of `duration` ms, by time. One run in ten has none, one in eight ends with a loss; the others leave
 * some kinds out altogether.
 */
export const drawFleetFaults = (
  random: SeededRandom,
  duration: number,
  wished: Partial<FleetWeights> = {},
  losses = LOSSES
): ReadonlyArray<FleetFault> => {
  if (random.chance(0.1)) return []
  const weights = { ...usualWeights, ...wished }
  const kinds = (Object.keys(weights) as Array<FleetTrouble["kind"]>).filter(() => random.chance(0.6))
  const urn = kinds.flatMap((kind) => new Array<FleetTrouble["kind"]>(weights[kind]).fill(kind))
  const count = urn.length === 0 ? 0 : random.whole(1, Math.ceil(duration / 10_000))
  const drawn = Array.from({ length: count }, () => ({
    ...drawTrouble(random, random.pick(urn)),
    at: random.between(5000, duration)
  })).sort((a, b) => a.at - b.at)
  const loss = random.chance(losses) ? [{ ...drawTrouble(random, "loss"), at: duration - 1 }] : []
  const handOver = loss.length > 0 && random.chance(HANDED_OVER) ? [drawHandOver(random, duration)] : []
  return [...drawn, ...handOver, ...loss]
}
