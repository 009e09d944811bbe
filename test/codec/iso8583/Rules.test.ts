import {
  answerHeader,
  compile,
  cups,
  cups46,
  iso8583v1987Ascii,
  isRepeat,
  isRequest,
  isResponse,
  isReversible,
  isSuccess,
  MessageIndex,
  matchFields,
  mtiClass,
  mtiText,
  originalData,
  repeatMti,
  reservedMti,
  responseClass,
  responseMti
} from "@jinka/codec"
import { describe, expect, it } from "vitest"

describe("Message types", () => {
  it("know their answers, repeats included", () => {
    const pairs = [
      [100, 110],
      [200, 210],
      [220, 230],
      [221, 230],
      [302, 312],
      [400, 410],
      [401, 410],
      [420, 430],
      [421, 430],
      [422, 432],
      [620, 630],
      [800, 810],
      [820, 830],
      [1200, 1210],
      [1421, 1430],
      [2804, 2814]
    ] as const
    for (const [request, answer] of pairs) {
      expect(responseMti(request)).toBe(answer)
      expect(isRequest(request) && isResponse(answer) && !isResponse(request)).toBe(true)
      expect(responseMti(answer)).toBe(answer)
    }
  })

  it("say that they repeat", () => {
    expect([420, 421, 220, 422, 423].map(repeatMti)).toEqual([421, 421, 221, 423, 423])
    expect([421, 221, 423, 425].every(isRepeat) && ![420, 210, 422].some(isRepeat)).toBe(true)
  })

  it("fall into the classes that decide what a switch may do with them", () => {
    const classes = Object.fromEntries(
      [100, 110, 200, 210, 220, 221, 230, 302, 312, 400, 410, 420, 421, 430, 520, 620, 630, 800, 810, 820, 830, 0].map(
        (mti) => [mti, mtiClass(mti)]
      )
    )

    expect(classes).toEqual({
      0: "unknown",
      100: "request",
      110: "response",
      200: "request",
      210: "response",
      220: "advice",
      221: "advice",
      230: "adviceResponse",
      302: "request",
      312: "response",
      400: "reversal",
      410: "reversalResponse",
      420: "reversal",
      421: "reversal",
      430: "reversalResponse",
      520: "advice",
      620: "advice",
      630: "adviceResponse",
      800: "networkManagement",
      810: "networkManagementResponse",
      820: "networkManagement",
      830: "networkManagementResponse"
    })
    expect(mtiText(200)).toBe("0200")
  })

  it("are unknown where their edition reserves the class or the function digit, whatever the class", () => {
    const functions = (version: number, kind: number) =>
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((digit) => mtiClass(1000 * version + 100 * kind + 10 * digit) !== "unknown")

    for (const kind of [1, 2, 3, 4, 5, 6, 7, 8]) {
      expect(functions(0, kind)).toEqual([0, 1, 2, 3])
      for (const version of [1, 2]) expect(functions(version, kind)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    }
    for (const version of [0, 1, 2]) for (const kind of [0, 9]) expect(functions(version, kind)).toEqual([])
    expect([840, 850, 1880, 1890, 900, 200, 1864].map(reservedMti)).toEqual([
      "function",
      "function",
      "function",
      "function",
      "class",
      undefined,
      undefined
    ])
    expect([1640, 1650, 1660, 1670, 1840, 1850].map(mtiClass)).toEqual([
      "notice",
      "noticeResponse",
      "notice",
      "noticeResponse",
      "networkManagement",
      "networkManagementResponse"
    ])
  })
})

describe("What a network says about its messages", () => {
  it("tells success, flawed success and decline; an unknown code is a decline", () => {
    expect(["00", "10", "11", "A2", "A6"].every((code) => isSuccess(cups, code))).toBe(true)
    expect(isSuccess(iso8583v1987Ascii, "A2")).toBe(false)
    expect(["51", "04", "91", "98", "96", "A0", "ZZ"].map((code) => responseClass(cups, code))).toEqual([
      "D",
      "C",
      "R",
      "T",
      "X",
      "K",
      "D"
    ])
  })

  it("knows what can be reversed", () => {
    expect(
      isReversible(cups, 200, "000000") && isReversible(cups, 200, "010000") && isReversible(cups, 100, "030000")
    ).toBe(true)
    expect(isReversible(cups, 200, "300000") || isReversible(cups, 220, "200000") || isReversible(cups, 820, "")).toBe(
      false
    )
    expect(isReversible(iso8583v1987Ascii, 200, "310000")).toBe(false)
    expect(isReversible(iso8583v1987Ascii, 200, "000000")).toBe(true)
  })

  it("points to the original of a reversal in 42 digits", () => {
    const codec = compile(cups)
    const message = codec.encode({ mti: "0200", fields: { 7: "0725171710", 11: "001225", 32: "03050001" } }) as Buffer
    const index = new MessageIndex()
    codec.index(message, 0, message.length, index)

    expect(originalData(cups, index)).toBe("020000122507251717100000305000100000000000")
  })

  it("matches transactions and management messages by their own fields", () => {
    expect(matchFields(cups, 210)).toEqual([7, 11, 32, 33])
    expect(matchFields(cups, 830)).toEqual([7, 11, 70])
  })

  it("answers with a header whose ids have changed places", () => {
    const values = { destination: "00010000   ", source: "03050001   ", batch: "07", rejectCode: "00025" }
    expect(answerHeader(cups46, values)).toEqual({
      destination: "03050001   ",
      source: "00010000   ",
      batch: "07",
      rejectCode: "00000"
    })
  })

  it("lists only fields that its dialect defines", () => {
    for (const dialect of [cups, iso8583v1987Ascii]) {
      const named = [
        ...dialect.echo,
        ...dialect.match.transaction,
        ...dialect.match.networkManagement,
        ...dialect.reversal!.copies,
        ...dialect.reversal!.renews,
        ...dialect.network!.fields
      ]
      expect(named.filter((de) => dialect.fields[de] === undefined)).toEqual([])
    }
  })
})
