/** Response codes of the three editions: which approve, which end a reversal, and what our own refusals say to a partner. */
import {
  answerRulesOf,
  checkDialect,
  type Dialect,
  dialects,
  isAcknowledged,
  isSuccess,
  responseClass
} from "@jinka/codec"
import { describe, expect, it } from "vitest"

const byEdition = (version: number): ReadonlyArray<Dialect> =>
  Object.values(dialects).filter((dialect) => dialect.version === version)

/** Codes of the standard and of public lists: approvals, denials, and what acknowledges a reversal and a management message. */
const editions = [
  {
    version: 0,
    approve: ["00", "08", "10", "11", "16", "32"],
    deny: ["05", "12", "51", "94"],
    reversed: "00",
    managed: "00"
  },
  {
    version: 1,
    approve: ["000", "001", "002", "003", "004", "005", "006", "007", "070", "099"],
    deny: ["100", "116", "129", "200", "210", "902", "909", "950"],
    reversed: "400",
    managed: "800"
  },
  {
    version: 2,
    approve: ["0000", "0001", "0002", "0006", "0012", "0085", "0885"],
    deny: ["1000", "1016", "1078", "2009", "2010", "9102", "9109", "9350"],
    reversed: "4000",
    managed: "8000"
  }
] as const

describe("Response codes", () => {
  for (const { version, approve, deny, reversed, managed } of editions) {
    const year = [1987, 1993, 2003][version]
    for (const dialect of byEdition(version)) {
      it(`of ${dialect.name} are those of ${year}: approvals, denials, reversals and network management`, () => {
        expect(approve.filter((code) => !isSuccess(dialect, code))).toEqual([])
        expect(deny.filter((code) => isSuccess(dialect, code))).toEqual([])
        const reversal = dialect.reversal?.mti ?? 420
        expect(isAcknowledged(dialect, reversal, reversed)).toBe(true)
        // Money remains behind a partial one, and a denied reversal has not been done.
        const notDone = [...answerRulesOf(dialect).partialApproval, ...deny.filter((code) => code !== "94")]
        expect(notDone.filter((code) => isAcknowledged(dialect, reversal, code))).toEqual([])
        expect(answerRulesOf(dialect).accepted).toBe(managed)
      })

      it(`of ${dialect.name} that refuse are listed, and never read as an approval`, () => {
        for (const code of Object.values(dialect.refusal)) {
          expect([code, dialect.responseCodes[code]]).not.toEqual([code, undefined])
          // What begins so is an approval to a partner of the later editions, whatever we mean by it.
          if (version > 0) expect(code).not.toMatch(/^0/)
          expect([code, isSuccess(dialect, code)]).toEqual([code, false])
        }
        const { acknowledged } = dialect
        const ends = [...(acknowledged?.reversal ?? []), ...(acknowledged?.advice ?? [])]
        expect(ends.filter((code) => dialect.responseCodes[code] === undefined)).toEqual([])
      })
    }
  }

  it("of a dialect file that refuse and approve at once are an error of the file", () => {
    const wrong = (text: string) => checkDialect(text).errors.map(({ path, rule }) => `${path}: ${rule}`)
    expect(wrong('name: x\nextends: iso8583v2003\nrefusal: { malfunction: "0909" }')).toEqual([
      'refusal.malfunction: "0909" approves: a code that refuses is expected'
    ])
    expect(wrong('name: x\nextends: cups\nrefusal: { noAnswer: "00" }')).toHaveLength(1)
    expect(wrong('name: x\nextends: cups\nrefusal: { noAnswer: "68" }')).toEqual([])
  })

  it("are tried again where the later editions say that the issuer is signed off, not there or out of step", () => {
    const again = (dialect: Dialect, codes: ReadonlyArray<string>) =>
      codes.map((code) => responseClass(dialect, code)).filter((found) => !["R", "T", "X", "K"].includes(found))
    for (const dialect of byEdition(1))
      expect(again(dialect, ["904", "907", "909", "910", "911", "912", "917"])).toEqual([])
    for (const dialect of byEdition(2))
      expect(again(dialect, ["9100", "9107", "9109", "9110", "9111", "9112", "9117"])).toEqual([])
  })
})
