/** A dialect file that a switch could not work with is refused, and not found out by the first message that needs it. */
import { checkDialect, dialects } from "@jinka/codec"
import { describe, expect, it } from "vitest"

const said = (text: string, base = "cups") =>
  checkDialect(`name: x\nextends: ${base}\n${text}\n`).errors.map(({ path, rule }) => `${path}: ${rule}`)

describe("A dialect file", () => {
  it.each([
    ["network: { codes: { echo: '3010' } }", 'network.codes.echo: "3010" does not fit field 70, which is n3'],
    ["network: { codes: { echo: 'ABC' } }", 'network.codes.echo: "ABC" does not fit field 70, which is n3'],
    ["refusal: { noAnswer: '9' }", 'refusal.noAnswer: "9" does not fit field 39, which is an2'],
    ["answers: { approved: '000' }", 'answers.approved: "000" does not fit field 39, which is an2'],
    ["fields: { 39: n3 }", 'refusal.formatError: "30" does not fit field 39, which is n3'],
    ["security: { mac: { field: 3 } }", "security.mac.field: field 3 is n6 and cannot hold a MAC of 4 bytes"],
    ["network: { mti: 200 }", "network.mti: the type of a request of network management is expected, like 800 or 1804"],
    ["network: { mti: 810 }", "network.mti: the type of a request of network management is expected, like 800 or 1804"],
    ["reversal: { mti: 200 }", "reversal.mti: the type of a reversal is expected, like 420 or 1420"],
    [
      "match: { transaction: [11, 35] }",
      "match.transaction: field 35 is sensitive authentication data, which is kept nowhere"
    ],
    ["reversal: { copies: [52] }", "reversal.copies: field 52 is sensitive authentication data, which is kept nowhere"],
    [
      "answers: { givenAgain: [39, 52] }",
      "answers.givenAgain: field 52 is sensitive authentication data, which is kept nowhere"
    ],
    ["fields: { 7: n6 }", "fields.7: it is n6, and the time of a message of ours has 10 digits"],
    ["fields: { 11: n4 }", "fields.11: it is n4, and a STAN of ours has 6 digits"],
    [
      "fields: { 60: { format: ans...010, structure: { style: positional, parts: [{ name: a, length: 11 }] } } }",
      "fields.60: its parts have 11 places, and the field 10: write its own, or `structure: null` for none"
    ]
  ])("says what does not fit, or may not be kept: %s", (text, wrong) => {
    expect(said(text)).toContain(wrong)
  })

  it("has room for what a reversal says of its original", () => {
    expect(said("fields: { 90: n20 }", "iso8583v1987Ascii")).toEqual([
      "fields.90: it is n20, and what a reversal says of its original has 42 digits"
    ])
  })

  it("may give a reversal an amount with its sign, which no other character may take the place of", () => {
    expect(said("reversal: { sets: { 28: C00000000 } }", "iso8583v1987Ascii")).toEqual([])
    expect(said("reversal: { sets: { 28: '000000000' } }", "iso8583v1987Ascii")).toEqual([
      'reversal.sets.28: "000000000" does not fit field 28, which is x+n8'
    ])
  })

  it.each(Object.keys(dialects))("that only extends %s is good", (base) => {
    expect(said("", base)).toEqual([])
  })
})
