/**
 * Everything that a seed draws before a run begins: who takes part, how the network, disk and partners behave, what goes
 * wrong and when (a "swarm": each run has another mix). Plain data, so that a failing run prints all of it.
 */
import { drawFleetFaults, type FleetFault, type FleetWeights } from "./fleet/FleetFaults.ts"
import type { PostgresOptions } from "./fleet/SimPostgres.ts"
import { HTTP_PORT, switchName } from "./Names.ts"
import type { AcquirerOptions } from "./partner/Acquirer.ts"
import type { IssuerOptions } from "./partner/Issuer.ts"
import type { LineOptions, SecondHost } from "./partner/Line.ts"
import type { PairOptions } from "./partner/Pair.ts"
import type { DeviceOptions } from "./SimulatedDevices.ts"
import { drawFaults, type Fault, type FaultWeights } from "./world/Faults.ts"
import { SeededRandom } from "./world/SeededRandom.ts"
import type { DiskOptions } from "./world/SimDisk.ts"
import type { NetOptions } from "./world/SimNet.ts"

/** Partners of each kind at most: their numbers have three digits. */
export const PARTNERS_MAX = 999
/** Acquirer n dials the switch at this port + n, n from 0; a second host of its own at the other one + n. */
export const ACQUIRER_PORT = 10_000
const SECOND_HOST_PORT = 20_000
/** Issuers listen here. */
export const ISSUER_PORT = 7200
/** Legs of a simplex link end at these ports: at this one + a number of their own at the switch, or at the partner. */
const SWITCH_LEG_PORT = 30_000
const partnerLegPorts = { out: 7600, into: 7601 } as const
/** Issuers that answer on connections of their own dial the switch at this port + a number of their own. */
const SWITCH_ONE_WAY_PORT = 40_000
/** Acquirers that share an address dial the switch here. */
export const DOOR_PORT = 7050
/** Institution code of the switch: what partners put into the header as destination. */
export const centre = "00010000"

/** Limits of every switch in the world: small enough to be reached. */
export const switchLimits = {
  requestTimeoutMs: 10_000,
  recentKeys: 8192,
  unwrittenRefuse: 1 << 20,
  unwrittenStop: 1 << 21,
  storedWhole: 2
}

/** Virtual milliseconds unless said otherwise. */
export interface Options {
  readonly seed: number
  /** Wall time at the beginning, since 1970. */
  readonly startsAt: number
  readonly net: NetOptions
  readonly disk: DiskOptions
  /** How late the switch's timers fire: at whole multiples of so many milliseconds. */
  readonly timerMs: number
  readonly acquirers: ReadonlyArray<AcquirerOptions>
  readonly issuers: ReadonlyArray<IssuerOptions>
  /** Phase with faults; then everything is healed. */
  readonly chaos: number
  /** Longest phase with traffic and without faults: it ends when service is back for each acquirer. */
  readonly calm: number
  /** Longest time until nothing is pending after the last purchase. */
  readonly drainMax: number
  /** The time from the end of the faults by which a purchase must be approved again. */
  readonly serviceWithin: number
  readonly faults: ReadonlyArray<Fault | FleetFault>
  /** Two nodes with one PostgreSQL; left out: one switch with a disk. */
  readonly fleet?: FleetOptions
  /** Names of the partners of files, which are there instead of others, and whose side each is on. */
  readonly files?: ReadonlyArray<{ readonly name: string; readonly role: string }>
  /** Where the keys of partners with zones are; left out: no partner has one. */
  readonly module?: ModuleOptions
}

/** Two nodes that may run the switch, virtual milliseconds. */
export interface FleetOptions {
  readonly takeoverAfterMs: number
  readonly yieldAfterMs: number
  readonly postgres: PostgresOptions
  /** An address that moves with the switch resets what the last owner had. */
  readonly resetsLeft: boolean
}

