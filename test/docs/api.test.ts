/** The generated references of the packages are those of today's sources, and say something of every name. */
import { readFileSync } from "node:fs"
import * as simulator from "@jinka/simulator"
import * as parts from "@jinka/switch"
import { describe, expect, it } from "vitest"
import { pages } from "../../tools/api.mjs"

const read = (name: string): string => readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), "utf8")
const namesIn = (page: string): ReadonlyArray<string> => [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!)

describe("The references of the packages", () => {
  // What a row says may be better tomorrow; which rows there are is told by the sources. `tools/api.mjs` writes both.
  it.each(["switch.md", "simulator.md"] as const)(
    "%s has the headings and the names of today's sources, with their kinds",
    (name) => {
      const form = (page: string) => page.match(/^## .*$|^\| `\w+` \| \w* \|/gm)

      expect(form(read(name))).toEqual(form(pages[name]()))
    }
  )

  it.each(["switch.md", "simulator.md"])("%s says of each name what it is, in a sentence", (name) => {
    const rows = read(name)
      .split("\n")
      .filter((line) => /^\| `/.test(line))

    expect(rows.length).toBeGreaterThan(50)
    expect(rows.filter((row) => !/[.)`:;?"] \|$/.test(row))).toEqual([])
  })

  it("name everything that there is to import", () => {
    const inSwitch = new Set(namesIn(read("switch.md")))
    const inSimulator = new Set(namesIn(read("simulator.md")))
    const ofSwitch = Object.values(parts).flatMap((space) => Object.keys(space))

    expect(ofSwitch.filter((name) => !inSwitch.has(name))).toEqual([])
    expect(Object.keys(simulator).filter((name) => !inSimulator.has(name))).toEqual([])
  })
})
