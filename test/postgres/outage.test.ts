/** Lost connections, crashes of PostgreSQL, and commits that wait for a standby: nothing lost, doubled, or shown too early. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { afterAll, beforeAll } from "vitest"
import type { Entry } from "../../packages/switch/src/journal/Entry.ts"
import type { Journal } from "../../packages/switch/src/journal/Journal.ts"
import { isOver, patience } from "../Pace.ts"
import { allEntries, messageOf, temporaryDirectory, testPan, write } from "../switch/journal/Journals.ts"
import { Breakable } from "./Breakable.ts"
import { postgresTitle, RealPostgres, whyNoPostgres } from "./RealPostgres.ts"
import { placeOf, withJournalAt } from "./Stores.ts"

/** Waits until something is so; fails by saying what. */
const until = (what: string, isSo: () => boolean | Promise<boolean>) =>
  Effect.promise(async () => {
    const began = performance.now()
    while (!(await isSo())) {
      if (isOver(began, 20_000)) throw new Error(`it did not come to: ${what}`)
      await new Promise<void>((resolve) => setTimeout(resolve, 10))
    }
  })

/** Writes in a closed loop: a few entries whenever something is acknowledged. Gives what was acknowledged, and the end of it. */
const writing = ({ writer }: Journal["Service"]) => {
  const acknowledged: Array<number> = []
  let isOn = true
  const turn = () => {
    for (let n = 0; n < 3; n++) write(writer, { message: messageOf(writer.next, 200), pan: testPan })
    writer.flush()
  }
  writer.onCommitted = (last) => {
    acknowledged.push(last)
    if (isOn) turn()
  }
  turn()
  turn()
  return {
    acknowledged,
    end: () => {
      isOn = false
    }
  }
}

/** All of what a journal holds, each entry as it was written. */
const expectWhole = (entries: ReadonlyArray<Entry>) => {
  for (const [n, { seq, message }] of entries.entries()) {
    expect(seq).toBe(n + 1)
    if (message.length > 0) expect(message.toString()).toBe(messageOf(seq, 200).toString())
  }
}

