/**
 * A decoded document as the settings that the switch works with: milliseconds, bytes, codecs. Pure; nothing can fail here.
 */
import { type Codec, compile, type Dialect, idleFrame } from "@jinka/codec"
import type { GroupSettings } from "../../link/Group.ts"
import type { LinkSettings, ShortSettings, Side } from "../../link/Settings.ts"
import type { SwitchSettings } from "../../Switch.ts"
import type { ConfigurationDocument } from "./ConfigurationDocument.ts"
import { frameFormat } from "./Draft.ts"
import type { GroupDocument } from "./GroupDocument.ts"
import type { LinkDocument } from "./LinkDocument.ts"
import { type Catalogue, frames } from "./Shipped.ts"
import { idleDefault } from "./TimeoutRelations.ts"
import { durationMs, sizeBytes, utcOffsetMs } from "./Units.ts"

/** The settings of the switch. Links of one dialect share its codec, so that messages between them keep their bytes. */
export const switchSettings = (document: ConfigurationDocument, catalogue: Catalogue): SwitchSettings => {
  const codecs = new Map<string, Codec>()
  const position = new Map([...document.links, ...document.groups].map(({ name }, index) => [name, index]))
  return {
    links: document.links.map((link) => ({
      ...linkSettings(link, document.institution, catalogue, codecs),
      delivery: {
        timeoutMs: durationMs(link.storeAndForward.timeout)!,
        retryMs: durationMs(link.storeAndForward.retry)!,
        attemptsMax: link.storeAndForward.attempts,
        window: link.storeAndForward.window
      }
    })),
    groups: document.groups.map((group) => groupSettings(group, position)),
    routes: document.routes.map(({ to, ...match }) => ({ ...match, to: position.get(to)! })),
    limits: {
      requestTimeoutMs: durationMs(document.requestTimeout)!,
      recentKeys: document.recentRequests,
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
  institution: string,
  catalogue: Catalogue,
  codecs: Map<string, Codec>
): LinkSettings => {
  const { dialect, frame: usual, timeZone } = catalogue[link.dialect]!
  const codec = codecs.get(link.dialect) ?? compile(dialect)
  codecs.set(link.dialect, codec)
  const frame =
    link.frame === undefined
      ? frames[usual]!
      : typeof link.frame === "string"
        ? frames[link.frame]!
        : frameFormat(link.frame)
  const short = shortSettings(link)
  const idle = link.idle ?? (idleFrame(frame) === undefined ? "never" : idleDefault)
  return {
    name: link.name,
    institution: link.institution,
    ourInstitution: link.ourInstitution ?? institution,
    dialect,
    codec,
    frame,
    side: sides(link),
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
      probe: short === undefined && (link.watchdog.probe ?? dialect.network?.codes.echo !== undefined),
      proofs: short === undefined ? link.watchdog.proofs : 0
    },
    reconnect: { minMs: durationMs(link.reconnect.min)!, maxMs: durationMs(link.reconnect.max)! },
    window: link.mode === "sync-long" ? 1 : link.window,
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

/** Where one connection comes from. */
type SideDocument = Pick<LinkDocument, "connect" | "listen">

const sides = (link: LinkDocument): LinkSettings["side"] => {
  const { legs } = link
  if (legs === undefined) return side(link)
  return {
    _tag: "legs",
    send: side(legs.send),
    receive: side(legs.receive),
    timeoutMs: durationMs(legs.timeout)!,
    collectMs: durationMs(legs.collect) ?? 0
  }
}

const dialSide = ({ host, port, timeout }: NonNullable<LinkDocument["connect"]>) =>
  ({ _tag: "connect", to: { host, port }, timeoutMs: durationMs(timeout)! }) as const

const shortSettings = ({ mode, connect, short }: LinkDocument): ShortSettings | undefined =>
  mode === "sync-short" || mode === "async-short"
    ? {
        dial: mode === "async-short" ? dialSide(connect!) : undefined,
        keep: short.keep,
        firstMessageMs: durationMs(short.firstMessage)!,
        idleMs: durationMs(short.idle)!,
        connectionsMax: short.connections
      }
    : undefined

const side = ({ connect, listen }: SideDocument): Side =>
  listen === undefined
    ? dialSide(connect!)
    : { _tag: "listen", at: { host: listen.host, port: listen.port }, from: listen.from, second: listen.second }
