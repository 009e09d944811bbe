/**
 * The production switch as the subject of the simulation: the real links, exchanges, recovery and journal, on the simulated
 * network and disk. One listening link for each acquirer, one dialling link for each issuer, routes by BIN.
 */
import { cups, macAlgorithms } from "@jinka/codec"
import { Clock, Effect, Layer, Queue, Random, Schedule } from "effect"
import type { GuardSettings } from "../../packages/switch/src/guard/GuardSettings.ts"
import { HsmModule } from "../../packages/switch/src/guard/hsm/HsmModule.ts"
import type { KeySettings } from "../../packages/switch/src/guard/KeySettings.ts"
import type { SecurityModule } from "../../packages/switch/src/guard/SecurityModule.ts"
import { Journal } from "../../packages/switch/src/journal/Journal.ts"
import { ownLimits } from "../../packages/switch/src/link/door/Door.ts"
import type { GroupSettings } from "../../packages/switch/src/link/LinkGroup.ts"
import type { LegsSettings, Side } from "../../packages/switch/src/link/Settings.ts"
import * as Switch from "../../packages/switch/src/Switch.ts"
import { Transport } from "../../packages/switch/src/transport/Transport.ts"
import { type LinkAll, usualLink } from "../switch/LinkSettings.ts"
import { HTTP_PORT, switchName } from "./Names.ts"
import { centre, DOOR_PORT, type ModuleOptions, type Options, switchLimits } from "./Options.ts"
import type { LineOptions } from "./partner/Line.ts"
import type { Half } from "./partner/Pair.ts"
import { keyNamed } from "./partner/Zone.ts"
import { deviceText, openDevices } from "./SimulatedDevices.ts"
import { SimulatedModule } from "./SimulatedModule.ts"
import type { Order, OwnSettings, Place, Subject } from "./Subject.ts"

/** The door of partners that share an address. */
const door = {
  name: "door",
  at: { host: switchName, port: DOOR_PORT },
  by: { _tag: "header", field: 0, waitMs: 5000 }
} as const

/** The HTTP door of partners that call. */
const web = {
  name: "web",
  at: { host: switchName, port: HTTP_PORT },
  ...{ bodyMax: 4096, requestMs: 5000, idleMs: 15_000 }
} as const

/** Where a partner's connections come from, or go to. */
const aloneOf = ({ atDoor, calls, endpoint, institution, oneWay, role }: LineOptions): Side => {
  if (oneWay !== undefined) return { _tag: "listen", at: oneWay.sends, from: [], second: "replace" }
  if (role === "listens") return { _tag: "connect", to: endpoint, timeoutMs: 5000 }
  if (calls !== undefined) {
    const sign = { from: [], certificate: undefined, value: `/${institution}` }
    return { _tag: "door", door: web.name, sign, second: "replace" }
  }
  return atDoor === true
    ? {
        _tag: "door",
        door: door.name,
        sign: { from: [], certificate: undefined, value: institution },
        second: "replace"
      }
    : { _tag: "listen", at: endpoint, from: [], second: "replace" }
}

/** A connection for each exchange. */
const short: Pick<LinkAll, "mode" | "short" | "signOn" | "idleMs" | "watchdog"> = {
  mode: "sync-short",
  short: { dial: undefined, keep: true, firstMessageMs: 5000, idleMs: 15_000, connectionsMax: 200 },
  signOn: { send: false, expect: false, timeoutMs: 5000 },
  idleMs: 0,
  watchdog: { intervalMs: 0, probe: false, proofs: 0 }
}

/** The same, and what is sent goes out on a connection that carries nothing back. */
const oneWayOf = ({ oneWay }: LineOptions): Partial<LinkAll> =>
  oneWay === undefined
    ? {}
    : { mode: "async-short", short: { ...short.short!, dial: { _tag: "connect", to: oneWay.hears, timeoutMs: 5000 } } }

/** What an operator has changed by the n-th reload: every other time each second link, and the time that a request may take. */
const changed = (settings: Switch.SwitchSettings, reloads: number): Switch.SwitchSettings =>
  reloads % 2 === 0
    ? settings
    : {
        ...settings,
        links: settings.links.map((link, n) => (n % 2 === 0 ? { ...link, window: 400, unsentMax: 200_000 } : link)),
        limits: { ...settings.limits, requestTimeoutMs: 8000 }
      }

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
  ...(line.isShort === true ? short : {}),
  ...oneWayOf(line),
  ...(line.calls === undefined ? {} : { frame: { kind: "until-close", lengthMax: 1892 } }),
  businessDay: line.daysEvery === undefined ? undefined : { cutOver: "accept", stan: "goes-on", reconcile: "pass" },
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
  pin: { ...cups.security!.pin!, format: "iso0", keys: "zone", mayDropPan: false },
  failures: { after: 3, act: "alarm" }
}

type Partner = Options["acquirers"][number] | Options["issuers"][number]

/** The links of a partner, one for each host. */
const linksOf = ({ name, line, second }: Partner): ReadonlyArray<LinkAll> => {
  const first = linkSettings(name, line, aloneOf(line))
  return second === undefined ? [first] : [first, linkSettings(second.name, second.line, aloneOf(second.line))]
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
  const isUsed = (name: string) => links.some(({ side }) => side._tag === "door" && side.door === name)
  return {
    links,
    groups,
    doors: isUsed(door.name) ? [{ ...door, from: [], limits: ownLimits }] : [],
    http: isUsed(web.name) ? [{ ...web, from: [], limits: ownLimits }] : [],
    routes: issuers.map(({ name, bin }) => ({ bin, to: destination(name) })),
    limits: switchLimits
  }
}

