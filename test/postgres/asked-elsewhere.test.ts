/** Commands on a node where no process of the switch runs: they say which node runs it, and change nothing. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { JournalError } from "../../packages/switch/src/journal/JournalError.ts"
import type { OwnerTable } from "../../packages/switch/src/operate/owner/Claim.ts"
import { connectOwners } from "../../packages/switch/src/operate/owner/OwnerRows.ts"
import { sound } from "../switch/operate/checked.ts"
import { cleanUp, type Done, folder, jinka } from "../switch/operate/program.ts"
import { postgresTitle, RealPostgres, whyNoPostgres } from "./RealPostgres.ts"
import { placeOf, withJournalAt } from "./Stores.ts"

/** One of each kind of command that needs the running switch. */
const commands: ReadonlyArray<ReadonlyArray<string>> = [
  ["link", "block", "FILE", "issuer", "--reason", "asked"],
  ["status", "FILE"],
  ["pending", "close", "FILE", "--exchange", "1", "--reason", "asked"],
  ["alarm", "list", "FILE"],
  ["day", "show", "FILE"],
  ["reload", "FILE"],
  ["stop", "FILE"],
  ["yield", "FILE", "--reason", "asked"],
  ["key", "ask", "FILE", "issuer"],
  ["health", "FILE"],
  ["top", "FILE", "--times", "1"]
]

describe.skipIf(whyNoPostgres() !== undefined)(
  postgresTitle("A command on a node that does not run the switch"),
  () => {
    let server: RealPostgres
    beforeAll(async () => {
      server = await RealPostgres.begin()
      await server.administer("CREATE ROLE a LOGIN IN ROLE jinka_switch")
    })
    afterAll(async () => {
      cleanUp()
      await server?.end()
    })

    const nodeOf = async (name: string, takeoverAfter: string) => {
      const home = folder()
      mkdirSync(join(home, "journal"), { mode: 0o700 })
      const file = join(home, "switch.yaml")
      const postgres = `postgres: { url: { env: JINKA_PG }, node: n2, takeoverAfter: ${takeoverAfter}, yieldAfter: 2 minutes }`
      const text = sound.replace("name: demo", `name: ${name}`)
      writeFileSync(file, text.replace("env: JINKA_TEST_KEY }", `env: JINKA_TEST_KEY }, ${postgres}`))
      const place = placeOf(server.url("a"), name)
      const run = (args: ReadonlyArray<string>, url = server.url("a")): Promise<Done> =>
        jinka(
          args.map((one) => (one === "FILE" ? file : one)),
          { env: { JINKA_PG: url } }
        )
      const first = <A>(use: (table: OwnerTable) => Effect.Effect<A, JournalError>): Promise<A> =>
        Effect.runPromise(Effect.scoped(Effect.flatMap(connectOwners({ ...place, node: "n1" }), use)))
      await Effect.runPromise(withJournalAt(place, join(home, "journal"), ({ drained }) => drained))
      return { first, run }
    }

    it("names the node that runs it, whatever was asked", async () => {
      const { first, run } = await nodeOf("east", "1 minute")
      await first(({ beat }) => beat)

      for (const args of commands) {
        const { code, err } = await run(args)
        expect([args[0], code], err).toEqual([args[0], 4])
        expect(err, args.join(" ")).toMatch(
          /No switch runs on this node, n2\. Node n1 runs the switch: its last beat was [\d.]+ s ago\. Ask there\. Nothing was changed\./
        )
      }
    })

    it("says that nobody has it, that its owner is gone, that it was stopped, and that PostgreSQL does not tell", async () => {
      const { first, run } = await nodeOf("west", "1 second")
      const ask = ["link", "cut", "FILE", "issuer"]
      await first(({ beat, handOver }) => Effect.andThen(beat, handOver))
      const free = await run(ask)
      await first(({ beat }) => Effect.andThen(beat, beat))
      await server.administer("UPDATE jinka.owner SET node = 'n1', beaten = now() - interval '2 minutes'")
      const gone = await run(ask)
      await first(({ halt }) => halt("Truncated: groups are gone"))
      const halted = await run(ask)
      const blind = await run(ask, server.url("a").replace(/:\d+\//, ":9/"))

      expect([free, gone, halted, blind].map(({ code }) => code)).toEqual([4, 4, 4, 4])
      expect(free.err).toContain("No node has the switch now: start it")
      expect(gone.err).toMatch(
        /Node n1 had the switch last, and does not run it any more: its last beat was 12\d\.\d s ago/
      )
      expect(halted.err).toContain("It is stopped until a person decides (Truncated: groups are gone)")
      expect(blind.err).toContain("Which node runs it is not known: PostgreSQL does not answer.")
    })

    it("copies no journal out of PostgreSQL into files, however young it is, and says how that is backed up", async () => {
      const { run } = await nodeOf("copied", "3 seconds")

      for (const args of [
        ["journal", "backup", "FILE", "copy"],
        ["journal", "archive", "FILE", "--to", "copy"],
        ["journal", "archive", "FILE", "--to", "copy", "--before", "2026-01-01"]
      ]) {
        const { code, err } = await run(args)
        expect([args[1], code], err).toEqual([args[1], 3])
        expect(err).toMatch(/is backed up as PostgreSQL is\. Take a base backup/)
      }
    })

    it("tells who only reads that PostgreSQL is away, and nothing of a switch that this command does not run", async () => {
      const { run } = await nodeOf("away", "3 seconds")

      const { code, err } = await run(["pending", "list", "FILE"], "postgres://a@127.0.0.1:1/postgres")

      expect(code).toBe(7)
      expect(err).toMatch(/It cannot be reached: .*\. Look at PostgreSQL and the network to it\./)
      expect(err).not.toMatch(/Start the switch/)
    })
  }
)
