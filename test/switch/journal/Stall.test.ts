import { describe, expect, it } from "vitest"
import { STALL_MS, Stall } from "../../../packages/switch/src/journal/Stall.ts"

/** Looks every second until it is called stalled; the second it was, or undefined. */
const stalledAfter = (seconds: number, committedSeq: (second: number) => number, pending = 3): number | undefined => {
  const stall = new Stall()
  for (let second = 0; second <= seconds; second++) {
    const error = stall.look(second * 1000, committedSeq(second), pending, "here")
    if (error !== undefined) return error.reason._tag === "DiskStalled" ? second : -1
  }
  return undefined
}

describe("a disk that has stopped answering", () => {
  it("is called so when entries wait and nothing becomes durable for half a minute", () => {
    expect(stalledAfter(100, () => 7)).toBe(STALL_MS / 1000)
  })

  it("is not what a slow disk is called, that still commits now and then", () => {
    expect(stalledAfter(500, (second) => Math.floor(second / (STALL_MS / 1000 - 1)))).toBeUndefined()
  })

  it("is not what a quiet night is called", () => {
    expect(stalledAfter(500, () => 7, 0)).toBeUndefined()
  })

  it("is not what a process says of its disk that was itself stopped for an hour", () => {
    const stall = new Stall()

    stall.look(0, 7, 3, "here")
    expect(stall.look(3_600_000, 7, 3, "here")).toBeUndefined()
  })

  it("is told with what the store said last, when it was away for too long", () => {
    const told = (why: string) => {
      const stall = new Stall()
      for (let now = 0; now < 3000; now += 1000) stall.away(now, 3000, 2, why)
      return stall.away(3000, 3000, 2, why)?.reason.problem
    }

    expect(told("PostgreSQL is away: no space left.")).toBe(
      "The store has not answered for 3 s; 2 entries wait. PostgreSQL is away: no space left."
    )
    expect(told("")).toBe("The store has not answered for 3 s; 2 entries wait.")
  })
})
