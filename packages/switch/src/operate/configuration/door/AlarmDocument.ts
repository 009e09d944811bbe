/** What the switch raises an alarm for, and whom it tells, as the configuration writes it. */
import { Schema } from "effect"
import {
  count,
  DurationOrNever,
  DurationUsualOrNever,
  described,
  option,
  optional,
  WebAddress,
  Words
} from "../text/Terms.ts"

/** The `alarms:` section. */
export const AlarmDocument = Schema.Struct({
  linkDown: option(
    DurationOrNever,
    "60 seconds",
    "A link that takes no requests for this long, and that nobody has blocked or drained."
  ),
  noTraffic: option(
    DurationUsualOrNever,
    "usual",
    "A link that is ready, has sent requests before, and sends none for this long. `usual`: for five minutes, and three times as long as it usually pauses at this hour, by the same hour a week ago and the middle of the seven days before; it needs a week to know."
  ),
  timeouts: option(
    count(0, 100),
    3,
    "Requests to a partner without an answer in time, of a hundred in the last five minutes, ten requests or more; 0: never."
  ),
  refusals: option(
    count(0, 100),
    10,
    "Requests of a partner that we refuse ourselves, of a hundred in the last five minutes, twenty or more; 0: never. What is refused because the target is down, a MAC is wrong or the switch is full has alarms of its own."
  ),
  successRate: option(
    count(0, 100),
    20,
    "How much of the usual share of approved requests is missing in the last 15 minutes, of a hundred: at 20, 76 of 100 where 95 are usual. Usual is the middle of this hour on the seven days before. Thirty requests or more, and more than chance explains; 0: never."
  ),
  queueAge: option(DurationOrNever, "5 minutes", "An advice or reversal that waits this long to be acknowledged."),
  macFailures: option(count(0, 1000), 3, "Wrong or missing MACs of a partner in the last five minutes; 0: never."),
  clock: option(
    DurationOrNever,
    "30 seconds",
    "A partner's clock that is this far from ours, by the times in its requests (DE 7): the middle of the last 31."
  ),
  remind: option(DurationOrNever, "1 hours", "How often an alarm that lasts is reported again."),
  webhook: optional(
    Schema.Struct({
      url: described(WebAddress(/^https?:\/\/[^\s#]+$/, "https://alarms.example/jinka"), "Where to."),
      secret: described(
        Schema.Struct({
          env: optional(Words, "Name of the environment variable that holds the secret."),
          file: optional(Words, "File that holds the secret. Only the switch's user may read it.")
        }),
        "What the calls are signed with, 32 characters or more: `jinka-signature: t=SECONDS,v1=HEX`, HMAC-SHA-256 over `SECONDS.BODY`. Exactly one of `env` and `file`."
      )
    }),
    "Tells another system by POST with JSON, five times with growing pauses. When left out: log and metrics only."
  )
})
export type AlarmDocument = typeof AlarmDocument.Type
