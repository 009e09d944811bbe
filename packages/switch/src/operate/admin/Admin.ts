/**
 * The listener of operators and monitoring: HTTP on TCP, for this machine alone or under mutual TLS.
 *
 *     GET /live      200 as long as the process answers
 *     GET /ready     200 when new requests are taken, else 503 with the reasons
 *     GET /metrics   what Prometheus reads
 *
 * `/live` and `/ready` say nothing that a stranger may not know, and are for everybody who reaches the listener; the rest is for
 * its users, when there are any.
 */
import { Effect, type Scope } from "effect"
import { HttpEffect, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { addressList } from "../../link/door/Addresses.ts"
import type { Credentials } from "../../transport/Credentials.ts"
import { listenForRequests } from "../../transport/NodeWeb.ts"
import type { TlsSettings } from "../../transport/Tls.ts"
import type { Endpoint, ListenFailed } from "../../transport/Transport.ts"
import type { Role } from "../configuration/AdminDocument.ts"
import { readiness } from "./Health.ts"
import type { Seen } from "./Measures.ts"
import { prometheusText } from "./Metrics.ts"
import { may, type User, userOf } from "./Users.ts"

/** The `admin` section as settings. */
export interface AdminSettings {
  readonly at: Endpoint
  readonly tls: TlsSettings | undefined
  /** Addresses and networks that may connect; empty: all. */
  readonly from: ReadonlyArray<string>
  readonly users: ReadonlyArray<User>
}

/** What there is to tell. */
export interface Told {
  readonly look: () => Seen
  /** Whether the switch is on its way to its end. */
  readonly isStopping: () => boolean
}

/** Serves until the scope ends; gives the address that it really has. */
export const serveAdmin = Effect.fnUntraced(function* (
  settings: AdminSettings,
  told: Told
): Effect.fn.Return<Endpoint, ListenFailed, Scope.Scope | Credentials> {
  const answering = yield* HttpRouter.toHttpEffect(HttpRouter.addAll(routes(settings, told)))
  const answer = HttpEffect.toWebHandlerWith<never, HttpServerRequest.HttpServerRequest | Scope.Scope>(
    yield* Effect.context<never>()
  )(answering)
  const from = addressList(settings.from)
  return yield* listenForRequests({ at: settings.at, tls: settings.tls, admits: from.has }, (request, identity) => {
    const user = userOf(settings.users, request.headers.get("authorization") ?? undefined, identity)
    // Nobody but this listener says who asks.
    request.headers.delete(userHeader)
    if (user !== undefined) request.headers.set(userHeader, user.name)
    return answer(request)
  })
})

/** How the listener tells its routes who asks; what a caller writes there is taken away. */
const userHeader = "jinka-user"

const routes = ({ users }: AdminSettings, { isStopping, look }: Told) => [
  HttpRouter.route("GET", "/live", Effect.succeed(text("alive\n"))),
  HttpRouter.route(
    "GET",
    "/ready",
    Effect.suspend(() => {
      const { because, links, ready } = readiness(look().status, isStopping())
      return Effect.succeed(
        HttpServerResponse.jsonUnsafe({ ready, because, links }, { status: ready ? 200 : 503, headers })
      )
    })
  ),
  HttpRouter.route(
    "GET",
    "/metrics",
    allowed(
      users,
      "view",
      Effect.map(prometheusText(look), (body) => text(body, "text/plain; version=0.0.4; charset=utf-8"))
    )
  )
]

/** Nothing of this belongs into a cache, a frame or another site's page. */
const headers = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "content-security-policy": "default-src 'none'"
}

const text = (body: string, contentType = "text/plain; charset=utf-8") =>
  HttpServerResponse.text(body, { contentType, headers })

/** Answers a user with the role, or everybody where there are no users and it is only looked at. */
const allowed = <E, R>(
  users: ReadonlyArray<User>,
  role: Role,
  answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request): typeof answer => {
    if (users.length === 0 && role === "view") return answer
    const user = users.find(({ name }) => name === request.headers[userHeader])
    if (user === undefined) {
      return refuse(401, "Say who you are: `Authorization: Bearer TOKEN` of one of `admin.users`, or its certificate.")
    }
    return may(user, role) ? answer : refuse(403, `This is for the role ${role}; ${user.name} has ${user.role}.`)
  })

const refuse = (status: number, error: string) => {
  const asking = status === 401 ? { "www-authenticate": "Bearer" } : {}
  return Effect.succeed(HttpServerResponse.jsonUnsafe({ error }, { status, headers: { ...headers, ...asking } }))
}
