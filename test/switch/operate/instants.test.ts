/** Instants in the status: what happened once keeps its time in each report, though two clocks are read one after the other. */
import { describe, expect, it } from "vitest"
import { steady } from "../../../packages/switch/src/operate/control/Status.ts"

describe("The instant of what lies behind us", () => {
  /** When something of monotonic time 500.25 was, by the looks at these wall times, a second of monotonic time apart. */
  const instants = (walls: ReadonlyArray<number>): ReadonlyArray<number> => {
    const clocks = steady()
    return walls.map((wallMs, n) => {
      const now = clocks({ wallMs, monotonicMs: 1000 * (n + 1) + 0.7 })
      return Math.floor(Math.round(now.wallMs - now.monotonicMs) + 500.25)
    })
  }

  it("is the same in each report, whichever clock was read first, and by how much", () => {
    expect(new Set(instants([10_000_001, 10_001_000, 10_002_002, 10_003_001, 10_004_004])).size).toBe(1)
  })

  it("moves with a clock that is set", () => {
    const [before, after, later] = instants([10_000_001, 13_601_001, 13_602_000])
    expect(after! - before!).toBe(3_600_000)
    expect(later).toBe(after)
  })
})
