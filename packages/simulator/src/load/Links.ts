/**
 * The links of a load in each of the five modes: who may send on which connections.
 *
 * Owns which callers a link has, what they send on, and what is to be said of a link on which nothing came about. When something
 * is sent is the Generator's.
 *
 *     async-duplex, sync-long   a caller for each connection: dialled, or of whoever connects to us
 *     sync-short                a caller for each connection that there may be at once
 *     async-short               one caller: dials for each message, and hears what comes on connections of the far side
 *     async-simplex             one caller: sends on one leg and hears the other
 */
import { Effect, type Scope } from "effect"
import type { Chance } from "../chance/Chance.ts"
import { counted } from "../file/Counted.ts"
import { makeDials } from "../link/Dials.ts"
import { type EntranceSettings, makeEntrance } from "../link/Entrance.ts"
import { type LegName, Legs } from "../link/Legs.ts"
import { endpointText } from "../link/Listener.ts"
import { isOwnLimit, LoadCalls } from "../link/LoadCalls.ts"
import { type LineTimes, LoadLine } from "../link/LoadLine.ts"
import type { Way } from "../link/ModeLink.ts"
import type { PartnerEnd } from "../link/Sockets.ts"
import type { ListenFailed } from "../SimulatorError.ts"
import { Caller, type CallerShares } from "./Caller.ts"
import { CONNECTIONS_MAX, type LoadLinkSettings } from "./LoadLinkSettings.ts"
import type { Draws } from "./Template.ts"

/** A link that is open. */
export interface OpenLink {
  /** There may be more later, where the far side connects to us. */
  readonly callers: ReadonlyArray<Caller>
  /** Why no load can begin yet; `undefined` when it can. */
  readonly awaits: () => string | undefined
  /** Why figures of this link say nothing of the system under test; `undefined` when they do. */
  readonly invalid: () => string | undefined
  readonly tick: (now: number, draws: Draws) => void
}

type Opened = Effect.Effect<OpenLink, ListenFailed, Scope.Scope>

/** What the makers of all modes work with. */
interface Making {
  readonly settings: LoadLinkSettings
  readonly shares: CallerShares
  readonly chance: Chance
}

/** Most messages of a leg that wait for the other one. */
const EARLY_MAX = 100

/** Before dialling again, in milliseconds. */
const redial = { redialFrom: 40, redialTo: 200 }

/** Opens a link; its connections end with the scope. */
export const openLink = (settings: LoadLinkSettings, shares: CallerShares, chance: Chance): Opened => {
  const making: Making = { settings, shares, chance }
  const { mode } = settings
  switch (mode.mode) {
    case "async-duplex":
    case "sync-long":
      return mode.way.role === "dial" ? dialled(making, mode.way) : listening(making, mode.way)
    case "sync-short":
      return calling(making, mode.way)
    case "async-short":
      return callingBack(making, mode.connect, mode.listen)
    case "async-simplex":
      return simplex(making, mode.send, mode.receive)
  }
}

const telling = ({ settings, shares }: Making, text: string): void => shares.tell(`${settings.name}: ${text}`)

const entranceOf = (making: Making, way: Way, attach: (end: PartnerEnd) => void) => {
  const settings: EntranceSettings = { ...way, ...redial, onTrouble: (text) => telling(making, text) }
  return Effect.tap(makeEntrance(settings, making.chance, attach), ({ endpoint }) =>
    Effect.sync(() => {
      if (way.role === "listen") telling(making, `listens on ${endpointText(endpoint)}`)
    })
  )
}

/** Lines that are closed when the scope ends, before their entrance is. */
const makeLines = Effect.acquireRelease(
  Effect.sync(() => new Set<LoadLine>()),
  (lines) =>
    Effect.sync(() => {
      for (const line of lines) line.close("the load is over")
    })
)

const tickAll = (callers: ReadonlyArray<Caller>) => (now: number, draws: Draws) => {
  for (const caller of callers) caller.tick(now, draws)
}

