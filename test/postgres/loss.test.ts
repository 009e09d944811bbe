/**
 * `jinka journal accept-loss` against a real PostgreSQL that has lost acknowledged groups: what the operator is shown, what it
 * does, and when it does nothing.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { JournalError } from "../../packages/switch/src/journal/JournalError.ts"
import { auditOf } from "../../packages/switch/src/operate/admin/Audit.ts"
import type { OwnerTable } from "../../packages/switch/src/operate/owner/Claim.ts"
import { connectOwners } from "../../packages/switch/src/operate/owner/OwnerRows.ts"
import { allEntries, messageOf, write } from "../switch/journal/Journals.ts"
import { sound } from "../switch/operate/checked.ts"
import { cleanUp, type Done, folder, jinka } from "../switch/operate/program.ts"
import { postgresTitle, RealPostgres, whyNoPostgres } from "./RealPostgres.ts"
import { placeOf, refusalAt, withJournalAt } from "./Stores.ts"

const halted = "Truncated: groups are gone"
const because = "old primary is gone, ticket 4711"

describe.skipIf(whyNoPostgres() !== undefined)(postgresTitle("jinka journal accept-loss"), () => {
  let server: RealPostgres
  beforeAll(async () => {
    server = await RealPostgres.begin()
    await server.administer("CREATE ROLE a LOGIN IN ROLE jinka_switch")
  })
  afterAll(async () => {
    cleanUp()
    await server?.end()
  })

  /** A node of the switch `name`, with three groups that it had acknowledged, as a user with the least rights has them. */
  const nodeOf = async (name: string, takeoverAfter = "1 second") => {
    const home = folder()
    const directory = join(home, "journal")
    mkdirSync(directory, { mode: 0o700 })
    const file = join(home, "switch.yaml")
    const postgres = `postgres: { url: { env: JINKA_PG }, node: n1, takeoverAfter: ${takeoverAfter} }`
    const text = sound.replace("name: demo", `name: ${name}`)
    writeFileSync(file, text.replace("env: JINKA_TEST_KEY }", `env: JINKA_TEST_KEY }, ${postgres}`))
    const place = placeOf(server.url("a"), name)
    await Effect.runPromise(
      withJournalAt(place, directory, ({ drained, writer }) => {
        for (let n = 1; n <= 3; n++) {
          write(writer, { message: messageOf(n) })
          writer.flush()
        }
        return drained
      })
    )
    const accept = (...more: ReadonlyArray<string>): Promise<Done> =>
      jinka(["journal", "accept-loss", file, ...more], { env: { JINKA_PG: server.url("a") } })
    const begin = (): Promise<Done> => jinka(["journal", "new", file], { env: { JINKA_PG: server.url("a") } })
    const owners = (...more: ReadonlyArray<string>): Promise<Done> =>
      jinka(["owners", file, ...more], { env: { JINKA_PG: server.url("a") } })
    const table = <A>(node: string, use: (table: OwnerTable) => Effect.Effect<A, JournalError>): Promise<A> =>
      Effect.runPromise(Effect.scoped(Effect.flatMap(connectOwners({ ...place, node }), use)))
    // It ended in order: nobody has the switch.
    await table("n1", ({ handOver }) => handOver)
    return { accept, begin, directory, file, owners, place, table }
  }

  /** What a fail-over to a standby that lagged leaves. */
  const lose = (name: string) => {
    const id = `(SELECT id FROM jinka.journal WHERE switch = '${name}')`
    return server.administer(
      `DELETE FROM jinka.commit_group WHERE journal = ${id} AND last = (SELECT max(last) FROM jinka.commit_group WHERE journal = ${id})`,
      `DELETE FROM jinka.mark WHERE journal = ${id}`
    )
  }

  it("shows what is lost, and with a reason writes it into the journal and lets nodes take the switch over", async () => {
    const { accept, directory, place, table } = await nodeOf("lost")
    await table("n1", ({ beat, halt, handOver }) => Effect.andThen(beat, Effect.andThen(handOver, halt(halted))))
    await lose("lost")
    const refusal = await Effect.runPromise(refusalAt(place, directory))
    expect(refusal.reason.remedy).toContain("jinka journal accept-loss")

    const shown = await accept()
    expect(shown).toMatchObject({ code: 2, err: expect.stringContaining("Nothing was changed") })
    expect(shown.out).toMatch(
      /acknowledged {2}up to entry 4 by node n1 .*\nPostgreSQL {4}up to entry 3, written \d{4}-/
    )
    expect(shown.out).toMatch(/lost {10}entries 4 to 4\nstopped {7}Truncated: groups are gone/)
    expect(await accept("--reason", "12345678")).toMatchObject({ code: 2, out: "" })
    expect(await table("n2", ({ look }) => look)).toMatchObject({ halted })
    expect((await Effect.runPromise(refusalAt(place, directory))).reason._tag).toBe("Truncated")

    const done = await accept("--reason", because)
    expect(done).toMatchObject({ code: 0, err: "" })
    expect(done.out).toMatch(/accepted: entry \d+ .*\nNext: start the node .*\nBy hand: .* Settle with each partner/)
    const seen = await table("n2", ({ look }) => look)
    expect(seen).toMatchObject({ node: null, halted: null })
    const entries = await Effect.runPromise(withJournalAt(place, directory, allEntries))
    const told = entries.map(({ code }) => code).filter((code) => code.includes("loss"))
    expect(told).toEqual([
      "loss accepted: entries 4 to 4",
      expect.stringMatching(new RegExp(`^operator \\S.*: accept loss \\(${because}\\)$`))
    ])
  })

  it("tells the truth where another node has written past the gap: other entries have the numbers of what was lost", async () => {
    const { accept, directory, place } = await nodeOf("past")
    await lose("past")
    const wroteOn = withJournalAt({ ...place, node: "n2" }, join(folder(), "journal"), ({ drained, writer }) => {
      for (let n = 4; n <= 9; n++) {
        write(writer, { message: messageOf(n) })
        writer.flush()
      }
      return drained
    })
    await Effect.runPromise(wroteOn)

    const shown = await accept()
    expect(shown.out).toMatch(/acknowledged {2}up to entry 4 by node n1 .*\nPostgreSQL {4}up to entry 10, written/)
    expect(shown.out).toContain("lost          some of the entries up to 4 that node n1 had acknowledged: another node")
    const { code, out } = await accept("--reason", because)
    expect(code).toBe(0)
    expect(out).toContain("what it sent and got in the time before node n1 stopped")
    const entries = await Effect.runPromise(withJournalAt(place, directory, allEntries))
    expect(entries.map(({ code }) => code).filter((code) => code.startsWith("loss"))).toEqual([
      "loss accepted: some of the entries up to 4 that this node had acknowledged; others have their numbers"
    ])
  })

  for (const [now, replaced, isAnchored] of [
    ["none", false, true],
    ["another one", true, true],
    ["none, and only an index is left,", false, false]
  ] as const) {
    it(`leads to \`journal new\` where PostgreSQL has ${now} instead of this node's journal, and the node goes on`, async () => {
      const name = replaced ? "replaced" : isAnchored ? "emptied" : "index-left"
      const { accept, begin, directory, place, table } = await nodeOf(name)
      const early = await begin()
      expect([early.code, early.err]).toEqual([1, expect.stringContaining("There is a journal here, with")])

      const id = `(SELECT id FROM jinka.journal WHERE switch = '${name}')`
      for (const one of ["commit_group", "mark", "name", "beginning", "key_slot", "owner", "standby"])
        await server.administer(`DELETE FROM jinka.${one} WHERE journal = ${id}`)
      await server.administer(`DELETE FROM jinka.journal WHERE switch = '${name}'`)
      if (replaced) {
        await Effect.runPromise(
          withJournalAt({ ...place, node: "n2" }, join(folder(), "journal"), ({ drained, writer }) => {
            write(writer, { message: messageOf(1) })
            writer.flush()
            return drained
          })
        )
        await table("n2", ({ handOver }) => handOver)
      }
      if (!isAnchored) {
        writeFileSync(join(directory, "journal.index.db"), "")
        rmSync(join(directory, "journal.head"))
      }
      expect((await Effect.runPromise(refusalAt(place, directory))).reason).toMatchObject({
        _tag: isAnchored ? "Truncated" : "Gone",
        remedy: expect.stringContaining("`jinka journal new`, on this node")
      })
      const refused = await accept("--reason", because)
      expect(refused.code).not.toBe(0)
      if (isAnchored) expect(refused.err).toContain("`jinka journal new`, on this node")

      const { code, out } = await begin()
      const done = isAnchored
        ? "journal.head of the earlier journal is kept as"
        : "the search index of the earlier journal"
      expect([code, out]).toEqual([0, expect.stringContaining(done)])
      const entries = await Effect.runPromise(withJournalAt(place, directory, allEntries))
      expect(entries.filter(({ message }) => message.length > 0)).toHaveLength(replaced ? 1 : 0)
    })
  }

  it("is looked at by `owners` also where the file has mistakes elsewhere; a release is refused then", async () => {
    const { file, owners } = await nodeOf("spoilt")
    const good = readFileSync(file, "utf8")
    const spoil = (from: string, to: string) => writeFileSync(file, good.replace(from, to))
    spoil("port: 7001", "port: 70010")
    const [shown, released] = [await owners(), await owners("--release", "--reason", "case 1")]
    spoil("name: spoilt", "name: [spoilt]")
    const unnamed = await owners()

    expect([shown.code, shown.out, shown.err]).toEqual([
      0,
      expect.stringContaining("spoilt: "),
      expect.stringContaining("none of them is about where its journal is")
    ])
    expect([released.code, released.err]).toEqual([2, expect.stringContaining("found 70010")])
    expect([unnamed.code, unnamed.out]).toEqual([2, ""])
  })

  it("does nothing where nothing is lost, and says how a switch that is stopped all the same goes on", async () => {
    const { accept, table } = await nodeOf("whole")

    expect(await accept("--reason", because)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^jinka: Nothing is lost/)
    })

    await table("n1", ({ beat, halt, handOver }) => Effect.andThen(beat, Effect.andThen(handOver, halt(halted))))
    const { err } = await accept("--reason", because)

    expect(err).toContain("jinka owners FILE --release --reason TEXT")
    expect(await table("n2", ({ look }) => look)).toMatchObject({ halted })
  })

  it("does nothing while a node runs the switch", async () => {
    const { accept, directory, place, table } = await nodeOf("runs")
    await lose("runs")
    await table("n2", ({ look, take }) => Effect.flatMap(look, take))
    const { code, err, out } = await accept("--reason", because)

    expect([code, out]).toEqual([1, ""])
    expect(err).toMatch(/Node n2 runs the switch: its last beat was \d+\.\d s ago\. Nothing was changed/)
    expect(await table("n2", ({ look }) => look)).toMatchObject({ node: "n2", halted: null })
    expect((await Effect.runPromise(refusalAt(place, directory))).reason._tag).toBe("Truncated")
  })

  it("does nothing when an owner that was cut off beats again meanwhile", async () => {
    const { accept, directory, place, table } = await nodeOf("back", "4 seconds")
    await lose("back")
    await table("n2", ({ look, take }) => Effect.flatMap(look, take))
    await server.administer("UPDATE jinka.owner SET beaten = now() - interval '1 minute'")
    // Others are kept out before it is waited for the owner: that is when it comes back.
    const isKeptOut = Effect.map(
      Effect.promise(() => server.administer("SELECT 1 FROM jinka.owner WHERE halted LIKE '%n1 is accepting%'")),
      (rows) => rows.length > 0
    )
    const back = Effect.andThen(
      Effect.repeat(Effect.andThen(Effect.sleep("50 millis"), isKeptOut), { until: (isSo) => isSo }),
      Effect.promise(() => table("n2", ({ beat }) => beat))
    )
    const [done] = await Promise.all([accept("--reason", because), Effect.runPromise(back)])

    expect(done).toMatchObject({ code: 1, err: expect.stringContaining("Node n2 runs the switch") })
    expect(await table("n2", ({ look }) => look)).toMatchObject({ node: "n2", halted: null })
    expect((await Effect.runPromise(refusalAt(place, directory))).reason._tag).toBe("Truncated")
  })

  const restored = "missing WAL is restored, case 12"

  it("is not needed where the missing end was restored: a release says who and why in the journal, then lets nodes go on", async () => {
    const { directory, owners, place, table } = await nodeOf("restored")
    await table("n1", ({ beat, halt, handOver }) => Effect.andThen(beat, Effect.andThen(handOver, halt(halted))))

    expect(await owners("--release")).toMatchObject({ code: 2, err: expect.stringContaining("Nothing was changed") })
    expect(await owners("--release", "--reason", "card 6222020000000000")).toMatchObject({ code: 2 })
    expect(await table("n2", ({ look }) => look)).toMatchObject({ halted })

    const done = await owners("--release", "--reason", restored)
    expect(done).toMatchObject({ code: 0, err: "" })
    expect(done.out).toMatch(/^released: entry \d+ of the journal has your name and the reason/)
    expect(await table("n2", ({ look }) => look)).toMatchObject({ node: null, halted: null })
    const acts = await Effect.runPromise(
      withJournalAt(place, directory, (journal) =>
        auditOf({ scan: journal.scan, names: journal.names(), next: journal.writer.next }, 0)
      )
    )
    expect(acts.acts).toEqual([
      expect.objectContaining({ what: "release", why: restored, user: expect.stringMatching(/\S/) })
    ])
    expect(await owners("--release", "--reason", restored)).toMatchObject({
      code: 1,
      err: expect.stringContaining("has not stopped it")
    })
  })

  it("cannot be gone round by a release: one is refused on a node whose groups are still missing, and while a node runs the switch", async () => {
    const { directory, owners, place, table } = await nodeOf("missing")
    await table("n1", ({ beat, halt, handOver }) => Effect.andThen(beat, Effect.andThen(handOver, halt(halted))))
    await lose("missing")
    const early = await owners("--release", "--reason", restored)
    expect(early).toMatchObject({ code: 3, out: "", err: expect.stringMatching(/Truncated.*journal\.head/s) })
    expect(await table("n2", ({ look }) => look)).toMatchObject({ halted })

    await server.administer("UPDATE jinka.owner SET node = 'n2', beaten = now() WHERE halted IS NOT NULL")
    const running = await owners("--release", "--reason", restored)
    expect(running).toMatchObject({ code: 1, err: expect.stringContaining("Node n2 runs the switch") })
    expect(await table("n2", ({ look }) => look)).toMatchObject({ halted })
    expect((await Effect.runPromise(refusalAt(place, directory))).reason._tag).toBe("Truncated")
  })
})
