import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import fixture from "../fixtures/codec-messages.json" with { type: "json" }
import { sound } from "../switch/operate/checked.ts"
import { cleanUp, folder, jinka } from "../switch/operate/program.ts"

afterEach(cleanUp)

const cupsFrame = fixture.messages.find(({ name }) => name.startsWith("cups frame built"))!.hex!

describe("jinka doctor", () => {
  it("explains bytes given as hex, as a file of bytes and on standard input alike, without a value", async () => {
    const file = join(folder(), "capture.bin")
    const bytes = Buffer.from(cupsFrame, "hex")
    writeFileSync(file, bytes)
    const answers = await Promise.all([
      jinka(["doctor", cupsFrame, "--json"]),
      jinka(["doctor", file, "--json"]),
      jinka(["doctor", "-", "--json"], { input: bytes })
    ])
    for (const { code, out } of answers) {
      expect(code).toBe(0)
      expect(JSON.parse(out.split("\n")[0]!)).toMatchObject({
        frame: { name: "ascii4" },
        dialect: { name: "cups", header: "cups46" },
        decoded: 1
      })
      for (const digits of bytes.toString("latin1").match(/\d{9,}/g) ?? []) expect(out).not.toContain(digits)
    }
  })

  it("ends with 1 when nothing fits and with 2 when it is given nothing to look at", async () => {
    const nothing = await jinka(["doctor", "FFFE01"])

    expect(nothing.code).toBe(1)
    expect(nothing.err).toContain("No explanation")

    const wrong = await jinka(["doctor", "no-such-file"])

    expect(wrong.code).toBe(2)
  })
})

describe("jinka dialect", () => {
  it("shows a shipped dialect with parts and Chinese names, as JSON too", async () => {
    const table = await jinka(["dialect", "show", "cups"])
    for (const text of ["48.AS.ON", "订单号", "cups46", "signOn", "Match key", "usage-value"])
      expect(table.out).toContain(text)

    const json = await jinka(["dialect", "show", "unionPayPos", "--json"])
    expect(JSON.parse(json.out)).toMatchObject({ name: "unionPayPos", summary: expect.any(Array) })
    expect((await jinka(["dialect", "show", "cupz"])).code).toBe(2)
  })

  it("checks a file to its last mistake", async () => {
    const file = join(folder(), "partner.yaml")
    writeFileSync(file, "name: x\nextends: cups\nfields:\n  60: q\n  8: { encoding: ascii }\n")
    const { code, out, err } = await jinka(["dialect", "check", file])

    expect(code).toBe(1)
    expect(out.trim().split("\n")).toEqual([
      "fields.8.format: field 8 is new and needs a format",
      "fields.60: format expected, like n6, n..19, ans...999, b8 or x+n8"
    ])
    expect(err).toContain("2 mistakes")

    writeFileSync(file, "name: cups\nextends: cups\n")
    expect((await jinka(["dialect", "check", file])).out).toContain("shipped dialect's name")
  })
})

describe("jinka decode --diff", () => {
  it("names what differs, message by message, and one that has no partner", async () => {
    const directory = folder()
    const [one, other] = [join(directory, "one.hex"), join(directory, "other.hex")]
    const body = cupsFrame.slice(8)
    const changed = body.replace("30323030", "30323130")
    writeFileSync(one, `${body}\n${body}\n`)
    writeFileSync(other, `${body}\n`)
    const { code, out } = await jinka(["decode", one, "--diff", other, "--json"])

    expect(code).toBe(1)

    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    expect(lines[0]).toEqual({ at: 1, differences: [] })
    expect(lines[1].says).toContain("no such message")

    writeFileSync(other, `${changed}\n${body}\n`)
    const table = await jinka(["decode", one, "--diff", other, "--output", "table"])
    expect(table.out).toContain("message 2: no difference")
  })
})

describe("jinka decode --link", () => {
  const configuration = (): string => {
    const file = join(folder(), "switch.yaml")
    writeFileSync(file, sound.replace("dialect: cups", "dialect: iso8583v1987AsciiRaw\n    frame: bcd2-inclusive"))
    return file
  }

  it("reads and writes with the frame and dialect of a link in a configuration", async () => {
    const link = ["--link", `${configuration()}:acquirer`]
    const built = await jinka(["encode", "-", ...link], {
      input: Buffer.from('{"mti":"0800","fields":{"11":"000001"}}')
    })

    expect(built.out.trim()).toBe("002030383030002000000000000030303030303100".slice(0, 40))

    const read = await jinka(["decode", "-", "--json", ...link], { input: Buffer.from(built.out) })
    expect(JSON.parse(read.out)).toMatchObject({ mti: "0800", fields: { 11: "000001" } })
  })

  it("says what is wrong with the link's place", async () => {
    const file = configuration()
    const said = async (...args: ReadonlyArray<string>) => {
      const { code, err } = await jinka(["decode", "-", ...args], { input: Buffer.from("00") })
      return `${code} ${err}`
    }

    expect(await said("--link", `${file}:isuer`)).toMatch(/^2 .*has no link isuer. Did you mean issuer\?/s)
    expect(await said("--link", file)).toMatch(/^2 /)
    expect(await said("--link", `${file}:issuer`, "--dialect", "cups")).toMatch(/^2 .*leave out --dialect and --frame/s)
  })
})
