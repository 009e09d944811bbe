/** What a person did comes out of the journal as it went in, whatever the reason holds. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { actText, readActText } from "../../packages/switch/src/ActText.ts"

const whats = [
  "block",
  "pending retry exchange 7 of issuer",
  "day cut-over to 2026-11-28",
  "silence alarm inDoubt for 5 minutes"
]
const cames = [
  "",
  "Link issuer is blocked. Before: ready, after: blocked",
  "not done: it is down (ECONNREFUSED): wait",
  "brought by Li (ops)"
]

describe("The line of an act", () => {
  it("keeps reasons with parentheses, quotes and colons apart from what was done", () => {
    for (const why of [
      "issuer asked (case 12)",
      'done (1) and (2)): see \\ "mail"',
      "a :) b",
      "(",
      ")",
      '"',
      '"x")',
      "x): y",
      ""
    ]) {
      for (const what of whats) {
        for (const came of cames) {
          const text = actText({ user: "anna (root)", what, why, came })
          const read = { user: "anna (root)", what: came === "" ? what : `${what}: ${came}`, why }
          expect(readActText(text), text).toEqual(read)
        }
      }
    }
  })

  it("keeps any reason that is taken", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]{1,120}$/), fc.constantFrom(...cames), (why, came) => {
        expect(readActText(actText({ user: "uid 1001", what: "cut", why, came }))).toMatchObject({
          user: "uid 1001",
          why
        })
      })
    )
  })

  it("reads lines of older versions, and no others", () => {
    expect(readActText("operator anna: drain: partner asked")).toEqual({
      user: "anna",
      what: "drain: partner asked",
      why: ""
    })
    expect(readActText("operator anna: cut (asked (12)): it is cut")).toMatchObject({ user: "anna" })
    expect(readActText('operator anna: cut ("half of it): it is cut')).toEqual({
      user: "anna",
      what: "cut: it is cut",
      why: '"half of it'
    })
    expect(readActText("connected 127.0.0.1:1 to 127.0.0.1:2")).toBeUndefined()
  })
})