/** The module as this life of the switch finds it. */
const moduleOf = Effect.fnUntraced(function* (options: ModuleOptions, startsAt: number) {
  if (options.devices !== undefined) return yield* openDevices(options.devices, startsAt)
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const module = new SimulatedModule(options, {
    now: () => clock.currentTimeMillisUnsafe() - startsAt,
    chance: () => random.nextDoubleUnsafe(),
    fork: (effect) => void fork(effect)
  })
  return { module, goWrong: () => {} }
})

const isOfDevices = (module: SecurityModule): boolean => module instanceof HsmModule

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
      const bytes = keyNamed(`${purpose} ${institution}`)
      const name = `${institution}/${purpose}`
      const of = { name, purpose, algorithm: "tdes" } as const
      // A key that a device printed is there without a device.
      const key = isOfDevices(module)
        ? { ...of, text: deviceText(purpose, bytes), checkValue: "" }
        : yield* module.importKey({ ...of, key: { form: "components", components: [bytes] } })
      keys.take(keys.slot(link, purpose, "both"), key, 1, 0)
    }
  }
})

/** Keys of MACs that never change, by hand. */
const giveMacKeys = Effect.fnUntraced(function* (
  macKeys: OwnSettings["macKeys"],
  { keys }: Switch.Running,
  module: SecurityModule
) {
  for (const { bytes, cipher, link } of macKeys) {
    const algorithm = cipher === "des" && bytes.length > 8 ? "tdes" : cipher
    const of = { name: `${link}/mac`, purpose: "mac", algorithm } as const
    const key = yield* module.importKey({ ...of, key: { form: "components", components: [bytes] } })
    keys.take(keys.slot(link, "mac", "both"), key, 1, 0)
  }
})

/** What a partner that changes its key begins with, by hand: the journal has it from then on. */
const importKeys = Effect.fnUntraced(function* (
  { acquirers, issuers }: Options,
  running: Switch.Running,
  module: SecurityModule
) {
  const { keyOperations, keys } = running
  const links = [...acquirers, ...issuers].flatMap((partner) =>
    linksOf(partner).map(({ name }) => ({ name, line: partner.line }))
  )
  for (const [id, { line, name }] of links.entries()) {
    if ((line.zone?.changesEvery ?? 0) === 0) continue
    for (const purpose of ["kek", "mac"] as const) {
      if (keys.at(id, purpose, "receive")?.current !== undefined) continue
      const bytes = keyNamed(`${purpose} ${line.institution}`)
      const brought = isOfDevices(module)
        ? { component: undefined, text: deviceText(purpose, bytes) }
        : { component: { number: 1, of: 1, bytes }, text: undefined }
      const what = { link: name, purpose, direction: "both", algorithm: "tdes", checkValue: "", person: "Li" } as const
      // No device may be there at the moment: Li tries again.
      yield* Effect.retry(
        Effect.suspend(() => keyOperations.import({ ...what, ...brought }, { user: "simulation" })),
        { schedule: Schedule.spaced(500) }
      )
    }
  }
})

/** Longest drain of an orderly stop, and of a link that a reload closes, milliseconds. */
export const DRAIN_MS = 12_000

/** Does what the operator orders until that is a stop; returns what had no end then. */
const obeying = Effect.fnUntraced(function* (
  { life, operator }: Place,
  running: Switch.Running,
  settings: Switch.SwitchSettings
) {
  const orders = yield* Queue.unbounded<Order>()
  operator.obey = (order) => life.admit(() => void Queue.offerUnsafe(orders, order))
  while ((yield* Queue.take(orders)) === "reload") {
    const next = changed(settings, operator.reloads + 1)
    const reloaded = Effect.map(running.reload(next, { user: "simulation" }, DRAIN_MS), () => void operator.reloads++)
    yield* Effect.catch(reloaded, ({ says }) => Effect.logWarning(`reload refused: ${says}`))
  }
  const unfinished = yield* running.drain(DRAIN_MS)
  return unfinished.map(({ exchange, outcome }) => `exchange ${exchange} is ${outcome}`)
})

export const jinkaSwitch: Subject = {
  name: "switch",
  hasJournal: true,
  start: (place) => {
    const { disk, failed = Effect.fail, life, operator, options, own, transport } = place
    const settings = own?.settings ?? settingsFor(options)
    return Effect.gen(function* () {
      const opened = options.module === undefined ? undefined : yield* moduleOf(options.module, options.startsAt)
      const module = opened?.module
      const running = yield* Switch.make(changed(settings, operator.reloads), module)
      if (module !== undefined) {
        yield* giveKeys(options, running, module)
        yield* giveMacKeys(own?.macKeys ?? [], running, module)
        yield* Effect.raceFirst(importKeys(options, running, module), running.failed)
        opened?.goWrong()
      }
      const ended = Effect.catchTag(running.failed, "JournalError", (error) => failed(error))
      return yield* Effect.raceFirst(ended, obeying(place, running, settings))
    }).pipe(
      Effect.scoped,
      Effect.provide(Journal.layer.pipe(Layer.provide(disk.layer(life)))),
      Effect.provideService(Transport, transport)
    )
  }
}
