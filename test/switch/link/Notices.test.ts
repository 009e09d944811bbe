/** Lines that a partner causes: a few are all noted, a flood is not. */
import { describe, expect, it } from "vitest"
import { Notices } from "../../../packages/switch/src/link/Notices.ts"

describe("Notices of one kind on a link", () => {
  it("are all noted when they are few", () => {
    const notices = new Notices()
    for (let n = 0; n < 100; n++) expect(notices.take(n * 1000, "an echo")).toMatch(/^an echo/)
  })

  it("are noted some ten times and then once a second when they come in a flood, with their number", () => {
    const notices = new Notices()
    const noted: Array<string> = []
    for (let n = 0; n < 100_000; n++) {
      const text = notices.take(5000 + n / 10, "unreadable")
      if (text !== undefined) noted.push(text)
    }

    expect(noted.length).toBeGreaterThanOrEqual(19)
    expect(noted.length).toBeLessThanOrEqual(21)
    expect(noted[0]).toBe("unreadable")
    expect(noted.at(-1)).toMatch(/^unreadable, 9\d{4} so far$/)
  })
})
