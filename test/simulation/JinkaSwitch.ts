/**
 * The production switch as the subject of the simulation: the real links, exchanges, recovery and journal, on the simulated
 * network and disk. One listening link for each acquirer, one dialling link for each issuer, routes by BIN.
 */
import { cups, macAlgorithms } from "@jinka/codec"
import { Clock, Effect, Layer, Random } from "effect"
import type { GuardSettings } from "../../packages/switch/src/guard/GuardSettings.ts"
import type { KeySettings } from "../../packages/switch/src/guard/KeySettings.ts"
import type { SecurityModule } from "../../packages/switch/src/guard/SecurityModule.ts"
import { Journal } from "../../packages/switch/src/journal/Journal.ts"
import type { GroupSettings } from "../../packages/switch/src/link/LinkGroup.ts"
import type { LegsSettings, Side } from "../../packages/switch/src/link/Settings.ts"
import * as Switch from "../../packages/switch/src/Switch.ts"
import { Transport } from "../../packages/switch/src/transport/Transport.ts"
import { type LinkAll, usualLink } from "../switch/LinkSettings.ts"
import { centre, type ModuleOptions, type Options } from "./Options.ts"
import type { LineOptions } from "./partner/Line.ts"
import type { Half } from "./partner/Pair.ts"
import { keyNamed } from "./partner/Zone.ts"
import { SimulatedModule } from "./SimulatedModule.ts"
import type { Subject } from "./Subject.ts"

/** Our side of a simplex link: we send where the partner receives. */
const sideOf = ({ pair }: LineOptions, alone: Side): Side | LegsSettings => {
  if (pair === undefined) return alone
  const legOf = ({ role, endpoint }: Half): Side =>
    role === "dials"
      ? { _tag: "listen", at: endpoint, from: [], second: "replace" }
      : { _tag: "connect", to: endpoint, timeoutMs: 5000 }
  return { _tag: "legs", send: legOf(pair.into), receive: legOf(pair.out), timeoutMs: 15_000, collectMs: 2000 }
}

/** Short waits: a run is a few minutes long, and acquirers give up after 15 s at the earliest. */
const linkSettings = (name: string, line: LineOptions, alone: Side): LinkAll => ({
  ...usualLink,
  name,
  institution: line.institution,
  ourInstitution: centre,
  side: sideOf(line, alone),
  signOn: { send: !line.signsOn, expect: line.signsOn, timeoutMs: 5000 },
  idleMs: 5000,
  watchdog: { intervalMs: 6000, probe: true, proofs: 1 },
  reconnect: { minMs: 200, maxMs: 5000 },
  window: 500,
  unsentMax: 262_144,
  writeTimeoutMs: 10_000,
  delivery: { timeoutMs: 5000, retryMs: 5000, attemptsMax: 1000, window: 20 },
  guard: line.zone === undefined ? undefined : guard,
  keys: (line.zone?.changesEvery ?? 0) > 0 ? keys : undefined
})

/** MAC keys that the partner delivers, as CUPS has it; it repeats what was not answered for. */
const keys: KeySettings = {
  exchange: cups.keyExchange![0]!,
  giver: "partner",
  kinds: ["mac"],
  algorithm: "tdes",
  windowMs: 180_000,
  waitMs: 15_000,
  schedule: { whenNone: false }
}

/** MACs as CUPS has them, and PIN blocks of format 0. */
const guard: GuardSettings = {
  mac: {
    ...cups.security!.mac!,
    receive: "required",
    send: "always",
    algorithm: macAlgorithms["ansi-x9.19"],
    isZeroed: false,
    isHexText: false
  },
  pin: { ...cups.security!.pin!, format: "iso0", mayDropPan: false },
  failures: { after: 3, act: "alarm" }
}

type Partner = Options["acquirers"][number] | Options["issuers"][number]

/** The links of a partner, one for each host. */
const linksOf = ({ name, line, second }: Partner): ReadonlyArray<LinkAll> => {
  const alone = ({ role, endpoint }: LineOptions): Side =>
    role === "dials"
      ? { _tag: "listen", at: endpoint, from: [], second: "replace" }
      : { _tag: "connect", to: endpoint, timeoutMs: 5000 }
  const first = linkSettings(name, line, alone(line))
  return second === undefined ? [first] : [first, linkSettings(second.name, second.line, alone(second.line))]
}

