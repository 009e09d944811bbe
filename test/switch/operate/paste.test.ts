/** What people paste into `decode` and `doctor`: each form gives the bytes that went into it, and nothing of its text column. */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import {
  binaryFrame,
  compile,
  cupsFrame,
  type FrameFormat,
  isMessageError,
  iso8583v1987Ascii,
  type Message,
  wholeFrame
} from "@jinka/codec"
import fc from "fast-check"
import { afterAll, describe, expect, it } from "vitest"
import { flowsOf } from "../../../packages/switch/src/operate/message/CapturedFlows.ts"
import { runs } from "../../Runs.ts"
import {
  ethernet,
  followed,
  hexdump,
  hexdumpC,
  ipv4,
  jpos,
  od,
  pcap,
  pcapng,
  tcpdumpX,
  wireshark,
  xxd
} from "./Dumps.ts"
import { hexOf, message, read } from "./Pasted.ts"

const dumps = { xxd, hexdumpC, hexdump, od, jpos, wireshark }

/** Bytes whose text looks like hex, like an offset, like a bar and like blanks. */
const teasing = fc.array(
  fc.oneof(
    fc.constantFrom(..."0123456789abcdefABCDEF |:.x ").map((one) => one.charCodeAt(0)),
    fc.nat(255)
  ),
  { minLength: 1, maxLength: 90 }
)

describe("A line of a log or of source text", () => {
  const hex = message.toString("hex")
  const pairs = hex.match(/../g)!
  it.each([
    ["a time, a level and the digits", `2026-11-27 10:00:00.123 INFO  [link-7] sent ${hex}`],
    ["a time and the digits", `10:00:00.123 ${hex}`],
    ["a name and an equals sign", `raw=${hex}`],
    ["a name and brackets", `<< received [${pairs.join(" ")}]`],
    ["a member of JSON", `{"direction":"in","bytes":"${hex.toUpperCase()}"}`],
    ["an array of C", `unsigned char request[] = { ${pairs.map((pair) => `0x${pair}`).join(", ")} };`]
  ])("gives the message behind its words: %s", (_, line) => {
    expect(hexOf(read(`${line}\n`))).toEqual([hex])
    expect(hexOf(read(`started\n${line}\n${line}\n`)).slice(-2)).toEqual([hex, hex])
  })

  it("gives nothing for digits that are no message of the dialect", () => {
    const found = hexOf(read("2026-11-27 10:00:00 INFO key 00112233445566778899aabbccddeeff\n"))

    expect(found).toEqual([expect.stringContaining("1: ")])
  })

  it("is not looked for behind a frame: such bytes are no lines", () => {
    const framed = wholeFrame(cupsFrame, message)

    expect(hexOf(read(Buffer.concat([framed, framed]), { frame: cupsFrame }))).toEqual([hex, hex])
  })
})

describe("A hex dump", () => {
  for (const [name, dump] of Object.entries(dumps)) {
    it(`of ${name} gives its bytes, whatever its text column says`, () => {
      fc.assert(
        fc.property(teasing, (bytes) => {
          const text = dump(Buffer.from(bytes))
          expect(hexOf(read(text, { form: "hex" })), text).toEqual([Buffer.from(bytes).toString("hex")])
        }),
        runs(100)
      )
    })

    it(`of ${name} is recognised as one, between lines of a log`, () => {
      const text = `<log at="12:00">\n  received 3 parts\n\n${dump(message)}\n</log>\n`

      expect(hexOf(read(text)), text).toEqual([message.toString("hex")])
      expect(hexOf(read(`${dump(message)}${dump(message)}`))).toEqual([
        message.toString("hex"),
        message.toString("hex")
      ])
    })
  }

  it("with a row cut out or damaged is not read as a shorter message", () => {
    const rows = xxd(message).split("\n")
    const without = [...rows.slice(0, 2), ...rows.slice(3)].join("\n")
    const damaged = xxd(message).replace(/^(00000010: )..../m, "$1zz31")

    expect(hexOf(read(without))).toEqual([
      "2: the bytes of this row do not reach to the next row's offset: one is cut or missing"
    ])
    expect(hexOf(read(damaged))).toHaveLength(1)
    expect(hexOf(read(damaged))[0]).toContain("2: the bytes of this row")
  })

  it("of a packet by tcpdump -X gives what the packet carries, with segments in order", () => {
    const half = Math.floor(message.length / 2)
    const first = ipv4({ from: 7001, to: 40_000, seq: 100, bytes: message.subarray(0, half) })
    const second = ipv4({ from: 7001, to: 40_000, seq: 100 + half, bytes: message.subarray(half) })
    const framed = wholeFrame(cupsFrame, message)

    const whole = ipv4({ from: 7001, to: 40_000, seq: 100, bytes: framed })

    expect(
      hexOf(
        read(tcpdumpX(whole) + tcpdumpX(ipv4({ from: 1, to: 2, seq: 1, bytes: Buffer.alloc(0) })), { frame: cupsFrame })
      )
    ).toEqual([message.toString("hex")])
    expect(
      hexOf(read(tcpdumpX(second) + tcpdumpX(first), { frame: { kind: "fixed", bytes: message.length } }))
    ).toEqual([message.toString("hex")])
    expect(hexOf(read(wireshark(ethernet(whole)), { frame: cupsFrame }))).toEqual([message.toString("hex")])
  })

  it("of tshark's follow keeps the two directions apart", () => {
    const framed = wholeFrame(cupsFrame, message)
    const text = followed([
      [0, framed.subarray(0, 30)],
      [1, wholeFrame(cupsFrame, Buffer.from("abc"))],
      [0, framed.subarray(30)],
      [1, wholeFrame(cupsFrame, Buffer.from("de"))]
    ])

    expect(hexOf(read(text, { frame: cupsFrame }))).toEqual([
      Buffer.from("abc").toString("hex"),
      message.toString("hex"),
      Buffer.from("de").toString("hex")
    ])
  })
})