/** A security module: how long a call takes, and when no device takes any, from the beginning of the run. */
export interface ModuleOptions {
  readonly answersIn: readonly [number, number]
  readonly away: ReadonlyArray<readonly [number, number]>
  /** The switch's own pool over these devices; left out: a module that only takes its time. */
  readonly devices?: ReadonlyArray<DeviceOptions>
}

/** What a caller may fix instead of letting the seed draw it. */
export interface Wishes {
  /** Chance that a partner has a simplex link: two connections instead of one. */
  readonly simplex?: number
  /** Chance that a partner has two hosts, and the switch a group of two links to it. */
  readonly groups?: number
  /** Chance that a partner opens, or is given, a connection for each message. */
  readonly short?: number
  /** Chance that an acquirer comes to an address that it shares with others. */
  readonly doors?: number
  /** Chance that an acquirer calls over HTTP. */
  readonly calls?: number
  readonly acquirers?: number
  readonly issuers?: number
  readonly chaos?: number
  /** Chance that a partner has keys of its own; without it there is no security module. */
  readonly zones?: number
  /** Chance that a partner with a long connection begins other business days. */
  readonly days?: number
  /** Chance that the security module is a pool of devices. */
  readonly devices?: number
  /** Shorter than usual: service must be back by its end. */
  readonly calm?: number
  /** Facts of every acquirer and every issuer. */
  readonly acquirer?: Partial<Pick<AcquirerOptions, "pause" | "answerWithin" | "repeats" | "lies" | "leaves">>
  readonly issuer?: Partial<Omit<IssuerOptions, "name" | "line" | "second" | "bin">>
  /** Weights of the kinds of faults; a kind left out keeps its own weight, 0 never happens. */
  readonly weights?: Partial<FaultWeights & FleetWeights>
  /** Chance that a run of two nodes ends with a fail-over that lost something. */
  readonly losses?: number
  /** 2: two nodes over one PostgreSQL, with faults of their own. */
  readonly nodes?: 1 | 2
  /** Instead of drawn faults. */
  readonly faults?: ReadonlyArray<Fault | FleetFault>
}

/** Moments that have caught others: an ordinary day, the turn of a year and the leap day. */
const starts = [
  Date.UTC(2026, 2, 2, 1, 30, 0),
  Date.UTC(2026, 11, 31, 23, 58, 0),
  Date.UTC(2028, 1, 28, 23, 59, 0)
] as const

const lineFor = (random: SeededRandom, line: Pick<LineOptions, "role" | "endpoint" | "institution">): LineOptions => ({
  ...line,
  centre: centre,
  signsOn: line.role === "dials",
  idleEvery: random.pick([5000, 10_000]),
  echoEvery: random.pick([7000, 12_000]),
  silenceMax: random.pick([25_000, 35_000]),
  reconnectAfter: [200, random.pick([1000, 3000])]
})

/** Purchases of which one must be approved once everything is healed. */
const TRIES = 8

/** A chance that is often none at all: trouble of one kind should also meet a world without trouble of another. */
const often = (random: SeededRandom, most: number): number => (random.chance(0.4) ? 0 : random.between(0, most))

const threeDigits = (n: number): string => String(n).padStart(3, "0")

/** Draws a second host for a partner, with the wished chance. Draws from a stream of its own. */
const secondFor = (
  random: SeededRandom,
  { name, line }: { readonly name: string; readonly line: LineOptions },
  port: number,
  chance: number
): { readonly second?: SecondHost } => {
  if (!random.chance(chance)) return {}
  const host = `${name}-b`
  const endpoint = line.role === "dials" ? { host: switchName, port } : { host, port: ISSUER_PORT }
  return {
    second: {
      name: host,
      line: { ...lineFor(random, { role: line.role, endpoint, institution: line.institution }) },
      use: random.pick(["primary-backup", "round-robin", "least-outstanding", "sticky"]),
      fallTogether: random.chance(0.4)
    }
  }
}

/** Gives a partner a zone of its own, with the wished chance. Draws from a stream of its own. */
const zoneFor = (random: SeededRandom, chance: number): Pick<LineOptions, "zone"> =>
  random.chance(chance)
    ? { zone: { spoilsEvery: random.pick([0, 7, 20]), changesEvery: random.pick([0, 4000, 15_000]) } }
    : {}

