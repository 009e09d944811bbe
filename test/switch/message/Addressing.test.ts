/** Addresses in a header: the link writes its partner's code and ours where the dialect's header has them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  compile,
  type Dialect,
  derive,
  headers,
  isMessageError,
  iso8583v1987AsciiRaw,
  type Message,
  MessageIndex,
  nac
} from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { addresses, addressing, misfits } from "../../../packages/switch/src/message/Addressing.ts"
import { Crossing } from "../../../packages/switch/src/message/Crossing.ts"
import { Iso8583 } from "../../../packages/switch/src/message/Iso8583.ts"
import { usualLink } from "../LinkSettings.ts"
import { saidOf, sound } from "../operate/checked.ts"

const visa: Dialect = derive(iso8583v1987AsciiRaw, { name: "visa", header: headers["visa22"]! })

const encoded = (dialect: Dialect, message: Message): Buffer => {
  const bytes = compile(dialect).encode(message)
  if (isMessageError(bytes)) throw new Error(bytes._tag)
  return bytes
}

const indexed = (dialect: Dialect, bytes: Buffer): MessageIndex => {
  const index = new MessageIndex()
  expect(compile(dialect).index(bytes, 0, bytes.length, index)).toBeUndefined()
  return index
}

const languageOf = (dialect: Dialect) =>
  new Iso8583({ ...usualLink, institution: "400001", ourInstitution: "200002", codec: compile(dialect) })

describe("Addresses in a header", () => {
  it("of packed station ids are written with zeros in front", () => {
    expect(addresses(visa, "400001", "2")).toEqual({ destination: "400001", source: "2" })

    const bytes = encoded(visa, { mti: "0800", fields: { 11: "000001" } })
    const out = Buffer.alloc(bytes.length)
    const language = new Iso8583({
      ...usualLink,
      institution: "400001",
      ourInstitution: "2",
      codec: compile(visa)
    })
    language.pass(bytes, 0, bytes.length, out, 0)

    expect(out.toString("hex", 5, 11)).toBe("400001000002")
  })

  it("that do not fit are told by the check and never cut", async () => {
    expect(misfits(visa, "48020000", "1").map(({ part, code }) => [part.name, code])).toEqual([
      ["destination", "48020000"]
    ])
    expect(() => addressing(visa, "48020000", "1")).toThrow(/48020000 does not fit destination/)

    const folder = mkdtempSync(join(tmpdir(), "jinka-addressing-"))
    writeFileSync(join(folder, "visa.yaml"), "name: visa\nextends: iso8583v1987AsciiRaw\nheader: visa22\n")
    const text = sound.replace("dialect: cups", `dialect: ${join(folder, "visa.yaml")}`)
    const said = await saidOf(text)
    rmSync(folder, { recursive: true })
    const errors = said.filter((one) => one.includes(" error "))

    expect(errors.length).toBe(2)

    for (const place of [
      "links[0].institution: the code fits `destination`",
      "error institution: the code fits `source`"
    ])
      expect(errors.join("\n")).toContain(`${place} in the header of visa, which has 6 digits`)
  })

  it("are none in a TPDU, whose addresses are not of institutions", () => {
    expect(addresses(nac, "48020000", "00010000")).toEqual({})
  })
})

describe("An answer that comes from a partner of another dialect", () => {
  it("has the header of its own request, turned around", () => {
    const fields = { 3: "000000", 11: "000001", 41: "TERM0001" }
    const header = { destination: "0003", source: "0127" }
    const request = indexed(nac, encoded(nac, { mti: "0200", header, fields }))
    const answer = indexed(
      iso8583v1987AsciiRaw,
      encoded(iso8583v1987AsciiRaw, { mti: "0210", fields: { ...fields, 39: "00" } })
    )
    const crossing = new Crossing()

    expect(crossing.prepare(languageOf(iso8583v1987AsciiRaw), languageOf(nac), answer, request)).toBe(true)

    const bytes = Buffer.alloc(crossing.length)
    crossing.write(bytes, 0)
    expect(bytes.toString("hex", 0, 5)).toBe("6001270003")
  })
})