describe("A dump by a tool of this machine", () => {
  const tools: ReadonlyArray<readonly [tool: string, ...flags: ReadonlyArray<string>]> = [
    ["xxd"],
    ["xxd", "-g1"],
    ["xxd", "-u", "-c", "20"],
    ["xxd", "-p"],
    ["xxd", "-b"],
    ["hexdump"],
    ["hexdump", "-C"],
    ["od", "-t", "x1"],
    ["od", "-x"],
    ["od", "-A", "d", "-t", "x1"],
    ["od", "-A", "x", "-t", "x1z"]
  ]
  const isThere = ([tool]: readonly [string, ...ReadonlyArray<string>]) =>
    spawnSync(tool, { input: "" }).error === undefined
  /** Short and long, of hex digits, of one value over and over, and of anything. */
  const samples = Array.from({ length: 12 }, (_, round) => {
    const length = 1 + ((round * 29) % 83)
    const digits = Array.from({ length }, (__, n) => "0123456789abcdef |:. ".charCodeAt((n * 7 + round) % 21))
    const mixed = Array.from({ length }, (__, n) => (n * 37 + round * 11) % 256)
    return [Buffer.from(digits), Buffer.from(mixed), Buffer.alloc(length, "A")]
  }).flat()
  const folder = mkdtempSync(join(tmpdir(), "jinka-paste-"))
  for (const [n, bytes] of samples.entries()) writeFileSync(join(folder, `${n}`), bytes)
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(tools.filter(isThere))("is read back: %s %s %s", (...tool) => {
    // One shell for all samples: a start from this process takes longer than the tool.
    const each = `n=0; while [ -f "$0/$n" ]; do "$@" < "$0/$n" > "$0/$n.text" || exit 1; n=$((n + 1)); done`
    execFileSync("sh", ["-c", each, folder, ...tool])
    for (const [n, bytes] of samples.entries()) {
      const text = readFileSync(join(folder, `${n}.text`), "latin1")
      const found = hexOf(read(text, { is: (one) => one.equals(bytes) }))
      const isOpen = tool[1] === "-x" || (tool[0] === "hexdump" && tool.length === 1)
      // Two tools write the same of different bytes: then the dump is refused, and not guessed at.
      const isRefused = isOpen && text.includes("*") && found[0]?.includes("offsets of 8 and of 16") === true
      if (!isRefused) expect(found, text).toEqual([bytes.toString("hex")])
    }
  })
})

