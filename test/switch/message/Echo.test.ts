import {
  answerRulesOf,
  compile,
  cups,
  type Dialect,
  derive,
  isMessageError,
  iso8583v1987Ascii,
  iso8583v1993Ascii,
  iso8583v2003,
  type Message,
  MessageIndex,
  unionPayPos
} from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { wrongEcho } from "../../../packages/switch/src/message/Echo.ts"

const indexed = (dialect: Dialect, mti: string, fields: Message["fields"]): MessageIndex => {
  const codec = compile(dialect)
  const bytes = codec.encode({ mti, fields })
  if (isMessageError(bytes)) throw new Error(`the test's message is wrong: ${JSON.stringify(bytes)}`)
  const index = new MessageIndex()
  codec.index(bytes, 0, bytes.length, index)
  return index
}

interface Case {
  readonly dialect: Dialect
  readonly mti: readonly [request: string, answer: string]
  readonly request: Message["fields"]
  /** Of the request, what its key is. */
  readonly key: ReadonlyArray<number>
  readonly approved: string
  readonly partial: string
  readonly amount: (value: number) => string
}

const n12 = (value: number): string => String(value).padStart(12, "0")

const base = { 2: "6200000000000005", 3: "000000", 4: n12(1000), 11: "000123", 41: "T0000001", 42: "102110053110001" }

const cases: ReadonlyArray<Case> = [
  {
    dialect: cups,
    mti: ["0200", "0210"],
    request: { ...base, 7: "1126093015", 32: "48020000", 33: "48020000" },
    key: [7, 11, 32, 33],
    approved: "00",
    partial: "10",
    amount: n12
  },
  {
    dialect: iso8583v1987Ascii,
    mti: ["0200", "0210"],
    request: { ...base, 7: "1126093015", 32: "48020000" },
    key: [7, 11, 32],
    approved: "00",
    partial: "10",
    amount: n12
  },
  {
    dialect: unionPayPos,
    mti: ["0200", "0210"],
    request: base,
    key: [11, 41, 42],
    approved: "00",
    partial: "10",
    amount: n12
  },
  {
    dialect: iso8583v1993Ascii,
    mti: ["1200", "1210"],
    request: { ...base, 7: "1126093015", 12: "261126093015", 32: "48020000" },
    key: [7, 11, 12, 32],
    approved: "000",
    partial: "002",
    amount: n12
  },
  {
    dialect: iso8583v2003,
    mti: ["2200", "2210"],
    request: {
      ...base,
      4: `1562${n12(1000)}`,
      7: "1126093015",
      11: "000000000123",
      12: "20261126093015",
      32: "48020000",
      41: "T000000100000000"
    },
    key: [7, 11, 12, 32],
    approved: "0000",
    partial: "0002",
    amount: (value) => `1562${n12(value)}`
  }
]

const only = (fields: Message["fields"], des: ReadonlyArray<number>): Message["fields"] =>
  Object.fromEntries(Object.entries(fields).filter(([de]) => des.includes(Number(de))))

describe.each(cases)("wrongEcho of $dialect.name", ({ dialect, mti, request, key, approved, partial, amount }) => {
  const asked = indexed(dialect, mti[0], request)
  const judge = (answer: Message["fields"]) =>
    wrongEcho(compile(dialect).layout, true, asked, indexed(dialect, mti[1], answer))
  const needed = answerRulesOf(dialect).leastEcho[0]!

  it("takes an answer that echoes all, or no more than the dialect's least", () => {
    expect(judge({ ...request, 39: approved })).toBeUndefined()
    expect(judge({ ...only(request, [...key, ...answerRulesOf(dialect).leastEcho]), 39: approved })).toBeUndefined()
  })

  it("takes no answer that echoes nothing besides its key", () => {
    expect(judge({ ...only(request, key), 39: approved })).toBe(`DE ${needed} is missing`)
  })

  it("takes no answer in which one of the echoed fields differs", () => {
    expect(judge({ ...request, 2: "6200000000000013", 39: approved })).toBe("DE 2 differs")
  })

  it("takes no partial approval that does not say how much was approved", () => {
    const { 4: _amount, ...rest } = request

    expect(judge({ ...rest, 39: partial })).toBe("DE 4 is missing")
    expect(judge({ ...rest, 39: approved })).toBeUndefined()
  })

  it("takes a lower amount with the dialect's code for it, and never a higher one", () => {
    fc.assert(
      fc.property(fc.nat({ max: 99_999_999_999 }), fc.boolean(), (value, isPartial) => {
        const answer = { ...request, 4: amount(value), 39: isPartial ? partial : approved }
        expect(judge(answer) === undefined).toBe(value === 1000 || (isPartial && value < 1000))
      }),
      {
        examples: [
          [1000, true],
          [999, true],
          [1001, true],
          [99_999_999, true],
          [0, true]
        ]
      }
    )
  })
})

describe("wrongEcho", () => {
  it("takes no answer without any echo where the request has nothing of the least", () => {
    const dialect = derive(cups, { name: "least", answers: { leastEcho: [] } })
    const { request } = cases[0]!
    const asked = indexed(dialect, "0200", request)
    const bare = indexed(dialect, "0210", { ...only(request, [7, 11, 32, 33]), 39: "00" })

    expect(wrongEcho(compile(dialect).layout, true, asked, bare)).toBe("it echoes nothing of the request")

    const some = indexed(dialect, "0210", { ...only(request, [7, 11, 32, 33, 42]), 39: "00" })
    expect(wrongEcho(compile(dialect).layout, true, asked, some)).toBeUndefined()
  })

  it("takes no partial approval of another currency or without digits in its amount", () => {
    const { request } = cases[4]!
    // As a partner has it that writes its amounts as text: only there anything else than digits comes so far.
    const dialect = derive(iso8583v2003, { name: "text", fields: { 4: { format: "an16", encoding: "ascii" } } })
    const asked = indexed(dialect, "2200", request)
    const judge = (value: string) =>
      wrongEcho(compile(dialect).layout, true, asked, indexed(dialect, "2210", { ...request, 4: value, 39: "0002" }))

    expect(judge(`1562${n12(500)}`)).toBeUndefined()
    expect(judge(`8402${n12(500)}`)).toBe("DE 4 differs")
    expect(judge("1562000000A00500")).toBe("DE 4 differs")
  })
})
