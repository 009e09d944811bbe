import { readFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import * as codec from "@jinka/codec"
import { describe, expect, it } from "vitest"

const page = readFileSync(new URL("../../docs/reference/codec.md", import.meta.url), "utf8")
const readme = readFileSync(new URL("../../packages/codec/README.md", import.meta.url), "utf8")

/** Examples by the heading above them. */
const examples = [
  ...`${page}\n## Read me\n${readme}`.matchAll(/^## (.*)\n(?:(?!^## )[\s\S])*?^```ts\n([\s\S]*?)^```$/gm)
].map(([, title, text]) => ({
  title: title!,
  text: text!
}))

/** `x // => y` and `x`, `// => y` on the next line become checks; `~>` compares what is named only. */
const withChecks = (text: string): string =>
  text
    .replace(/\n(\/\/ [=~]>)/g, " $1")
    .replace(/^import (\{[^}]*\}) from "@jinka\/codec"$/gm, "const $1 = exported")
    .replace(/^;?(.*?) \/\/ ([=~])> (.*)$/gm, (_, given, kind, expected) => {
      const declared = /^const \w+ =/.test(given)
      if (declared) throw new Error("a check is behind an expression, not a declaration")
      return `;checks.push([${given}, ${JSON.stringify(kind)}, ${expected}])`
    })

describe("The reference of the codec", () => {
  for (const { title, text } of examples)
    it(`has an example that gives what it says: ${title}`, () => {
      const checks: Array<[unknown, string, unknown]> = []
      new Function("exported", "checks", stripTypeScriptTypes(withChecks(text)))(codec, checks)

      expect(checks.length).toBeGreaterThan(0)
      for (const [given, kind, expected] of checks) {
        if (kind === "=") expect(given).toEqual(expected)
        else expect(given).toMatchObject(expected as object)
      }
    })

  it("says each thing to its end: no row stops at a colon, and each is a sentence", () => {
    const rows = page.split("\n").filter((line) => /^\| `\w+` *\|/.test(line))

    expect(rows.length).toBeGreaterThan(100)
    expect(rows.filter((row) => !/[.)`] *\|$/.test(row))).toEqual([])
  })

  it("names everything that the package exports", () => {
    expect(Object.keys(codec).filter((name) => !page.includes(`\`${name}\``))).toEqual([])
    expect(examples.length).toBeGreaterThan(8)
  })
})
