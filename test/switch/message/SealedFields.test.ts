/** What the journal covers and a restart needs: it comes back whole, and what may be kept nowhere does not. */
import {
  compile,
  cups,
  cupsFrame,
  type Dialect,
  derive,
  isMessageError,
  type Message,
  MessageIndex,
  nac,
  unionPayPos
} from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { Iso8583 } from "../../../packages/switch/src/message/Iso8583.ts"
import { track2Of } from "../../codec/cover/Canaries.ts"

const languageOf = (dialect: Dialect): Iso8583 =>
  new Iso8583({
    codec: compile(dialect),
    frame: cupsFrame,
    institution: "48020000",
    ourInstitution: "00010000",
    stan: "callers",
    callers: [],
    utcOffsetMs: 0,
    speaksFor: [],
    identity: "unchecked"
  })

const pan = "6212341234567890123"

/** The message before the journal and as a restart has it; `undefined` for one that cannot be read. */
const overTheJournal = (dialect: Dialect, fields: Message["fields"]) => {
  const language = languageOf(dialect)
  const bytes = compile(dialect).encode({ mti: "0200", fields })
  if (isMessageError(bytes)) throw new Error(JSON.stringify(bytes))
  const before = new MessageIndex()
  expect(language.index(bytes, 0, bytes.length, before)).toBeUndefined()
  const open = Buffer.alloc(bytes.length)
  const found: Array<number> = []
  language.redact(before, open, 0, found)
  const secret = Buffer.alloc(2000)
  const sealed = secret.subarray(0, language.seal(before, found, secret, 0))
  const after = new MessageIndex()
  expect(language.restore(open, pan, sealed, after)).toBe(true)
  const taken = new MessageIndex()
  expect(language.restore(open, pan, sealed, taken, language.reversed)).toBe(true)
  const reversalOf = (index: MessageIndex) =>
    language.reversed === undefined
      ? undefined
      : language.reversal(index, { stan: "000077", why: "noAnswer", nowMs: 0 })
  expect(reversalOf(taken), "what a reversal takes is enough for it").toEqual(reversalOf(after))
  return { language, before, after, open, sealed }
}

const keyOf = (language: Iso8583, index: MessageIndex): string => {
  const key = Buffer.alloc(200)
  return key.toString("latin1", 0, language.key(index, language.receivedFields, key))
}

describe("A restart", () => {
  it("knows a message whose merchant number has a good check digit by its key again", () => {
    for (const dialect of [nac, unionPayPos]) {
      const fields = { 2: pan, 3: "000000", 11: "000001", 41: "T0000001", 42: "371449635398431" }
      const { language, before, after, open, sealed } = overTheJournal(dialect, fields)
      expect(open.toString("latin1")).toContain("371449*****8431")
      expect(sealed.length).toBeGreaterThan(0)
      expect(keyOf(language, after)).toBe(keyOf(language, before))
      expect(after.text(2)).toBe(pan)
    }
  })

  it("has what a reversal copies, and not what stays covered", () => {
    const fields = {
      2: pan,
      3: "000000",
      11: "000001",
      14: "3012",
      43: "4111111111111111 SHOP",
      44: track2Of("4111111111111111").slice(0, 25),
      48: "AOPRIVATE",
      55: Buffer.from("9F36020001570462260105DF0101AA", "hex"),
      60: "000005000100000000004021002000"
    }
    const { after, open, sealed } = overTheJournal(cups, fields)

    expect(open.toString("latin1")).not.toMatch(/411111111|PRIVATE/)
    expect(after.text(43).trimEnd()).toBe(fields[43])
    expect(after.text(60)).toBe(fields[60])
    expect(after.bytes(55).toString("hex").toUpperCase()).toBe("9F36020001")
    expect([14, 44, 48].map((de) => after.has(de))).toEqual([false, false, false])
    expect(sealed.toString("latin1")).not.toContain("=3012")
  })

  it("has a hidden field that the dialect's reversal copies or its key needs", () => {
    const reversal = { ...cups.reversal!, copies: [...cups.reversal!.copies, 113] }
    const match = { ...cups.match, transaction: [...cups.match.transaction, 123] }
    const dialect = derive(cups, { name: "needs", reversal, match })
    const fields = {
      2: pan,
      7: "1127000000",
      11: "000001",
      32: "1",
      33: "1",
      113: "XX004ABCD",
      123: "BATCH 7",
      117: "XX001A"
    }

    const { language, before, after, open } = overTheJournal(dialect, fields)

    expect(open.toString("latin1")).not.toMatch(/ABCD|BATCH/)
    expect(after.text(113)).toBe("XX004ABCD")
    expect(after.has(117)).toBe(false)
    expect(keyOf(language, after)).toBe(keyOf(language, before))
  })
})
