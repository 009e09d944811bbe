/** A business day by itself: what moves it, how the journal keeps it, and which date some digits mean. */
import { describe, expect, it } from "vitest"
import {
  answered,
  begun,
  dayOf,
  dayText,
  ended,
  unknownDay
} from "../../../packages/switch/src/exchange/day/BusinessDay.ts"
import { dateOf } from "../../../packages/switch/src/message/SettlementDate.ts"

const open = (date: string) => ({ date, next: "", cause: "cutoverEnd" }) as const

describe("A business day", () => {
  it("moves at once in a network without a message for the end of a cut-over", () => {
    expect(begun(open("2026-11-27"), "2026-11-28", false)).toEqual({
      day: { date: "2026-11-28", next: "", cause: "cutoverStart" }
    })
  })

  it("is the same object where nothing changes, so that nothing is written", () => {
    const day = open("2026-11-27")
    const closing = { ...day, next: "2026-11-28", cause: "cutoverStart" } as const

    expect([begun(day, "2026-11-27", true), ended(day, "2026-11-27"), answered(day, "2026-11-26")]).toEqual([
      { day },
      { day },
      { day }
    ])
    expect((begun(closing, "2026-11-28", true) as { day: object }).day).toBe(closing)
    expect((answered(closing, "2026-11-28") as { day: object }).day).toBe(closing)
  })

  it("goes over holidays and no further", () => {
    expect(begun(open("2026-11-27"), "2026-12-07", true)).toMatchObject({ day: { next: "2026-12-07" } })
    expect(begun(open("2026-11-27"), "2026-12-08", true)).toMatchObject({ wrong: expect.stringContaining("10 days") })
    expect(ended(unknownDay, "")).toMatchObject({ wrong: expect.stringContaining("no date") })
  })

  it("is read back as it was written, and nothing else is taken for one", () => {
    for (const day of [open("2026-11-27"), { date: "", next: "2026-11-28", cause: "cutoverStart" } as const])
      expect(dayOf(dayText(day))).toEqual(day)
    expect(dayOf("ready")).toBeUndefined()
  })
})

describe("The digits of a settlement date", () => {
  it("are month and day of the nearest year, or have the year; a day that there is not is none", () => {
    const newYear = Date.UTC(2026, 11, 31, 23)

    expect(dateOf("0101", newYear)).toBe("2027-01-01")
    expect(dateOf("1230", newYear)).toBe("2026-12-30")
    expect(dateOf("261128", newYear)).toBe("2026-11-28")
    expect(dateOf("20261128", newYear)).toBe("2026-11-28")
    expect(dateOf("0229", Date.UTC(2028, 1, 28))).toBe("2028-02-29")
    expect(["1131", "0000", "112", "11x8", ""].map((digits) => dateOf(digits, newYear))).toEqual(
      new Array(5).fill(undefined)
    )
  })
})
