import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type BetterSqlite3 from "better-sqlite3"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { groupAt } from "../../../packages/switch/src/journal/CommitGroup.ts"
import { headsIn } from "../../../packages/switch/src/journal/Head.ts"
import { anchorWord, openReadOnly } from "../../../packages/switch/src/journal/JournalReader.ts"
import { entryIn, type ForgedGroup, forge, type Signature } from "./Forger.ts"
import { testKey, testPan, withJournal, write } from "./Journals.ts"

const Database = createRequire(new URL("../../../packages/switch/package.json", import.meta.url))(
  "better-sqlite3"
) as typeof BetterSqlite3

const folders: Array<string> = []

const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), "jinka-forged-"))
  folders.push(made)
  return made
}

const message = (amount: string): Buffer => Buffer.from(`0200 amount ${amount} `)

/** Ten exchanges, each in groups of its own: accepted, then declined. */
const fill = (directory: string, from = 1): Promise<void> =>
  Effect.runPromise(
    withJournal(directory, (journal) =>
      Effect.gen(function* () {
        const link = journal.nameId("issuer", "cups")
        for (let n = from; n < from + 10; n++) {
          const exchange = write(journal.writer, { message: message("000000012345"), pan: testPan, link })
          yield* journal.drained
          write(journal.writer, { kind: 3, exchange, code: "05", message: message("000000012345"), link })
          yield* journal.drained
        }
        // Two runs later nothing of this is before a mark only.
        journal.writer.floor = journal.writer.next
      })
    )
  )

let original = ""

beforeAll(async () => {
  original = folder()
  await fill(original)
})

afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true })
})

const copy = (): string => {
  const directory = join(folder(), "journal")
  cpSync(original, directory, { recursive: true })
  return directory
}

/** What an auditor hears: of opening, of verifying everything, of the anchors given. */
const audit = (directory: string, keys: ReadonlyArray<Uint8Array> = [testKey], anchor = ""): string =>
  Effect.runSync(
    Effect.gen(function* () {
      const reader = yield* openReadOnly(directory, { keys })
      const { bad, unopened } = yield* reader.verify()
      if (bad !== undefined) return `bad at ${bad.seq}: ${bad.why}`
      const found = yield* Effect.forEach(headsIn(anchor), reader.faultOf)
      const faults = found.flatMap((fault) => fault ?? [])
      if (faults.length > 0) return `anchor: ${faults.join("; ")}`
      return unopened.length > 0 ? `not proved: ${unopened.map(({ from, to }) => `${from} to ${to}`).join()}` : "good"
    }).pipe(
      Effect.scoped,
      Effect.catchTag("JournalError", ({ reason }) => Effect.succeed(`refused: ${reason._tag}`))
    )
  )

const groupWith = (groups: ReadonlyArray<ForgedGroup>, seq: number): ForgedGroup =>
  groups.find(({ first, last }) => first <= seq && seq <= last)!

const forgeries: ReadonlyArray<readonly [what: string, change: (groups: Array<ForgedGroup>) => void]> = [
  ["a decline that became an approval", (groups) => void entryIn(groupWith(groups, 3), 3).code.write("00")],
  ["another amount", (groups) => void entryIn(groupWith(groups, 20), 20).message.write("9", 12)],
  ["a cut tail", (groups) => void groups.splice(-3)],
  ["a floor behind an open exchange", (groups) => void groups.at(-1)!.bytes.writeUInt32BE(21, groupAt.floor + 4)],
  [
    "sealed data of another group",
    (groups) => {
      const sealed = groups.filter(({ sealed }) => sealed > 0)
      const [one, other] = [sealed[1]!, sealed[2]!]
      const sealedOf = ({ bytes, sealed }: ForgedGroup) => bytes.subarray(bytes.length - sealed)
      const nonceOf = ({ bytes }: ForgedGroup) => bytes.subarray(groupAt.nonce, groupAt.nonce + 24)
      sealedOf(one).set(sealedOf(other))
      nonceOf(one).set(nonceOf(other))
    }
  ],
  ["nothing changed, all hashed and tagged anew", () => undefined]
]

