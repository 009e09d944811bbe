/** Bytes as programs, logs, mails and terminals write them: `decode` and `doctor` read all of it, and read the same. */

import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { compile, cupsFrame, type Dialect, dialects, isMessageError, wholeFrame } from "@jinka/codec"
import fc from "fast-check"
import { afterEach, describe, expect, it } from "vitest"
import { flowsOf } from "../../../packages/switch/src/operate/message/CapturedFlows.ts"
import { otherReadings, WHOLE_TEXT_MAX } from "../../../packages/switch/src/operate/message/paste/OtherReadings.ts"
import { anyText } from "../../codec/iso8583/arbitrary.ts"
import { isLong } from "../../Runs.ts"
import { hexOf, read } from "./Pasted.ts"
import { cleanUp, folder, jinka } from "./program.ts"

afterEach(cleanUp)

const pairs = (bytes: Buffer) => bytes.toString("hex").match(/../g)!
const shown = (bytes: Buffer) => bytes.toString("latin1").replaceAll(/[^\x20-\x7e]/g, ".")
const rows = (bytes: Buffer, line: (row: Buffer, at: number) => string, width = 16) =>
  Array.from({ length: Math.ceil(bytes.length / width) }, (_, at) =>
    line(bytes.subarray(width * at, width * (at + 1)), width * at)
  ).join("\n")
const each = (bytes: Buffer, write: (pair: string) => string, between = "") => pairs(bytes).map(write).join(between)
const escapedOnly = (bytes: Buffer) =>
  [...bytes]
    .map((byte) =>
      byte === 0x5c || byte < 0x20 || byte > 0x7e || byte === 0x27
        ? `\\x${byte.toString(16).padStart(2, "0")}`
        : String.fromCharCode(byte)
    )
    .join("")

