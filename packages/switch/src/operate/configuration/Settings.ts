/**
 * A decoded document as the settings that the switch works with: milliseconds, bytes, codecs. Nothing can fail here.
 */
import { type Codec, compile, type Dialect, idleFrame } from "@jinka/codec"
import { Effect } from "effect"
import type { LinkPlan } from "../../exchange/LinkPlan.ts"
import { inSlices } from "../../exchange/turns/Slices.ts"
import type { GroupSettings } from "../../link/LinkGroup.ts"
import type { LinkSettings, ShortSettings } from "../../link/Settings.ts"
import type { SwitchSettings } from "../../Switch.ts"
import type { ConfigurationDocument } from "./ConfigurationDocument.ts"
import { connectSide, doorSettings, httpSettings, markOf, type Place, sideOf } from "./door/DoorSettings.ts"
import type { GroupDocument } from "./link/GroupDocument.ts"
import type { LinkDocument } from "./link/LinkDocument.ts"
import { idleDefault } from "./link/TimeoutRelations.ts"
import { type Catalogue, frames } from "./Shipped.ts"
import { guardSettings } from "./security/GuardPlan.ts"
import { keySettings } from "./security/SecurityPlan.ts"
import { frameFormat } from "./text/Draft.ts"
import { durationMs, sizeBytes, utcOffsetMs } from "./text/Units.ts"

const codecs = new WeakMap<Dialect, Codec>()

/** The codec of a dialect, made once: what it has compiled for the messages of its links is still there after a reload. */
const codecOf = (dialect: Dialect): Codec => {
  const codec = codecs.get(dialect) ?? compile(dialect)
  codecs.set(dialect, codec)
  return codec
}

/**
 * The settings of the switch; `place` makes paths absolute. Links of one dialect share its codec, so that messages between
 * them keep their bytes. In slices: it may be for a switch that runs.
 */
export const switchSettings = (
  document: ConfigurationDocument,
  catalogue: Catalogue,
  place: Place
): Effect.Effect<SwitchSettings> => {
  const links: Array<LinkPlan> = []
  return Effect.map(
    inSlices(document.links, (link) => links.push(planOf(link, document, catalogue, place))),
    () => ({ links, ...besidesLinks(document, place) })
  )
}

const planOf = (link: LinkDocument, document: ConfigurationDocument, catalogue: Catalogue, place: Place): LinkPlan => ({
  ...linkSettings(link, document, catalogue, place),
  guard: guardSettings(link, catalogue[link.dialect]!.dialect),
  keys: keySettings(link, catalogue[link.dialect]!.dialect),
  businessDay: link.businessDay,
  delivery: {
    timeoutMs: durationMs(link.storeAndForward.timeout)!,
    retryMs: durationMs(link.storeAndForward.retry)!,
    attemptsMax: link.storeAndForward.attempts,
    window: link.storeAndForward.window
  }
})

const besidesLinks = (document: ConfigurationDocument, place: Place): Omit<SwitchSettings, "links"> => {
  const position = new Map([...document.links, ...document.groups].map(({ name }, index) => [name, index]))
  return {
    doors: doorSettings(document.doors, place),
    http: httpSettings(document.http, place),
    groups: document.groups.map((group) => groupSettings(group, position)),
    routes: document.routes.map(({ from, to, ...match }) => ({
      ...match,
      ...(from === undefined ? {} : { from: position.get(from)! }),
      to: position.get(to)!
    })),
    limits: {
      requestTimeoutMs: durationMs(document.requestTimeout)!,
      recentKeys: document.recentRequests,
      repeatsMs: durationMs(document.repeatsWithin)!,
      unwrittenRefuse: sizeBytes(document.journal.unwrittenRefuse)!,
      unwrittenStop: sizeBytes(document.journal.unwrittenStop)!
    }
  }
}

const groupSettings = (group: GroupDocument, position: ReadonlyMap<string, number>): GroupSettings => ({
  name: group.name,
  members: group.members.map(({ link, weight }) => ({ link: position.get(link)!, name: link, weight })),
  use: group.use,
  by: group.by,
  failbackMs: durationMs(group.failback)!,
  fallTogether: group.fall === "together"
})

