/**
 * The system under test of the dialogues: a switch in this process, with real sockets and a real journal in a directory of its
 * own. `system:` of a dialogue says what differs from the usual settings; an unknown setting is an error, not a default.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { binaryFrame, compile, cups, cupsFrame, dialects, type FrameFormat } from "@jinka/codec"
import { Context, Effect, Exit, Fiber, Layer, Logger, Scope } from "effect"
import { freePort, givePortBack } from "../../examples/shared/FreePort.ts"
import type { SystemSettings } from "../../packages/simulator/src/dialogue/index.ts"
import type { KeySettings } from "../../packages/switch/src/guard/KeySettings.ts"
import type { SecurityModule } from "../../packages/switch/src/guard/SecurityModule.ts"
import { Journal } from "../../packages/switch/src/journal/Journal.ts"
import { layerSqlite } from "../../packages/switch/src/journal/SqliteStore.ts"
import { totals } from "../../packages/switch/src/operate/totals/Totals.ts"
import { Dialects } from "../../packages/switch/src/operate/trace/Dialects.ts"
import * as Switch from "../../packages/switch/src/Switch.ts"
import { layer as nodeTransport } from "../../packages/switch/src/transport/NodeTransport.ts"
import { cupsMac, cupsPin, giveKey, guardOf, keyOf, softwareModule } from "../switch/core/Guarded.ts"
import { codecOf, type LinkAll, usualLink } from "../switch/LinkSettings.ts"
import { testFolder } from "../TestFolder.ts"
import { atDevice, giveDeviceKey, openDevice } from "./Device.ts"

// The journal's thread of every switch compiles the same modules: with a cache it starts in half the time.
process.env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL("../../node_modules/.cache/compile", import.meta.url))

/** Seals the journals of these tests; not a secret. */
export const testKey = Buffer.alloc(32, 0x42)

/** The same without chip data: a second dialect, for what has to be translated. */
const plainDialect = { ...cups, name: "cups-plain" }
const plainCodec = compile(plainDialect)

/** The links of every dialogue, with their institutions; a dialogue uses those that it names. */
const institutions = { acquirer: "48020000", issuer: "01030000", other: "01040000" } as const
type LinkName = keyof typeof institutions
const linkNames = Object.keys(institutions) as ReadonlyArray<LinkName>

const dialogueLink = (name: LinkName, port: number): LinkAll => ({
  ...usualLink,
  name,
  institution: institutions[name],
  side: { _tag: "listen", at: { host: "127.0.0.1", port }, from: [], second: "replace" },
  signOn: { send: false, expect: true, timeoutMs: 10_000 },
  watchdog: { intervalMs: 20_000, probe: true, proofs: 0 },
  delivery: { ...usualLink.delivery, timeoutMs: 5000 },
  businessDay: { cutOver: "accept", stan: "goes-on", reconcile: "pass" }
})

const milliseconds = (text: string): number => {
  const found = /^(\d+) ?(ms|s)$/.exec(text)
  if (found === null) throw new Error(`system: "${text}" is no duration`)
  return Number(found[1]) * (found[2] === "s" ? 1000 : 1)
}

const yesOrNo = (text: string): boolean => {
  if (text !== "yes" && text !== "no") throw new Error(`system: yes or no is expected, not "${text}"`)
  return text === "yes"
}

const zeroIsNoIdle: FrameFormat = { ...cupsFrame, idle: "none" } as FrameFormat

type Change = (link: LinkAll, text: string) => Partial<LinkAll>

const listening = (link: LinkAll) => {
  if (link.side._tag !== "listen") throw new Error(`system: ${link.name} does not listen`)
  return link.side
}