/** In UTF-8, one character for each byte. */
const inUtf8 = (text: string) => Buffer.from(text).toString("latin1")
const notations: Readonly<Record<string, (bytes: Buffer) => string>> = {
  "bytes of Rust with their type": (bytes) =>
    `let m: [u8; ${bytes.length}] = [${each(bytes, (pair) => `0x${pair}u8`, ", ")}];`,
  "bytes of Kotlin": (bytes) => `val m = byteArrayOf(${each(bytes, (pair) => `0x${pair}.toByte()`, ", ")})`,
  "bytes of Kotlin without a sign": (bytes) =>
    `val m = ubyteArrayOf(${each(bytes, (pair) => `0x${pair}.toUByte()`, ", ")})`,
  "bytes of Swift": (bytes) => `let m: [UInt8] = [${[...bytes].join(", ")}]`,
  "digits as wide as Chinese characters": (bytes) =>
    inUtf8([...bytes.toString("hex")].map((one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0)).join("")),
  "pairs between wide and thin blanks": (bytes) => inUtf8(each(bytes, (pair) => `${pair}\u3000\u2009`)),
  "UTF-16 with blanks that do not break": (bytes) =>
    Buffer.from(`\ufeff${each(bytes, (pair) => pair, "\u00a0")}\r\n`, "utf16le").toString("latin1"),
  "lines that end with CR alone": (bytes) =>
    rows(bytes, (row) => each(row, (pair) => pair, " ")).replaceAll("\n", "\r"),
  "UTF-16 without its mark": (bytes) =>
    Buffer.from(
      rows(bytes, (row) => each(row, (pair) => pair, " ")),
      "utf16le"
    ).toString("latin1"),
  "UTF-16 with the high byte first": (bytes) =>
    Buffer.from(
      rows(bytes, (row) => each(row, (pair) => pair, " ")),
      "utf16le"
    )
      .swap16()
      .toString("latin1"),
  "cat -n": (bytes) =>
    rows(bytes, (row, at) => `${String(at / 16 + 1).padStart(6)}\t${each(row, (pair) => pair, " ")}`),
  "grep -n": (bytes) => rows(bytes, (row, at) => `${at / 16 + 1}: ${each(row, (pair) => pair)}`),
  "numbers of one hex digit": (bytes) =>
    `[]byte{${each(bytes, (pair) => `0x${Number.parseInt(pair, 16).toString(16)}`, ", ")}}`,
  "a binary of Erlang": (bytes) => `<<${each(bytes, (pair) => String(Number.parseInt(pair, 16)), ",")}>>`,
  "a dump below the numbers of its columns": (bytes) =>
    `           00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F\n\n${rows(bytes, (row, at) => `${at.toString(16).padStart(8, "0")}   ${each(row, (pair) => pair, " ").padEnd(47)}  ${shown(row)}`)}`,
  "xxd -i": (bytes) =>
    `unsigned char m_bin[] = {\n${rows(bytes, (row) => `  ${each(row, (pair) => `0x${pair}`, ", ")}`, 12).replaceAll("\n", ",\n")}\n};\nunsigned int m_bin_len = ${bytes.length};\n`,
  "an array of C with comments": (bytes) =>
    `/* Frame (${bytes.length} bytes) */\nstatic const uint8_t packet[] = { /* Packet 4 */\n${rows(bytes, (row) => `${each(row, (pair) => `0x${pair}`, ", ")}, // ${row.length}`, 8)}\n};`,
  "bytes of Java": (bytes) => `byte[] m = new byte[] { ${each(bytes, (pair) => `(byte) 0x${pair}`, ", ")} };`,
  "numbers of Java": (bytes) => `[${[...new Int8Array(bytes)].join(", ")}]`,
  "a Buffer of Node": (bytes) => `<Buffer ${pairs(bytes).join(" ")}>`,
  "a Buffer of Node as JSON": (bytes) => JSON.stringify(bytes),
  "bytes of Python": (bytes) => `b'${escapedOnly(bytes)}'`,
  "a slice of Go": (bytes) => `[]byte{${each(bytes, (pair) => `0x${pair}`, ", ")}}`,
  "an array of Rust on many lines": (bytes) =>
    `let m = [\n${rows(bytes, (row) => `    ${each(row, (pair) => `0x${pair}`, ", ")},`)}\n];`,
  "numbers of Basic": (bytes) => each(bytes, (pair) => `&H${pair.toUpperCase()}`, ", "),
  "numbers of an assembler": (bytes) => each(bytes, (pair) => `${pair}h`, " "),
  "a literal of SQL": (bytes) => `x'${bytes.toString("hex")}'`,
  "percent signs": (bytes) => each(bytes, (pair) => `%${pair.toUpperCase()}`),
  "escapes of Unicode": (bytes) => each(bytes, (pair) => `\\u00${pair}`),
  "escapes on several lines": (bytes) => rows(bytes, (row) => `"${each(row, (pair) => `\\x${pair}`)}" \\`),
  "escapes in octal": (bytes) => [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join(""),
  brackets: (bytes) => each(bytes, (pair) => `[${pair}]`),
  angles: (bytes) => `<${rows(bytes, (row) => row.toString("hex"), 4).replaceAll("\n", " ")}>`,
  base64: (bytes) => bytes.toString("base64"),
  "base64 over several lines": (bytes) => bytes.toString("base64").replaceAll(/.{40}/g, "$&\r\n"),
  "base64 of addresses": (bytes) => `"${bytes.toString("base64url")}"`,
  "a log of JSON": (bytes) => JSON.stringify({ level: 30, payload: bytes.toString("hex"), bytes: bytes.length }),
  "a cell of CSV": (bytes) => `1,2026-11-28,"${bytes.toString("hex")}",out`,
  "a line of a log": (bytes) => `2026-11-28 07:30:00.123 INFO recv(${bytes.length}) ${bytes.toString("hex")}`,
  "a dump with the log's words in front of each row": (bytes) =>
    rows(
      bytes,
      (row, at) =>
        `2026-11-28 07:30:00.123 DEBUG [main] ${at.toString(16).padStart(4, "0")}: ${pairs(row).join(" ").padEnd(47)}  ${shown(row)}`
    ),
  "a dump that a mail quotes": (bytes) =>
    rows(
      bytes,
      (row, at) => `> ${at.toString(16).padStart(8, "0")}  ${pairs(row).join(" ").padEnd(48)}  |${shown(row)}|`
    ),
  "typographic quotation marks": (bytes) => Buffer.from(`\u201c${bytes.toString("hex")}\u201d`).toString("latin1"),
  "blanks that do not break": (bytes) => Buffer.from(pairs(bytes).join("\u00a0")).toString("latin1"),
  "the colours of a terminal": (bytes) => `\u001b[32m${bytes.toString("hex")}\u001b[0m`,
  "lines of an odd number of digits": (bytes) => bytes.toString("hex").replaceAll(/.{31}/g, "$&\n")
}

/** Words of a size, in either order, with the last one filled up. */
const words = (bytes: Buffer, size: number, isTurned: boolean) =>
  rows(
    Buffer.concat([bytes, Buffer.alloc((size - (bytes.length % size)) % size)]),
    (row, at) =>
      `${at.toString(8).padStart(7, "0")} ${rows(row, (word) => (isTurned ? Buffer.from(word).reverse() : word).toString("hex"), size).replaceAll("\n", " ")}`
  )
const threes = (bytes: Buffer, base: number) =>
  [...bytes].map((byte) => byte.toString(base).padStart(3, base === 8 ? "0" : " ")).join(" ")
const cells: Readonly<Record<number, string>> = {
  0: "\\0",
  7: "\\a",
  8: "\\b",
  9: "\\t",
  10: "\\n",
  11: "\\v",
  12: "\\f",
  13: "\\r"
}
const characters = (bytes: Buffer) =>
  [...bytes]
    .map((byte) =>
      (
        cells[byte] ?? (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : byte.toString(8).padStart(3, "0"))
      ).padStart(4)
    )
    .join("")
const octal = (at: number) => at.toString(8).padStart(7, "0")
const intelHex = (bytes: Buffer) =>
  `${rows(bytes, (row, at) => {
    const record = Buffer.concat([Buffer.of(row.length, at >> 8, at & 0xff, 0), row])
    return `:${record.toString("hex").toUpperCase()}${(-record.reduce((all, byte) => all + byte, 0) & 0xff).toString(16).padStart(2, "0").toUpperCase()}`
  })}\n:00000001FF`

/** What is read where line by line nothing is. */
const wholeNotations: Readonly<Record<string, (bytes: Buffer) => string>> = {
  "od --endian=big -t x2": (bytes) => `${words(bytes, 2, false)}\n${octal(bytes.length)}`,
  "od -d": (bytes) =>
    `${words(bytes, 2, true).replaceAll(/ ([0-9a-f]{4})(?=[ \n]|$)/g, (_, word) => ` ${String(Number.parseInt(word, 16)).padStart(5)}`)}\n${octal(bytes.length)}`,
  "od -t x4": (bytes) => words(bytes, 4, true),
  "od --endian=big -t x8": (bytes) => `${words(bytes, 8, false)}\n${octal(bytes.length)}`,
  "od -A n -x": (bytes) => words(bytes, 2, true).replaceAll(/^\d{7}/gm, ""),
  "od -b": (bytes) => `${rows(bytes, (row, at) => `${octal(at)} ${threes(row, 8)}`)}\n${octal(bytes.length)}`,
  "od -t u1": (bytes) => `${rows(bytes, (row, at) => `${octal(at)} ${threes(row, 10)}`)}\n${octal(bytes.length)}`,
  "od -c": (bytes) => `${rows(bytes, (row, at) => `${octal(at)}${characters(row)}`)}\n${octal(bytes.length)}`,
  "hexdump -c": (bytes) =>
    `${rows(bytes, (row, at) => `${at.toString(16).padStart(7, "0")}${characters(row).padEnd(64)}`)}\n${bytes.length.toString(16).padStart(7, "0")}`,
  "od -t x1c": (bytes) => rows(bytes, (row, at) => `${octal(at)}  ${pairs(row).join("  ")}\n       ${characters(row)}`),
  "x/32xb of a debugger": (bytes) =>
    rows(
      bytes,
      (row, at) => `0x${(0x4040 + at).toString(16)} <buf+${at}>:\t${each(row, (pair) => `0x${pair}`, "\t")}`,
      8
    ),
  "x/32cb of a debugger": (bytes) =>
    rows(
      bytes,
      (row, at) =>
        `0x${(0x4040 + at).toString(16)} <buf+${at}>:\t${[...new Int8Array(row)].map((n) => `${n} '${n > 31 && n !== 39 ? String.fromCharCode(n) : "\\000"}'`).join("\t")}`,
      8
    ),
  "an array of a debugger": (bytes) =>
    `$1 = {${each(bytes, (pair) => `0x${Number.parseInt(pair, 16).toString(16)}`, ", ").replaceAll(/(0x[0-9a-f]+)((?:, \1){9,})(?![0-9a-f])/g, (_, one: string, more: string) => `${one} <repeats ${more.split(",").length} times>`)}}`,
  "Intel HEX": intelHex,
  "objdump -s": (bytes) =>
    `m:     file format binary\n\nContents of section .data:\n${rows(
      bytes,
      (row, at) =>
        ` ${at.toString(16).padStart(4, "0")} ${rows(row, (word) => word.toString("hex"), 4)
          .replaceAll("\n", " ")
          .padEnd(35)}  ${shown(row)}`
    )}`,
  "a dump between bars": (bytes) =>
    rows(
      bytes,
      (row, at) => `|${at.toString(16).padStart(8, "0")}| ${pairs(row).join(" ").padEnd(47)} |${shown(row).padEnd(16)}|`
    ),
  "a dump with two offsets": (bytes) =>
    rows(
      bytes,
      (row, at) =>
        `${at.toString(16).padStart(4, "0")}-${(at + 15).toString(16).padStart(4, "0")}: ${pairs(row).join(" ").padEnd(47)} | ${shown(row)}`
    ),
  "a dump behind addresses of a segment": (bytes) =>
    rows(
      bytes,
      (row, at) =>
        `1A2B:${(0x100 + at).toString(16).padStart(4, "0")}  ${pairs(row)
          .join(" ")
          .replace(/^(.{23}) /, "$1-")
          .padEnd(48)}   ${shown(row)}`
    ),
  "hex and text side by side": (bytes) =>
    rows(bytes, (row) => `${pairs(row).join(" ").toUpperCase().padEnd(47)}   ${shown(row)}`),
  "base64 in a document of JSON": (bytes) => JSON.stringify({ dir: "in", message: bytes.toString("base64") }, null, 2),
  "hex in a document of JSON": (bytes) => JSON.stringify([{ layers: { payload: pairs(bytes).join(":") } }], null, 2),
  "numbers in a document of JSON": (bytes) => JSON.stringify({ dir: "in", message: [...bytes] }, null, 2),
  "a text in JSON": (bytes) => JSON.stringify({ dir: "in", message: bytes.toString("latin1") }),
  "base64 in YAML": (bytes) =>
    `packets:\n  - peer: 0\n    data: !!binary |\n${bytes.toString("base64").replaceAll(/.{1,76}/g, "      $&\n")}`,
  "literals one below the other": (bytes) =>
    `(b'${escapedOnly(bytes.subarray(0, 31))}'\n b'${escapedOnly(bytes.subarray(31))}')`,
  "a number a line": (bytes) => [...new Int8Array(bytes)].join("\n"),
  "characters above their two digits": (bytes) =>
    [shown(bytes), ...[0, 1].map((at) => each(bytes, (pair) => pair[at]!.toUpperCase()))].join("\n")
}

const fields = { 3: "000000", 4: "000000000100", 7: "1128073000", 11: "000001", 41: "TERM0001", 49: "156" }
const messageOf = (dialect: Dialect): Buffer => {
  const bytes = compile(dialect).encode({ mti: "0200", fields })
  if (isMessageError(bytes)) throw new Error(bytes._tag)
  return bytes
}

describe.each(["cups", "iso8583v1987Ascii", "iso8583v1987AsciiRaw", "iso8583v1987Bcd"])("A message of %s", (name) => {
  const dialect = dialects[name]!
  const message = messageOf(dialect)
  const codec = compile(dialect)
  const is = (bytes: Buffer) => !isMessageError(codec.decode(bytes))

  it.each(Object.keys(notations))("is read by decode and by doctor from %s", (what) => {
    const text = notations[what]!(message)

    expect(hexOf(read(text, { is })), text).toEqual([message.toString("hex")])
    const [flow] = flowsOf(Buffer.from(text, "latin1"))
    if (typeof flow !== "object") throw new Error(String(flowsOf(Buffer.from(text, "latin1"))))
    expect([flow.bytes, ...flow.others].map((one) => one.toString("hex"))).toContain(message.toString("hex"))
  })
})

describe.each(["cups", "iso8583v1987Ascii", "iso8583v1987Bcd"])("A message of %s in a text of many lines", (name) => {
  const dialect = dialects[name]!
  const codec = compile(dialect)
  const is = (bytes: Buffer) => !isMessageError(codec.decode(bytes))

  it.each(Object.keys(wholeNotations))("is read with and without a length header from %s", (what) => {
    const message = messageOf(dialect)
    for (const frame of [undefined, cupsFrame]) {
      const text = wholeNotations[what]!(frame === undefined ? message : Buffer.from(wholeFrame(frame, message)))
      const given = frame === undefined ? { is } : { is, frame }
      // With a character above each digit a message that is text is one itself.
      expect(hexOf(read(text, given)), text).toContain(message.toString("hex"))
    }
  })
})

describe("The doctor", () => {
  it("says of a pasted text what it says of the bytes", async () => {
    const here = folder()
    const message = wholeFrame(cupsFrame, messageOf(dialects["cups"]!))
    // All are read above; here the command reads some, and with JINKA_LAB=long each. Behind words zeros fill the last one;
    // a document is explained as one, too.
    const every = isLong ? 1 : 6
    const always = ["od --endian=big -t x2", "base64 in a document of JSON"]
    const all = [...Object.entries(notations), ...Object.entries(wholeNotations)]
    for (const [what, write] of all.filter(([what], n) => n % every === 0 || always.includes(what))) {
      const path = join(here, "pasted")
      writeFileSync(path, Buffer.from(write(message), "latin1"))
      const { code, out } = await jinka(["doctor", path])
      expect([what, code, /frame: ascii4\n\s*dialect: cups\n/.test(out)]).toEqual([what, 0, true])
    }
  })
})

describe("The doctor with a partner's own dialect", () => {
  it("names it by its file, as a link does", async () => {
    const message = wholeFrame(cupsFrame, messageOf(dialects["cups"]!))
    const file = join(folder(), "ours.yaml")
    writeFileSync(file, "name: ours\nextends: cups\n")
    const { out } = await jinka(["doctor", message.toString("hex"), "--dialect", file])

    expect(out).toContain(`    frame: ascii4\n    dialect: ${file}\n`)
  })
})

describe("A line of any length", () => {
  it.each(["/*", '"\\a', "' ", "(byte) ", "[1, ", "%", "\\x3", "1 ", "a = ", "// ", "0000:  ", "&H"])(
    "is looked at once, and not again from each of its signs: %s",
    (sign) => {
      const text = `"${sign.repeat(50_000)}x`
      expect(hexOf(read(text, { is: () => false, form: "hex" })).length).toBeGreaterThan(0)
    },
    60_000
  )
})

describe("The readings of a whole text", () => {
  const signs = [
    "/*",
    '"\\a',
    "' ",
    "(byte) ",
    "[1, ",
    "%",
    "\\x3",
    "1 ",
    "0000:  ",
    "&H",
    "30 ",
    "30:",
    "  ",
    "AAAA ",
    "a-",
    "`0",
    "| 000 ",
    '{"a":',
    "'",
    "\\",
    "<a",
    "0000\n",
    "30 30\n",
    " 060 ",
    "   0",
    "S1",
    ":10",
    "0x0 <repeats 9999 times>, ",
    "'a' <repeats 9999 times>"
  ]

  it("take time by the length of the text, and room too", () => {
    // Each sign behind one of the four beginnings, and with JINKA_LAB=long behind all of them.
    for (const [n, sign] of signs.entries())
      for (const before of ["", "{", '"', "0000: "].filter((_, at) => isLong || (at + n) % 4 === 0)) {
        const text = (before + sign.repeat(WHOLE_TEXT_MAX)).slice(0, WHOLE_TEXT_MAX)
        const began = performance.now()
        const size = otherReadings(text)
          .flat()
          .reduce((all, { length }) => all + length, 0)
        expect([sign, size < 4_000_000, performance.now() - began < 20_000]).toEqual([sign, true, true])
      }
  }, 60_000)

  it("never end in a defect", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...signs), anyText(10)), { maxLength: 40 }), (parts) => {
        for (const bytes of otherReadings(parts.join("")).flat()) expect(bytes.length).toBeGreaterThan(9)
      }),
      { numRuns: isLong ? 5000 : 200 }
    )
  })

  it("give each of several messages, also the same one again", () => {
    const dialect = dialects["iso8583v1987Ascii"]!
    const message = messageOf(dialect)
    const is = (bytes: Buffer) => !isMessageError(compile(dialect).decode(bytes))
    for (const what of [
      "od --endian=big -t x2",
      "od -b",
      "od -c",
      "hexdump -c",
      "Intel HEX",
      "a text in JSON",
      "x/32xb of a debugger"
    ])
      for (const between of ["", "\n", "out:\n"]) {
        // An address alone does not say where a message begins.
        if (between === "" && /debugger|od|hexdump/.test(what)) continue
        const text = `in:\n${wholeNotations[what]!(message)}\n${between}${wholeNotations[what]!(message)}\n`
        expect([what, between, hexOf(read(text, { is }))]).toEqual([
          what,
          between,
          Array(2).fill(message.toString("hex"))
        ])
      }
  })

  it("are no messages where the dialect reads none: the lines are told as before", () => {
    const found = hexOf(read(wholeNotations["od -b"]!(Buffer.alloc(64, 7)), {}))
    expect(found.join()).toContain("dump it with `xxd`")
  })
})

describe("What only looks like another notation", () => {
  const bcd = compile(dialects["iso8583v1987Bcd"]!)
  const is = (bytes: Buffer) => !isMessageError(bcd.decode(bytes))
  const short = Buffer.from("02002020000000000000000000000001", "hex")

  it("is not read as bits: groups of eight 0 and 1 that are four bytes each", () => {
    const dump = "00000000: 02002020 00000000  ..  ....\n00000008: 00000000 00000001  ........\n"

    expect(hexOf(read(dump, { is }))).toEqual([short.toString("hex")])
  })

  it("is not read from its third pair on, where that would be a message too", () => {
    const line = each(short, (pair) => `0x${pair}`, ", ")

    expect(hexOf(read(`{\n${line.slice(0, 70)}\n${line.slice(70)}\n}`, { is }))).toEqual([short.toString("hex")])
  })

  it("is refused as a dump of other numbers by the doctor too", () => {
    expect(flowsOf(Buffer.from("0000000 001002 020040 000000\n0000006 001002 020040\n0000012\n"))).toMatch(
      /dump it with/
    )
  })
})
