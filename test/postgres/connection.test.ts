/** What a switch finds when it connects to the PostgreSQL of its journal, and what it says when that will not do. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Authority } from "../../examples/08-many-institutions/Authority.ts"
import type { JournalError } from "../../packages/switch/src/journal/JournalError.ts"
import { readPostgresUrl } from "../../packages/switch/src/journal/postgres/PostgresAddress.ts"
import {
  connect,
  type PostgresPlace,
  type PostgresUse
} from "../../packages/switch/src/journal/postgres/PostgresConnection.ts"
import { schemaStatements } from "../../packages/switch/src/journal/postgres/PostgresSchema.ts"
import { Pooler } from "./Pooler.ts"
import { postgresTitle, RealPostgres, whyNoPostgres } from "./RealPostgres.ts"
import { withJournalAt } from "./Stores.ts"

const placeOf = (url: string, schema = "jinka"): PostgresPlace => {
  const address = readPostgresUrl(url)
  if ("rule" in address) throw new Error(address.rule)
  return { address, tls: undefined, schema, name: "demo", node: "n1" }
}

/** The error that connecting ends with. */
const refused = (url: string, use: PostgresUse = "write", schema?: string): Promise<JournalError> =>
  Effect.runPromise(Effect.scoped(Effect.flip(connect(placeOf(url, schema), use))))

describe("The URL of a PostgreSQL", () => {
  it("names user, hosts and database; several hosts are tried in their order", () => {
    expect(readPostgresUrl("postgres://jinka:a%40b@db1,db2:6432,[::1]:7/fleet\n")).toEqual({
      hosts: [
        { host: "db1", port: 5432 },
        { host: "db2", port: 6432 },
        { host: "::1", port: 7 }
      ],
      user: "jinka",
      password: "a@b",
      database: "fleet"
    })
    expect(readPostgresUrl("postgresql://jinka@%2Fvar%2Frun%2Fpostgresql/fleet")).toMatchObject({
      hosts: [{ host: "/var/run/postgresql", port: 5432 }],
      password: undefined
    })
  })

  it.each([
    ["mysql://a@b/c", /scheme/],
    ["postgres://db/c", /user/],
    ["postgres://a@db", /database/],
    ["postgres://a@db/c?sslmode=disable", /nothing is behind/],
    ["postgres://a@db:99999/c", /port/],
    ["postgres://a@db:x/c", /port/],
    ["postgres://a:%zz@db/c", /percent/],
    ["", /scheme/]
  ])("is refused with the rule that it breaks, and without a word of it: %s", (url, rule) => {
    const read = readPostgresUrl(url)
    expect(read).toHaveProperty("rule", expect.stringMatching(rule))
  })
})

