/** docs/reference/test-plan.md: every row that it owes is there, with a test that exists or a reason. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"

const root = new URL("../../", import.meta.url)
const page = readFileSync(new URL("docs/reference/test-plan.md", root), "utf8")

/** 1 to 16, 22, 26 to 30, 33, 35 to 42, 44 to 50. */
const owed = [
  ...Array.from({ length: 16 }, (_, n) => n + 1),
  22,
  26,
  27,
  28,
  29,
  30,
  33,
  35,
  36,
  37,
  38,
  39,
  40,
  41,
  42,
  44,
  45,
  46,
  47,
  48,
  49,
  50
]

const rows = new Map(
  [...page.matchAll(/^\| *(\d+) \|([^|]*)\|([^|]*)\|([^|]*)\|$/gm)].map(([, row, , shown]) => [Number(row), shown!])
)

describe("The test plan", () => {
  it("has every row that it owes", () => {
    expect([...rows.keys()]).toEqual(owed)
  })

  it("names for every row a test that exists, or says why there is none", () => {
    for (const [row, shown] of rows) {
      const files = [...shown.matchAll(/`([^`]+)`/g)].map(([, path]) => path!)
      for (const path of files) expect(existsSync(new URL(path, root)), `row ${row}: ${path}`).toBe(true)
      if (files.length === 0) expect(shown, `row ${row}`).toMatch(/none yet: .{20,}/)
    }
  })

  it("has a dialogue for all that befalls a key, a MAC and a device, and leaves none of those of keys out", () => {
    const part = page.slice(page.indexOf("## The life of a key"), page.indexOf("## Where the plan asks for more"))
    const lines = [...part.matchAll(/^\| (\w[^|]*) \| (`[^|]*) \|$/gm)]
    const named = new Set(lines.flatMap(([, , shown]) => [...shown!.matchAll(/`([^`]+)`/g)].map(([, path]) => path!)))
    const written = readdirSync(new URL("test/regression/dialogues/key-exchange/", root))

    expect(lines).toHaveLength(20)
    for (const path of named)
      expect(existsSync(new URL(`test/regression/dialogues/${path}.yaml`, root)), path).toBe(true)
    expect(written.filter((file) => !named.has(`key-exchange/${file.replace(".yaml", "")}`))).toEqual([])
  })

  it("names no file elsewhere that is not there", () => {
    for (const [, path] of page.matchAll(/`((?:test|bench|packages)\/[^`]+)`/g)) {
      expect(existsSync(new URL(path!, root)), path!).toBe(true)
    }
  })
})