/** Lets a partner begin other business days, with the wished chance. Draws from a stream of its own. */
const daysFor = (random: SeededRandom, chance: number): Pick<LineOptions, "daysEvery"> =>
  random.chance(chance) ? { daysEvery: random.pick([15_000, 30_000]) } : {}

/** Quick or slow, and away for a while a few times before all is healed. */
const drawModule = (random: SeededRandom, chaos: number): ModuleOptions => ({
  answersIn: random.pick([[0.5, 3] as const, [1, 40] as const, [5, 300] as const]),
  away: Array.from({ length: random.whole(0, 4) }, () => {
    const from = random.between(0, chaos)
    return [from, Math.min(chaos, from + random.between(100, 15_000))] as const
  })
})

/** Draws the module, and its devices from a stream of their own. */
const moduleFor = (random: SeededRandom, chaos: number, devices: number): ModuleOptions => {
  const module = drawModule(random.stream("module"), chaos)
  const own = random.stream("devices")
  return own.chance(devices) ? { ...module, away: [], devices: drawDevices(own, chaos) } : module
}

/** One to three devices, each with times when it is off, silent or failing, over before all is healed. */
const drawDevices = (random: SeededRandom, chaos: number): ReadonlyArray<DeviceOptions> =>
  Array.from({ length: random.whole(1, 3) }, () => {
    const windows = (most: number, longest: number) =>
      Array.from({ length: random.whole(0, most) }, () => {
        const from = random.between(0, chaos)
        return [from, Math.min(chaos, from + random.between(50, longest))] as const
      })
    return {
      answersIn: random.pick([[0.5, 3] as const, [1, 40] as const, [5, 300] as const]),
      off: windows(3, 10_000),
      silent: windows(2, 5000),
      fails: random.pick([0, 0.01, 0.1]),
      wellFrom: chaos
    }
  })

/** Adds the two connections of a simplex link to a line, with the wished chance. Draws from a stream of its own. */
const pairFor = (random: SeededRandom, name: string, legPort: number, chance: number): Pick<LineOptions, "pair"> => {
  if (!random.chance(chance)) return {}
  const half = (which: "out" | "into", port: number): PairOptions["out"] =>
    random.chance(0.5)
      ? { role: "dials", endpoint: { host: switchName, port } }
      : { role: "listens", endpoint: { host: name, port: partnerLegPorts[which] } }
  return { pair: { out: half("out", legPort), into: half("into", legPort + 1) } }
}

const drawAcquirer = (random: SeededRandom, n: number, wished: Wishes["acquirer"]): AcquirerOptions => {
  const name = `acquirer-${n + 1}`
  const endpoint = { host: switchName, port: ACQUIRER_PORT + n }
  const slowest = random.pick([1000, 2000, 5000])
  return {
    name,
    line: lineFor(random, { role: "dials", endpoint, institution: `48010${threeDigits(n + 1)}` }),
    pause: [10, slowest],
    answerWithin: random.pick([15_000, 25_000, 40_000]),
    reversalEvery: random.pick([8000, 15_000]),
    repeats: often(random, 0.1),
    repeatWithin: random.pick([50, 5000]),
    lies: 0,
    leaves: often(random, 0.3),
    leavesWithin: random.pick([200, 2000, 12_000]),
    ...wished
  }
}

const drawIssuer = (random: SeededRandom, n: number, wished: Wishes["issuer"]): IssuerOptions => {
  const name = `issuer-${n + 1}`
  return {
    name,
    line: lineFor(random, {
      role: "listens",
      endpoint: { host: name, port: ISSUER_PORT },
      institution: `01030${threeDigits(n + 1)}`
    }),
    bin: `6228${threeDigits(n + 1)}`,
    declines: often(random, 0.2),
    keepsSilent: often(random, 0.15),
    answersTwice: often(random, 0.5),
    answersLate: often(random, 0.1),
    thinks: [5, random.pick([50, 800, 4000])],
    lateAfter: [10_000, 70_000],
    answersOnNewest: random.chance(0.5),
    unknownOriginal: random.pick(["00", "25"]),
    ...wished
  }
}

