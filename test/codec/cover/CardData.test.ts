import {
  compile,
  coverCardData,
  coverCardText,
  coverRuns,
  coverRunsOfHex,
  coverTyped,
  holdsTrack,
  iso8583v2003,
  MessageIndex
} from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { runs } from "../../Runs.ts"
import { cardNumbers, showsNumber, track1Of, track2Of } from "./Canaries.ts"

const covered = (bytes: Buffer, kind: "text" | "bytes" | "packed"): Buffer => {
  const copy = Buffer.from(bytes)
  coverCardData(copy, 0, copy.length, kind)
  return copy
}

const ebcdic = (text: string): Buffer =>
  Buffer.from([...text].map((one) => (/\d/.test(one) ? 0xf0 + Number(one) : one === "=" ? 0x7e : 0x40)))

const packed = (digits: string): Buffer =>
  Buffer.from((digits.length % 2 === 0 ? digits : `${digits}f`).replace("=", "d"), "hex")

const isGood = (pan: string): boolean =>
  [...pan].reverse().reduce((sum, digit, at) => {
    const one = Number(digit) * (1 + (at % 2))
    return sum + (one > 9 ? one - 9 : one)
  }, 0) %
    10 ===
  0

describe("A text of several lines", () => {
  it("is no bytes: what looks like packed digits across the break stays as it is, and a card number is covered", () => {
    const text = 'column 1 of the rule: "drp" is no fault\n    drp 0210\n    ^'

    expect(coverTyped(text)).toBe(text)
    expect(coverTyped(`${text}\n6200000000000005`)).toBe(`${text}\n620000******0005`)
  })
})

describe("A card number", () => {
  it("is found in a text, alone, in groups, among other digits and behind zeros", () => {
    for (const pan of cardNumbers) {
      const groups = pan.replace(/(\d{4})(?=\d)/g, "$1 ")
      for (const text of [pan, `card ${pan}.`, `000000${pan}`, groups, groups.replaceAll(" ", "-")]) {
        const shown = coverCardText(text)
        expect([text, showsNumber(shown.replace(/[ -]/g, ""), pan)]).toEqual([text, undefined])
        expect(shown).toHaveLength(text.length)
        expect(shown.replace(/[ -]/g, "")).toContain(pan.slice(0, 6))
      }
      for (const text of [`${pan}0000`, `${pan}3012123`, `0200000001${"1123120000"}${pan}`.padEnd(42, "0")])
        expect([text, showsNumber(coverCardText(text), pan)]).toEqual([text, undefined])
    }
  })

  it("is found in EBCDIC and packed, at either half of a byte", () => {
    for (const pan of cardNumbers) {
      expect(showsNumber(covered(ebcdic(`  ${pan} `), "text"), pan)).toBeUndefined()
      for (const digits of [pan, `0${pan}`, `00${pan}0000`]) {
        const bytes = packed(digits)
        expect([digits, showsNumber(covered(bytes, "bytes"), pan)]).toEqual([digits, undefined])
        expect([digits, showsNumber(covered(bytes, "packed"), pan)]).toEqual([digits, undefined])
      }
    }
    // Between other bytes of a text, where digits and letters look like packed digits too.
    const inText = Buffer.concat([Buffer.from("SHOP "), packed("4111111111111111"), Buffer.from(" ROAD 12345678")])

    expect(showsNumber(covered(inText, "text"), "4111111111111111")).toBeUndefined()
    expect(covered(inText, "text").toString("latin1")).toContain(" ROAD 12345678")
  })

  it("is found at the beginning of a run of digits, however long that is", () => {
    const pan = "4111111111111111"
    for (let length = pan.length; length < 140; length++) {
      const digits = pan.padEnd(length, "0")
      expect([length, showsNumber(covered(Buffer.from(digits), "text"), pan)]).toEqual([length, undefined])
      expect([length, showsNumber(covered(ebcdic(digits), "text"), pan)]).toEqual([length, undefined])
      expect([length, showsNumber(covered(packed(digits), "packed"), pan)]).toEqual([length, undefined])
    }
  })

  it("is found between any other characters or bytes, by the first look as by the second", () => {
    const around = fc.stringMatching(/^[0-9A-F =-]{0,14}$/)
    const number = fc.tuple(
      fc.constantFrom("4", "51", "62", "35", "60"),
      fc.stringMatching(/^[0-9]{17}$/),
      fc.nat({ max: 3 })
    )
    fc.assert(
      fc.property(around, number, around, (before, [begin, digits, longer], behind) => {
        const length = begin === "62" ? 16 + longer : 16
        const bare = (begin + digits).slice(0, length - 1)
        const pan = [...Array(10).keys()].map((digit) => bare + digit).find(isGood)!
        if (/^.{3}0*$/.test(pan)) return
        const text = before + pan + behind
        const seen: ReadonlyArray<string> = [
          coverCardText(text),
          covered(Buffer.from(text), "text").toString("latin1"),
          covered(Buffer.from(text), "bytes").toString("latin1")
        ]
        for (const one of seen) expect([text, one.includes(pan)]).toEqual([text, false])
        const hex = `${before.replace(/[^0-9A-F]/g, "")}${pan}${behind.replace(/[^0-9A-F]/g, "")}`
        const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `${hex}F`, "hex")
        expect([hex, covered(bytes, "bytes").toString("hex").includes(pan)]).toEqual([hex, false])
      }),
      runs(1500)
    )
  })

  it("is not seen in amounts, dates, times and codes", () => {
    for (const text of [
      "2600000000000000",
      "000000012500",
      "20261127001840",
      "1001156C0000001000001002156D000000050000",
      "0200000001112312000000048020000000480200000",
      "TERM0001",
      "4111111111111112"
    ])
      expect(coverCardText(text)).toBe(text)
    const cryptogram = Buffer.from("1122334455667788", "hex")

    expect(covered(cryptogram, "bytes")).toEqual(cryptogram)
  })
})