describe("A line of hex", () => {
  const hex = message.toString("hex")
  const by = (mark: string, size = 2) => hex.match(new RegExp(`.{1,${size}}`, "g"))!.join(mark)
  const forms = {
    colons: by(":"),
    "0x and commas": `{ 0x${by(", 0x")} };`,
    "backslashes of a C text": `"\\x${by("\\x")}"`,
    bars: `|${by("|")}|`,
    dashes: by("-").toUpperCase(),
    "0x in front of all": `0x${hex}`,
    "blanks after each four": by(" ", 4),
    "a byte order mark": `\u00ef\u00bb\u00bf${hex}`,
    quotes: `"${hex}",`
  }
  for (const [name, text] of Object.entries(forms)) {
    it(`with ${name} is its bytes`, () => {
      expect(hexOf(read(`${text}\r\n`))).toEqual([hex])
    })
  }

  it("saved by a shell that writes UTF-16 is its bytes", () => {
    expect(hexOf(read(Buffer.from(`\ufeff${hex}\r\n`, "utf16le")))).toEqual([hex])
  })

  it("that goes on over several lines is one message, and the next one begins by itself", () => {
    const wrapped = by("\n", 64)
    expect(hexOf(read(`${wrapped}\n${hex}\n${wrapped}\n`))).toEqual([hex, hex, hex])
    expect(hexOf(read(`${wrapped}\n\n0102\n`))).toEqual([hex, "0102"])
  })

  it("that is a message itself, of digits only, is read as text: of an odd number and of an even one", () => {
    const ascii = compile(iso8583v1987Ascii)
    const is = (bytes: Buffer) => !isMessageError(ascii.decode(bytes))
    for (const fields of [
      { 3: "000000", 70: "301" },
      { 3: "000000", 70: "301", 39: "00" }
    ]) {
      const bytes = ascii.encode({ mti: "0800", fields })
      if (isMessageError(bytes)) throw new Error(bytes._tag)
      expect(bytes.toString("latin1")).toMatch(/^[0-9A-F]+$/)
      expect(hexOf(read(`${bytes.toString("latin1")}\n`, { is }))).toEqual([bytes.toString("hex")])
      expect(hexOf(read(`${wholeFrame(cupsFrame, bytes).toString("latin1")}\n`, { is, frame: cupsFrame }))).toEqual([
        bytes.toString("hex")
      ])
    }
  })
})

describe("Messages of text", () => {
  const ascii = compile(iso8583v1987Ascii)
  const encode = (mti: string, fields: Message["fields"]): Buffer => ascii.encode({ mti, fields }) as Buffer
  // The second is digits and nothing else.
  const messages = [
    encode("0200", { 3: "000000", 4: "000000000010", 11: "000001", 41: "TERM0001" }),
    encode("0800", { 7: "1127224502", 11: "000002" })
  ]
  const frame: FrameFormat = {
    kind: "length",
    encoding: "ascii",
    bytes: 4,
    trailer: "0d0a",
    lengthMax: 999,
    idle: "zero-length"
  }
  const is = (bytes: Buffer) => !isMessageError(ascii.decode(bytes))

  it.each([
    ["in frames that end lines", messages.map((one) => wholeFrame(frame, one)), frame],
    ["on lines", messages.map((one) => Buffer.concat([one, Buffer.from("\n")])), undefined]
  ])("%s are no hex, although one of them is digits only", (_, lines, taken) => {
    const bytes = Buffer.concat(lines)

    expect(hexOf(read(bytes, { is, ...(taken === undefined ? {} : { frame: taken }) }))).toEqual(
      messages.map((one) => one.toString("hex"))
    )
    expect(flowsOf(bytes)).toMatchObject([{ bytes }])
  })
})

describe("An input", () => {
  const text = message.toString("hex")
  const wide = (encode: (bytes: Buffer) => Buffer, mark: ReadonlyArray<number>, line: string) =>
    Buffer.concat([Buffer.from(mark), encode(Buffer.from(line, "utf16le"))])
  const forms: ReadonlyArray<readonly [what: string, given: string | Buffer, frame?: FrameFormat]> = [
    ["with a byte order mark of UTF-8", Buffer.from(`\ufeff${text}\n`)],
    ["in UTF-16, the lower byte first", wide((bytes) => bytes, [0xff, 0xfe], `${text}\r\n`)],
    ["in UTF-16, the higher byte first", wide((bytes) => bytes.swap16(), [0xfe, 0xff], `${text}\r\n`)],
    ["with marks between the pairs", text.match(/../g)!.join(":")],
    ["between bars", `|${text.match(/../g)!.join("|")}|`],
    ["of source text, with its brackets on lines of their own", `{\n${text.match(/.{1,48}/g)!.join("\n")}\n};\n`],
    ["that a mail quotes", xxd(message).replaceAll(/^(?=.)/gm, "> ")],
    ["that is a dump in a log", `received:\n${wireshark(message)}`],
    [
      "that tcpdump printed",
      tcpdumpX(ipv4({ from: 7001, to: 40_000, seq: 9, bytes: wholeFrame(cupsFrame, message) })),
      cupsFrame
    ],
    ["that is the message", message],
    ["in frames", Buffer.concat([wholeFrame(cupsFrame, message)]), cupsFrame]
  ]
  for (const [what, given, frame] of forms) {
    it(`is known by what it is, and not by how a pipe cuts it: ${what}`, () => {
      for (const chunk of [1, 2, 3, 7, 100, 65_536]) {
        expect(hexOf(read(given, { chunk, ...(frame === undefined ? {} : { frame }) })), `${chunk}`).toEqual([text])
      }
    })
  }

  it("of several messages that are text, one a line, holds each of them", () => {
    const one = compile(iso8583v1987Ascii).encode({
      mti: "0200",
      fields: { 3: "000000", 11: "000001", 41: "TERM0001" }
    })
    if (isMessageError(one)) throw new Error(one._tag)
    const is = (bytes: Buffer) => !isMessageError(compile(iso8583v1987Ascii).decode(bytes))

    for (const end of ["\n", "\r\n"])
      expect(hexOf(read(`${one.toString("latin1")}${end}`.repeat(3), { is }))).toEqual(
        Array.from({ length: 3 }, () => one.toString("hex"))
      )
  })

  it("that is a packed file is named as one", () => {
    expect(hexOf(read(gzipSync(message)))).toEqual([expect.stringContaining("unpack it first")])
    expect(flowsOf(gzipSync(message))).toContain("unpack it first")
  })
})

