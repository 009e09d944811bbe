/**
 * The listener of operators and monitoring: HTTP on TCP, for this machine alone or under mutual TLS.
 *
 *     GET /live      200 as long as the process answers
 *     GET /ready     200 when new requests are taken, otherwise 503 with the reasons
 *     GET /owner     200 where the switch runs, 503 on a node that stands by: for whoever moves its address
 *     GET /metrics   what Prometheus reads
 *     GET /console/  the console in the browser (`Console`)
 *     /api/...       what operators look at and do (`Api`); /openapi.json describes it
 *
 * A node that stands by is alive, never ready, and has the metric `jinka_standby`. An address must not follow `/ready`: an owner
 * is not ready while PostgreSQL is away and its links stay, or before the first partner has found it.
 *
 * `/live`, `/ready` and `/owner` say nothing that a stranger may not know, and are for everybody who reaches the listener; the
 * rest is for its users, when there are any.
 */
import { isDeepStrictEqual } from "node:util"
import { Clock, type Context, Effect, Exit, type FileSystem, Layer, type Path, Scope } from "effect"
import { Etag, HttpEffect, HttpPlatform, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { addressList } from "../../link/door/Addresses.ts"
import type { Credentials } from "../../transport/Credentials.ts"
import { monotonicMs } from "../../transport/Monotonic.ts"
import { listenForRequests, type WebAnswer, type WebAsker } from "../../transport/NodeWeb.ts"
import type { TlsSettings } from "../../transport/Tls.ts"
import type { Endpoint, ListenFailed, Listening } from "../../transport/Transport.ts"
import type { AlarmsReport } from "../alarm/Alarms.ts"
import type { Role } from "../configuration/door/AdminDocument.ts"
import type { Controlled } from "../control/Control.ts"
import { apiRoutes } from "./Answers.ts"
import { CallLimits, tooOften } from "./CallLimits.ts"
import { consoleRoutes, makeSessions } from "./Console.ts"
import { readiness } from "./Health.ts"
import { withProcess } from "./Look.ts"
import type { Seen, SwitchSeen } from "./Measures.ts"
import { prometheusText } from "./Metrics.ts"
import type { RefusedCall, RefusedCalls } from "./RefusedCalls.ts"
import type { Sessions } from "./Sessions.ts"
import { type AdminSettings, may, namedIn, notEnough, type User, userHeader, userOf, whoAreYou } from "./Users.ts"

/** What there is to tell. */
export interface Told {
  readonly look: () => SwitchSeen
  readonly controlled: Controlled
  readonly alarms: () => AlarmsReport
  /** Whether the switch is on its way to its end. */
  readonly isStopping: () => boolean
  readonly refused: RefusedCalls
}

/** The listener of a running switch; a reload may open, move, change and close it. */
export interface AdminListener {
  /** The address that it really has; `undefined`: there is none. */
  readonly endpoint: () => Endpoint | undefined
  /** Its TLS; `undefined`: there is none. */
  readonly tls: () => TlsSettings | undefined
  /**
   * Makes ready for other settings; what it gives takes them, or leaves everything as it was. A new address is open by then, and
   * the old one closes when the last answers are out.
   */
  readonly prepare: (next: AdminSettings | undefined) => Effect.Effect<Prepared, ListenFailed>
}

/** Settings that are ready to be taken; one of the two is run. */
export interface Prepared {
  /** Whether anything becomes different, be it only a token. */
  readonly changes: boolean
  readonly take: Effect.Effect<void>
  readonly takeBack: Effect.Effect<void>
}

/** One open listener, and what it answers. */
interface Serving {
  readonly settings: AdminSettings
  readonly listening: Listening
  readonly scope: Scope.Closeable
  /** Whom it admits and how it answers, by the present settings. */
  readonly manner: Manner
  readonly sessions: Sessions
}

interface Manner {
  admits: (address: string) => boolean
  answer: WebAnswer
  refused: (refused: RefusedCall) => void
}

/** Counts a refused call, and tells of it. */
type Refusing = (refused: RefusedCall, now: number) => void

/** Serves for as long as the scope lives; `first`: the settings at the start. */
export const serveAdmin = Effect.fnUntraced(function* (
  first: AdminSettings | undefined,
  told: Told
): Effect.fn.Return<AdminListener, ListenFailed, Scope.Scope | Credentials | FileSystem.FileSystem | Path.Path> {
  const services = yield* Effect.context<Credentials | FileSystem.FileSystem | Path.Path>()
  const life = yield* Effect.scope
  const seen = yield* withProcess(told.look)
  let serving: Serving | undefined

  const open = (settings: AdminSettings) =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(life)
      const sessions = yield* makeSessions(settings.tls !== undefined)
      return yield* Effect.gen(function* () {
        const manner: Manner = yield* mannerOf(settings, sessions, told, seen)
        const listening = yield* listenForRequests(
          {
            at: settings.at,
            tls: settings.tls,
            admits: (address) => manner.admits(address),
            refused: (address) => manner.refused({ by: "certificate", user: "", address })
          },
          (request, asker) => manner.answer(request, asker)
        )
        return { settings, listening, scope, manner, sessions } satisfies Serving
      }).pipe(
        Scope.provide(scope),
        Effect.onError(() => Scope.close(scope, Exit.void))
      )
    })

  // Whoever asked for the reload asked here, perhaps: the listener does not wait for its own answer.
  const close = (old: Serving | undefined) =>
    old === undefined ? Effect.void : Effect.asVoid(Effect.forkIn(Scope.close(old.scope, Exit.void), life))

  const prepare = (next: AdminSettings | undefined) =>
    Effect.gen(function* () {
      const old = serving
      if (isDeepStrictEqual(next, old?.settings)) return { changes: false, take: Effect.void, takeBack: Effect.void }
      const isHere = old !== undefined && next !== undefined && isDeepStrictEqual(next.at, old.settings.at)
      if (isHere && (next.tls === undefined) === (old.settings.tls === undefined)) {
        const retune = yield* old.listening.prepare!({ tls: next.tls })
        const manner = yield* Scope.provide(mannerOf(next, old.sessions, told, seen), old.scope)
        const take = Effect.sync(() => {
          retune()
          old.sessions.keep(next.users)
          Object.assign(old.manner, manner)
          serving = { ...old, settings: next }
        })
        return { changes: true, take, takeBack: Effect.void }
      }
      const opened = next === undefined ? undefined : yield* open(next)
      const take = Effect.suspend(() => {
        serving = opened
        return close(old)
      })
      return { changes: true, take, takeBack: close(opened) }
      // Whoever wants it may have asked over HTTP: nothing of that request may be part of what is made.
    }).pipe(Effect.updateContext((_: Context.Context<never>) => services))

  if (first !== undefined) serving = yield* open(first)
  return { endpoint: () => serving?.listening.endpoint, tls: () => serving?.settings.tls, prepare }
})

