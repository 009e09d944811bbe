/** The pictures of docs/concepts/walks.md name classes and methods: each of them is in the switch. */
import { readFileSync } from "node:fs"
import { posix } from "node:path"
import { expect, it } from "vitest"
import { readRepository, root } from "./Source.ts"

const page = "docs/concepts/walks.md"

it("every walk is drawn from the code's own names", () => {
  const sources = new Map(
    readRepository()
      .filter(({ path }) => /^packages\/switch\/src\/.*\.ts$/.test(path))
      .map(({ path, text }) => [posix.basename(path, ".ts"), text])
  )
  const named = [...readFileSync(`${root}${page}`, "utf8").matchAll(/["`]([A-Z]\w+)\.([a-z]\w+)["`]/g)]

  expect(named.length).toBeGreaterThan(40)

  const missing = named.flatMap(([, name = "", method = ""]) => {
    const member = new RegExp(`^  (?:private )?(?:readonly )?(?:get )?#?${method}\\b[(:<]`, "m")
    return member.test(sources.get(name) ?? "") ? [] : [`${name}.${method}`]
  })
  expect(missing).toEqual([])
})