describe("A dump that turns its bytes around", () => {
  const rows = (bytes: Buffer, line: (row: Buffer, at: number) => string) =>
    Array.from({ length: Math.ceil(bytes.length / 16) }, (_, at) =>
      line(bytes.subarray(16 * at, 16 * (at + 1)), 16 * at)
    ).join("\n")
  const groups = (row: Buffer, size: number) =>
    Array.from({ length: Math.ceil(row.length / size) }, (_, at) =>
      Buffer.from(row.subarray(size * at, size * (at + 1)))
        .reverse()
        .toString("hex")
    )
  const shown = (row: Buffer) => row.toString("latin1").replaceAll(/[^\x20-\x7e]/g, ".")

  it("is read as its text says it: xxd -e", () => {
    const text = rows(
      message,
      (row, at) => `${at.toString(16).padStart(8, "0")}: ${groups(row, 4).join(" ").padEnd(36)}  ${shown(row)}`
    )

    expect(hexOf(read(text))).toEqual([message.toString("hex")])
  })

  it("is read as hexdump alone, with its words far apart: hexdump -x", () => {
    const whole = message.length % 2 === 0 ? message : message.subarray(0, -1)
    const text = `${rows(
      whole,
      (row, at) =>
        at.toString(16).padStart(7, "0") +
        groups(row, 2)
          .map((word) => `    ${word}`)
          .join("")
    )}\n${whole.length.toString(16).padStart(7, "0")}\n`

    expect(hexOf(read(text, { is: (bytes) => bytes.equals(whole) }))).toEqual([whole.toString("hex")])
  })

  it.each([
    ["od", "0000000 027056 030061 034461 032465\n0000020 027056 030061 034461 032465\n0000040\n"],
    ["hexdump -b", "0000000 056 001 060 061\n0000010 056 001 060 061\n0000014\n"],
    ["od -c", "0000000   .   1   5 001\n0000020  \\0   1   5 001\n0000024\n"],
    ["hexdump -d", "0000000   00302   12592\n0000004   00302   12592\n0000008\n"]
  ])("is refused once, with what to do, when it is no dump of bytes: %s", (_, text) => {
    expect(hexOf(read(text))).toEqual([expect.stringMatching(/^1: .*dump it with `xxd`/)])
  })
})

describe("Anything else", () => {
  it("is named, with what to do: a text without hex is none that was cut off", () => {
    expect(hexOf(read("hello world, no hex here\n"))).toEqual([
      expect.stringMatching(/^1: this is text without a line of hex/)
    ])
    expect(hexOf(read("hello world\n", { form: "binary" }))).toEqual([Buffer.from("hello world\n").toString("hex")])
  })

  it("ends in messages or in sentences, never in a defect, however the chunks fall", () => {
    const files = [
      pcap([ipv4({ from: 1, to: 2, seq: 1, bytes: message })]),
      pcapng([ipv4({ from: 1, to: 2, seq: 1, bytes: message })])
    ]
    const texts = [...files, ...Object.values(dumps).map((dump) => Buffer.from(dump(message), "latin1"))]
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.array(fc.tuple(fc.nat(2000), fc.nat(40), fc.uint8Array({ maxLength: 12 })), { maxLength: 6 }),
        fc.constantFrom(1, 7, 100, 65_536),
        fc.constantFrom(undefined, cupsFrame, binaryFrame),
        (whole, changes, chunk, frame) => {
          let bytes = whole
          for (const [at, drop, put] of changes) {
            const from = at % (bytes.length + 1)
            bytes = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + drop)])
          }
          const found = read(bytes, { chunk, ...(frame === undefined ? {} : { frame }) })
          for (const one of found) if (one._tag === "wrong") expect(one.why).not.toMatch(/undefined|NaN/)
        }
      ),
      runs(170)
    )
  })
})
