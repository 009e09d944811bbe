/**
 * Where a PostgreSQL is, as a URL says it: hosts, user, password, database. Pure; no error holds any part of the URL.
 *
 * Several hosts are tried in their order, and the first that takes writes is used, as with libpq's
 * `target_session_attrs=read-write` (postgresql.org/docs, "Connection URIs"): a cluster needs no address that moves. Nothing may
 * be behind `?`: what a connection is made with is in the configuration, or follows from what a journal needs.
 */
import { JournalError } from "../JournalError.ts"

/** One computer, or a directory with unix sockets (`/var/run/postgresql`). */
export interface PostgresHost {
  readonly host: string
  readonly port: number
}

/** A database of a PostgreSQL, and who asks there. */
export interface PostgresAddress {
  /** At least one. */
  readonly hosts: ReadonlyArray<PostgresHost>
  readonly user: string
  /** `undefined`: none; the certificate, or the server's own rules, say who it is. */
  readonly password: string | undefined
  readonly database: string
}

const form = /^postgres(?:ql)?:\/\/(?:([^:@/?#]+)(?::([^@/?#]*))?@)?([^/?#@]+)\/([^/?#]+)([?#].*)?$/
const DEFAULT_PORT = 5432
const PORT_MAX = 65_535

/** An example of the form; part of errors. */
export const urlExample = "postgres://jinka_switch:PASSWORD@db.example:5432/jinka"

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** `name`, `name:port`, `[::1]:port` or `%2Fvar%2Frun%2Fpostgresql`. */
const hostOf = (text: string): PostgresHost | undefined => {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  if (parts === null) return undefined
  const host = decoded(parts[1] ?? parts[2]!)
  const port = Number(parts[3] ?? DEFAULT_PORT)
  return host === undefined || port < 1 || port > PORT_MAX ? undefined : { host, port }
}

/** The address that a URL means, or the rule that it breaks. */
export const readPostgresUrl = (text: string): PostgresAddress | { readonly rule: string } => {
  const parts = form.exec(text.trim())
  if (parts === null) return { rule: "the URL has a scheme, a user, hosts and a database" }
  const [, user, password, hosts, database, rest] = parts
  if (rest !== undefined) return { rule: "the URL ends with the name of the database: nothing is behind it" }
  if (user === undefined) return { rule: "the URL names a user" }
  const texts = { user: decoded(user), password: decoded(password ?? ""), database: decoded(database!) }
  if (texts.user === undefined || texts.password === undefined || texts.database === undefined) {
    return { rule: "a percent sign of the URL begins two hex digits (%40 for @)" }
  }
  const found = hosts!.split(",").map(hostOf)
  if (found.some((host) => host === undefined)) {
    return { rule: "each host of the URL is a name or an address, with a port from 1 to 65535 behind a colon" }
  }
  return {
    hosts: found.flatMap((host) => host ?? []),
    user: texts.user,
    password: texts.password === "" ? undefined : texts.password,
    database: texts.database
  }
}

/** Whether every host is this machine: nothing of a connection is on a wire. */
export const isHere = ({ hosts }: PostgresAddress): boolean =>
  hosts.every(({ host }) => host.startsWith("/") || host === "localhost" || host === "::1" || /^127\./.test(host))

/** The hosts, for people; neither user nor password. */
export const placeText = ({ hosts, database }: PostgresAddress): string =>
  `PostgreSQL ${hosts.map(({ host, port }) => (host.startsWith("/") ? host : `${host}:${port}`)).join(",")}/${database}`

/** Nobody copies a journal out of PostgreSQL into files; `at`: which one, for people. */
export const noCopy = (at: string): JournalError =>
  JournalError.of(
    "StoreRefused",
    at,
    "A journal in PostgreSQL is backed up as PostgreSQL is.",
    "Take a base backup and archive the WAL; docs/operate/postgres.md says how, and how the copy is verified."
  )
