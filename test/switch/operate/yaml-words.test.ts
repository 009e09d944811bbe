/**
 * What is wrong with a YAML text is said alike for every file that people write: what is there, what to write, and no card
 * number.
 */
import { checkDialect } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { FileInvalid } from "../../../packages/simulator/src/file/FileInvalid.ts"
import { parseYaml } from "../../../packages/simulator/src/file/YamlNodes.ts"
import { isLong } from "../../Runs.ts"
import { saidOf } from "./checked.ts"

const ofSimulator = (text: string): string => {
  try {
    parseYaml("file.yaml", text)
    return "nothing"
  } catch (error) {
    if (error instanceof FileInvalid) return error.message
    throw error
  }
}

/** What each of the three readers says. */
const said = async (text: string): Promise<ReadonlyArray<string>> => [
  (await saidOf(text)).join("\n"),
  checkDialect(text)
    .errors.map(({ rule }) => rule)
    .join("\n"),
  ofSimulator(text)
]

const pan = "4111111111111111"

describe("A YAML text that is wrong", () => {
  it.each([
    ['name: "x\n', "a quotation mark is not closed", /close it where the text ends/i],
    ["name: 'x\nextends: cups\n", "a quotation mark is not closed", /close it where the text ends/i],
    [
      "links:\n  - name: a\n    to: b\n   c: d\n",
      "begin at different columns",
      /indent the keys of one mapping alike/i
    ],
    ["links:\n  - { name: a }\n   c: d\n", "begin at different columns", /indent the keys of one mapping alike/i],
    ["name: [a, , b]\n", "a comma is where an entry is expected", /remove it/i],
    ["name: x\nhello\n", "a line without a colon", /put a colon and a space behind the key/i],
    ["name: a: b\n", "two keys are on one line", /in quotes if it holds a colon/i],
    ["name: @x\n", "a value begins with a character", /put the value in quotes/i],
    ['name: "x"#c\n', "a # is behind other text", /put a space in front of #/i],
    ["name: [a\nextends: cups\n", "is not closed", /close each \[ and \{/i],
    [`name: |${pan}\n  x\n`, "something follows that belongs to no value", /close what is open/i],
    [`name: "x" ${pan}\n`, "something follows that belongs to no value", /put the value in quotes/i]
  ])("is told what is there and what to write: %j", async (text, rule, fix) => {
    for (const one of await said(text)) {
      expect(one).toContain(rule)
      expect(one).toMatch(fix)
      expect(one).not.toContain(pan)
    }
  })

  it.each([
    ["UTF-16", Buffer.from("\ufeffname: x\n", "utf16le"), "the text is UTF-16", /save it as UTF-8/i],
    ["UTF-16, no mark", Buffer.from("name: x\n", "utf16le"), "the text is UTF-16", /save it as UTF-8/i],
    [
      "UTF-16, high byte first",
      Buffer.from("name: x\n", "utf16le").swap16(),
      "the text is UTF-16",
      /save it as UTF-8/i
    ],
    ["GBK", Buffer.from("name: \xc1\xb4\xc2\xb7\n", "latin1"), "these bytes are no UTF-8", /iconv -f GBK/],
    ["EBCDIC", Buffer.from("958194857a40a725", "hex"), "these bytes are no UTF-8", /save it as UTF-8/i],
    ["gzip", Buffer.from("1f8b0808acedc96a0003", "hex"), "no", /name the YAML file itself/i],
    ["zeros", Buffer.from("name: x\n\0y: 1234567890\n"), "it holds bytes of zero", /name the YAML file itself/i]
  ])("is named by its encoding where that is not UTF-8: %s", async (_, bytes, rule, fix) => {
    for (const one of await said(bytes.toString())) {
      expect(one).toContain(rule)
      expect(one).toMatch(fix)
      expect(one).not.toContain("no keys")
    }
  })

  it("is read where only a comment is not UTF-8, and where CR alone ends the lines", async () => {
    const comment = Buffer.from("# \xc1\xb4\xc2\xb7\nname: a: b\n", "latin1").toString()
    for (const one of await said(comment)) expect(one).toContain("two keys are on one line")
    for (const one of await said("name: x\rname: y\r")) expect(one).toContain("a key is given twice")
  })

  it.each([`%${pan}\n---\nname: x\n`, `name: *${pan}\n`, `name: "\\${pan}"\n`, `? [${pan}]\n: x\n`])(
    "shows no digits of it: %j",
    async (text) => {
      for (const one of await said(text)) expect(one).not.toMatch(/\d{12}/)
    }
  )

  // Each key was compared with all before it: sixteen times the work for four times the keys.
  it("names the line of a key that is given twice, in a large mapping with no more work for each key than in a small one", async () => {
    const large = isLong ? 100_000 : 12_000
    const workFor = async (count: number): Promise<number> => {
      const keys = Array.from({ length: count }, (_, n) => `k${n}: 1\n`).join("")
      const before = process.cpuUsage()
      for (const one of await said(`${keys}k7: 2\n`)) {
        expect(one).toContain("a key is given twice in one mapping")
        expect(one).toContain(String(count + 1))
      }
      const { system, user } = process.cpuUsage(before)
      return system + user
    }

    const ofSmall = await workFor(large / 4)
    expect(await workFor(large)).toBeLessThan(8 * ofSmall)
  })
})