describe.skipIf(whyNoPostgres() !== undefined)(postgresTitle("A journal whose PostgreSQL fails"), () => {
  let server: RealPostgres
  beforeAll(async () => {
    server = await RealPostgres.begin()
    await server.administer("CREATE ROLE writer LOGIN IN ROLE jinka_switch")
  })
  afterAll(() => server?.end())

  const live = (
    title: string,
    body: (directory: string, proxy: Breakable) => Effect.Effect<void, unknown, Scope.Scope>
  ) =>
    it.live(title, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const directory = yield* temporaryDirectory
          const proxy = yield* Effect.acquireRelease(
            Effect.promise(() => Breakable.begin(server.port)),
            (proxy) => Effect.sync(() => proxy.close())
          )
          yield* body(directory, proxy)
        })
      )
    )

  live("goes on after connections that are reset and a crash, with each group once and in order", (directory, proxy) =>
    withJournalAt(placeOf(server.url("writer", proxy.port), "reset"), directory, (journal) =>
      Effect.gen(function* () {
        const { acknowledged, end } = writing(journal)
        for (let n = 0; n < 12; n++) {
          // At no set moment of the groups under way: each cut comes after another number of them.
          const from = acknowledged.length
          yield* until("groups are committed", () => acknowledged.length > from + n)
          proxy.cut()
        }
        yield* Effect.promise(() => server.stop("immediate"))
        yield* until("the store is away", () => journal.refuses() === "away")
        yield* Effect.promise(() => server.start())
        const from = acknowledged.length
        yield* until("groups are committed after the crash", () => acknowledged.length > from + 5)
        end()
        yield* journal.drained

        expect(acknowledged).toEqual([...new Set(acknowledged)].sort((one, other) => one - other))
        expect(journal.refuses()).toBeUndefined()
        expect((yield* journal.verify()).bad).toBeUndefined()
        const entries = yield* allEntries(journal)
        expect(entries.length).toBe(journal.writer.next - 1)
        expectWhole(entries)
      })
    )
  )

  live("notices a network that swallows everything, says that it is away, and loses nothing", (directory, proxy) =>
    withJournalAt(placeOf(server.url("writer", proxy.port), "hole"), directory, (journal) =>
      Effect.gen(function* () {
        const { acknowledged, end } = writing(journal)
        yield* until("groups are committed", () => acknowledged.length > 5)
        proxy.hole(true)
        yield* until("the store is away", () => journal.refuses() === "away")
        proxy.hole(false)
        proxy.cut()
        const from = acknowledged.length
        yield* until("groups are committed again", () => acknowledged.length > from + 5)
        end()
        yield* journal.drained
        expectWhole(yield* allEntries(journal))
      })
    )
  )

  live(
    "says what is wrong with a PostgreSQL that takes no entries, and goes on with all of them when it does",
    (directory) =>
      withJournalAt(placeOf(server.url("writer"), "refused"), directory, (journal) =>
        Effect.gen(function* () {
          const refuse = (code: string) =>
            Effect.promise(() =>
              server.administer(
                `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it is so' USING ERRCODE = '${code}'; END $$`,
                "CREATE TRIGGER refuse BEFORE INSERT ON jinka.commit_group FOR EACH ROW EXECUTE FUNCTION refuse()"
              )
            )
          const take = Effect.promise(() => server.administer("DROP FUNCTION refuse CASCADE"))
          for (const [code, says] of [
            ["53100", "DiskFull: .* It says .*53100.* Free space on PostgreSQL's disk"],
            ["58030", "DiskFailed: .* It says .*58030.* Have PostgreSQL's disk checked"],
            ["53200", "StoreAway: .* It says .*53200.* Look at PostgreSQL"],
            ["25006", "StoreAway: .* It says .*25006.* Look at PostgreSQL"]
          ] as const) {
            const { acknowledged, end } = writing(journal)
            yield* until("groups are committed", () => acknowledged.length > 2)
            yield* refuse(code)
            yield* until(`it says ${says}`, () => new RegExp(`^PostgreSQL is away: ${says}`).test(journal.trouble()))
            expect(journal.refuses()).toBe("away")
            yield* take
            const from = acknowledged.length
            yield* until("groups are committed again", () => acknowledged.length > from + 2)
            end()
            yield* journal.drained
            expect([journal.trouble(), journal.refuses()]).toEqual(["", undefined])
          }
          expectWhole(yield* allEntries(journal))
        })
      )
  )

  live("acknowledges nothing that a synchronous standby has not got, though it can be seen", (directory) =>
    withJournalAt(placeOf(server.url("writer"), "standby"), directory, (journal) =>
      Effect.gen(function* () {
        const waits = (names: string) =>
          Effect.promise(() =>
            server.administer(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`, "SELECT pg_reload_conf()")
          )
        const isThere = async (): Promise<boolean> => {
          const [row] = await server.administer(
            "SELECT max(last)::int AS last FROM jinka.commit_group g JOIN jinka.journal j ON j.id = g.journal WHERE j.switch = 'standby'"
          )
          return row!["last"] === 2
        }
        yield* waits("nobody")
        yield* until("commits wait for a standby", async () => {
          const [row] = await server.administer("SELECT current_setting('synchronous_standby_names') AS names")
          return row!["names"] === "nobody"
        })
        write(journal.writer, { message: messageOf(2, 200) })
        journal.writer.flush()
        // The store ends its silent session: from then on everybody sees the row, and no standby has it.
        yield* until("the row can be seen", isThere)
        expect(journal.writer.committedSeq).toBe(1)
        expect(journal.refuses()).toBe("away")
        yield* waits("")
        yield* Effect.timeout(journal.drained, patience(20_000))
        expect(journal.writer.committedSeq).toBe(2)
        expectWhole(yield* allEntries(journal))
      })
    )
  )

  live("stops when PostgreSQL comes back without groups that were acknowledged", (directory, proxy) =>
    Effect.gen(function* () {
      const place = placeOf(server.url("writer", proxy.port), "lost")
      const error = yield* withJournalAt(place, directory, (journal) =>
        Effect.gen(function* () {
          write(journal.writer, { message: messageOf(2, 200) })
          yield* journal.drained
          const id = "(SELECT id FROM jinka.journal WHERE switch = 'lost')"
          yield* Effect.promise(() =>
            server.administer(`DELETE FROM jinka.commit_group WHERE journal = ${id} AND first = 2`)
          )
          proxy.cut()
          write(journal.writer, { message: messageOf(3, 200) })
          journal.writer.flush()
          return yield* Effect.flip(journal.failed)
        })
      )
      expect(error.reason).toMatchObject({ _tag: "Truncated", problem: expect.stringContaining("entry 2") })
    })
  )
})