/** Dialects of the links by their own names, as data: what the journal's search reads messages with. */
export const dialectsOf = (document: ConfigurationDocument, catalogue: Catalogue): Readonly<Record<string, Dialect>> =>
  Object.fromEntries(document.links.map((link) => catalogue[link.dialect]!.dialect).map((one) => [one.name, one]))

const linkSettings = (
  link: LinkDocument,
  { doors, institution }: Pick<ConfigurationDocument, "doors" | "institution">,
  catalogue: Catalogue,
  place: Place
): LinkSettings => {
  const { dialect, frame: usual, timeZone } = catalogue[link.dialect]!
  const frame =
    link.frame === undefined
      ? frames[usual]!
      : typeof link.frame === "string"
        ? frames[link.frame]!
        : frameFormat(link.frame)
  const short = shortSettings(link, place)
  const isProbed = short === undefined && (link.watchdog.probe ?? dialect.network?.codes.echo !== undefined)
  const idle = link.idle ?? (idleFrame(frame) === undefined ? "never" : idleDefault)
  return {
    name: link.name,
    formerly: link.formerly,
    institution: link.institution,
    speaksFor: link.speaksFor,
    identity: link.identity,
    mark: markOf(link, doors),
    ourInstitution: link.ourInstitution ?? institution,
    dialect,
    codec: codecOf(dialect),
    frame,
    side: sides(link, isProbed, place),
    mode: link.mode,
    short,
    stan: link.stan,
    callers: link.callers,
    waiting:
      link.wait === "never" ? { places: 0, waitMs: 0 } : { places: link.waiting, waitMs: durationMs(link.wait)! },
    signOn: signOn(link),
    // A short connection proves itself by its one exchange.
    idleMs: short === undefined ? (durationMs(idle) ?? 0) : 0,
    watchdog: {
      intervalMs: short === undefined ? durationMs(link.watchdog.interval)! : 0,
      probe: isProbed,
      proofs: short === undefined ? link.watchdog.proofs : 0,
      unanswered: link.watchdog.unanswered
    },
    reconnect: { minMs: durationMs(link.reconnect.min)!, maxMs: durationMs(link.reconnect.max)! },
    window: link.mode === "sync-long" ? 1 : link.window,
    rateLimit: link.rateLimit,
    frameTimeoutMs: durationMs(link.frameTimeout)!,
    unsentMax: sizeBytes(link.unsent)!,
    writeTimeoutMs: durationMs(link.writeTimeout)!,
    utcOffsetMs: utcOffsetMs(link.timeZone ?? timeZone)!
  }
}

const signOn = ({ signOn: { send, expect, timeout, required, attempts, retry } }: LinkDocument) => ({
  send,
  expect,
  timeoutMs: durationMs(timeout)!,
  required,
  retries: { attempts, pauseMs: durationMs(retry)! }
})

/** Where the connections of a link come from. A leg cannot be challenged: nothing is answered on it. */
const sides = (link: LinkDocument, isProbed: boolean, place: Place): LinkSettings["side"] => {
  const { legs, institution } = link
  if (legs === undefined) return sideOf(link, isProbed, place)
  return {
    _tag: "legs",
    send: sideOf({ ...legs.send, institution }, false, place),
    receive: sideOf({ ...legs.receive, institution }, false, place),
    timeoutMs: durationMs(legs.timeout)!,
    collectMs: durationMs(legs.collect) ?? 0
  }
}

const shortSettings = ({ mode, connect, short }: LinkDocument, place: Place): ShortSettings | undefined =>
  mode === "sync-short" || mode === "async-short"
    ? {
        dial: mode === "async-short" ? connectSide(connect!, place) : undefined,
        keep: short.keep,
        firstMessageMs: durationMs(short.firstMessage)!,
        idleMs: durationMs(short.idle)!,
        connectionsMax: short.connections
      }
    : undefined
