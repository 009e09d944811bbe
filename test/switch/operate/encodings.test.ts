/** Bytes in the encodings of mails, addresses and pages, in digits of two, and dumps that leave rows out: `decode` reads them. */
import { compile, cupsFrame, dialects, isMessageError, wholeFrame } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { otherReadings } from "../../../packages/switch/src/operate/message/paste/OtherReadings.ts"
import { hexOf, read } from "./Pasted.ts"

const pairs = (bytes: Buffer) => bytes.toString("hex").match(/../g)!
const rows = (bytes: Buffer, line: (row: Buffer, at: number) => string, width = 16) =>
  Array.from({ length: Math.ceil(bytes.length / width) }, (_, at) =>
    line(bytes.subarray(width * at, width * (at + 1)), width * at)
  ).join("\n")
const each = (bytes: Buffer, write: (pair: string) => string, between = "") => pairs(bytes).map(write).join(between)
const base32 = (bytes: Buffer) =>
  (
    [...bytes]
      .map((byte) => byte.toString(2).padStart(8, "0"))
      .join("")
      .match(/.{1,5}/g) ?? []
  )
    .map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five.padEnd(5, "0"), 2)])
    .join("")
/** Characters that are printed as they are, but for those that are `not`; the others as `write` says. */
const unless = (bytes: Buffer, not: string, write: (byte: number) => string) =>
  [...bytes].map((byte) => {
    const one = String.fromCharCode(byte)
    return byte < 0x20 || byte > 0x7e || not.includes(one) ? write(byte) : one
  })
const two = (byte: number) => byte.toString(16).toUpperCase().padStart(2, "0")
const uu = (row: Buffer) => {
  const six = (value: number) => String.fromCharCode(value === 0 ? 0x60 : 0x20 + value)
  const bits = [...row].map((byte) => byte.toString(2).padStart(8, "0")).join("")
  const padded = bits.padEnd(24 * Math.ceil(row.length / 3), "0")
  return (
    six(row.length) +
    padded
      .match(/.{6}/g)!
      .map((one) => six(Number.parseInt(one, 2)))
      .join("")
  )
}

const encodings: Readonly<Record<string, (bytes: Buffer) => string>> = {
  "base32, over lines": (bytes) => base32(bytes).replaceAll(/.{64}/g, "$&\n"),
  uuencode: (bytes) => `begin 644 m.bin\n${rows(bytes, uu, 45)}\n\`\nend\n`,
  "quoted-printable": (bytes) =>
    unless(bytes, "=", (byte) => `=${two(byte)}`)
      .join("")
      .replaceAll(/(?:=..|[^=]){60}/g, "$&=\n"),
  "an address with percent signs": (bytes) => unless(bytes, "% +&=?/#", (byte) => `%${two(byte)}`).join(""),
  "a page with character references": (bytes) => unless(bytes, "&<>\"'", (byte) => `&#x${two(byte)};`).join(""),
  "a text of Perl": (bytes) => `"${unless(bytes, '\\"$@', (byte) => `\\x{${two(byte)}}`).join("")}"`,
  "characters of Delphi": (bytes) => each(bytes, (pair) => `#$${pair}`),
  "digits of two": (bytes) => [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join(" ")
}

const fields = { 3: "000000", 4: "000000000100", 7: "1128073000", 11: "000001", 41: "TERM0001", 49: "156" }

describe.each(["cups", "iso8583v1987Ascii", "iso8583v1987Bcd"])("A message of %s", (name) => {
  const codec = compile(dialects[name]!)
  const is = (bytes: Buffer) => !isMessageError(codec.decode(bytes))

  it.each(Object.keys(encodings))("is read with and without a length header from %s", (what) => {
    const message = codec.encode({ mti: "0200", fields }) as Buffer
    for (const frame of [undefined, cupsFrame]) {
      const text = encodings[what]!(frame === undefined ? message : Buffer.from(wholeFrame(frame, message)))
      const given = frame === undefined ? { is } : { is, frame }
      expect(hexOf(read(text, given)), text).toContain(message.toString("hex"))
    }
  })
})

describe("A dump that leaves out rows that are alike", () => {
  const dialect = dialects["iso8583v1987Ascii"]!
  const long = compile(dialect).encode({ mti: "0200", fields: { ...fields, 48: "7".repeat(200) } }) as Buffer
  const is = (bytes: Buffer) => !isMessageError(compile(dialect).decode(bytes))
  /** As od and hexdump do. */
  const squeezed = (lines: ReadonlyArray<string>, front: number) =>
    lines
      .map((line, at) => (at > 0 && line.slice(front) === lines[at - 1]!.slice(front) ? "*" : line))
      .filter((line, at, all) => line !== "*" || all[at - 1] !== "*")
      .join("\n")
  const octal = (at: number) => at.toString(8).padStart(7, "0")
  const decimal = (at: number) => String(at).padStart(7, "0")

  it.each([
    ["od -c", octal, (row: Buffer) => [...row].map((byte) => `   ${String.fromCharCode(byte)}`).join("")],
    ["od -b", octal, (row: Buffer) => [...row].map((byte) => ` ${byte.toString(8).padStart(3, "0")}`).join("")],
    ["od -A d -t u1", decimal, (row: Buffer) => [...row].map((byte) => ` ${String(byte).padStart(3)}`).join("")]
  ])("is read as a whole: %s", (_, offset, write) => {
    const lines = rows(long, (row, at) => `${offset(at)}${write(row)}`).split("\n")
    const text = `${squeezed(lines, 7)}\n${offset(long.length)}\n`

    expect(text).toContain("\n*\n")
    expect(hexOf(read(text, { is }))).toEqual([long.toString("hex")])
  })

  it.each([8, 10, 16])("takes room by its own length, and not by what offsets of base %d say", (base) => {
    const front = (n: number) => (16 * 2000 * n).toString(base).padStart(7, "0")
    const lines = Array.from({ length: 2000 }, (_, n) => `${front(n)} 060 062 060 060\n*\n`)
    const found = otherReadings(`${lines.join("")}${front(lines.length)}\n`).flat()

    expect(found.reduce((all, { length }) => all + length, 0)).toBeLessThan(4_000_000)
  })

  it("says what is missing where it has no offsets", () => {
    const text = squeezed(rows(long, (row) => each(row, (pair) => ` ${pair}`)).split("\n"), 0)

    expect(hexOf(read(text, { is }))).toContainEqual(
      expect.stringMatching(/`\*` stands for rows .* nobody knows how many: paste the dump with its offsets/)
    )
  })

  it("or where the program that printed the bytes has left out the last ones", () => {
    expect(
      hexOf(read(`<Buffer ${each(long.subarray(0, 50), (pair) => pair, " ")} ... ${long.length - 50} more bytes>\n`))
    ).toEqual([expect.stringMatching(/^1: what printed these bytes has left some out .* print all of them, as hex$/)])
  })
})