/** Nothing is delivered on a connection that lasts for one message. */
const withFixedKeys = (line: LineOptions): LineOptions =>
  line.zone === undefined ? line : { ...line, zone: { ...line.zone, changesEvery: 0 } }

/** Chance that of partners with short connections one has async-short: others for what comes than for what goes. */
const ONE_WAYS = 0.4

const oneWayOf = (name: string, { endpoint, role }: LineOptions, port: number): NonNullable<LineOptions["oneWay"]> =>
  role === "dials"
    ? { sends: endpoint, hears: { host: name, port: ISSUER_PORT } }
    : { sends: { host: switchName, port }, hears: endpoint }

const drawFleet = (random: SeededRandom): FleetOptions => ({
  takeoverAfterMs: random.pick([1500, 3000, 6000]),
  yieldAfterMs: random.pick([5000, 20_000]),
  postgres: { commitMs: random.pick([[0.2, 2] as const, [1, 20] as const, [2, 200] as const]) },
  resetsLeft: random.chance(0.5)
})

const drawNet = (random: SeededRandom): NetOptions => ({
  latencyMs: random.pick([[0.1, 2] as const, [1, 40] as const, [5, 400] as const]),
  splits: often(random, 0.5),
  joins: often(random, 1),
  kernelRoom: random.pick([1024, 16_384, 262_144]),
  resetLosesInFlight: often(random, 1)
})

/** Bytes of a message, and how many of them a purchase and what is taken back of it may cost one connection. */
const PURCHASE_BYTES = 4 * 400

/**
 * A net that bears what is wished of it: so many purchases as acquirers make whose pause is wished, over connections that hold so
 * many bytes for so long. Else nothing that waits would ever be through, and that would be no fault of the switch.
 */
const bearing = (net: NetOptions, acquirers: number, pause: AcquirerOptions["pause"] | undefined): NetOptions => {
  if (pause === undefined) return net
  const perMs = (2 * acquirers) / Math.max(1, pause[0] + pause[1])
  return { ...net, kernelRoom: Math.max(net.kernelRoom, Math.ceil(perMs * PURCHASE_BYTES * net.latencyMs[1])) }
}

