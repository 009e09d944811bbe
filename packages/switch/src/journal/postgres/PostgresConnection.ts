/**
 * One connection to the PostgreSQL that keeps journals: the host that may be written to, the settings that make a commit durable,
 * and what its errors mean for an operator. The only file that knows the driver (docs/decisions/0028-journal-in-postgres.md).
 *
 * A connection belongs to a scope. Nothing here tries again: who needs the connection knows how long it can wait. No error holds
 * the user's password, a parameter or a row.
 */
import { randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import { Context, Effect, Exit, Redacted, Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { fileWordsOfCode } from "../FileWords.ts"
import { JournalError } from "../JournalError.ts"
import { type JournalReason, type JournalReasonTag, makeReason } from "../JournalReason.ts"
import { type PostgresAddress, type PostgresHost, placeText } from "./PostgresAddress.ts"
import { POSTGRES_SCHEMA_VERSION, POSTGRES_VERSION_MIN } from "./PostgresSchema.ts"

/** Files of a TLS connection; absolute paths. They are read for each connection: a rotated certificate needs no restart. */
export interface PostgresTls {
  /** Empty: the public authorities that Node knows. */
  readonly ca: ReadonlyArray<string>
  readonly servername: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
  readonly passphraseFile: string | undefined
}

/** Where a switch's journal is in a PostgreSQL, and who asks for it. */
export interface PostgresPlace {
  readonly address: PostgresAddress
  readonly tls: PostgresTls | undefined
  /** Schema of the tables. */
  readonly schema: string
  /** Name of the switch, whose journal it is. */
  readonly name: string
  /** Name of this node. */
  readonly node: string
}

/** What a connection is for: `write` needs a primary, `read` may be to a standby. */
export type PostgresUse = "write" | "read"

/** An open connection; `query` is what the driver offers, with errors that are an operator's. */
export interface PostgresConnection {
  readonly query: (
    text: string,
    ...values: ReadonlyArray<unknown>
  ) => Effect.Effect<ReadonlyArray<PgConnection.Row>, JournalError>
  /**
   * The same with the number of rows that were written; for statements that are sent one behind the other without waiting. 0 also
   * where a row with this key is there already.
   */
  readonly write: (text: string, values: ReadonlyArray<unknown>) => Effect.Effect<number, JournalError>
  /** The process behind it, and since when: what {@link PostgresConnection.end} of another connection ends. */
  readonly session: PostgresSession
  /**
   * Ends the session of a connection that was lost, if it is still there: what it was doing is over then, one way or the other.
   */
  readonly end: (session: PostgresSession) => Effect.Effect<void, JournalError>
  /** What is allowed but unwise about the server, in sentences. */
  readonly notes: ReadonlyArray<string>
}

/** A process of PostgreSQL: numbers are given again, so its start is part of it. */
export interface PostgresSession {
  readonly pid: number
  readonly since: string
}

/** How long an attempt to connect to one host may take, and the questions that open a connection, in ms. */
const CONNECT_MS = 3000

/** How long a peer that is gone is waited for, in seconds and in ms, in the words of PostgreSQL's own settings. */
const KEEPALIVE_SECONDS = 5
const UNACKNOWLEDGED_MS = 10_000

/** Opens a connection to the first host that does. Fails with the reason of the last one. */
export const connect = (
  place: PostgresPlace,
  use: PostgresUse
): Effect.Effect<PostgresConnection, JournalError, Scope.Scope> =>
  Effect.flatMap(Connecting, (connectVia) => connectVia(place, use))

/** How connections come about: over the driver, unless the world of a test has a PostgreSQL of its own. */
export const Connecting = Context.Reference<typeof connect>("@jinka/switch/journal/postgres/Connecting", {
  defaultValue: () => (place, use) =>
    Effect.firstSuccessOf(place.address.hosts.map((host) => connectTo(place, host, use)))
})

const connectTo = Effect.fnUntraced(function* (place: PostgresPlace, host: PostgresHost, use: PostgresUse) {
  const at = placeText({ ...place.address, hosts: [host] })
  // Of its own: a host that is only a standby is left at once, and not with the caller's scope.
  const scope = yield* Scope.fork(yield* Scope.Scope)
  return yield* open(place, host, at, use).pipe(
    Scope.provide(scope),
    Effect.tapError(() => Scope.close(scope, Exit.void))
  )
})

const open = Effect.fnUntraced(function* (place: PostgresPlace, host: PostgresHost, at: string, use: PostgresUse) {
  const { user, password, database } = place.address
  const ssl = yield* Effect.try({ try: () => tlsOptions(place.tls), catch: (error) => unreadable(error, at) })
  const failed = (error: SqlError) => new JournalError({ reason: reasonOfSql(error, at) })
  const sql = yield* PgConnection.make({
    ...(host.host.startsWith("/") ? { path: `${host.host}/.s.PGSQL.${host.port}` } : host),
    ssl,
    username: user,
    ...(password === undefined ? {} : { password: Redacted.make(password) }),
    database,
    multiplex: true,
    connectTimeout: CONNECT_MS,
    applicationName: `jinka ${place.name} ${place.node}`.slice(0, 63)
  }).pipe(Effect.mapError(failed))
  const query: PostgresConnection["query"] = (text, ...values) =>
    sql.query(text, values).pipe(
      Effect.map(({ rows }) => rows),
      Effect.mapError(failed)
    )
  const { notes, session } = yield* examine(query, place.schema, sql.processId, at, use).pipe(
    Effect.timeoutOrElse({
      duration: CONNECT_MS,
      orElse: () => Effect.fail(JournalError.of("StoreAway", at, "It accepted a connection and does not answer."))
    })
  )
  const write: PostgresConnection["write"] = (text, values) =>
    sql.query(text, values).pipe(
      Effect.map(({ rowCount }) => rowCount),
      Effect.catch((error) =>
        error.reason._tag === "UniqueViolation" ? Effect.succeed(0) : Effect.fail(failed(error))
      )
    )
  const end: PostgresConnection["end"] = ({ pid, since }) => Effect.asVoid(query(ending, pid, since))
  return { query, write, notes, session, end } satisfies PostgresConnection
})

const tlsOptions = (tls: PostgresTls | undefined): Exclude<PgConnection.Config["ssl"], undefined> =>
  tls === undefined
    ? false
    : {
        minVersion: "TLSv1.2",
        ...(tls.ca.length === 0 ? {} : { ca: tls.ca.map((file) => readFileSync(file)) }),
        ...(tls.servername === undefined ? {} : { servername: tls.servername }),
        ...(tls.certificate === undefined ? {} : { cert: readFileSync(tls.certificate) }),
        ...(tls.key === undefined ? {} : { key: readFileSync(tls.key) }),
        ...(tls.passphraseFile === undefined ? {} : { passphrase: readFileSync(tls.passphraseFile, "utf8").trim() })
      }

const unreadable = (error: unknown, at: string): JournalError => {
  const { code, path } = error as NodeJS.ErrnoException
  return JournalError.of("StoreRefused", at, `The file ${path} for TLS cannot be read: ${fileWordsOfCode(code)}.`)
}

/** Waits until it has ended; the right to end one's own sessions needs no role. */
const ending = `SELECT pg_terminate_backend(pid, 2000) AS done FROM pg_stat_activity
WHERE pid = $1::int4 AND backend_start::text = $2 AND usename = current_user`

/** One row: the process behind the connection, and every setting that matters. A server without a setting says null. */
const examination = `SELECT pg_backend_pid() AS pid, pg_is_in_recovery() AS standby,
  current_setting('server_version_num')::int AS version, current_setting('server_version') AS version_text,
  current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
  current_setting('default_transaction_read_only') AS readonly,
  (SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()) AS since`

/**
 * Commits wait for the disk whatever the server's default is; a session that its client has left does not go on for hours. The
 * mark says later whether it still is this session.
 */
const settle = `SELECT set_config('jinka.connection', $1, false), set_config('tcp_keepalives_idle', '${KEEPALIVE_SECONDS}', false),
  set_config('tcp_user_timeout', '${UNACKNOWLEDGED_MS}', false), set_config('statement_timeout', '0', false),
  set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)`

const directly =
  "Give the address of PostgreSQL itself in the URL, not of a pooler (PgBouncer, RDS Proxy) in front of it."

const settled = `SELECT pg_backend_pid() AS pid, current_setting('jinka.connection', true) AS mark,
  current_setting('synchronous_commit') AS commits`

/** Refuses a server on which a commit is not what it says. Returns what to tell, and whom it was asked of. */
const examine = Effect.fnUntraced(function* (
  query: PostgresConnection["query"],
  schema: string,
  processId: number,
  at: string,
  use: PostgresUse
) {
  const refuse = (tag: JournalReasonTag, problem: string, remedy?: string) =>
    Effect.fail(JournalError.of(tag, at, problem, remedy))
  const [found] = yield* query(examination)
  const { pid, standby, version, version_text, fsync, pages, readonly } = found!
  const pooled = refuse("SettingsWrong", "A connection pooler is in front of it.", directly)
  if (pid !== processId) return yield* pooled
  if (Number(version) < POSTGRES_VERSION_MIN * 10_000) {
    const problem = `It is PostgreSQL ${String(version_text)}; Jinka needs ${POSTGRES_VERSION_MIN} or later.`
    return yield* refuse("SettingsWrong", problem, "Upgrade the server.")
  }
  if (use === "write" && (standby === true || readonly === "on")) {
    return yield* refuse("StoreAway", "It takes no writes: it is a standby, or read-only.")
  }
  if (fsync !== "on") {
    const problem = "`fsync` is off: it says that a commit is on disk when it is not."
    return yield* refuse("SettingsWrong", problem, "Set `fsync = on` in postgresql.conf.")
  }
  const mark = randomUUID()
  yield* query(settle, mark)
  const [after] = yield* query(settled)
  // One may tell the number of a process of the server, and give the next transaction another one.
  if (after?.["pid"] !== processId || after["mark"] !== mark) return yield* pooled
  if (after["commits"] !== "on" && after["commits"] !== "remote_apply") {
    const problem = `\`synchronous_commit\` stays ${String(after["commits"])} for this user: a commit would not wait for the disk.`
    return yield* refuse(
      "SettingsWrong",
      problem,
      "Take the setting off the role and the database (ALTER ROLE ... RESET)."
    )
  }
  yield* checkVersion(query, schema, at)
  const torn = "PostgreSQL: full_page_writes is off: a crash can tear pages, unless the file system never does (ZFS)"
  return { notes: pages === "on" ? [] : [torn], session: { pid: processId, since: String(found!["since"]) } }
})

const checkVersion = Effect.fnUntraced(function* (query: PostgresConnection["query"], schema: string, at: string) {
  const [row] = yield* query(`SELECT version FROM ${schema}.version`)
  if (row?.["version"] === POSTGRES_SCHEMA_VERSION) return
  const problem = `The tables of schema ${schema} have version ${String(row?.["version"])}; this Jinka has ${POSTGRES_SCHEMA_VERSION}.`
  return yield* Effect.fail(JournalError.of("VersionUnknown", at, problem))
})

const noTables =
  "Make them once, as an administrator: `jinka journal postgres | psql ...` (docs/operate/postgres.md). If they have another schema: `journal.postgres.schema`."
const noRight =
  "Give the user of the URL the role that writes journals (GRANT jinka_switch TO ...), or the one that reads (jinka_reader)."

const serversDisk =
  "Have PostgreSQL's disk checked: its log and the kernel's say what failed. Nothing that was acknowledged is lost."

/** What SQLSTATEs mean for an operator: postgresql.org/docs, Appendix A. The first that fits. */
const states: ReadonlyArray<readonly [RegExp, JournalReasonTag, string?]> = [
  // 40001 is what a standby says when its replay is in the way of a question (postgresql.org/docs, "Handling Query Conflicts").
  [/^(08|25006|40|53[2-4]|55|57P|57014|XX000)/, "StoreAway"],
  [/^28/, "StoreRefused", "Correct user and password of the URL, and let the user in (pg_hba.conf)."],
  [/^3D000/, "StoreRefused", "Make the database, or correct its name in the URL."],
  [/^42501/, "StoreRefused", noRight],
  [/^(3F000|42P01)/, "NotJournal", noTables],
  [/^53100/, "DiskFull", "Free space on PostgreSQL's disk; nothing that was acknowledged is lost."],
  [/^58/, "DiskFailed", serversDisk],
  [/^42/, "ThreadFailed"],
  [/^(XX001|XX002)/, "Corrupt", "Have the server's disk checked, and restore it from a backup or a standby."]
]

const trust =
  "Name the authority of the server's certificate in `journal.postgres.tls.ca`, and the name that it is for in the URL."

/** Node's codes of a handshake that failed by the certificate. */
const certificateCodes = /CERT|SELF_SIGNED|ISSUER|ERR_TLS|UNABLE_TO_VERIFY/

/** What the driver's error means. */
export const reasonOfSql = ({ reason }: SqlError, at: string): JournalReason => {
  const cause = reason.cause as { readonly code?: unknown; readonly message?: unknown } | undefined
  const code = typeof cause?.code === "string" ? cause.code : ""
  const text = typeof cause?.message === "string" ? cause.message : reason.message
  const says = code === "" || text.includes(code) ? text : `${code}: ${text}`
  if (certificateCodes.test(code))
    return makeReason("StoreRefused", at, `Its certificate is not taken: ${says}.`, trust)
  const state = /^[0-9A-Z]{5}$/.test(code) ? states.find(([pattern]) => pattern.test(code)) : undefined
  if (state !== undefined) return makeReason(state[1], at, `It says ${says}.`, state[2])
  switch (reason._tag) {
    case "ConnectionError":
      return makeReason("StoreAway", at, `It cannot be reached: ${says}.`)
    case "AuthenticationError":
      return makeReason("StoreRefused", at, `It does not let the user in: ${says}.`, states[1]![2])
    default:
      return makeReason("StoreRefused", at, `It says ${says}.`)
  }
}
