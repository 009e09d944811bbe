/** HTTP doors as the configuration writes them. */
import { Schema } from "effect"
import { AddressOrNetwork, Duration, described, Name, option, Size } from "../text/Terms.ts"
import { listenKeys } from "./DoorDocument.ts"

/** One `http:` entry. */
export const HttpDocument = Schema.Struct({
  name: described(Name, "Name in logs, and in the `door` of links."),
  listen: described(
    Schema.Struct({
      ...listenKeys,
      from: option(
        Schema.Array(AddressOrNetwork),
        [],
        "Addresses and networks that may connect. Empty: those that the links name, if each of them names some; otherwise every address."
      )
    }),
    "Where it listens. With `tls` it is HTTPS."
  ),
  bodyMax: option(Size, "64 KiB", "Longest body; a longer one is answered 413."),
  request: option(Duration, "5 seconds", "From the connection to the end of its first request."),
  idle: option(
    Duration,
    "60 seconds",
    "From an answer to the end of the next request on the same connection (keep-alive)."
  )
})
export type HttpDocument = typeof HttpDocument.Type
