import { describe, expect, it } from "vitest"
import { Stalls } from "../../../packages/switch/src/exchange/watch/Stalls.ts"

describe("stalls", () => {
  it("are none while ticks come and the disk confirms, however much is on its way there", () => {
    const stalls = new Stalls(0)
    for (let now = 20; now < 100_000; now += 20) {
      expect(stalls.tick(now, now / 20, 500)).toBeUndefined()
    }
    expect(stalls.status).toBeUndefined()
  })

  it("are the disk's from when something waited until it is confirmed, and are told while they last", () => {
    const stalls = new Stalls(0)
    stalls.tick(20, 7, 0)

    for (let now = 40; now <= 3020; now += 20) expect(stalls.tick(now, 7, 3)).toBeUndefined()
    expect(stalls.status).toMatchObject({ count: 1, last: { what: "disk", from: 40, ms: 2980 } })
    expect(stalls.tick(3040, 10, 0)).toEqual({ what: "disk", from: 40, ms: 3000 })
    expect(stalls.status).toMatchObject({ count: 1, longest: { ms: 3000 } })
    expect(stalls.tick(3060, 10, 0)).toBeUndefined()
  })

  it("are the process's when a tick comes late, whatever the disk did meanwhile", () => {
    const stalls = new Stalls(0)
    stalls.tick(20, 7, 3)

    expect(stalls.tick(5020, 7, 3)).toEqual({ what: "process", from: 20, ms: 5000 })
    expect(stalls.tick(5040, 10, 0)).toBeUndefined()
    expect(stalls.status).toEqual({
      count: 1,
      last: { what: "process", from: 20, ms: 5000 },
      longest: { what: "process", from: 20, ms: 5000 }
    })
  })

  it("are none of a start: what passes before the first tick is its own work", () => {
    const stalls = new Stalls(Number.POSITIVE_INFINITY)

    expect(stalls.tick(11_000, 7, 3)).toBeUndefined()
    expect(stalls.tick(13_000, 7, 3)).toEqual({ what: "process", from: 11_000, ms: 2000 })
  })

  it("keep the longest beside the last", () => {
    const stalls = new Stalls(0)
    stalls.tick(9000, 0, 0)
    stalls.tick(11_000, 0, 0)
    expect(stalls.status).toMatchObject({ count: 2, last: { ms: 2000 }, longest: { ms: 9000 } })
  })
})
