/** `jinka journal accept-loss`: what it takes for a switch to go on without entries that it had acknowledged. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { allEntries, withJournal, write } from "../journal/Journals.ts"
import { cleanUp, configuration, folder, jinka } from "./program.ts"

afterEach(cleanUp)

const written = (directory: string, entries: number) =>
  Effect.runPromise(
    Effect.scoped(
      withJournal(directory, ({ writer, drained }) => {
        for (let n = 0; n < entries; n++) write(writer)
        return drained
      })
    )
  )

/** A switch whose journal has lost its last five entries. */
const truncated = async (): Promise<string> => {
  const here = folder()
  const file = configuration(here)
  const directory = join(here, "journal")
  await written(directory, 10)
  const before = readFileSync(join(directory, "journal.db"))
  await written(directory, 5)
  writeFileSync(join(directory, "journal.db"), before)
  return file
}

const events = (file: string) =>
  Effect.runPromise(
    Effect.scoped(
      withJournal(join(dirname(file), "journal"), (journal) =>
        Effect.map(allEntries(journal), (all) => all.slice(10).map(({ code }) => code))
      )
    )
  )

const accept = (file: string, reason: string) => jinka(["journal", "accept-loss", file, "--reason", reason])

describe("jinka journal accept-loss", () => {
  it("says what is lost, and lets the switch start; who accepted it and why stays in the journal", async () => {
    const file = await truncated()
    const refused = await jinka(["journal", "verify", file])
    const looked = await jinka(["journal", "accept-loss", file])
    const accepted = await accept(file, "the old disk is burnt")
    const verified = await jinka(["journal", "verify", file])
    const again = await accept(file, "once more")

    expect(refused.err).toMatch(/^jinka: Truncated: .*`jinka journal accept-loss`/)
    expect([accepted.code, accepted.err]).toEqual([0, ""])
    expect([looked.code, looked.out]).toEqual([2, expect.stringContaining("entries up to 15 were acknowledged")])
    expect(looked.err).toContain("Nothing was changed")
    expect(accepted.out).toMatch(/entries up to 15 were acknowledged.*\naccepted: entry 12 .*\nNext: start the switch/)
    expect(verified.out).toMatch(/^good: 12 entries/)
    expect(await events(file)).toEqual([
      "loss accepted: entries 11 to 15",
      expect.stringMatching(/^operator \S+: accept loss \(the old disk is burnt\)$/)
    ])
    expect([again.code, again.err]).toEqual([
      1,
      expect.stringMatching(/^jinka: Nothing is lost: .*Nothing was changed/)
    ])
  })

  it("makes no journal where there is none, and does not call that whole", async () => {
    const here = folder()
    const { code, out } = await accept(configuration(here), "a wrong file")

    expect([code === 0, out]).toEqual([false, ""])
    expect(existsSync(join(here, "journal"))).toBe(false)
  })

  it("wants a reason that holds no card number, and changes nothing without it", async () => {
    const file = await truncated()
    const unsaid = await accept(file, "card 6212345678901234")

    expect(unsaid.code).toBe(2)
    expect(unsaid.err).toContain("1 to 120 ASCII characters without a run of 8 digits")
    expect(unsaid.err).not.toContain("6212345678901234")
    expect((await jinka(["journal", "verify", file])).err).toContain("Truncated")
  })
})