describe("A track", () => {
  it("of the first kind is covered to its end, although a letter of its name was lost on the way", () => {
    for (const pan of cardNumbers) {
      const track = track1Of(pan).replace(/\^(.)/, "^?$1?")
      expect(coverCardText(`%${track}?`)).not.toMatch(/\d{2}/)
    }
  })

  it("is found with all that follows its number, whatever its check digit", () => {
    for (const pan of [...cardNumbers, "4111111111111112"]) {
      for (const text of [track2Of(pan), `;${track2Of(pan)}?`, track1Of(pan), `%${track1Of(pan)}?`]) {
        expect(coverCardText(text).replace(/\^/g, "")).not.toMatch(/\d{2}/)
        expect(holdsTrack(Buffer.from(text), 0, text.length, "text")).toBe(true)
      }
      const bytes = packed(track2Of(pan))
      expect(holdsTrack(bytes, 0, bytes.length, "bytes")).toBe(true)
      expect(covered(bytes, "bytes").toString("hex")).toMatch(/^e+f?$/)
      expect(holdsTrack(ebcdic(track2Of(pan)), 0, track2Of(pan).length, "text")).toBe(true)
    }
    expect(holdsTrack(Buffer.from("4111111111111111"), 0, 16, "text")).toBe(false)
  })
})

describe("Something that was not understood", () => {
  it("shows no run of 8 digits: as text, packed, in EBCDIC or read as Latin-1", () => {
    expect(coverRuns("DE 12345678 1234567")).toBe("DE ******** 1234567")
    expect(coverRuns("òóôõö÷øù")).toBe("********")
    expect(coverRunsOfHex("9F1612345678AB")).toBe("9F**********AB")
    expect(coverRunsOfHex("F1F2F3F4F5F6F7F8AA")).toBe("****************AA")
    expect(coverRunsOfHex("30303435AA")).toBe("30303435AA")
  })
})

describe("An amount of the 2003 edition", () => {
  const codec = compile(iso8583v2003)
  const shown = (value: string): string => {
    const bytes = codec.encode({ mti: "2200", fields: { 3: "000000", 4: value, 11: "000000000001" } }) as Buffer
    const index = new MessageIndex()
    codec.index(bytes, 0, bytes.length, index)
    const copy = Buffer.alloc(bytes.length)
    codec.redact(index, copy, 0)
    codec.index(copy, 0, copy.length, index)
    return index.text(4)
  }

  it("is shown though its digits pass for a card number; a card number in its place is covered", () => {
    const amounts = Array.from({ length: 100 }, (_, n) => `1562${String(12_300 + n).padStart(12, "0")}`)

    expect(amounts.filter(isGood).length).toBe(10)
    for (const amount of [...amounts, "3920000000050000"]) expect(shown(amount)).toBe(amount)
    for (const pan of cardNumbers.filter((one) => one.length === 16))
      expect([pan, showsNumber(shown(pan), pan)]).toEqual([pan, undefined])
  })
})