const settingsFor = ({ acquirers, issuers }: Options): Switch.SwitchSettings => {
  const partners: ReadonlyArray<Partner> = [...acquirers, ...issuers]
  const links = partners.flatMap(linksOf)
  const numberOf = (name: string) => links.findIndex((link) => link.name === name)
  const groups = partners.flatMap(({ name, second }): ReadonlyArray<GroupSettings> => {
    if (second === undefined) return []
    const members = [name, second.name].map((member) => ({ link: numberOf(member), name: member, weight: 1 }))
    const { use, fallTogether } = second
    return [{ name: `group ${name}`, members, use, by: use === "sticky" ? [2] : [], failbackMs: 10_000, fallTogether }]
  })
  const destination = (name: string) => {
    const group = groups.findIndex((one) => one.name === `group ${name}`)
    return group < 0 ? numberOf(name) : links.length + group
  }
  return {
    links,
    groups,
    routes: issuers.map(({ name, bin }) => ({ bin, to: destination(name) })),
    limits: { requestTimeoutMs: 10_000, recentKeys: 8192, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 }
  }
}

/** The module as this life of the switch finds it. */
const moduleOf = Effect.fnUntraced(function* (options: ModuleOptions, startsAt: number) {
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  return new SimulatedModule(options, {
    now: () => clock.currentTimeMillisUnsafe() - startsAt,
    chance: () => random.nextDoubleUnsafe(),
    fork: (effect) => void fork(effect)
  })
})

/** Each partner with a zone has a key for MACs and one for PIN blocks. */
const giveKeys = Effect.fnUntraced(function* (
  { acquirers, issuers }: Options,
  { keys }: Switch.Running,
  module: SecurityModule
) {
  const zones = [...acquirers, ...issuers].flatMap((partner) => linksOf(partner).map(() => partner.line))
  for (const [link, { institution, zone }] of zones.entries()) {
    if (zone === undefined) continue
    for (const purpose of zone.changesEvery > 0 ? (["pin"] as const) : (["mac", "pin"] as const)) {
      const components = [keyNamed(`${purpose} ${institution}`)]
      const name = `${institution}/${purpose}`
      const key = yield* module.importKey({
        ...{ name, purpose, algorithm: "tdes" as const, key: { form: "components" as const, components } }
      })
      keys.take(keys.slot(link, purpose, "both"), key, 1, 0)
    }
  }
})

/** What a partner that changes its key begins with, by hand: the journal has it from then on. */
const importKeys = Effect.fnUntraced(function* ({ acquirers, issuers }: Options, running: Switch.Running) {
  const { keyOperations, keys } = running
  const links = [...acquirers, ...issuers].flatMap((partner) =>
    linksOf(partner).map(({ name }) => ({ name, line: partner.line }))
  )
  for (const [id, { line, name }] of links.entries()) {
    if ((line.zone?.changesEvery ?? 0) === 0) continue
    for (const purpose of ["kek", "mac"] as const) {
      if (keys.at(id, purpose, "receive")?.current !== undefined) continue
      const component = { number: 1, of: 1, bytes: keyNamed(`${purpose} ${line.institution}`) }
      yield* keyOperations.import(
        {
          link: name,
          purpose,
          direction: "both",
          algorithm: "tdes",
          text: undefined,
          checkValue: "",
          component,
          person: "Li"
        },
        { user: "simulation" }
      )
    }
  }
})

export const jinkaSwitch: Subject = {
  name: "switch",
  hasJournal: true,
  start: ({ options, life, transport, disk }) =>
    Effect.gen(function* () {
      const module = options.module === undefined ? undefined : yield* moduleOf(options.module, options.startsAt)
      const running = yield* Switch.make(settingsFor(options), module)
      if (module !== undefined) {
        yield* giveKeys(options, running, module)
        yield* Effect.raceFirst(importKeys(options, running), running.failed)
      }
      return yield* running.failed
    }).pipe(
      Effect.scoped,
      Effect.provide(Journal.layer.pipe(Layer.provide(disk.layer(life)))),
      Effect.provideService(Transport, transport)
    )
}
