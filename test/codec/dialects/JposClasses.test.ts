/** The guide's table from jPOS's classes to our notation: it has all of them, and what it says gives jPOS's bytes. */
import { readFileSync } from "node:fs"
import {
  compile,
  derive,
  type FieldChange,
  isMessageError,
  iso8583v1987Ascii,
  namedFrames,
  wholeFrame
} from "@jinka/codec"
import { describe, expect, it } from "vitest"

const guide = readFileSync(new URL("../../../docs/guides/describe-a-dialect.md", import.meta.url), "utf8")

/** Every `IF*.java` of org.jpos.iso, jPOS 3ff2951. */
const classes =
  "IFAE_LLCHAR IFA_AMOUNT IFA_AMOUNT2003 IFA_BINARY IFA_BITMAP IFA_FLLCHAR IFA_FLLNUM IFA_LBINARY IFA_LCHAR IFA_LLABINARY IFA_LLBINARY IFA_LLBNUM IFA_LLCHAR IFA_LLLABINARY IFA_LLLBINARY IFA_LLLCHAR IFA_LLLLBINARY IFA_LLLLCHAR IFA_LLLLLBINARY IFA_LLLLLCHAR IFA_LLLLLLBINARY IFA_LLLLLLCHAR IFA_LLLNUM IFA_LLNUM IFA_NUMERIC IFA_TTLBINARY IFA_TTLCHAR IFA_TTLLBINARY IFA_TTLLCHAR IFA_TTLLLBINARY IFA_TTLLLCHAR IFA_TTLLLLBINARY IFA_TTLLLLCHAR IFA_TTTLLLCHAR IFB_AMOUNT IFB_AMOUNT2003 IFB_BINARY IFB_BITMAP IFB_FLLLNUM IFB_FLLNUM IFB_FNUMERIC IFB_HEX IFB_LLBINARY IFB_LLCHAR IFB_LLHBINARY IFB_LLHCHAR IFB_LLHECHAR IFB_LLHEX IFB_LLHFBINARY IFB_LLHNUM IFB_LLLBINARY IFB_LLLCHAR IFB_LLLHBINARY IFB_LLLHCHAR IFB_LLLHECHAR IFB_LLLHEX IFB_LLLHNUM IFB_LLLLBINARY IFB_LLLLCHAR IFB_LLLLLLCHAR IFB_LLLNUM IFB_LLNUM IFB_NUMERIC IFEA_LLCHAR IFEB_LLLNUM IFEB_LLNUM IFELPE_LLLCHAR IFEMC_LLCHAR IFEMC_LLLCHAR IFEMC_TCC IFEPE_LLBINARY IFEPE_LLCHAR IFEPE_LLLCHAR IFEP_LLCHAR IFEP_LLLBINARY IFEP_LLLCHAR IFE_AMOUNT IFE_BINARY IFE_BITMAP IFE_CHAR IFE_LBINARY IFE_LCHAR IFE_LLBINARY IFE_LLCHAR IFE_LLLBINARY IFE_LLLCHAR IFE_LLLEBINARY IFE_LLLLBINARY IFE_LLLLCHAR IFE_LLLNUM IFE_LLNUM IFE_LNUM IFE_NUMERIC IFE_SIGNED_NUMERIC IFIPM_LLLCHAR IFMC_LLBINARY IFMC_LLCHAR IFMC_LLLBINARY IFMC_LLLCHAR IFMC_TCC IF_CHAR IF_ECHAR IF_NOP IF_TBASE IF_TCHAR IF_UNUSED".split(
    " "
  )