/** Whom a listener with these settings admits, and how it answers. */
const mannerOf = Effect.fnUntraced(function* (
  settings: AdminSettings,
  sessions: Sessions,
  told: Told,
  seen: () => Seen
): Effect.fn.Return<Manner, never, Scope.Scope | FileSystem.FileSystem | Path.Path> {
  const { users } = settings
  const console = yield* Effect.orDie(consoleRoutes(users, sessions, seen, told.alarms))
  const all = Layer.mergeAll(
    HttpRouter.addAll([...routes(users, told, seen), ...console, nothingHere]),
    apiRoutes(users, told.controlled, told.alarms)
  )
  const answering = yield* HttpRouter.toHttpEffect(
    all.pipe(Layer.provide(HttpPlatform.layer), Layer.provide(Etag.layer))
  )
  const refusing: Refusing = (refused, now) => {
    const act = told.refused.add(refused, now)
    if (act !== undefined) told.controlled.looked(act.user, act.what)
  }
  return yield* answered(settings, answering, refusing, (request) =>
    isFromOurPage(request) ? sessions.user(request.headers.get("cookie")) : undefined
  )
})

/** The same for a node that stands by; `words` says for whom. */
export const serveStandbyAdmin = (
  settings: AdminSettings,
  words: () => string
): Effect.Effect<Endpoint, ListenFailed, Scope.Scope | Credentials | FileSystem.FileSystem | Path.Path> =>
  Effect.flatMap(HttpRouter.toHttpEffect(HttpRouter.addAll(standbyRoutes(settings, words))), (answering) =>
    Effect.flatMap(
      // A node that stands by has no journal: the owner's tells of whoever knocks there.
      answered(
        settings,
        answering,
        () => {},
        () => undefined
      ),
      ({ admits, answer }) => listenForRequests({ at: settings.at, tls: settings.tls, admits }, answer)
    )
  ).pipe(Effect.map(({ endpoint }) => endpoint))