/** Settings of one link, by their words in `system:`. */
const changes: Readonly<Record<string, Change>> = {
  dials: (link, text) => (yesOrNo(text) ? { side: { _tag: "connect", to: listening(link).at, timeoutMs: 1000 } } : {}),
  "second connection": (link, text) => ({ side: { ...listening(link), second: text as "replace" | "refuse" } }),
  "allowed from": (link, text) => ({ side: { ...listening(link), from: [text] } }),
  "signs on": ({ signOn }, text) => ({ signOn: { ...signOn, send: yesOrNo(text) } }),
  "expects sign-on": ({ signOn }, text) => ({ signOn: { ...signOn, expect: yesOrNo(text) } }),
  "takes cut-overs": (_, text) => ({
    businessDay: { cutOver: yesOrNo(text) ? "accept" : "refuse", stan: "goes-on", reconcile: "pass" }
  }),
  "answers totals": (_, text) => ({
    businessDay: { cutOver: "accept", stan: "goes-on", reconcile: yesOrNo(text) ? "answer" : "pass" }
  }),
  "sign-on timeout": ({ signOn }, text) => ({ signOn: { ...signOn, timeoutMs: milliseconds(text) } }),
  // Three times in all: a second, third sign-on after so long on the same connection.
  "sign-on retry": ({ signOn }, text) => ({
    signOn: { ...signOn, retries: { attempts: 3, pauseMs: milliseconds(text) } }
  }),
  "needs sign-on": ({ signOn }, text) => ({ signOn: { ...signOn, required: yesOrNo(text) } }),
  "rate limit": (_, text) => ({ rateLimit: Number(text) }),
  "idle after": (_, text) => ({ idleMs: milliseconds(text) }),
  "idle frames": (_, text) => (text === "none" ? { frame: zeroIsNoIdle } : {}),
  watchdog: ({ watchdog }, text) => ({ watchdog: { ...watchdog, intervalMs: milliseconds(text) } }),
  probes: ({ watchdog }, text) => ({ watchdog: { ...watchdog, probe: yesOrNo(text) } }),
  "asks after unanswered": ({ watchdog }, text) => ({ watchdog: { ...watchdog, unanswered: Number(text) } }),
  proofs: ({ watchdog }, text) => ({ watchdog: { ...watchdog, proofs: Number(text) } }),
  window: (_, text) => ({ window: Number(text) }),
  "frame timeout": (_, text) => ({ frameTimeoutMs: milliseconds(text) }),
  "answer timeout": ({ delivery }, text) => ({ delivery: { ...delivery, timeoutMs: milliseconds(text) } }),
  retry: ({ delivery }, text) => ({ delivery: { ...delivery, retryMs: milliseconds(text) } }),
  attempts: ({ delivery }, text) => ({ delivery: { ...delivery, attemptsMax: Number(text) } }),
  "under way": ({ delivery }, text) => ({ delivery: { ...delivery, window: Number(text) } }),
  "exchanges keys": (_, text) => ({ keys: keysOf(text) }),
  // Of a link that exchanges keys: written behind that.
  "waits for a key": ({ keys }, text) => ({ keys: { ...keys!, waitMs: milliseconds(text) } }),
  "key window": ({ keys }, text) => ({ keys: { ...keys!, windowMs: milliseconds(text) } }),
  // Keys of the vectors, by name; given to the running switch by `withZoneKeys`.
  mac: ({ guard }) => ({ guard: { ...guardOf({}), ...guard, mac: cupsMac } }),
  pin: ({ guard }) => ({ guard: { ...guardOf(undefined), ...guard, pin: cupsPin } }),
  terminal: ({ guard }) => ({
    guard: { ...guardOf(undefined), ...guard, pin: { ...cupsPin, keys: "terminal" as const } }
  }),
  "wants MACs": ({ guard }, text) => ({
    guard: { ...guardOf({}), ...guard, mac: { ...cupsMac, receive: yesOrNo(text) ? "required" : "ifPresent" } }
  }),
  "signs off after wrong MACs": ({ guard }, text) => ({
    guard: { ...guardOf({}), ...guard, failures: { after: Number(text), act: "signOff" } }
  }),
  "asks for a key after wrong MACs": ({ guard }, text) => ({
    guard: { ...guardOf({}), ...guard, failures: { after: Number(text), act: "ask" } }
  }),
  "takes PINs": ({ guard }, text) => ({
    guard: { ...guardOf(undefined), ...guard, pin: yesOrNo(text) ? cupsPin : undefined }
  }),
  "speaks for": (_, text) => ({ speaksFor: text.split(" ") }),
  "other dialect": (_, text) => (yesOrNo(text) ? { dialect: plainDialect, codec: plainCodec } : {})
}

