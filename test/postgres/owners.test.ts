/** The table of owners in a real PostgreSQL, by a user with the least rights: what nodes write there, and what operators read. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { JournalError } from "../../packages/switch/src/journal/JournalError.ts"
import { readPostgresUrl } from "../../packages/switch/src/journal/postgres/PostgresAddress.ts"
import type { PostgresPlace } from "../../packages/switch/src/journal/postgres/PostgresConnection.ts"
import type { OwnerTable } from "../../packages/switch/src/operate/owner/Claim.ts"
import {
  connectOwners,
  ownersOf,
  releaseSwitch,
  standbysOf
} from "../../packages/switch/src/operate/owner/OwnerRows.ts"
import { postgresTitle, RealPostgres, whyNoPostgres } from "./RealPostgres.ts"
import { withJournalAt } from "./Stores.ts"

const why = whyNoPostgres()
describe.skipIf(why !== undefined)(postgresTitle("The table of owners"), () => {
  let server: RealPostgres
  beforeAll(async () => {
    server = await RealPostgres.begin()
    await server.administer(
      "CREATE ROLE a LOGIN IN ROLE jinka_switch",
      "INSERT INTO jinka.journal (switch, journal_id) VALUES ('east', 'x'), ('west', 'y'), ('south', 'z')"
    )
  })
  afterAll(() => server?.end())

  const placeOf = (name: string, node: string): PostgresPlace => {
    const address = readPostgresUrl(server.url("a"))
    if ("rule" in address) throw new Error(address.rule)
    return { address, tls: undefined, schema: "jinka", name, node }
  }
  const at = <A>(name: string, node: string, use: (table: OwnerTable) => Effect.Effect<A, JournalError>): Promise<A> =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(connectOwners(placeOf(name, node)), use)))

  it("has one owner for a switch, whoever comes at the same time", async () => {
    const seen = await at("east", "n1", ({ look }) => look)

    expect(seen).toBeUndefined()
    // The journal is there and nobody has it: the beat of the first one makes the row.
    expect(await at("east", "n1", ({ beat }) => beat)).toEqual({ isCounted: true, node: "n1", beat: 0n })

    const now = await at("east", "n2", ({ look }) => look)

    expect(now).toEqual({ node: "n1", beat: "0", halted: null })

    const takes = await Promise.all(["n2", "n3", "n4"].map((node) => at("east", node, ({ take }) => take(now))))

    expect(takes.filter((isTaken) => isTaken)).toHaveLength(1)

    const node = expect.stringMatching(/^n[234]$/)

    expect(await at("east", "n1", ({ beat }) => beat)).toEqual({ isCounted: false, node, beat: 1n })
  })

  it("has one first owner, where the journal is there and nobody has had it", async () => {
    const takes = await Promise.all(["n1", "n2", "n3"].map((node) => at("south", node, ({ take }) => take(undefined))))
    expect(takes.filter((isTaken) => isTaken)).toHaveLength(1)
  })

  it("is of no switch that has no journal yet: its first owner makes one", async () => {
    expect(await at("north", "n1", ({ look, take }) => Effect.flatMap(look, take))).toBe(true)
    expect(await at("north", "n1", ({ beat }) => beat)).toBeUndefined()
  })

  it("is of the node that begins its journal; another one that tried, too, takes nothing away with its end", async () => {
    const directory = mkdtempSync(join(tmpdir(), "jinka-owners-"))
    const tried = async () => {
      expect(await at("begun", "n2", ({ beat }) => beat)).toEqual({ isCounted: false, node: "n1", beat: 0n })
      await at("begun", "n2", ({ handOver }) => handOver)
      expect(await at("begun", "n2", ({ look }) => look)).toEqual({ node: "n1", beat: "0", halted: null })
    }

    await Effect.runPromise(withJournalAt(placeOf("begun", "n1"), directory, () => Effect.promise(tried)))
    rmSync(directory, { recursive: true, force: true })
  })

  it("counts beats, lets the owner give the switch away and nobody else, and shows who stands by", async () => {
    await at("west", "n1", ({ beat }) => Effect.repeat(beat, { times: 2 }))
    expect(await at("west", "n2", ({ look }) => look)).toEqual({ node: "n1", beat: "2", halted: null })
    await at("west", "n2", ({ handOver }) => handOver)
    expect(await at("west", "n2", ({ look }) => look)).toMatchObject({ node: "n1" })
    expect(await Effect.runPromise(standbysOf(placeOf("west", "n1"), 10_000))).toEqual(["n2"])
    expect(await Effect.runPromise(standbysOf(placeOf("west", "n2"), 10_000))).toEqual([])
    await at("west", "n1", ({ handOver }) => handOver)
    expect(await at("west", "n1", ({ beat }) => beat)).toMatchObject({ isCounted: false, node: null })
    expect(await at("west", "n2", ({ look, take }) => Effect.flatMap(look, take))).toBe(true)

    const rows = await Effect.runPromise(ownersOf(placeOf("west", "n1")))
    expect(
      rows
        .filter((row) => row.switch === "east" || row.switch === "west")
        .map((row) => [row.switch, row.node, row.epoch, row.standbys.map(({ node }) => node)])
    ).toEqual([
      ["east", expect.stringMatching(/^n[234]$/), 0, expect.arrayContaining(["n1"])],
      ["west", "n2", 0, []]
    ])
    expect(rows.find((row) => row.switch === "west")!.silent).toBeLessThan(60)
  })

  it("keeps everybody from a switch that its owner has stopped for good, until it is released", async () => {
    // Who knows may have been forgotten by the table itself.
    await at("west", "n1", ({ halt }) => halt("Truncated: groups are gone"))
    const seen = await at("west", "n3", ({ look }) => look)

    expect(seen).toMatchObject({ node: "n2", halted: "Truncated: groups are gone" })
    expect(await at("west", "n3", ({ take }) => take(seen))).toBe(false)
    expect(await Effect.runPromise(releaseSwitch(placeOf("west", "n3")))).toBe(true)
    expect(await Effect.runPromise(releaseSwitch(placeOf("west", "n3")))).toBe(false)
    expect(await at("west", "n3", ({ take }) => take(seen))).toBe(true)
  })
})
