/**
 * The listener of operators and monitoring: HTTP on TCP, for this machine alone or under mutual TLS.
 *
 *     GET /live      200 as long as the process answers
 *     GET /ready     200 when new requests are taken, else 503 with the reasons
 *     (a node that stands by: alive, never ready, and \`jinka_standby\`)
 *     GET /metrics   what Prometheus reads
 *     GET /console/  the console in the browser (\`Console\`)
 *     /api/...       what operators look at and do (\`Api\`); /openapi.json describes it
 *
 * `/live` and `/ready` say nothing that a stranger may not know, and are for everybody who reaches the listener; the rest is for
 * its users, when there are any.
 */
import { Effect, type FileSystem, Layer, type Path, type Scope } from "effect"
import { Etag, HttpEffect, HttpPlatform, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { addressList } from "../../link/door/Addresses.ts"
import type { Credentials } from "../../transport/Credentials.ts"
import { listenForRequests } from "../../transport/NodeWeb.ts"
import type { Endpoint, ListenFailed } from "../../transport/Transport.ts"
import type { Role } from "../configuration/AdminDocument.ts"
import type { Controlled } from "../control/Control.ts"
import { apiRoutes } from "./Answers.ts"
import { consoleRoutes, makeSessions } from "./Console.ts"
import { readiness } from "./Health.ts"
import { withProcess } from "./Look.ts"
import type { Seen, SwitchSeen } from "./Measures.ts"
import { prometheusText } from "./Metrics.ts"
import { type AdminSettings, may, namedIn, notEnough, type User, userHeader, userOf, whoAreYou } from "./Users.ts"

/** What there is to tell. */
export interface Told {
  readonly look: () => SwitchSeen
  readonly controlled: Controlled
  /** Whether the switch is on its way to its end. */
  readonly isStopping: () => boolean
}

/** Serves until the scope ends; gives the address that it really has. */
export const serveAdmin = Effect.fnUntraced(function* (
  settings: AdminSettings,
  told: Told
): Effect.fn.Return<Endpoint, ListenFailed, Scope.Scope | Credentials | FileSystem.FileSystem | Path.Path> {
  const { tls, users } = settings
  const sessions = yield* makeSessions(tls !== undefined)
  const seen = yield* withProcess(told.look)
  const console = yield* Effect.orDie(consoleRoutes(users, sessions, seen))
  const all = Layer.mergeAll(
    HttpRouter.addAll([...routes(settings, told, seen), ...console]),
    apiRoutes(users, told.controlled)
  )
  const answering = yield* HttpRouter.toHttpEffect(
    all.pipe(Layer.provide(HttpPlatform.layer), Layer.provide(Etag.layer))
  )
  return yield* listening(settings, answering, (request) =>
    isFromOurPage(request) ? sessions.user(request.headers.get("cookie")) : undefined
  )
})

/** The same for a node that stands by; `words` says for whom. */
export const serveStandbyAdmin = (
  settings: AdminSettings,
  words: () => string
): Effect.Effect<Endpoint, ListenFailed, Scope.Scope | Credentials | FileSystem.FileSystem | Path.Path> =>
  Effect.flatMap(HttpRouter.toHttpEffect(HttpRouter.addAll(standbyRoutes(settings, words))), (answering) =>
    listening(settings, answering, () => undefined)
  )

/** Listens for requests, and finds out who asks: by token or certificate, or else by `sessionOf`. */
const listening = Effect.fnUntraced(function* <E>(
  { at, from, tls, users }: AdminSettings,
  answering: Effect.Effect<HttpServerResponse.HttpServerResponse, E, HttpServerRequest.HttpServerRequest | Scope.Scope>,
  sessionOf: (request: Request) => User | undefined
) {
  const answer = HttpEffect.toWebHandlerWith<never, HttpServerRequest.HttpServerRequest | Scope.Scope>(
    yield* Effect.context<never>()
  )(answering)
  const admits = addressList(from).has
  return yield* listenForRequests({ at, tls, admits }, async (request, identity) => {
    if (tls === undefined && !isOwnName(request.headers.get("host"))) return covered(foreign())
    const user = userOf(users, request.headers.get("authorization") ?? undefined, identity) ?? sessionOf(request)
    // Nobody but this listener says who asks.
    request.headers.delete(userHeader)
    if (user !== undefined) request.headers.set(userHeader, user.name)
    return covered(await answer(request))
  })
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

const routes = ({ users }: AdminSettings, { isStopping, look }: Told, seen: () => Seen) => [
  live,
  HttpRouter.route(
    "GET",
    "/ready",
    Effect.suspend(() => {
      const { because, links, ready } = readiness(look().status, isStopping())
      return Effect.succeed(HttpServerResponse.jsonUnsafe({ ready, because, links }, { status: ready ? 200 : 503 }))
    })
  ),
  HttpRouter.route("GET", "/metrics", allowed(users, "view", Effect.map(prometheusText(seen), metricsText)))
]

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
