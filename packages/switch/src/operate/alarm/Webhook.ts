/** Tells another system of alarms: signed calls, tried several times, one after the other. */
import { createHmac } from "node:crypto"
import { type Cause, Effect, Queue, Schedule, type Scope } from "effect"
import { FetchHttpClient, HttpClient, type HttpClientError, HttpClientRequest } from "effect/http"
import type { Notice } from "./Alarms.ts"

/** Notices that wait for another system; what comes beyond that is in the log alone. */
const WAITING_MAX = 100

/** Attempts to deliver one notice, their first pause, and how long each may take. */
const ATTEMPTS = 5
const firstPause = "2 seconds"
const callLimit = "5 seconds"

/** Where notices go, and the secret that they are signed with. */
export interface Webhook {
  readonly url: string
  readonly secret: string
}

/** Gives what takes notices to be delivered, until the scope ends. `name` is the switch's. */
export const telling = (
  name: string,
  webhook: Webhook
): Effect.Effect<(notice: Notice) => Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const waiting = yield* Queue.dropping<Notice>(WAITING_MAX)
    yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(waiting), deliver(name, webhook))))
    return (notice) =>
      Effect.flatMap(Queue.offer(waiting, notice), (isTaken) =>
        isTaken ? Effect.void : Effect.logError(`${named(notice)} is not sent: ${WAITING_MAX} wait for the webhook`)
      )
  })

/** `the alarm linkDown (raised) of issuer`. */
const named = ({ event, kind, link }: Notice): string =>
  `the alarm ${kind} (${event})${link === "" ? "" : ` of ${link}`}`

/** Why a call failed, without the address: it may hold a secret. */
const reasonOf = (failed: Cause.TimeoutError | HttpClientError.HttpClientError | string): string => {
  if (typeof failed === "string") return failed
  if (failed._tag === "TimeoutError") return `no answer within ${callLimit}`
  const { cause } = failed.reason
  const inner = cause instanceof Error ? (cause.cause ?? cause) : cause
  const code = typeof inner === "object" && inner !== null && "code" in inner ? String(inner.code) : ""
  return code === "" ? "no connection" : `no connection (${code})`
}

/** What is no success; a redirect would turn the call into a GET without the notice, so none is followed. */
const statusWords = (status: number): string =>
  status >= 300 && status < 400
    ? `HTTP status ${status}: redirects are not followed, give the final address`
    : `HTTP status ${status}`

/** One notice to another system; what cannot be delivered is said in the log. */
const deliver =
  (name: string, { secret, url }: Webhook) =>
  (notice: Notice) => {
    const { event, kind, link, says, since } = notice
    const body = JSON.stringify({ switch: name, event, kind, link, says, since: new Date(since).toISOString() })
    return Effect.clockWith((clock) => {
      const seconds = Math.floor(clock.currentTimeMillisUnsafe() / 1000)
      const digest = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")
      return HttpClientRequest.post(url).pipe(
        HttpClientRequest.setHeader("jinka-signature", `t=${seconds},v1=${digest}`),
        HttpClientRequest.bodyText(body, "application/json"),
        HttpClient.execute,
        Effect.timeout(callLimit),
        Effect.flatMap(({ status }) => (status < 300 ? Effect.void : Effect.fail(statusWords(status))))
      )
    }).pipe(
      Effect.retry({ times: ATTEMPTS - 1, schedule: Schedule.exponential(firstPause) }),
      Effect.catch((failed) =>
        Effect.logError(
          `${named(notice)} could not be sent to the webhook in ${ATTEMPTS} attempts: ${reasonOf(failed)}`
        )
      ),
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
      Effect.provide(FetchHttpClient.layer)
    )
  }
