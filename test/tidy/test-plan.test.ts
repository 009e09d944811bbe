/** docs/reference/test-plan.md: every row that it owes is there, with a test that exists or a reason. */
import { existsSync, readFileSync } from "node:fs"
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

  it("names no file elsewhere that is not there", () => {
    for (const [, path] of page.matchAll(/`((?:test|bench|packages)\/[^`]+)`/g)) {
      expect(existsSync(new URL(path!, root)), path!).toBe(true)
    }
  })
})
