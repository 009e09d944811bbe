import { describe, expect, it } from "vitest"
import { Lag } from "../../../packages/switch/src/exchange/watch/Lag.ts"

/** Ticks every 20 ms from `from`; an entry is written at each, and is on disk `takes` ms later. */
const run = (lag: Lag, from: number, until: number, takes: number): void => {
  for (let now = from; now <= until; now += 20) {
    const written = now / 20
    const confirmed = Math.max(0, written - Math.ceil(takes / 20))
    lag.tick(now, confirmed, written - confirmed)
  }
}

describe("The journal's lag", () => {
  it("is how long an entry takes, however few there are; one slow entry is not a slow disk", () => {
    const lag = new Lag(0)

    run(lag, 20, 1000, 40)
    expect(lag.status).toEqual({ ms: 40, slowMs: 0 })
    run(lag, 1020, 3000, 900)
    run(lag, 3020, 5000, 40)
    expect(lag.status).toEqual({ ms: 40, slowMs: 0 })
  })

  it("is slow since the first entry in a row that took half a second, until one is quick", () => {
    const lag = new Lag(0)

    run(lag, 20, 1000, 40)
    run(lag, 1020, 21_000, 900)
    expect(lag.status.ms).toBeGreaterThanOrEqual(880)
    expect(lag.status.slowMs).toBeGreaterThanOrEqual(19_000)
    run(lag, 21_020, 24_000, 40)
    expect(lag.status.slowMs).toBe(0)
  })

  it("grows while nothing is confirmed at all, and is unknown after a minute without entries", () => {
    const lag = new Lag(0)

    for (let now = 20; now <= 12_000; now += 20) lag.tick(now, 7, 3)
    expect(lag.status).toEqual({ ms: 11_980, slowMs: 11_980 })
    for (let now = 12_020; now <= 60_000; now += 20) lag.tick(now, 10, 0)
    expect(lag.status.ms).toBe(12_000)
    for (let now = 60_020; now <= 73_000; now += 20) lag.tick(now, 10, 0)
    expect(lag.status).toEqual({ ms: 0, slowMs: 0 })
  })

  it("has no share of a time in which the process did not run", () => {
    const lag = new Lag(0)
    lag.tick(20, 7, 3)

    lag.tick(30_000, 10, 0)
    expect(lag.status).toEqual({ ms: 0, slowMs: 0 })
  })
})
