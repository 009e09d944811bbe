import { spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Entry } from "../../../packages/switch/src/journal/Entry.ts"
import { openReadOnly } from "../../../packages/switch/src/journal/JournalReader.ts"
import { builtWriting } from "../../programs/Programs.ts"
import { isLong } from "../../Runs.ts"
import { refusal, testKey } from "./Journals.ts"
import { faultOf } from "./Writing.ts"

const writing = builtWriting()
const ENTRIES_MIN = 2000

/** How often damage is done somewhere: to what is small, and to what has many kinds of bytes. */
const RUNS = isLong ? { few: 250, many: 2000 } : { few: 15, many: 30 }

/** A journal whose writer was killed: its WAL holds commits that the database does not. */
let original = ""
let acknowledged = 0

beforeAll(() => {
  original = mkdtempSync(join(tmpdir(), "jinka-journal-"))
  const { stdout } = spawnSync(process.execPath, [writing, original, "entries", String(ENTRIES_MIN)], {
    encoding: "utf8"
  })
  acknowledged = Number(stdout.trimEnd().split("\n").at(-1))
})

afterAll(() => rmSync(original, { recursive: true, force: true }))

/** Opens without a thread, as the command line does, and verifies everything. */
const examine = (directory: string): string => {
  const program = Effect.gen(function* () {
    const reader = yield* openReadOnly(directory, { keys: [testKey] })
    const verified = yield* reader.verify()
    if (verified.bad !== undefined) return `found bad at ${verified.bad.seq}`
    const entries: Array<Entry> = []
    yield* reader.scan(1, (entry) => entries.push(entry), { secrets: true })
    return faultOf(entries) ?? (entries.length < acknowledged ? `only ${entries.length} entries` : "whole")
  })
  return Effect.runSync(
    Effect.scoped(program).pipe(
      Effect.catchTag("JournalError", (error) => Effect.succeed(`refused: ${error.reason._tag}`))
    )
  )
}

/** Damages a copy of the journal, and says how that was noticed. */
const outcomeOf = (
  damage: (directory: string) => void,
  after: (directory: string) => void = () => undefined
): string => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-journal-"))
  try {
    cpSync(original, directory, { recursive: true })
    damage(directory)
    const outcome = examine(directory)
    after(directory)
    return outcome
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const flip = (file: string, at: number, bits: number) => (directory: string) => {
  const path = join(directory, file)
  const bytes = readFileSync(path)
  bytes[at % bytes.length] = bytes[at % bytes.length]! ^ bits
  writeFileSync(path, bytes)
}

/** Noticed, or without any effect on what was acknowledged: never a silent loss or a changed entry. */
const noticed = /^(whole|found bad at \d+|refused: (Corrupt|Truncated|NotJournal|VersionUnknown|KeyWrong))$/

const flips = fc.record({ at: fc.nat(), bits: fc.integer({ min: 1, max: 255 }) })

describe("a damaged journal", () => {
  it("is whole before it is damaged, and its WAL matters", () => {
    expect(acknowledged).toBeGreaterThanOrEqual(ENTRIES_MIN)
    expect(outcomeOf(() => undefined)).toBe("whole")
    expect(statSync(join(original, "journal.db-wal")).size).toBeGreaterThan(100_000)
  })

  it("is refused when its WAL is deleted", () => {
    expect(outcomeOf((directory) => rmSync(join(directory, "journal.db-wal")))).toBe("refused: Truncated")
  })

  it("is refused when its WAL is cut anywhere that a commit is lost (random)", () => {
    const seen = new Set<string>()
    const { size } = statSync(join(original, "journal.db-wal"))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: size - 1 }), (length) => {
        const outcome = outcomeOf((directory) => truncateSync(join(directory, "journal.db-wal"), length))
        seen.add(outcome)
        expect(outcome).toMatch(/^(whole|refused: (Truncated|Corrupt))$/)
      }),
      { numRuns: RUNS.few }
    )

    expect(seen).toContain("refused: Truncated")
  })

  it("leaves its WAL for whoever examines it, also when the database is none any more", () => {
    const wal = "journal.db-wal"
    let damaged: Buffer | undefined
    let kept: Buffer | undefined

    const outcome = outcomeOf(
      (directory) => {
        flip("journal.db", 3, 255)(directory)
        // The header's salt: SQLite takes no frame of this WAL.
        flip(wal, 17, 255)(directory)
        damaged = readFileSync(join(directory, wal))
      },
      (directory) => {
        kept = [wal, `${wal}.refused`]
          .map((file) => join(directory, file))
          .filter((path) => existsSync(path))
          .map((path) => readFileSync(path))[0]
      }
    )

    expect(outcome).toBe("refused: Corrupt")
    expect(kept).toEqual(damaged)
  })

  it("never shows a flipped byte of its WAL as if nothing were (random)", () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(flips, ({ at, bits }) => {
        const outcome = outcomeOf(flip("journal.db-wal", at, bits))
        seen.add(outcome)
        expect(outcome).toMatch(noticed)
      }),
      { numRuns: RUNS.many }
    )

    expect(seen).toContain("refused: Truncated")
  })

  it("never shows a flipped byte of its database as if nothing were (random)", () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(flips, ({ at, bits }) => {
        const outcome = outcomeOf(flip("journal.db", at, bits))
        seen.add(outcome.replace(/\d+/, "n"))
        expect(outcome).toMatch(noticed)
      }),
      { numRuns: RUNS.many }
    )

    expect([...seen].some((outcome) => outcome !== "whole")).toBe(true)
  })

  it("never shows a flipped byte of its anchor as if nothing were (random)", () => {
    fc.assert(
      fc.property(flips, ({ at, bits }) => {
        expect(outcomeOf(flip("journal.head", at, bits))).toMatch(noticed)
      }),
      { numRuns: RUNS.few }
    )
  })

  it("is refused by the switch in the same way as by the command line", async () => {
    const directory = mkdtempSync(join(tmpdir(), "jinka-journal-"))
    cpSync(original, directory, { recursive: true })
    rmSync(join(directory, "journal.db-wal"))

    const error = await Effect.runPromise(refusal(directory))

    expect(error.reason._tag).toBe("Truncated")
    rmSync(directory, { recursive: true })
  })
})