/** Answers requests as whoever asks: by token or certificate, otherwise by `sessionOf`. */
const answered = Effect.fnUntraced(function* <E>(
  { from, tls, users }: AdminSettings,
  answering: Effect.Effect<HttpServerResponse.HttpServerResponse, E, HttpServerRequest.HttpServerRequest | Scope.Scope>,
  refusing: Refusing,
  sessionOf: (request: Request) => User | undefined
) {
  const answer = HttpEffect.toWebHandlerWith<never, HttpServerRequest.HttpServerRequest | Scope.Scope>(
    yield* Effect.context<never>()
  )(answering)
  const clock = yield* Clock.Clock
  const limits = new CallLimits()
  const refused = (one: RefusedCall): void => refusing(one, monotonicMs(clock))
  const list = addressList(from)
  return {
    admits: (address: string) => {
      if (list.has(address)) return true
      refused({ by: "address", user: "", address })
      return false
    },
    refused,
    answer: async (request: Request, { address, identity }: WebAsker) => {
      const { pathname } = new URL(request.url)
      const told = { address, call: `${request.method} ${pathname}` }
      if (tls === undefined && !isOwnName(request.headers.get("host"))) {
        refused({ by: "host", user: "", ...told })
        return covered(foreign())
      }
      const token = request.headers.get("authorization") ?? undefined
      const user = userOf(users, token, identity) ?? sessionOf(request)
      if (!limits.may(user?.name ?? "", pathname, monotonicMs(clock))) {
        refused({ by: "rate", user: user?.name ?? "", ...told })
        return covered(limited())
      }
      // Nobody but this listener says who asks.
      request.headers.delete(userHeader)
      if (user !== undefined) request.headers.set(userHeader, user.name)
      const answered = covered(await answer(request))
      const hasShown = token !== undefined || identity !== undefined
      if (answered.status === 401) refused({ by: hasShown ? "token" : "nobody", user: "", ...told })
      if (answered.status === 403) refused({ by: "role", user: user?.name ?? "", ...told })
      return answered
    }
  } satisfies Manner
})

/**
 * Whether the name that was asked for is this machine's. A page of somebody else's can lead a name of its own to 127.0.0.1 and
 * have a browser ask here; then the name is still its own.
 */
const isOwnName = (host: string | null): boolean =>
  /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i.test(host ?? "")

/**
 * Whether a session may stand for the user: what changes something has to come from our own page (OWASP, Cross-Site Request
 * Forgery Prevention, "Fetch Metadata"), which says so by JSON and by the browser's own word.
 */
const isFromOurPage = ({ headers, method }: Request): boolean =>
  method === "GET" ||
  (headers.get("sec-fetch-site") === "same-origin" && headers.get("content-type") === "application/json")

const foreign = (): Response =>
  Response.json(
    { error: "In clear this is asked for as 127.0.0.1 or localhost, and by no other name." },
    { status: 421 }
  )

const limited = (): Response => Response.json({ error: tooOften }, { status: 429, headers: { "retry-after": "1" } })

/** Nothing of this belongs into a cache, a frame or another site's page. */
const headers: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'"
}

const covered = (response: Response): Response => {
  for (const [name, value] of Object.entries(headers)) {
    if (!response.headers.has(name)) response.headers.set(name, value)
  }
  if (response.status === 401) response.headers.set("www-authenticate", "Bearer")
  return response
}

const routes = (users: ReadonlyArray<User>, { isStopping, look }: Told, seen: () => Seen) => [
  live,
  HttpRouter.route(
    "GET",
    "/ready",
    Effect.suspend(() => {
      const { because, links, ready } = readiness(look().status, isStopping())
      return Effect.succeed(HttpServerResponse.jsonUnsafe({ ready, because, links }, { status: ready ? 200 : 503 }))
    })
  ),
  HttpRouter.route("GET", "/owner", Effect.succeed(HttpServerResponse.text("owner\n"))),
  HttpRouter.route("GET", "/metrics", allowed(users, "view", Effect.map(prometheusText(seen), metricsText)))
]

const nothingHere = HttpRouter.route(
  "*",
  "/*",
  Effect.suspend(() =>
    refuse(404, "There is no such path, or not with this method: /openapi.json lists what there is.")
  )
)

const live = HttpRouter.route("GET", "/live", Effect.succeed(HttpServerResponse.text("alive\n")))

const standbyRoutes = ({ users }: AdminSettings, words: () => string) => [
  live,
  HttpRouter.route(
    "GET",
    "/ready",
    Effect.sync(() =>
      HttpServerResponse.jsonUnsafe({ ready: false, because: [words()], links: { ready: 0, all: 0 } }, { status: 503 })
    )
  ),
  HttpRouter.route(
    "GET",
    "/owner",
    Effect.suspend(() => refuse(503, words()))
  ),
  HttpRouter.route("GET", "/metrics", allowed(users, "view", Effect.succeed(metricsText(standbyMeasure)))),
  HttpRouter.route(
    "*",
    "/*",
    Effect.suspend(() => refuse(503, `${words()}. Ask there.`))
  )
]

const standbyMeasure = `# HELP jinka_standby 1 on a node that stands by.
# TYPE jinka_standby gauge
jinka_standby 1
`

const metricsText = (text: string) =>
  HttpServerResponse.text(text, { contentType: "text/plain; version=0.0.4; charset=utf-8" })

/** Answers a user with the role, or everybody where there are no users and it is only looked at. */
const allowed = <E, R>(
  users: ReadonlyArray<User>,
  role: Role,
  answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request): typeof answer => {
    if (users.length === 0 && role === "view") return answer
    const user = namedIn(users, request.headers)
    if (user === undefined) {
      return refuse(401, whoAreYou)
    }
    return may(user, role) ? answer : refuse(403, notEnough(user, role))
  })

const refuse = (status: number, error: string) => Effect.succeed(HttpServerResponse.jsonUnsafe({ error }, { status }))
