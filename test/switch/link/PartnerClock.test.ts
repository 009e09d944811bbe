import { describe, expect, it } from "vitest"
import { PartnerClock } from "../../../packages/switch/src/link/PartnerClock.ts"

/** A clock that has heard requests a second apart, each sent so many milliseconds ago by its own time. */
const heard = (...since: ReadonlyArray<number | undefined>) => {
  const clock = new PartnerClock()
  since.forEach((ms, at) => clock.heard(10_000 + 1000 * at, ms))
  return clock.aheadMs(10_000 + 1000 * since.length)
}

describe("The clock of a partner", () => {
  it("is not known before three requests have said their time, and an hour after the last one", () => {
    expect(heard(undefined, 0, undefined, 0)).toBeUndefined()
    expect(heard(500, 500, 500)).toBe(0)

    const clock = new PartnerClock()
    for (const at of [0, 1000, 2000]) clock.heard(at, -39_500)
    expect(clock.aheadMs(3000)).toBe(40_000)
    expect(clock.aheadMs(3_602_001)).toBeUndefined()

    // What comes then counts afresh.
    clock.heard(7_300_000, 500)
    expect(clock.aheadMs(7_300_000)).toBeUndefined()
  })

  it("is behind when its requests seem old, and one that was long on its way, or lies, does not matter", () => {
    expect(heard(60_500, 60_400, 60_600)).toBe(-60_000)
    expect(heard(500, 86_400_000, 400, -31_536_000_000, 600)).toBe(0)
  })

  it("costs a look a second, and keeps the last ones", () => {
    const clock = new PartnerClock()
    let looks = 0
    for (let at = 1; at <= 100_000; at++) {
      if (!clock.isDue(at)) continue
      looks++
      clock.heard(at, at < 50_000 ? 500 : -4500)
    }

    expect(looks).toBe(100)
    expect(clock.aheadMs(100_000)).toBe(5000)
  })
})
