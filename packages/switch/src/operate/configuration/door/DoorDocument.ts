/**
 * Doors as the configuration writes them: an address that many links share, and a link's place behind it.
 */
import { Schema } from "effect"
import { IdentityDocument, KeepAliveDocument, keepAliveMeaning, TlsDocument, tlsMeaning } from "../link/TlsDocument.ts"
import {
  AddressOrNetwork,
  count,
  Duration,
  described,
  Host,
  Name,
  option,
  optional,
  text,
  Words
} from "../text/Terms.ts"

/** What a second connection does while one is up. */
export const Second = Schema.Literals(["refuse", "replace", "challenge"])

/** What `second` is, for the keys that hold it. */
export const secondMeaning =
  "What a second connection does while one is up: closed at once (`refuse`), takes the place of the first (`replace`), or the first is asked for a sign of life and replaced only when none comes (`challenge`). When left out: `challenge` where the link sends echoes, otherwise `refuse`."

/** What `challenge` is, for the keys that hold it. */
export const challengeMeaning = "How long the first connection has for its sign of life."

/** How many connections may come in. */
export const LimitsDocument = Schema.Struct({
  connections: option(count(1, 100_000), 4096, "Connections at once."),
  perSource: option(count(1, 100_000), 1024, "Connections at once of one address (IPv6: of one /64)."),
  newPerSecond: optional(
    count(1, 100_000),
    "New connections of one address in a second; as many may come in a burst. When left out: 1000, and 50 with TLS, whose handshakes cost."
  ),
  pending: option(
    count(1, 100_000),
    1024,
    "Connections at once that are in their handshake or before their first message."
  )
})
export type LimitsDocument = typeof LimitsDocument.Type

/** What every listening address has. */
export const listenKeys = {
  host: option(Host, "0.0.0.0", "Address of this machine to listen on."),
  port: described(count(0, 65_535), "Port to listen on; 0 lets the system choose, and the ready line says which."),
  tls: optional(TlsDocument, tlsMeaning),
  keepAlive: optional(KeepAliveDocument, keepAliveMeaning),
  limits: option(LimitsDocument, {}, "How many connections may come in.")
}

/** One `doors:` entry. */
export const DoorDocument = Schema.Struct({
  name: described(Name, "Name in logs, and in the `door` of links."),
  listen: described(
    Schema.Struct({
      ...listenKeys,
      from: option(
        Schema.Array(AddressOrNetwork),
        [],
        "Addresses and networks that may connect, looked at before TLS. Empty: those that the links name, if each of them names some; otherwise every address."
      )
    }),
    "Where it listens."
  ),
  by: described(
    Schema.Literals(["address", "certificate", "header", "field"]),
    "What tells the partners apart: the address they come from, the certificate they show, the source in their messages' header, or a data element of their first message."
  ),
  field: optional(count(2, 128), "With `by: field`: the data element, such as 32, 33, 41 or 42."),
  firstMessage: option(
    Duration,
    "5 seconds",
    "With `by: header` and `by: field`: from the connection to the end of its first message. The partner speaks first."
  )
})
export type DoorDocument = typeof DoorDocument.Type

/** A link's place behind a door. */
export const DoorPlaceDocument = Schema.Struct({
  name: described(Name, "Name of the door, one of `doors` or `http`."),
  from: option(
    Schema.Array(AddressOrNetwork),
    [],
    "Addresses and networks that the partner connects from; empty: any. At a door `by: address` they identify the partner."
  ),
  certificate: optional(
    IdentityDocument,
    "Whose certificate the partner has to show. At a door `by: certificate` it identifies the partner; at any other door it is a further condition."
  ),
  fieldValue: optional(
    Words,
    "Value of the door's `field`. At a door `by: header` the link's `institution` identifies the partner."
  ),
  path: optional(
    text(/^\/[A-Za-z0-9._~/-]*$/, "a path such as /terminals"),
    "At an HTTP door: the path that the partner's calls are made to."
  ),
  second: optional(Second, secondMeaning),
  challenge: option(Duration, "5 seconds", challengeMeaning)
})
export type DoorPlaceDocument = typeof DoorPlaceDocument.Type
