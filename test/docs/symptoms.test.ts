/** The manual by symptom has an entry for every word that the code has for trouble, in both languages, and nothing else. */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { moduleAdvice } from "../../packages/switch/src/guard/ModuleError.ts"
import { EntryKind } from "../../packages/switch/src/journal/EntryKind.ts"
import { journalReasonTags } from "../../packages/switch/src/journal/JournalReason.ts"
import { advice } from "../../packages/switch/src/link/LinkEnded.ts"
import { acts } from "../../packages/switch/src/Operations.ts"
import { alarmKinds } from "../../packages/switch/src/operate/alarm/Conditions.ts"
import { exitCodes } from "../../packages/switch/src/operate/Exit.ts"
import { errorsPage } from "../../packages/switch/src/operate/reference/ErrorsPage.ts"
import { tlsReasons } from "../../packages/switch/src/operate/TlsWords.ts"

const page = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../docs/operate/${name}`, import.meta.url)), "utf8")

/** The tables of a page in their order, each by its heading: the cells behind the name of each row. */
const tables = (text: string): ReadonlyMap<string, ReadonlyMap<string, ReadonlyArray<string>>> =>
  new Map(
    text
      .split(/^## /m)
      .slice(1)
      .map((part) => {
        const rows = part.split("\n").filter((line) => /^\| [A-Za-z0-9]+ \|/.test(line))
        const cells = rows.map((row) =>
          row
            .split("|")
            .slice(1, -1)
            .map((cell) => cell.trim())
        )
        // The row of headings is above the one of dashes.
        const words = cells.filter(([name]) => !/^(?:Alarm|Reason|Kind|Name|Rule)$/.test(name!))
        return [part.slice(0, part.indexOf("\n")), new Map(words.map(([name, ...rest]) => [name!, rest]))] as const
      })
      .filter(([, rows]) => rows.size > 0)
  )

/** Words that the reference has from the types of the code, by the heading there. */
const referenced = (...headings: ReadonlyArray<string>): ReadonlyArray<string> => {
  const reference = tables(errorsPage())
  return headings.flatMap((heading) => [...reference.get(heading)!.keys()])
}

/** Kinds of entries that nobody has to look at: the good course of things, and what persons did. `refused` is a section. */
const usual: ReadonlyArray<string> =
  "accepted refused answered queued sent acknowledged event named closed key held released day".split(" ")

/** What each section owes, in the order of the page. */
const owed: ReadonlyArray<readonly [what: string, words: ReadonlyArray<string>]> = [
  ["alarm", alarmKinds],
  ["end of a connection", Object.keys(advice)],
  ["connection that is not let in", referenced("Connections that never become a link's")],
  ["handshake that comes to nothing", Object.keys(tlsReasons)],
  ["refusal", referenced("Refusals")],
  ["entry of the journal that asks for a look", Object.keys(EntryKind).filter((kind) => !usual.includes(kind))],
  ["frame or message that cannot be read", [...new Set(referenced("Frames", "Messages"))]],
  ["error of a security module", Object.keys(moduleAdvice)],
  ["exit code", Object.values(exitCodes).map(String)],
  ["end of a journal", journalReasonTags]
]

describe.each(["symptoms.md", "symptoms.zh.md"])("The manual by symptom, %s,", (name) => {
  const sections = [...tables(page(name)).values()]

  it.each(owed.map(([what, words], at) => [what, words, at] as const))(
    "has an entry for every %s",
    (_what, words, at) => {
      expect(words.length).toBeGreaterThan(5)
      expect([...sections[at]!.keys()].sort()).toEqual([...words].sort())
    }
  )

  it("says in each what it means, what to look at, what to do and what to tell the partner", () => {
    expect(sections).toHaveLength(owed.length)
    for (const rows of sections) {
      for (const [symptom, cells] of rows)
        expect([symptom, cells.filter((cell) => cell !== "").length]).toEqual([symptom, 4])
    }
  })

  it("says what to do about each start that is refused for another reason", () => {
    const starts = referenced("A start that is refused")

    expect(starts.length).toBeGreaterThan(2)
    expect(starts.filter((reason) => !page(name).includes(`\`${reason}\``))).toEqual([])
  })

  it("names only acts on links that there are", () => {
    const named = [...page(name).matchAll(/jinka link ([a-z-]+)/g)].map(([, act]) => act)
    expect(named.length).toBeGreaterThan(3)
    expect(named.filter((act) => !acts.some((one) => one === act))).toEqual([])
  })
})
