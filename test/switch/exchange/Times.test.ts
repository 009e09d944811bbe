import { describe, expect, it } from "vitest"
import { Times } from "../../../packages/switch/src/exchange/watch/Times.ts"

describe("Times", () => {
  it("tell median and 99th percentile of what took how long, to two digits", () => {
    const times = new Times()
    for (let ms = 1; ms <= 1000; ms++) times.record(ms, 0)
    const { count, p50, p99, max } = times.status(0)

    expect(count).toBe(1000)
    expect(p50 / 500).toBeCloseTo(1, 1)
    expect(p99 / 990).toBeCloseTo(1, 1)
    expect(max / 1000).toBeCloseTo(1, 1)
  })

  it("count each of those in a row that took the same, wherever the row is read", () => {
    const times = new Times()
    for (let n = 0; n < 5; n++) times.record(1, 0)
    expect(times.status(0)).toMatchObject({ count: 5, max: expect.closeTo(1, 1) })

    for (let n = 0; n < 94; n++) times.record(1, 0)
    times.record(20, 0)
    expect(times.ever).toMatchObject({ count: 100, min: 0.001, max: 0.02, sum: expect.closeTo(0.119, 9) })
    expect(times.ever.upTo.slice(0, 5)).toEqual([99, 99, 99, 99, 100])

    times.record(20, 0)
    expect(times.status(0)).toMatchObject({ count: 101, p50: expect.closeTo(1, 1) })
  })

  it("are nothing before the first, and hold what is shorter than a microsecond and longer than a minute", () => {
    const times = new Times()

    expect(times.status(0)).toEqual({ count: 0, p50: 0, p99: 0, max: 0 })

    times.record(0, 0)
    times.record(1e9, 0)

    expect(times.status(0).count).toBe(2)
  })

  it("forget what is older than ten minutes, and not what is younger than five", () => {
    const minute = 60_000
    const times = new Times()
    times.record(1, 0)
    times.record(1, 4 * minute)

    expect(times.status(6 * minute).count).toBe(2)

    times.record(1, 6 * minute)
    expect(times.status(9 * minute).count).toBe(3)
    expect(times.status(12 * minute).count).toBe(1)
    expect(times.status(30 * minute).count).toBe(0)

    times.record(1, 60 * minute)
    expect(times.status(60 * minute).count).toBe(1)
  })
})