/** The same of one caller, with all connections of its link. */
const tickWith = (caller: Caller, lines: ReadonlySet<LoadLine>) => (now: number, draws: Draws) => {
  caller.tick(now, draws)
  for (const line of lines) line.tick(now)
}

const never = (): undefined => undefined

const timesOf = ({ settings: { idleMs, silenceMs } }: Making): LineTimes => ({ idleMs, silenceMs })

/** A connection that is up becomes what this caller sends on. */
const attachTo = (making: Making, caller: Caller, lines: Set<LoadLine>, end: PartnerEnd): void => {
  const { settings, shares } = making
  const line = new LoadLine(end, settings.form.frame, timesOf(making), {
    message: (buffer, start, stop) => caller.message(buffer, start, stop),
    down: (fallen, reason) => {
      // What we close ourselves when the load is over did not fall.
      if (lines.delete(fallen) && !shares.isOver) caller.detach(reason)
    }
  })
  lines.add(line)
  caller.attach(line)
}

/** What a link is waited for that stays up: so many callers with a connection and a sign-on. */
const awaited = (callers: ReadonlyArray<Caller>, needed: number, what: string) => (): string | undefined => {
  const up = callers.filter((caller) => caller.isUp).length
  if (up >= needed) return undefined
  const attached = callers.filter((caller) => caller.isAttached).length
  return attached > up ? "no sign-on came about" : what
}

/** Connections that we dial, each for itself. */
const dialled = (making: Making, way: Way): Opened =>
  Effect.gen(function* () {
    const lines = yield* makeLines
    const { settings, shares } = making
    const callers = Array.from({ length: settings.connections }, (_, place) => new Caller(settings, place, shares))
    for (const caller of callers) yield* entranceOf(making, way, (end) => attachTo(making, caller, lines, end))
    const what = `nobody took a connection to ${endpointText(way.endpoint)}`
    return { callers, awaits: awaited(callers, 1, what), invalid: never, tick: tickAll(callers) }
  })

/** Connections of whoever connects to us: so many are waited for, and more are used, too. */
const listening = (making: Making, way: Way): Opened =>
  Effect.gen(function* () {
    const lines = yield* makeLines
    const { settings, shares } = making
    const callers: Array<Caller> = []
    const take = (end: PartnerEnd): void => {
      const free = callers.find((caller) => !caller.isAttached)
      if (free === undefined && callers.length >= CONNECTIONS_MAX) {
        telling(making, `more than ${CONNECTIONS_MAX} connections came; the last is closed`)
        return void end.raw.resetAndDestroy()
      }
      const caller = free ?? new Caller(settings, callers.length, shares)
      if (free === undefined) callers.push(caller)
      attachTo(making, caller, lines, end)
      telling(making, `${counted(callers.filter((one) => one.isAttached).length, "connection")} of the far side`)
    }
    const { endpoint } = yield* entranceOf(making, way, take)
    const needed = settings.connections
    const what = (): string => {
      const up = callers.filter((caller) => caller.isAttached).length
      const at = `to ${endpointText(endpoint)}`
      return up === 0 ? `nobody connected ${at}` : `only ${up} of ${needed} connections ${at} came`
    }
    return { callers, awaits: () => awaited(callers, needed, what())(), invalid: never, tick: tickAll(callers) }
  })

/** Why a short link has no figures. */
const neverMade = (calls: ReadonlyArray<LoadCalls>, way: Way): string | undefined => {
  const failed = calls.find(({ failed: why }) => why !== "")?.failed
  if (failed === undefined || calls.some(({ made }) => made > 0)) return undefined
  return `no connection to ${endpointText(way.endpoint)} came about (${failed})`
}

/** sync-short: a connection for each request, which brings the answer. */
const calling = (making: Making, way: Way): Opened =>
  Effect.gen(function* () {
    const { settings, shares } = making
    const dials = yield* makeDials(way)
    const { frame } = settings.form
    const made = Array.from({ length: settings.connections }, (_, place) => {
      const caller = new Caller(settings, place, shares)
      const calls = new LoadCalls(dials, { frame, awaitsAnswer: true, most: 1 }, ownerOf(caller, shares))
      caller.attach(calls)
      return { calls, caller }
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => made.forEach(({ calls }) => calls.hangUp())))
    const callers = made.map(({ caller }) => caller)
    const all = made.map(({ calls }) => calls)
    return { callers, awaits: never, invalid: () => neverMade(all, way), tick: tickAll(callers) }
  })