const why = whyNoPostgres()
describe.skipIf(why !== undefined)(postgresTitle("A connection to PostgreSQL"), () => {
  let server: RealPostgres
  beforeAll(async () => {
    server = await RealPostgres.begin({ bare: true })
  })
  afterAll(() => server?.end())

  it("says that the tables are missing, and how they are made; to make them twice changes nothing", async () => {
    const { reason } = await refused(server.url())
    expect(reason._tag).toBe("NotJournal")
    expect(reason.remedy).toContain("jinka journal postgres")

    await server.administer(...schemaStatements("jinka"))
    await server.administer(...schemaStatements("jinka"))

    const notes = await Effect.runPromise(
      Effect.scoped(Effect.map(connect(placeOf(server.url()), "write"), (open) => open.notes))
    )
    expect(notes).toEqual([])
  })

  it("refuses tables of another version", async () => {
    await server.administer(...schemaStatements("later"), "UPDATE later.version SET version = 9")
    expect((await refused(server.url(), "write", "later")).reason).toMatchObject({
      _tag: "VersionUnknown",
      problem: expect.stringMatching(/version 9.*has 1/)
    })
  })

  it("says what is wrong with host, database, user and rights", async () => {
    await server.administer("CREATE ROLE nobody_much LOGIN")

    expect((await refused("postgres://jinka@127.0.0.1:1/x")).reason._tag).toBe("StoreAway")
    expect((await refused(server.url().replace(/postgres$/, "nowhere"))).reason).toMatchObject({
      _tag: "StoreRefused",
      problem: expect.stringContaining("nowhere")
    })
    expect((await refused(server.url("nobody_at_all"))).reason._tag).toBe("StoreRefused")

    const without = (await refused(server.url("nobody_much"))).reason

    expect(without).toMatchObject({ _tag: "StoreRefused", remedy: expect.stringContaining("GRANT") })
  })

  it.each([
    ["the replay of a standby was in the way", "40001"],
    ["an administrator ended the question", "57014"],
    ["an administrator ended the session", "57P01"]
  ])("takes what passes by itself for nobody's mistake: %s", async (_, code) => {
    const raised = Effect.flatMap(connect(placeOf(server.url()), "read"), ({ query }) =>
      query(`DO $$ BEGIN RAISE EXCEPTION 'as the server says it' USING ERRCODE = '${code}'; END $$`)
    )
    const { reason } = await Effect.runPromise(Effect.scoped(Effect.flip(raised)))
    expect(reason).toMatchObject({ _tag: "StoreAway", problem: expect.stringContaining(code) })
  })

  it("goes on to the next host where one does not answer", async () => {
    const place = placeOf(`postgres://jinka@127.0.0.1:1,127.0.0.1:${server.port}/postgres`)
    await Effect.runPromise(Effect.scoped(connect(place, "write")))
  })

  it("takes no read-only server for writing, and takes it for reading", async () => {
    await server.administer("CREATE ROLE looker LOGIN IN ROLE jinka_reader")
    await server.administer("ALTER ROLE looker SET default_transaction_read_only = on")

    expect((await refused(server.url("looker"))).reason).toMatchObject({
      _tag: "StoreAway",
      problem: expect.stringContaining("no writes")
    })

    await Effect.runPromise(Effect.scoped(connect(placeOf(server.url("looker")), "read")))
  })

  it("commits to the disk, whatever the role's default is", async () => {
    await server.administer("CREATE ROLE hasty LOGIN IN ROLE jinka_switch")
    await server.administer("ALTER ROLE hasty SET synchronous_commit = off")
    const open = Effect.flatMap(connect(placeOf(server.url("hasty")), "write"), ({ query }) =>
      query("SELECT current_setting('synchronous_commit') AS value")
    )

    expect(await Effect.runPromise(Effect.scoped(open))).toEqual([{ value: "on" }])
  })

  it.each([
    ["default_is_local", "local", "on"],
    ["default_is_remote_write", "remote_write", "on"],
    ["default_is_remote_apply", "remote_apply", "remote_apply"]
  ])("commits as durably as ever, or as its administrator wants beyond that: %s", async (role, given, taken) => {
    await server.administer(
      `CREATE ROLE ${role} LOGIN IN ROLE jinka_switch`,
      `ALTER ROLE ${role} SET synchronous_commit = ${given}`
    )
    const open = Effect.flatMap(connect(placeOf(server.url(role)), "write"), ({ query }) =>
      query("SELECT current_setting('synchronous_commit') AS value")
    )
    expect(await Effect.runPromise(Effect.scoped(open))).toEqual([{ value: taken }])
  })

  it.each([
    ["one that invents the number of a process, as PgBouncer does", false],
    ["one that passes on the number of a process of the server", true]
  ])("refuses a pooler that gives each transaction another session: %s", async (_, passesKey) => {
    const pooler = await Pooler.begin(server.port, passesKey)
    try {
      // Settings of an earlier attempt may be left in its sessions.
      for (let n = 0; n < 3; n++) {
        expect((await refused(server.url("jinka", pooler.port))).reason).toMatchObject({
          _tag: "SettingsWrong",
          problem: expect.stringContaining("pooler"),
          remedy: expect.stringContaining("PgBouncer")
        })
      }
    } finally {
      pooler.close()
    }
  })

  it("warns of pages that a crash can tear, in the journal's notes, too", async () => {
    await server.administer("ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()")
    const directory = mkdtempSync(join(tmpdir(), "jinka-postgres-pages-"))
    try {
      const place = placeOf(server.url())
      const notesOf = Effect.scoped(Effect.map(connect(place, "write"), ({ notes }) => notes))
      let notes = await Effect.runPromise(notesOf)
      for (let n = 0; n < 100 && notes.length === 0; n++) notes = await Effect.runPromise(notesOf)
      expect(notes).toEqual([expect.stringContaining("full_page_writes is off")])
      const opened = withJournalAt(place, directory, ({ recovered }) => Effect.succeed(recovered.notes))
      expect(await Effect.runPromise(opened)).toContain(notes[0])
    } finally {
      await server.administer("ALTER SYSTEM RESET full_page_writes", "SELECT pg_reload_conf()")
      rmSync(directory, { recursive: true, force: true })
    }
  })

  it("is encrypted where TLS is wanted, to the server that its authority vouches for and nobody else", async () => {
    const folder = mkdtempSync(join(tmpdir(), "jinka-postgres-tls-"))
    try {
      await server.administer(...schemaStatements("jinka"))
      const ours = await Authority.make(folder, "db-ca")
      const strangers = await Authority.make(folder, "other-ca")
      const issued = await ours.issue("db.example")
      const withTls = (ca: Authority, servername?: string): PostgresPlace => ({
        ...placeOf(server.url()),
        tls: { ca: [ca.file], servername, certificate: undefined, key: undefined, passphraseFile: undefined }
      })
      const refusedBy = (place: PostgresPlace) =>
        Effect.runPromise(Effect.scoped(Effect.flip(connect(place, "write")))).then(({ reason }) => reason)
      // A server that speaks no TLS is not spoken to in clear.
      expect((await refusedBy(withTls(ours)))._tag).toMatch(/^Store(Away|Refused)$/)
      server.write("server.crt", readFileSync(issued.certificate, "utf8"))
      server.write("server.key", readFileSync(issued.key, "utf8"))
      await server.administer("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
      const open = (servername?: string) =>
        Effect.flatMap(connect(withTls(ours, servername), "write"), ({ query }) =>
          query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        )
      const isOn = () => Effect.runPromise(Effect.scoped(Effect.option(open("db.example"))))
      for (let n = 0; n < 100 && (await isOn())._tag === "None"; n++) await new Promise((done) => setTimeout(done, 20))

      expect(await Effect.runPromise(Effect.scoped(open("db.example")))).toEqual([{ ssl: true }])
      expect(await Effect.runPromise(Effect.scoped(open()))).toEqual([{ ssl: true }])
      const remedy = expect.stringContaining("journal.postgres.tls.ca")
      expect(await refusedBy(withTls(strangers, "db.example"))).toMatchObject({ _tag: "StoreRefused", remedy })
      expect(await refusedBy(withTls(ours, "another.example"))).toMatchObject({ _tag: "StoreRefused", remedy })
    } finally {
      await server.administer("ALTER SYSTEM RESET ssl", "SELECT pg_reload_conf()")
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it("refuses a server that only says that it syncs", async () => {
    await server.administer("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    try {
      let last = await refused(server.url(), "write")
      for (let n = 0; n < 100 && last.reason._tag !== "SettingsWrong"; n++) last = await refused(server.url(), "write")
      expect(last.reason).toMatchObject({ _tag: "SettingsWrong", remedy: expect.stringContaining("fsync = on") })
    } finally {
      await server.administer("ALTER SYSTEM RESET fsync", "SELECT pg_reload_conf()")
    }
  })
})
