/** `journal.postgres`: a journal that is kept in PostgreSQL, as the configuration writes it. The URL is a secret elsewhere. */
import { Schema } from "effect"
import { Duration, described, Host, Name, option, optional, text, Words } from "../text/Terms.ts"

const TlsToPostgres = Schema.Struct({
  ca: option(
    Schema.Array(Words),
    [],
    "PEM files of the authorities that the server's certificate may come from. Empty: the public ones that Node knows."
  ),
  servername: optional(Host, "Name that the server's certificate has to be for. When left out: each host of the URL."),
  certificate: optional(Words, "PEM file of our certificate, where the server asks for one."),
  key: optional(Words, "PEM file of our private key. Only the switch's user may read it."),
  passphraseFile: optional(Words, "File that holds the passphrase, when the key is encrypted.")
})

/** See the header. */
export const PostgresDocument = Schema.Struct({
  url: described(
    Schema.Struct({
      env: optional(Words, "Name of the environment variable that holds the URL."),
      file: optional(Words, "File that holds the URL. Only the switch's user may read it.")
    }),
    "Where to find the URL: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; several hosts with commas between them: the one that takes writes is used. Exactly one of `env` and `file`."
  ),
  schema: option(
    text(/^[a-z_][a-z0-9_]{0,47}$/, "a schema's name of 1 to 48 small letters, digits and underscores"),
    "jinka",
    "Schema of the tables; `jinka journal postgres` prints what makes it. Many switches share one."
  ),
  node: described(Name, "Name of this node; no other node of this switch may have it."),
  takeoverAfter: option(
    Duration,
    "3 seconds",
    "How long the owner's beat must have stopped before another node takes the switch over. From 1 to 60 seconds."
  ),
  yieldAfter: option(
    Duration,
    "20 seconds",
    "How long the owner goes on without PostgreSQL before it closes its links. Longer than `takeoverAfter`."
  ),
  tls: optional(
    TlsToPostgres,
    "TLS 1.2 or 1.3 to the server, whose certificate is always checked. When left out: in clear."
  )
})
/** See the schema. */
export type PostgresDocument = typeof PostgresDocument.Type

/** Reads it alone, as the whole document is read. */
export const decodePostgres = Schema.decodeUnknownResult(PostgresDocument, { errors: "all", onExcessProperty: "error" })
