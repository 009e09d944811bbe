/**
 * The production switch as the subject of the simulation: the real links, exchanges, recovery and journal, on the simulated
 * network and disk. One listening link for each acquirer, one dialling link for each issuer, routes by BIN.
 */
import { Effect, Layer } from "effect"
import { Journal } from "../../packages/switch/src/journal/Journal.ts"
import type { GroupSettings } from "../../packages/switch/src/link/LinkGroup.ts"
import type { LegsSettings, Side } from "../../packages/switch/src/link/Settings.ts"
import * as Switch from "../../packages/switch/src/Switch.ts"
import { Transport } from "../../packages/switch/src/transport/Transport.ts"
import { type LinkAll, usualLink } from "../switch/LinkSettings.ts"
import { centre, type Options } from "./Options.ts"
import type { LineOptions } from "./partner/Line.ts"
import type { Half } from "./partner/Pair.ts"
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
  delivery: { timeoutMs: 5000, retryMs: 5000, attemptsMax: 1000, window: 20 }
})

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

export const jinkaSwitch: Subject = {
  name: "switch",
  hasJournal: true,
  start: ({ options, life, transport, disk }) =>
    Switch.make(settingsFor(options)).pipe(
      Effect.flatMap(({ failed }) => failed),
      Effect.scoped,
      Effect.provide(Journal.layer.pipe(Layer.provide(disk.layer(life)))),
      Effect.provideService(Transport, transport)
    )
}
