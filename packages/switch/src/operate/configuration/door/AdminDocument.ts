/**
 * The listener of operators and monitoring, as the configuration writes it.
 */
import { Schema } from "effect"
import { IdentityDocument, TlsDocument } from "../link/TlsDocument.ts"
import {
  AddressOrNetwork,
  count,
  Duration,
  described,
  Host,
  Name,
  option,
  optional,
  Truth,
  WebAddress,
  Words
} from "../text/Terms.ts"

/** What somebody may do; each may all that is before it. */
export const Role = Schema.Literals(["view", "operate", "keys"])
export type Role = typeof Role.Type

const UserDocument = Schema.Struct({
  name: described(Name, "Name under which the journal and the log record what this user does."),
  role: described(
    Role,
    "`view` looks at status, metrics and transactions (covered); `operate` also acts on links, advices, reversals and the configuration; `keys` also on keys."
  ),
  token: optional(
    Schema.Struct({
      env: optional(Words, "Name of the environment variable that holds the token."),
      file: optional(Words, "File that holds the token. Only the switch's user may read it.")
    }),
    "Where to find the bearer token: 32 to 200 letters, digits and -._~ (make one with `openssl rand -hex 32`). Exactly one of `token` and `certificate`."
  ),
  certificate: optional(IdentityDocument, "Whose client certificate it is, where the listener has `tls`.")
})
/** One of `admin.users`. */
export type UserDocument = typeof UserDocument.Type

/** The `admin:` section. */
export const AdminDocument = Schema.Struct({
  listen: described(
    Schema.Struct({
      host: option(Host, "127.0.0.1", "Address of this machine. Without `tls` only one of the machine itself."),
      port: described(count(0, 65_535), "Port; 0 lets the system choose, and the ready line says which."),
      tls: optional(TlsDocument, "Mutual TLS. When left out: in clear, for this machine alone."),
      from: option(
        Schema.Array(AddressOrNetwork),
        [],
        "Addresses and networks that may connect. Empty: every one that reaches it."
      )
    }),
    "Where it listens: the console for browsers, `/api` for programs, `/live`, `/ready` and `/owner` for supervisors, load balancers and what moves addresses, `/metrics` for Prometheus."
  ),
  users: option(
    Schema.Array(UserDocument),
    [],
    "Who may use it. Empty: everybody who reaches it sees health and metrics, and nobody anything else."
  )
})
export type AdminDocument = typeof AdminDocument.Type

/** The `telemetry:` section. */
export const TelemetryDocument = Schema.Struct({
  otlp: described(
    WebAddress(/^https?:\/\/[^\s?#]+$/, "http://127.0.0.1:4318"),
    "Base address of an OpenTelemetry collector (OTLP over HTTP, JSON); the metrics go to `/v1/metrics` there, logs to `/v1/logs`, spans to `/v1/traces`."
  ),
  every: option(Duration, "15 seconds", "How often metrics, logs and spans are sent."),
  logs: option(Truth, false, "Whether the lines of the log are sent, too; card data is covered as on standard error."),
  traces: option(
    count(0, 1_000_000),
    0,
    "One of how many transactions is sent as a span, read from the journal when it has ended; 0: none. Messages are not slowed down by it."
  )
})
