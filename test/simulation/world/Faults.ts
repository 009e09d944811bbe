/**
 * What goes wrong in a run, as data: drawn from the seed before the run, printed with it, carried out by `Nemesis`.
 *
 * The faults are those that the switch promises to live through. Not among them, because nothing can be promised then: a disk
 * that loses acknowledged writes, changed bytes, a partner that lies.
 */
import type { CrashKind } from "./Machine.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** One kind of trouble between two machines or at the switch. Times are virtual milliseconds. */
export type Trouble =
  /** Every connection between two machines ends at once. */
  | { readonly kind: "cut"; readonly partner: string; readonly how: "fin" | "rst"; readonly losesInFlight: boolean }
  /** Nothing gets through, both ways or one way. */
  | { readonly kind: "partition"; readonly partner: string; readonly way: Way; readonly forMs: number }
  /** A partition too short for anybody to notice. */
  | { readonly kind: "clog"; readonly partner: string; readonly way: Way; readonly forMs: number }
  /** Swizzle-clog (FoundationDB): partners are cut off one by one and come back in another order. */
  | { readonly kind: "swizzle"; readonly steps: ReadonlyArray<SwizzleStep> }
  /** A middlebox forgets the connections of now: black holes. */
  | { readonly kind: "swallow"; readonly partner: string }
  /** A machine refuses connects; what is connected stays. */
  | { readonly kind: "refuse"; readonly machine: string; readonly forMs: number }
  /** The switch dies; `beforeEffect`: in the middle of its work, just before that write or commit. */
  | { readonly kind: "crash"; readonly how: CrashKind; readonly downMs: number; readonly beforeEffect: number }
  /** The switch stands still (a stopped process, a long collection). */
  | { readonly kind: "pause"; readonly forMs: number }
  /** Every commit takes longer. */
  | { readonly kind: "slowDisk"; readonly byMs: number; readonly forMs: number }
  /** The next commit fails: the switch must stop by itself (G9) and is started again. */
  | { readonly kind: "diskFails"; readonly downMs: number }
  /** Hardly any room is left on the disk. */
  | { readonly kind: "lowSpace"; readonly forMs: number }
  /** The journal's store does not answer; what it commits meanwhile is on disk, and nobody hears of it. */
  | { readonly kind: "storeAway"; readonly forMs: number }
  /** An operator stops the switch in order and starts it again. */
  | { readonly kind: "stop"; readonly downMs: number }
  /** An operator gives the running switch other settings. */
  | { readonly kind: "reload" }
  /** Somebody sets the switch's wall clock. */
  | { readonly kind: "clockStep"; readonly byMs: number; readonly forMs: number }

/** As seen from the switch. */
export type Way = "both" | "in" | "out"

export interface SwizzleStep {
  readonly partner: string
  readonly stopsAfter: number
  readonly startsAfter: number
}

/** Trouble and the virtual millisecond when it begins. */
export type Fault = Trouble & { readonly at: number }

/** How often each kind comes, relative to the others. */
export type FaultWeights = Readonly<Record<Trouble["kind"], number>>

/** How often where nothing is wished. */
export const usualWeights: FaultWeights = {
  ...{ cut: 6, partition: 3, clog: 4, swizzle: 2, swallow: 2, refuse: 1, crash: 5, pause: 2 },
  ...{ slowDisk: 2, diskFails: 1, lowSpace: 1, storeAway: 2, clockStep: 1, stop: 2, reload: 3 }
}

const ways: ReadonlyArray<Way> = ["both", "both", "in", "out"]

const drawSwizzle = (random: SeededRandom, partners: ReadonlyArray<string>): Trouble => {
  const chosen = partners.filter(() => random.chance(0.7))
  const comingBack = random.shuffle(chosen)
  const steps = chosen.map((partner) => ({
    partner,
    stopsAfter: random.between(0, 5000),
    startsAfter: 6000 + comingBack.indexOf(partner) * 3000 + random.between(0, 2000)
  }))
  return { kind: "swizzle", steps }
}

const drawTrouble = (
  random: SeededRandom,
  kind: Trouble["kind"],
  switchName: string,
  partners: ReadonlyArray<string>
) => {
  const partner = random.pick(partners)
  const troubles: Record<Trouble["kind"], () => Trouble> = {
    cut: () => ({ kind: "cut", partner, how: random.pick(["fin", "rst"]), losesInFlight: random.chance(0.5) }),
    partition: () => ({ kind: "partition", partner, way: random.pick(ways), forMs: random.tailed(3000, 90_000) }),
    clog: () => ({ kind: "clog", partner, way: random.pick(ways), forMs: random.between(50, 3000) }),
    swizzle: () => drawSwizzle(random, partners),
    swallow: () => ({ kind: "swallow", partner }),
    refuse: () => ({
      kind: "refuse",
      machine: random.pick([partner, switchName]),
      forMs: random.between(1000, 30_000)
    }),
    crash: () => ({
      kind: "crash",
      how: random.pick(["process", "power"]),
      downMs: random.tailed(50, 40_000),
      beforeEffect: random.whole(0, 20)
    }),
    pause: () => ({ kind: "pause", forMs: random.tailed(500, 60_000) }),
    slowDisk: () => ({ kind: "slowDisk", byMs: random.between(100, 5000), forMs: random.between(1000, 20_000) }),
    diskFails: () => ({ kind: "diskFails", downMs: random.tailed(50, 10_000) }),
    lowSpace: () => ({ kind: "lowSpace", forMs: random.between(1000, 15_000) }),
    storeAway: () => ({ kind: "storeAway", forMs: random.tailed(100, 60_000) }),
    stop: () => ({ kind: "stop", downMs: random.tailed(50, 5000) }),
    reload: () => ({ kind: "reload" }),
    clockStep: () => ({
      kind: "clockStep",
      byMs: random.pick([-3_600_000, -1500, 1500, 3_600_000]),
      forMs: random.between(1000, 40_000)
    })
  }
  return troubles[kind]()
}

/**
 * Draws the faults of a run of `duration` ms, by time. One run in ten has none; the others leave some kinds out altogether,
 * so that no kind always hides behind another.
 */
export const drawFaults = (
  random: SeededRandom,
  switchName: string,
  partners: ReadonlyArray<string>,
  duration: number,
  wished: Partial<FaultWeights> = {}
): ReadonlyArray<Fault> => {
  if (random.chance(0.1)) return []
  const weights = { ...usualWeights, ...wished }
  const kinds = (Object.keys(weights) as Array<Trouble["kind"]>).filter(() => random.chance(0.6))
  const urn = kinds.flatMap((kind) => new Array<Trouble["kind"]>(weights[kind]).fill(kind))
  if (urn.length === 0) return []
  const count = random.whole(1, Math.ceil(duration / 12_000))
  return Array.from({ length: count }, () => ({
    ...drawTrouble(random, random.pick(urn), switchName, partners),
    at: random.between(5000, duration)
  })).sort((a, b) => a.at - b.at)
}
