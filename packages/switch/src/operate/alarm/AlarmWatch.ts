/** Looks at the switch every few seconds, and tells of its alarms: in the log, and to another system where one is configured. */
import { createHmac } from "node:crypto"
import { Effect, Queue, Schedule, type Scope } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import type { SwitchSeen } from "../admin/Measures.ts"
import { Alarms, type AlarmsReport, type Notice } from "./Alarms.ts"
import { type AlarmLimits, Conditions } from "./Conditions.ts"

/** How often it looks. */
const every = "5 seconds"

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

/** The `alarms` section as settings. */
export interface AlarmSettings {
  readonly limits: AlarmLimits
  readonly remindMs: number
  readonly webhook: Webhook | undefined
}

const words = { raised: "ALARM", lasts: "ALARM lasts", over: "alarm over" } as const

const text = ({ event, kind, link, says }: Notice): string =>
  `${words[event]} ${kind}: ${link === "" ? says : `${link}: ${says}`}`

/** Watches until the scope ends; gives what says which alarms there are. `name` is the switch's. */
export const watchAlarms = (
  name: string,
  { limits, remindMs, webhook }: AlarmSettings,
  look: () => SwitchSeen
): Effect.Effect<() => AlarmsReport, never, Scope.Scope> =>
  Effect.gen(function* () {
    const conditions = new Conditions(limits)
    const alarms = new Alarms(remindMs)
    const waiting = yield* Queue.dropping<Notice>(WAITING_MAX)
    if (webhook !== undefined)
      yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(waiting), deliver(name, webhook))))
    const once = Effect.suspend(() => {
      const seen = look()
      return Effect.forEach(
        alarms.look(conditions.look(seen), seen.wallMs),
        (notice) =>
          Effect.andThen(
            notice.event === "over" ? Effect.logInfo(text(notice)) : Effect.logWarning(text(notice)),
            webhook === undefined ? Effect.void : Effect.asVoid(Queue.offer(waiting, notice))
          ),
        { discard: true }
      )
    })
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(every), once)))
    return () => alarms.report()
  })

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
        Effect.flatMap(({ status }) => (status < 300 ? Effect.void : Effect.fail(`HTTP status ${status}`)))
      )
    }).pipe(
      Effect.retry({ times: ATTEMPTS - 1, schedule: Schedule.exponential(firstPause) }),
      Effect.catchCause(() =>
        Effect.logError(`the alarm ${kind} could not be told to the webhook in ${ATTEMPTS} attempts`)
      ),
      Effect.provide(FetchHttpClient.layer)
    )
  }
