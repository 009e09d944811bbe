/** `journal.postgres` as what the journal works with: its URL is read from where the configuration says it is. */
import { Effect, type FileSystem, Path, Redacted } from "effect"
import { isHere, readPostgresUrl, urlExample } from "../../../journal/postgres/PostgresAddress.ts"
import type { PostgresPlace } from "../../../journal/postgres/PostgresConnection.ts"
import { keyFileFix } from "../../../transport/KeyFile.ts"
import { error, type Finding } from "../text/Problem.ts"
import { readSecretText, secretFileFault } from "../text/SecretText.ts"
import { durationMs } from "../text/Units.ts"
import type { PostgresDocument } from "./PostgresDocument.ts"

/** A journal in PostgreSQL, and when nodes take it over. */
export interface PostgresSettings {
  /** Where it is; it holds the password. */
  readonly place: Redacted.Redacted<PostgresPlace>
  /** Milliseconds that the owner's beat stands still before another node takes over. */
  readonly takeoverAfterMs: number
  /** Milliseconds without PostgreSQL after which the owner closes its links. */
  readonly yieldAfterMs: number
  /** What is allowed but unwise, in sentences. */
  readonly warnings: ReadonlyArray<string>
}

const at = ["journal", "postgres"] as const

/** Reads the URL, and looks at the files of TLS. `name` is the switch's; `directory` is where relative files are. */
export const readPostgres = Effect.fnUntraced(function* (
  document: PostgresDocument,
  name: string,
  directory: string
): Effect.fn.Return<PostgresSettings, ReadonlyArray<Finding>, FileSystem.FileSystem | Path.Path> {
  const path = yield* Path.Path
  const { url, tls, schema, node, takeoverAfter, yieldAfter } = document
  const where = [...at, "url", url.env === undefined ? "file" : "env"]
  const text = yield* Effect.mapError(readSecretText(url, [...at, "url"], "URL of PostgreSQL", directory), (one) => [
    one
  ])
  const address = readPostgresUrl(text)
  if ("rule" in address) return yield* Effect.fail([error(where, address.rule, `Write it as ${urlExample}.`, "")])
  const placed = (file: string | undefined) => (file === undefined ? undefined : path.resolve(directory, file))
  for (const key of ["key", "passphraseFile"] as const) {
    const file = placed(tls?.[key])
    const fault = file === undefined ? undefined : yield* secretFileFault(file)
    if (fault !== undefined) {
      return yield* Effect.fail([error([...at, "tls", key], "the file is the switch's alone", keyFileFix, fault)])
    }
  }
  const place: PostgresPlace = {
    address,
    schema,
    name,
    node,
    tls:
      tls === undefined
        ? undefined
        : {
            ca: tls.ca.map((file) => path.resolve(directory, file)),
            servername: tls.servername,
            certificate: placed(tls.certificate),
            key: placed(tls.key),
            passphraseFile: placed(tls.passphraseFile)
          }
  }
  return {
    place: Redacted.make(place, { label: "place of the journal" }),
    takeoverAfterMs: durationMs(takeoverAfter)!,
    yieldAfterMs: durationMs(yieldAfter)!,
    warnings: tls === undefined && !isHere(address) ? [inClear] : []
  }
})

const inClear =
  "the journal goes to PostgreSQL on another machine in clear: anybody who sees the wire reads messages (card data stay sealed). Add journal.postgres.tls"
