/** The switch's side of partners of files: a link for each, and the keys of their MACs. */
import { compile, macAlgorithms } from "@jinka/codec"
import type { Way } from "../../../packages/simulator/src/link/ModeLink.ts"
import type { PartnerPlan } from "../../../packages/simulator/src/scripted/PartnerPlan.ts"
import type { GuardSettings } from "../../../packages/switch/src/guard/GuardSettings.ts"
import type { LegsSettings, Side } from "../../../packages/switch/src/link/Settings.ts"
import type * as Switch from "../../../packages/switch/src/Switch.ts"
import { type LinkAll, usualLink } from "../../switch/LinkSettings.ts"
import { switchName } from "../Names.ts"
import { switchLimits } from "../Options.ts"
import type { OwnSettings } from "../Subject.ts"
import { type FilePartnerPlan, type FilePlans, hasDays, signsOn } from "./FilePlans.ts"

/** Opposite a way of the partner. */
const oppositeOf = ({ plan, portOf }: FilePartnerPlan, { endpoint, role }: Way): Side => {
  const port = portOf(role, endpoint)
  return role === "listen"
    ? { _tag: "connect", to: { host: plan.name, port }, timeoutMs: 5000 }
    : { _tag: "listen", at: { host: switchName, port }, from: [], second: "replace" }
}

const sideOf = (partner: FilePartnerPlan): Side | LegsSettings => {
  const { mode } = partner.plan.link
  switch (mode.mode) {
    case "async-simplex": {
      const [send, receive] = [oppositeOf(partner, mode.receive), oppositeOf(partner, mode.send)]
      return { _tag: "legs", send, receive, timeoutMs: 15_000, collectMs: 2000 }
    }
    case "async-short":
      return oppositeOf(partner, mode.connect)
    default:
      return oppositeOf(partner, mode.way)
  }
}

const shortOf = (partner: FilePartnerPlan): LinkAll["short"] => {
  const { mode } = partner.plan.link
  if (mode.mode !== "sync-short" && mode.mode !== "async-short") return undefined
  const dialled = mode.mode === "async-short" ? oppositeOf(partner, mode.listen) : undefined
  return {
    dial: dialled?._tag === "connect" ? dialled : undefined,
    keep: mode.mode === "sync-short" && mode.keep,
    ...{ firstMessageMs: 5000, idleMs: 15_000, connectionsMax: 200 }
  }
}

const macKeyOf = ({ keys, macKey }: PartnerPlan) => {
  const key = macKey === undefined ? undefined : keys.get(macKey)
  return key?._tag === "mac" ? key : undefined
}

const guardOf = (plan: PartnerPlan): GuardSettings | undefined => {
  const key = macKeyOf(plan)
  const rules = plan.form.codec.dialect.security?.mac
  if (key === undefined || rules === undefined) return undefined
  const algorithm = macAlgorithms[key.algorithm]
  return {
    mac: { ...rules, receive: "required", send: "always", algorithm, isZeroed: false, isHexText: false },
    pin: undefined,
    failures: { after: 3, act: "alarm" }
  }
}

const linkOf = (partner: FilePartnerPlan): LinkAll => {
  const { plan } = partner
  const { form, link, signOn } = plan
  const { mode } = link.mode
  const isShort = mode === "sync-short" || mode === "async-short"
  return {
    ...usualLink,
    name: plan.name,
    institution: plan.institution,
    ourInstitution: plan.farSide,
    // Which institutions a file's messages name is the file's business.
    identity: "unchecked",
    dialect: form.codec.dialect,
    codec: compile(form.codec.dialect),
    frame: form.frame,
    mode,
    side: sideOf(partner),
    short: shortOf(partner),
    signOn: { send: !isShort && signOn.isExpected, expect: !isShort && signsOn(plan), timeoutMs: 5000 },
    idleMs: isShort || !isIdled(form.frame) ? 0 : 5000,
    watchdog: isShort
      ? { intervalMs: 0, probe: false, proofs: 0 }
      : {
          intervalMs: 6000,
          probe: mode !== "sync-long" && form.codec.dialect.network?.codes.echo !== undefined,
          proofs: 0
        },
    reconnect: { minMs: 200, maxMs: 5000 },
    window: mode === "sync-long" ? 1 : 500,
    waiting: mode === "sync-long" ? { places: 100, waitMs: 5000 } : usualLink.waiting,
    utcOffsetMs: plan.utcOffsetMs,
    unsentMax: 262_144,
    writeTimeoutMs: 10_000,
    delivery: { timeoutMs: 5000, retryMs: 5000, attemptsMax: 1000, window: mode === "sync-long" ? 1 : 20 },
    businessDay: hasDays(plan) ? { cutOver: "accept", stan: "goes-on", reconcile: "pass" } : undefined,
    guard: guardOf(plan)
  }
}

const isIdled = (frame: LinkAll["frame"]): boolean => frame.kind === "length"

/** The settings of a switch between these partners. */
export const fileSettings = ({ all, routes }: FilePlans): OwnSettings => {
  const numbers = new Map(all.map(({ plan }, n) => [plan.name, n]))
  const links = all.map(linkOf)
  const settings: Switch.SwitchSettings = {
    links,
    routes: routes.map(({ bin, issuer }) => ({ bin, to: numbers.get(issuer)! })),
    limits: switchLimits
  }
  const macKeys = all.flatMap(({ plan }, link) => {
    const key = macKeyOf(plan)
    return key === undefined ? [] : [{ link, bytes: key.bytes, cipher: macAlgorithms[key.algorithm].cipher }]
  })
  return { settings, macKeys }
}
