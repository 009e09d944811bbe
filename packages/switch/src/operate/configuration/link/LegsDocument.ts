/** The two legs of an async-simplex link as the configuration writes them. */
import { Schema } from "effect"
import { Duration, DurationOrNever, described, option, optional } from "../text/Terms.ts"

/** `legs:`, made of the documents of the two ways to come to a connection. */
export const legsDocument = <Connect extends Schema.Top, Listen extends Schema.Top>(
  connect: Connect,
  listen: Listen
) => {
  const leg = Schema.Struct({
    connect: optional(connect, "We make this leg's connections. Exactly one of `connect` and `listen`."),
    listen: optional(listen, "The partner makes this leg's connections. Exactly one of `connect` and `listen`.")
  })
  return Schema.Struct({
    send: described(leg, "The leg that our messages leave on. Bytes that come on it end the link (WrongLeg)."),
    receive: described(leg, "The leg that the partner's messages come on. Nothing is written to it."),
    timeout: option(
      Duration,
      "60 seconds",
      "How long one leg may be up without the other, before it is closed and tried again."
    ),
    collect: option(
      DurationOrNever,
      "never",
      "How long the receiving leg is read for late answers after the sending leg has ended; no new request is taken meanwhile."
    )
  })
}