/** `of [class, field, value, bytes]`: what the class writes for the value, after its source (prefixer, interpreter, padder). */
const vectors: ReadonlyArray<readonly [string, Exclude<FieldChange, string | null>, string | Buffer, string]> = [
  ["IFE_NUMERIC", { format: "n4", encoding: "ebcdic" }, "0012", "f0f0f1f2"],
  ["IFB_FNUMERIC", { format: "n5", encoding: "bcd", align: "left", fill: 15 }, "12345", "12345f"],
  ["IF_ECHAR", { format: "ans3", encoding: "ebcdic" }, "AB ", "c1c240"],
  ["IFE_LNUM", { format: "n.9", encoding: "ebcdic", prefix: "ebcdic" }, "12", "f2f1f2"],
  ["IFE_LLNUM", { format: "n..19", encoding: "ebcdic", prefix: "ebcdic" }, "123", "f0f3f1f2f3"],
  ["IFE_LLLNUM", { format: "n...100", encoding: "ebcdic", prefix: "ebcdic" }, "1", "f0f0f1f1"],
  ["IFB_FLLNUM", { format: "n..19", encoding: "bcd", prefix: "bcd", fill: 15 }, "123", "03123f"],
  ["IFB_LLLHNUM", { format: "n...100", encoding: "bcd", prefix: "binary" }, "123", "00031230"],
  [
    "IFEB_LLNUM",
    { format: "n..19", encoding: "bcd", prefix: "ebcdic", counts: "bytes", fill: 15 },
    "12345",
    "f0f312345f"
  ],
  ["IFEB_LLNUM", { format: "n..19", encoding: "bcd", prefix: "ebcdic", counts: "bytes", fill: 15 }, "1234", "f0f21234"],
  ["IFA_LLBNUM", { format: "n..19", encoding: "bcd", prefix: "ascii", align: "right" }, "0123", "30340123"],
  ["IFA_LCHAR", { format: "ans.9", prefix: "ascii" }, "AB", "324142"],
  ["IFA_LLLLLLCHAR", { format: "ans......2000", prefix: "ascii" }, "AB", "3030303030324142"],
  ["IFB_LLLLCHAR", { format: "ans....2000", prefix: "bcd" }, "AB", "00024142"],
  ["IFB_LLLLLLCHAR", { format: "ans......2000", prefix: "bcd" }, "AB", "0000024142"],
  ["IFB_LLLHCHAR", { format: "ans...999", prefix: "binary" }, "AB", "00024142"],
  ["IFB_LLHECHAR", { format: "ans..99", encoding: "ebcdic", prefix: "binary" }, "AB", "02c1c2"],
  ["IFE_LCHAR", { format: "ans.9", encoding: "ebcdic", prefix: "ebcdic" }, "AB", "f2c1c2"],
  ["IFE_LLLLCHAR", { format: "ans....2000", encoding: "ebcdic", prefix: "ebcdic" }, "AB", "f0f0f0f2c1c2"],
  ["IFAE_LLCHAR", { format: "ans..99", encoding: "ebcdic", prefix: "ascii" }, "AB", "3032c1c2"],
  ["IFEA_LLCHAR", { format: "ans..99", encoding: "ascii", prefix: "ebcdic" }, "AB", "f0f24142"],
  ["IFE_LLLEBINARY", { format: "ans...999", encoding: "ebcdic", prefix: "ebcdic" }, "AB", "f0f0f2c1c2"],
  ["IFB_AMOUNT", { format: "x+n8", encoding: "bcd" }, "D00000012", "4400000012"],
  ["IFE_AMOUNT", { format: "x+n8", encoding: "ebcdic" }, "D00000012", "c4f0f0f0f0f0f0f1f2"],
  ["IFB_AMOUNT2003", { format: "n16", encoding: "bcd" }, "1562000000000100", "1562000000000100"],
  ["IFB_HEX", { format: "b2", encoding: "binary" }, Buffer.from("a1b2", "hex"), "a1b2"],
  ["IFA_LBINARY", { format: "b.9", encoding: "binary", prefix: "ascii" }, Buffer.from("a1b2", "hex"), "32a1b2"],
  ["IFA_LLABINARY", { format: "b..99", encoding: "hex", prefix: "ascii" }, Buffer.from("a1b2", "hex"), "303241314232"],
  ["IFB_LLLBINARY", { format: "b...999", encoding: "binary", prefix: "bcd" }, Buffer.from("a1b2", "hex"), "0002a1b2"],
  ["IFB_LLHBINARY", { format: "b..99", encoding: "binary", prefix: "binary" }, Buffer.from("a1b2", "hex"), "02a1b2"],
  [
    "IFB_LLLHBINARY",
    { format: "b...999", encoding: "binary", prefix: "binary" },
    Buffer.from("a1b2", "hex"),
    "0002a1b2"
  ],
  ["IFE_LLBINARY", { format: "b..99", encoding: "binary", prefix: "ebcdic" }, Buffer.from("a1b2", "hex"), "f0f2a1b2"]
]

describe("The guide's table of jPOS's field classes", () => {
  it("has every class once, and no class that jPOS has not", () => {
    const named = [...guide.matchAll(/`(IF[A-Z]*_[A-Z0-9_]+)`/g)].map(([, name]) => name!)

    expect(named.filter((name) => !classes.includes(name))).toEqual([])
    expect(classes.filter((name) => !named.includes(name))).toEqual([])
    expect(named.filter((name, at) => named.indexOf(name) !== at)).toEqual([])
  })

  it.each(vectors)("%s: the field %j holds %s as the bytes that jPOS writes", (_, field, value, bytes) => {
    const codec = compile(
      derive(iso8583v1987Ascii, {
        name: "probe",
        bitmap: { encoding: "binary" },
        fields: { 61: { name: "probe", ...field } }
      })
    )
    const message = codec.encode({ mti: "0200", fields: { 61: value } })

    expect(isMessageError(message) ? message : message.subarray(12).toString("hex")).toBe(bytes)
    expect(codec.decode(message as Buffer)).toMatchObject({ fields: { 61: expect.anything() } })
  })
})

describe("The guide's table of jPOS channels", () => {
  /** What a channel writes around 16 bytes, after its `sendMessageLength` and `sendMessageTrailer`. */
  const channels: ReadonlyArray<readonly [string, string, string, string]> = [
    ["ASCIIChannel", "ascii4", "30303136", ""],
    ["CSChannel", "binary2-after2", "00100000", ""],
    ["NACChannel", "binary2", "0010", ""],
    ["BCDChannel", "bcd2", "0016", ""],
    ["HEXChannel", "hex4", "30303130", ""],
    ["RawChannel", "binary4", "00000010", ""],
    ["BASE24TCPChannel", "binary2-etx", "0011", "03"],
    ["AmexChannel", "binary2-inclusive", "0012", ""],
    ["CMFChannel", "binary3", "000010", ""],
    ["GICCChannel", "binary4", "00000010", ""],
    ["NCCChannel", "bcd2", "0016", ""],
    ["RBPChannel", 'kind: length, encoding: binary, bytes: 2, before: "D04A", after: "0000"', "d04a00100000", ""]
  ]

  it.each(channels)("gives the bytes of %s: %s", (channel, frame, before, after) => {
    const row = guide.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${channel}\``))
    expect(row).toContain(`\`${frame}\``)

    const written = {
      kind: "length",
      encoding: "binary",
      bytes: 2,
      before: "D04A",
      after: "0000",
      lengthMax: 999,
      idle: "none"
    } as const
    const format = namedFrames.find(({ name }) => name === frame)?.format ?? written
    const message = Buffer.alloc(16, 0x4d)
    expect(Buffer.from(wholeFrame(format, message)).toString("hex")).toBe(`${before}${message.toString("hex")}${after}`)
  })
})
