/** The share of the way to disk that one partner may fill. */
import { describe, expect, it } from "vitest"
import { FairShare } from "../../../packages/switch/src/exchange/turns/FairShare.ts"

/** Takes `count` messages, the last of which is entry `last`; what the link then waits for while `committed` is on disk. */
const turn = (share: FairShare, count: number, last: number, committed: number): number => {
  for (let n = 0; n < count; n++) share.taken()
  return share.waitsFor(last, (seq) => seq <= committed)
}

describe("A partner's share of the way to disk", () => {
  it("never holds a partner whose messages are on disk soon", () => {
    const share = new FairShare()
    for (let last = 100; last < 1_000_000; last += 100) expect(turn(share, 100, last, last - 200)).toBe(0)
  })

  it("holds a partner that is far ahead of the disk until what it was first ahead by is there", () => {
    const share = new FairShare()

    expect(turn(share, 5000, 5000, 0)).toBe(0)
    expect(turn(share, 4000, 13_000, 0)).toBe(5000)
    expect(turn(share, 0, 13_000, 4999)).toBe(5000)
    expect(turn(share, 0, 13_000, 5000)).toBe(0)
  })
})
