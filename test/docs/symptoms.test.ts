/** The manual by symptom has an entry for every alarm and every end of a connection, in both languages, and nothing else. */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { advice } from "../../packages/switch/src/link/LinkEnded.ts"
import { acts } from "../../packages/switch/src/Operations.ts"
import { alarmKinds } from "../../packages/switch/src/operate/alarm/Conditions.ts"

const page = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../docs/operate/${name}`, import.meta.url)), "utf8")

/** The rows of both tables of a page: the cells behind the name. */
const tables = (text: string): ReadonlyArray<ReadonlyMap<string, ReadonlyArray<string>>> =>
  text
    .split(/^## /m)
    .slice(1)
    .map((part) => {
      const rows = part.split("\n").filter((line) => /^\| [A-Za-z]+ \|/.test(line))
      return new Map(
        rows.map((row) => {
          const [name = "", ...cells] = row.split("|").slice(1, -1)
          return [name.trim(), cells.map((cell) => cell.trim())] as const
        })
      )
    })

describe.each(["symptoms.md", "symptoms.zh.md"])("The manual by symptom, %s,", (name) => {
  const [alarms, ends] = tables(page(name))
  const withoutHead = (rows: ReadonlyMap<string, unknown> | undefined) =>
    [...(rows?.keys() ?? [])].filter((row) => row !== "Alarm" && row !== "Reason")

  it("has an entry for every alarm that the switch raises", () => {
    expect(withoutHead(alarms).sort()).toEqual([...alarmKinds].sort())
  })

  it("has an entry for every reason for which a connection ends", () => {
    expect(withoutHead(ends).sort()).toEqual(Object.keys(advice).sort())
  })

  it("says in each what it means, what to look at, what to do and what to tell the partner", () => {
    for (const rows of [alarms!, ends!]) {
      for (const [symptom, cells] of rows)
        expect([symptom, cells.filter((cell) => cell !== "").length]).toEqual([symptom, 4])
    }
  })

  it("names only acts on links that there are", () => {
    const named = [...page(name).matchAll(/jinka link ([a-z-]+)/g)].map(([, act]) => act)
    expect(named.length).toBeGreaterThan(3)
    expect(named.filter((act) => !acts.some((one) => one === act))).toEqual([])
  })
})