const ownerOf = (caller: Caller, shares: CallerShares) => ({
  message: (buffer: Buffer, start: number, end: number) => caller.message(buffer, start, end),
  lost: (stan: number, reason: string) => {
    if (shares.isOver) return
    if (isOwnLimit(reason)) shares.measure.starved++
    caller.lost(stan, reason)
  }
})

/** async-short: a connection for each message, and answers on connections that the far side makes. */
const callingBack = (making: Making, connect: Way, listen: Way): Opened =>
  Effect.gen(function* () {
    const lines = yield* makeLines
    const { settings, shares } = making
    const caller = new Caller(settings, 0, shares)
    const dials = yield* makeDials(connect)
    const { connections: most, form } = settings
    const calls = new LoadCalls(dials, { frame: form.frame, awaitsAnswer: false, most }, ownerOf(caller, shares))
    let came = 0
    const times = { idleMs: Number.POSITIVE_INFINITY, silenceMs: settings.silenceMs }
    const { endpoint } = yield* entranceOf(making, listen, (end) => {
      came++
      const line = new LoadLine(end, form.frame, times, {
        message: (buffer, start, stop) => caller.message(buffer, start, stop),
        down: (fallen) => void lines.delete(fallen)
      })
      lines.add(line)
    })
    caller.attach(calls)
    const callers = [caller]
    return {
      callers,
      awaits: awaited(callers, 1, "no sign-on came about"),
      invalid: () =>
        neverMade([calls], connect) ??
        (came > 0 ? undefined : `nobody connected to ${endpointText(endpoint)}, where the answers come`),
      tick: tickWith(caller, lines)
    }
  })

/** async-simplex: two connections that are one; a caller sends on the one and hears the other. */
const simplex = (making: Making, send: Way, receive: Way): Opened =>
  Effect.gen(function* () {
    const lines = yield* makeLines
    const { settings, shares } = making
    const caller = new Caller(settings, 0, shares)
    let isJoined = false
    let early: Array<Buffer> = []
    const legs = new Legs<LoadLine>({
      joined: (sends) => {
        isJoined = true
        caller.attach(sends)
        const before = early
        early = []
        for (const message of before) caller.message(message, 0, message.length)
      },
      parted: (reason) => {
        isJoined = false
        if (!shares.isOver) caller.detach(reason)
      },
      close: (leg, reason) => leg.close(reason)
    })
    const unasked = (): void => {
      shares.measure.unmatched++
      telling(making, "a message came on the leg that we send on")
    }
    const { idleMs, silenceMs } = timesOf(making)
    const forEver = Number.POSITIVE_INFINITY
    const take = (name: LegName, times: LineTimes) => (end: PartnerEnd) => {
      const line = new LoadLine(end, settings.form.frame, times, {
        message: (buffer, start, stop) => {
          if (name === "sends") return unasked()
          if (isJoined) return caller.message(buffer, start, stop)
          // A sign-on, say: it is answered when there is a leg to answer on.
          if (early.length < EARLY_MAX) early.push(Buffer.from(buffer.subarray(start, stop)))
        },
        down: (fallen, reason) => {
          lines.delete(fallen)
          legs.fell(name, fallen, reason)
        }
      })
      lines.add(line)
      legs.came(name, line)
    }
    const receiving = yield* entranceOf(making, receive, take("receives", { idleMs: forEver, silenceMs }))
    const sending = yield* entranceOf(making, send, take("sends", { idleMs, silenceMs: forEver }))
    const callers = [caller]
    const at = `to send on ${endpointText(sending.endpoint)} and to receive on ${endpointText(receiving.endpoint)}`
    return {
      callers,
      awaits: awaited(callers, 1, `both connections are not up, ${at}`),
      invalid: never,
      tick: tickWith(caller, lines)
    }
  })