/** The reset of CUPS; a link that `asks` begins by itself while it has no key. */
const keysOf = (text: string): KeySettings => ({
  exchange: cups.keyExchange![0]!,
  giver: "partner",
  kinds: text === "asks" ? ["mac"] : ["mac", "pin"],
  algorithm: "tdes",
  windowMs: 180_000,
  waitMs: 15_000,
  schedule: { whenNone: text === "asks" }
})

/** Gives each link that exchanges keys the member key of the published frames, unless it has it from before. */
const withMemberKeys = (running: Switch.Running, settings: Switch.SwitchSettings) =>
  Effect.forEach(
    settings.links.flatMap(({ keys, name }, id) =>
      keys === undefined || running.keys.at(id, "kek", "receive") !== undefined ? [] : [name]
    ),
    (link) =>
      running.keyOperations.import(
        {
          link,
          purpose: "kek",
          direction: "both",
          algorithm: "tdes",
          component: { number: 1, of: 1, bytes: keyOf("zmk-a") },
          text: undefined,
          checkValue: "37B92E",
          person: "dialogue"
        },
        { user: "dialogue" }
      ),
    { discard: true }
  )

/** Gives each link with a zone the keys that its settings name. */
const withZoneKeys = (running: Switch.Running, module: SecurityModule | undefined, system: SystemSettings): void => {
  if (module === undefined) return
  const give = (link: number, purpose: "mac" | "pin", key: string) =>
    module.isSynchronous ? giveKey(running, module, link, purpose, key) : giveDeviceKey(running, link, purpose, key)
  for (const [link, name] of linkNames.entries()) {
    const { mac, pin, terminal } = (system[name] ?? {}) as { readonly [kind in "mac" | "pin" | "terminal"]?: string }
    if (terminal !== undefined) giveDeviceKey(running, link, "terminal", terminal)
    if (mac !== undefined) give(link, "mac", mac)
    if (pin !== undefined) give(link, "pin", pin)
  }
}

/** Every link of a dialogue in a dialect of its own. */
const inDialect = (name: string): Partial<LinkAll> => {
  const dialect = dialects[name]
  if (dialect === undefined) throw new Error(`system: there is no dialect "${name}"`)
  return name === "cups" ? {} : { dialect, codec: codecOf(dialect), frame: binaryFrame, idleMs: 0 }
}

const linkOf = (name: LinkName, port: number, settings: SystemSettings, usual: Partial<LinkAll>): LinkAll => {
  let link: LinkAll = { ...dialogueLink(name, port), ...usual }
  for (const [key, text] of Object.entries(settings)) {
    const change = changes[key]
    if (change === undefined || typeof text !== "string") throw new Error(`system: ${name}: "${key}" is not known`)
    link = { ...link, ...change(link, text) }
  }
  return link
}

const settingsOf = (ports: ReadonlyMap<string, number>, system: SystemSettings): Switch.SwitchSettings => {
  const { device: _, dialect = "cups", "request timeout": timeout = "10s", ...links } = system
  const usual = inDialect(dialect as string)
  for (const key of Object.keys(links)) {
    if (!linkNames.includes(key as LinkName)) throw new Error(`system: "${key}" is not known`)
  }
  return {
    links: linkNames.map((name) => linkOf(name, ports.get(name)!, (links[name] ?? {}) as SystemSettings, usual)),
    routes: [
      { bin: "620000", to: 1 },
      { bin: "620550", to: 2 },
      { institution: institutions.other, to: 2 }
    ],
    limits: {
      requestTimeoutMs: milliseconds(timeout as string),
      recentKeys: 1024,
      unwrittenRefuse: 1 << 20,
      unwrittenStop: 1 << 21
    }
  }
}

/** A switch that dialogues talk to. */
export interface System {
  readonly ports: ReadonlyMap<string, number>
  readonly directory: string
  readonly operator: (what: string) => Effect.Effect<void, string>
  /** Waits until nothing is outstanding and all is on disk, then stops the switch in order. */
  readonly stop: Effect.Effect<void>
  /** The running switch, for what only it can tell. */
  readonly running: () => Switch.Running
}

const quiet = Logger.layer([])

