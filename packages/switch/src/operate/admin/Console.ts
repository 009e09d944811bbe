/**
 * The console in the browser: its files, from this package and as they are, the session that a token opens, and the beat that
 * keeps the page up to date (server-sent events).
 */
import { fileURLToPath } from "node:url"
import { dialects, fieldSummaries } from "@jinka/codec"
import { Clock, Effect, FileSystem, Stream } from "effect"
import { type Headers, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { secureRandom } from "../../guard/SecureRandom.ts"
import { monotonicMs } from "../../transport/Monotonic.ts"
import type { AlarmsReport } from "../alarm/Alarms.ts"
import { beatOf } from "./Beat.ts"
import type { Seen } from "./Measures.ts"
import { Sessions } from "./Sessions.ts"
import { namedIn, type User, whoAreYou } from "./Users.ts"

/** How often a page hears of the switch, and after how many beats it asks again: its session may have ended. */
const BEAT_MS = 1000
const BEATS_MAX = 600

/** The files by the names in their addresses. The charts are uPlot's. */
const files: Readonly<Record<string, readonly [place: string, type: string]>> = {
  "": ["../../../console/index.html", "text/html; charset=utf-8"],
  "console.css": ["../../../console/console.css", "text/css; charset=utf-8"],
  "console.js": ["../../../console/console.js", "text/javascript; charset=utf-8"],
  "picture.js": ["../../../console/picture.js", "text/javascript; charset=utf-8"],
  "charts.js": ["../../../console/charts.js", "text/javascript; charset=utf-8"],
  "elements.js": ["../../../console/elements.js", "text/javascript; charset=utf-8"],
  "search.js": ["../../../console/search.js", "text/javascript; charset=utf-8"],
  "records.js": ["../../../console/records.js", "text/javascript; charset=utf-8"],
  "pages.js": ["../../../console/pages.js", "text/javascript; charset=utf-8"],
  "sentences.js": ["../../../console/sentences.js", "text/javascript; charset=utf-8"],
  "words.js": ["../../../console/words.js", "text/javascript; charset=utf-8"],
  "uplot.js": ["uplot/dist/uPlot.iife.min.js", "text/javascript; charset=utf-8"],
  "uplot.css": ["uplot/dist/uPlot.min.css", "text/css; charset=utf-8"]
}

/** The page may load what is its own, and nothing else; uPlot sizes its canvas by style attributes. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

const addressOf = (place: string): string =>
  fileURLToPath(place.startsWith(".") ? new URL(place, import.meta.url) : import.meta.resolve(place))

/** The sessions of one listener. */
export const makeSessions = (isSecure: boolean): Effect.Effect<Sessions> =>
  Effect.map(
    Clock.Clock,
    (clock) =>
      new Sessions(
        () => monotonicMs(clock),
        () => Buffer.from(secureRandom(32)).toString("hex"),
        isSecure
      )
  )

/** What fields, codes and types of transaction are called in Chinese, by their English names, in the dialects that ship. */
const chineseNames = (): { readonly [name: string]: string } => {
  const named = Object.values(dialects).flatMap((dialect) => [
    ...fieldSummaries(dialect),
    ...Object.values(dialect.responseCodes),
    ...Object.values(dialect.processingCodes ?? {})
  ])
  return Object.fromEntries(named.flatMap(({ name, nameZh = "" }) => (nameZh === "" ? [] : [[name, nameZh]])))
}

/** The routes of the console. */
export const consoleRoutes = Effect.fnUntraced(function* (
  users: ReadonlyArray<User>,
  sessions: Sessions,
  look: () => Seen,
  alarms: () => AlarmsReport
) {
  const disk = yield* FileSystem.FileSystem
  const pages = yield* Effect.forEach(Object.entries(files), ([name, [place, contentType]]) =>
    Effect.map(disk.readFile(addressOf(place)), (bytes) =>
      HttpRouter.route(
        "GET",
        `/console/${name}`,
        Effect.succeed(
          HttpServerResponse.uint8Array(bytes, { contentType, headers: { "content-security-policy": policy } })
        )
      )
    )
  )
  // Made when somebody first reads Chinese.
  const names = yield* Effect.cached(Effect.sync(() => HttpServerResponse.jsonUnsafe(chineseNames())))
  return [
    ...pages,
    HttpRouter.route("GET", "/console/names.json", names),
    HttpRouter.route("GET", "/", Effect.succeed(HttpServerResponse.redirect("/console/"))),
    HttpRouter.route(
      "POST",
      "/session",
      as(users, (user) =>
        HttpServerResponse.jsonUnsafe(
          { name: user.name, role: user.role },
          { headers: { "set-cookie": sessions.begin(user) } }
        )
      )
    ),
    HttpRouter.route(
      "POST",
      "/session/end",
      Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) =>
        HttpServerResponse.jsonUnsafe({}, { headers: { "set-cookie": sessions.end(headers["cookie"] ?? null) } })
      )
    ),
    HttpRouter.route(
      "GET",
      "/api/events",
      as(users, ({ name, role }, { cookie = null }) => {
        // A session that ends takes its pages along; a token or a certificate has none.
        const isOfSession = sessions.user(cookie) !== undefined
        return beats(
          () => beatOf(look(), alarms(), { name, role }),
          () => !isOfSession || sessions.user(cookie) !== undefined
        )
      })
    )
  ]
})

const beats = (beat: () => unknown, isOpen: () => boolean) =>
  HttpServerResponse.stream(
    Stream.tick(BEAT_MS).pipe(
      Stream.take(BEATS_MAX),
      Stream.takeWhile(isOpen),
      Stream.map(() => Buffer.from(`data: ${JSON.stringify(beat())}\n\n`))
    ),
    { contentType: "text/event-stream" }
  )

const as = (
  users: ReadonlyArray<User>,
  answer: (user: User, headers: Headers.Headers) => HttpServerResponse.HttpServerResponse
) =>
  Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) => {
    const user = namedIn(users, headers)
    return user === undefined
      ? HttpServerResponse.jsonUnsafe({ error: whoAreYou }, { status: 401 })
      : answer(user, headers)
  })