/** Draws a run. The same seed and wishes give the same options. */
export const drawOptions = (seed: number, wishes: Wishes = {}): Options => {
  const random = new SeededRandom(seed, "options")
  const each = (count: number | undefined) => Array.from({ length: count ?? random.whole(1, 2) }, (_, n) => n)
  const withPair = <Partner extends AcquirerOptions | IssuerOptions>(partner: Partner, n: number): Partner => {
    const pair = pairFor(
      random.stream(`legs ${partner.name}`),
      partner.name,
      SWITCH_LEG_PORT + 2 * n,
      wishes.simplex ?? 0
    )
    const zone = zoneFor(random.stream(`zone ${partner.name}`), wishes.zones ?? 0)
    const seconds = random.stream(`second ${partner.name}`)
    const second = secondFor(seconds, partner, SECOND_HOST_PORT + n, wishes.groups ?? 0)
    const withZone =
      second.second === undefined ? second : { second: { ...second.second, line: { ...second.second.line, ...zone } } }
    const days = daysFor(random.stream(`days ${partner.name}`), wishes.days ?? 0)
    return { ...partner, ...withZone, line: { ...partner.line, ...pair, ...zone, ...days } }
  }
  /** A short or shared connection, with the wished chances; neither has a second host or two connections. */
  const withWay = <Partner extends AcquirerOptions | IssuerOptions>(partner: Partner, n: number): Partner => {
    const ways = random.stream(`way ${partner.name}`)
    const { name, line, second: _second, ...rest } = partner
    const { pair: _pair, ...alone } = line
    if (ways.chance(wishes.short ?? 0)) {
      const { daysEvery: _days, ...dayless } = withFixedKeys(alone)
      const oneWay = ways.chance(ONE_WAYS) ? { oneWay: oneWayOf(name, line, SWITCH_ONE_WAY_PORT + n) } : {}
      return { ...rest, name, line: { ...dayless, ...oneWay, isShort: true, signsOn: false } } as Partner
    }
    if (line.role !== "dials") return partner
    if (ways.chance(wishes.doors ?? 0)) {
      const endpoint = { ...line.endpoint, port: DOOR_PORT }
      return { ...rest, name, line: { ...alone, endpoint, atDoor: true } } as Partner
    }
    if (!ways.chance(wishes.calls ?? 0)) return partner
    const endpoint = { ...line.endpoint, port: HTTP_PORT }
    const calls = ways.pick(["anew", "kept", "pipelined"] as const)
    const { daysEvery: _days, ...dayless } = withFixedKeys(alone)
    return { ...rest, name, line: { ...dayless, endpoint, isShort: true, signsOn: false, calls } } as Partner
  }
  const acquirers = each(wishes.acquirers)
    .map((n) => drawAcquirer(random.stream(`acquirer ${n}`), n, wishes.acquirer))
    .map(withPair)
    .map(withWay)
  const issuers = each(wishes.issuers)
    .map((n) => drawIssuer(random.stream(`issuer ${n}`), n, wishes.issuer))
    .map((issuer, n) => withPair(issuer, PARTNERS_MAX + n))
    .map((issuer, n) => withWay(issuer, PARTNERS_MAX + n))
  const chaos = wishes.chaos ?? random.stream("chaos").pick([40_000, 80_000, 120_000])
  // A partner that rests for long needs its time to try often enough: one purchase alone may be declined.
  const serviceWithin = Math.max(45_000, TRIES * Math.max(...acquirers.map(({ pause }) => pause[1])))
  const calm = wishes.calm ?? serviceWithin + 5000
  const partners = [...acquirers, ...issuers].flatMap(({ name, second }) =>
    second === undefined ? [name] : [name, second.name]
  )
  return {
    seed,
    startsAt: random.pick(starts),
    net: bearing(drawNet(random.stream("net")), acquirers.length, wishes.acquirer?.pause),
    disk: { commitMs: random.pick([[0.1, 1] as const, [1, 20] as const, [2, 400] as const]) },
    timerMs: random.stream("timers").pick([20, 100, 100]),
    acquirers,
    issuers,
    chaos,
    calm,
    drainMax: 120_000,
    serviceWithin: Math.min(serviceWithin, calm),
    ...((wishes.zones ?? 0) > 0 ? { module: moduleFor(random, chaos, wishes.devices ?? 0) } : {}),
    ...(wishes.nodes === 2 ? { fleet: drawFleet(random.stream("fleet")) } : {}),
    faults:
      wishes.faults ??
      (wishes.nodes === 2
        ? drawFleetFaults(random.stream("faults"), chaos, wishes.weights, wishes.losses)
        : drawFaults(random.stream("faults"), switchName, partners, chaos, wishes.weights))
  }
}

/** Draws a run whose partners are those of files. `hasKeys`: some have MACs. `backWithin`: until all are there again, ms. */
export const drawFileOptions = (
  seed: number,
  wishes: Wishes,
  files: NonNullable<Options["files"]>,
  hasKeys: boolean,
  backWithin: number
): Options => {
  const random = new SeededRandom(seed, "options")
  const { module: _module, ...drawn } = drawOptions(seed, { ...wishes, acquirers: 1, issuers: 1 })
  const { chaos } = drawn
  const names = files.map(({ name }) => name)
  return {
    ...drawn,
    ...{ acquirers: [], issuers: [], files },
    calm: drawn.calm + backWithin,
    serviceWithin: drawn.serviceWithin + backWithin,
    ...(hasKeys ? { module: drawModule(random.stream("module"), chaos) } : {}),
    faults: wishes.faults ?? drawFaults(random.stream("faults"), switchName, names, chaos, wishes.weights)
  }
}