describe("a journal forged by somebody without its key, hashes and anchor rewritten", () => {
  it("was good before", () => {
    expect(audit(copy())).toBe("good")
  })

  it("is forged by one who forgets nothing: with the stolen key his work is good", () => {
    const directory = copy()

    forge(directory, (groups) => groups.splice(-3), "stolen")

    expect(audit(directory)).toBe("good")
  })

  for (const [what, change] of forgeries) {
    for (const signature of ["own", "pretended"] satisfies ReadonlyArray<Signature>) {
      it(`is found out: ${what}, tagged with ${signature === "own" ? "his key" : "the id of the journal's key"}`, () => {
        const directory = copy()

        forge(directory, change, signature)

        expect(audit(directory)).toMatch(/^(bad at \d+: .*|refused: (Corrupt|Truncated|KeyWrong))$/)
      })
    }
  }

  it("is found out when a genuine tag is on other content, and when a link's name is another's", () => {
    for (const sql of [
      "UPDATE commit_group SET tag = (SELECT tag FROM commit_group WHERE first = 5) WHERE first = 3",
      "UPDATE name SET name = 'other'",
      "UPDATE mark SET counts = replace(counts, '10', '11')",
      "DELETE FROM name"
    ]) {
      const directory = copy()
      const database = new Database(join(directory, "journal.db"))
      expect(database.prepare(sql).run().changes).toBeGreaterThan(0)
      database.close()

      expect([sql, audit(directory)]).toEqual([sql, expect.stringMatching(/^(refused: Corrupt|bad at)/)])
    }
  })

  it("is told about when the newer slot of the anchor was overwritten with the older one and the tail cut", () => {
    const directory = copy()
    const anchor = join(directory, "journal.head")
    const slots = readFileSync(anchor)
    const seqOf = (slot: number) => slots.readUInt32BE(slot * 512 + 28)
    const older = seqOf(0) < seqOf(1) ? 0 : 1
    slots.copy(slots, (1 - older) * 512, older * 512, (older + 1) * 512)
    writeFileSync(anchor, slots)
    const database = new Database(join(directory, "journal.db"))
    database.prepare("DELETE FROM commit_group WHERE last > ?").run(seqOf(older))
    database.prepare("DELETE FROM mark WHERE seq > ?").run(seqOf(older))
    database.close()

    const notes = Effect.runSync(
      Effect.scoped(Effect.map(openReadOnly(directory, { keys: [testKey] }), ({ recovered }) => recovered.notes))
    )

    expect(notes).toEqual([expect.stringMatching(/journal\.head: both slots said the same; .* entry \d+/)])
  })

  it("is not called good without its key, and it is said which entries that is about", () => {
    expect(audit(copy(), [])).toBe("not proved: 1 to 21")
  })

  it("is told from an older copy of all of its files by an anchor that was kept elsewhere, and by no other means", async () => {
    const directory = copy()
    const older = copy()
    const kept = Effect.runSync(anchorWord(older, [testKey]))
    await fill(directory, 11)

    const newest = Effect.runSync(anchorWord(directory, [testKey]))

    expect(audit(older)).toBe("good")
    expect(audit(older, [testKey], `some log line ${newest}\n`)).toMatch(/^anchor: .* ends at 21: an older copy/)
    expect(audit(directory, [testKey], `${kept}\nmore ${newest} more`)).toBe("good")
  })

  it("does not fit an anchor of what it was before it was begun anew from an older copy, one of another journal, or a made-up one", async () => {
    const [one, other] = [copy(), copy()]
    await fill(one, 11)
    await fill(other, 12)
    const kept = Effect.runSync(anchorWord(one))
    const foreign = folder()
    await fill(foreign)

    expect(audit(other, [testKey], kept)).toMatch(/^anchor: entry 4\d, or something before it, is another one now/)
    expect(audit(other, [testKey], Effect.runSync(anchorWord(foreign)))).toMatch(/^anchor: it is of another journal/)

    const madeUp = `${kept.slice(0, -2)}${kept.endsWith("00") ? "01" : "00"}`
    expect(audit(one, [testKey], madeUp)).toMatch(/^anchor: it was not made with this journal's key/)
  })
})