const start = (settings: Switch.SwitchSettings, system: SystemSettings, directory: string) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const store = layerSqlite({ directory, key: testKey, reserve: 0 })
    const layer = Layer.mergeAll(nodeTransport, Journal.layer.pipe(Layer.provide(store)), quiet)
    const context = yield* Layer.buildWithScope(layer, scope)
    const within = Context.merge(context, Context.make(Scope.Scope, scope))
    const hasKeys = settings.links.some(({ guard, keys }) => guard !== undefined || keys !== undefined)
    const opened = system["device"] === undefined ? undefined : yield* Effect.provideContext(openDevice, within)
    const module = opened?.module ?? (hasKeys ? softwareModule() : undefined)
    const running = yield* Switch.make(settings, module).pipe(Effect.provideContext(within))
    const journal = Context.get(context, Journal)
    const readable = { ...journal, names: () => journal.names() }
    running.reconcileBy((date) => totals(readable, new Dialects({}, settings.links), date))
    withZoneKeys(running, module, system)
    yield* withMemberKeys(running, settings)
    return { running, device: opened?.device, close: Scope.close(scope, Exit.void) }
  })

const settled = (running: Switch.Running): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { links, unwritten } = running.status()
    const isSettled = unwritten.entries === 0 && links.every(({ outstanding }) => outstanding === 0)
    return isSettled ? Effect.void : Effect.andThen(Effect.sleep(10), settled(running))
  }).pipe(Effect.timeoutOption(8000), Effect.asVoid)

/** What an operator does about the keys of a link: asks for one, and waits for what comes of it. */
const atKeys = (running: () => Switch.Running) => {
  let asked: Fiber.Fiber<ReadonlyArray<{ readonly isDone: boolean }>, { readonly says: string }> | undefined
  const wrong = (error: { readonly says: string }) => error.says
  const told = Effect.suspend(() => (asked === undefined ? Effect.succeed([]) : Fiber.join(asked)))
  const previous = (link: LinkName) => running().keys.at(linkNames.indexOf(link), "mac", "receive")?.previous
  const windowOver = (link: LinkName): Effect.Effect<void> =>
    Effect.suspend(() => (previous(link) === undefined ? Effect.void : Effect.delay(windowOver(link), 10)))
  return (what: string): Effect.Effect<void, string> | undefined => {
    const [, link, rest] = /^at (\w+) (.+)$/.exec(what) ?? []
    if (!linkNames.includes(link as LinkName)) return undefined
    const name = link as LinkName
    switch (rest) {
      case "asks for a MAC key":
        return Effect.map(Effect.forkDetach(running().keyOperations.ask(name, "mac", { user: "night" })), (fiber) => {
          asked = fiber
        })
      case "hears that no key came":
        return Effect.flatMap(Effect.mapError(told, wrong), (outcomes) =>
          outcomes.length > 0 && outcomes.every(({ isDone }) => !isDone) ? Effect.void : Effect.fail("a key came")
        )
      case "sees the window end":
        return windowOver(name)
      default:
        return undefined
    }
  }
}

/** Starts the switch in the scope; its directory is removed with it. */
export const makeSystem = (system: SystemSettings) =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(testFolder(), "jinka-dialogue-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    const ports = new Map<string, number>()
    for (const name of linkNames) ports.set(name, yield* Effect.acquireRelease(freePort, givePortBack))
    const settings = settingsOf(ports, system)
    let current = yield* start(settings, system, directory)
    let isStopped = false
    const close = Effect.suspend(() => {
      if (isStopped) return Effect.void
      isStopped = true
      return current.close
    })
    yield* Effect.addFinalizer(() => close)
    const restart = Effect.gen(function* () {
      yield* current.close
      current = yield* start(settings, system, directory)
    }).pipe(Effect.mapError((error) => error.message))
    const operators: Readonly<Record<string, Effect.Effect<void, string>>> = {
      drain: Effect.asVoid(Effect.suspend(() => current.running.drain(500))),
      "begin to drain": Effect.asVoid(Effect.forkDetach(Effect.suspend(() => current.running.drain(5000)))),
      restart
    }
    const keyed = atKeys(() => current.running)
    return {
      ports,
      directory,
      operator: (what: string) =>
        operators[what] ??
        keyed(what) ??
        atDevice(current.device, what) ??
        Effect.fail(`no operator knows how to "${what}"`),
      stop: Effect.suspend(() => settled(current.running)).pipe(Effect.andThen(close)),
      running: () => current.running
    } satisfies System
  })
