import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { dialects } from "@jinka/codec"
import { afterAll, describe, expect, it } from "vitest"
import { saidOf, sound } from "./checked.ts"

const folder = mkdtempSync(join(tmpdir(), "jinka-keys-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** What is said of the sound configuration when its first link has a dialect file of these lines, and more lines itself. */
const saidWith = (lines: string, more = ""): Promise<ReadonlyArray<string>> => {
  const file = join(folder, "partner.yaml")
  writeFileSync(file, lines)
  return saidOf(sound.replace("dialect: cups\n", `dialect: ${file}\n${more}`))
}

const partner = "name: partner\nextends: iso8583v1987Ascii\n"

describe("The keys of a link's messages", () => {
  it("are refused when they may be longer than the table's places: two requests would be taken for one", async () => {
    const match = "match: { transaction: [11, 48] }\n"

    const said = await saidWith(`${partner}${match}`)

    expect(said).toHaveLength(1)
    expect(said[0]).toContain("links[0].dialect: the key of a message (`match.transaction` and `callers`: DE 11, 48)")
    expect(said[0]).toContain("has at most 128 bytes; found up to 1006 bytes. Name fewer or shorter fields.")
    expect(await saidWith(`${partner}${match}fields: { 48: ans..99 }\n`)).toEqual([])
  })

  it("are refused when only the callers make them too long, and counted as written: binary twice", async () => {
    const fields = (units: number) => `${partner}match: { transaction: [11, 64, 62] }\nfields: { 62: b..${units} }\n`

    expect(await saidWith(fields(40))).toEqual([])
    expect((await saidWith(fields(40), "    callers: [41, 42]\n"))[0]).toContain(
      "DE 11, 64, 62, 41, 42) has at most 128"
    )
  })

  it("are warned of where a route leads to a partner that would take two of them for one", async () => {
    const two = sound.replace("dialect: cups\n", "dialect: unionPayPos\n")
    expect(await saidOf(two)).toEqual([
      expect.stringContaining(
        "warning links[1].dialect: the dialect of acquirer has no DE 7, 33, by which this partner tells messages apart: what comes from there is refused as a format error. Write `stan: own`"
      )
    ])
    expect(await saidOf(two.replace("    connect:", "    stan: own\n    connect:"))).toEqual([])
  })

  it("are warned of where a route leads to a partner of another edition, unless it is for others", async () => {
    const two = sound.replace("dialect: cups\n", "dialect: iso8583v1993Ascii\n")

    expect(await saidOf(two)).toEqual([
      expect.stringContaining(
        "warning links[1].dialect: this partner speaks ISO 8583:1987, and acquirer another edition: what comes from there is refused as a format error. Write `from:` on the route"
      )
    ])

    const others = await saidOf(two.replaceAll("to: issuer", "to: issuer, from: issuer"))

    expect(others.filter((one) => one.includes("edition"))).toEqual([])
  })

  it("fit for every shipped dialect, with all callers", async () => {
    for (const name of Object.keys(dialects)) {
      const said = await saidOf(sound.replace("dialect: cups\n", `dialect: ${name}\n    callers: [41, 42]\n`))
      expect([name, said.filter((one) => one.includes("key of a message") || one.includes("card number"))]).toEqual([
        name,
        []
      ])
    }
  })

  it("are not read from a card number that the journal has no room for, or under a name of two lines", async () => {
    expect((await saidWith(`${partner}fields: { 2: ans..28 }\n`))[0]).toContain(
      "a card number (DE 2) has at most 19 digits"
    )
    expect((await saidWith(`${partner.replace("partner", '"two\\nlines"')}`))[0]).toContain(
      "of at most 64 characters that can be printed"
    )
  })
})
