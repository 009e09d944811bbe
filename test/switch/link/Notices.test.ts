/** Lines that a partner causes: a few are all noted, a flood is not. */
import { describe, expect, it } from "vitest"
import { counted, Notices, oneByOne, patient } from "../../../packages/switch/src/link/Notices.ts"

describe("Notices about a link", () => {
  it("are all noted when they are few", () => {
    const notices = new Notices(oneByOne)

    for (let n = 0; n < 100; n++) expect(notices.add("echo", "an echo", n * 1000)).toBe("an echo")
  })

  it("are noted some ten times and then once a second when they come in a flood, with their number", () => {
    const notices = new Notices(oneByOne)

    const noted = Array.from({ length: 100_000 }, (_, n) => notices.add("unreadable", "unreadable", 5000 + n / 10))
    const lines = noted.filter((text) => text !== undefined)

    expect(lines.length).toBeGreaterThanOrEqual(18)
    expect(lines.length).toBeLessThanOrEqual(20)
    expect(lines[0]).toBe("unreadable")
    expect(lines.at(-1)).toMatch(/^unreadable; \d{4,5} like it since the last note, 9\d{4} in all$/)
  })

  it("are counted by kind, and each kind has lines of its own", () => {
    const notices = new Notices(counted)

    const lines = ["full", "full", "drained"].map((kind) => notices.add(kind, kind, 0))

    expect(lines).toEqual(["full", undefined, "drained"])
    expect(notices.counts).toEqual({ full: 2, drained: 1 })
    expect(notices.total).toBe(3)
  })

  it("of a partner that cannot be reached are few in a night, and the first of the next outage is noted at once", () => {
    const notices = new Notices(patient)
    const night = 8 * 3_600_000

    const lines = Array.from({ length: night / 30_000 }, (_, n) => notices.add("connect", "no connection", n * 30_000))
    notices.over("connect")

    expect(lines.filter((text) => text !== undefined).length).toBe(96)
    expect(notices.add("connect", "no connection", night)).toBe("no connection")
  })
})
