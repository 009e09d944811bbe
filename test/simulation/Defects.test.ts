import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { defects } from "./Defects.ts"
import { worldRunner } from "./Runner.ts"

describe("the deliberate defects of `npm run canary`", () => {
  it("are ten, and each still fits the line that it spoils", () => {
    expect(defects.length).toBe(10)
    const root = new URL("../../", import.meta.url)
    const unfit = defects.filter(({ file, find }) => readFileSync(new URL(file, root), "utf8").split(find).length !== 2)
    expect(unfit.map(({ name }) => name)).toEqual([])
    for (const { find, put } of defects) expect(put).not.toBe(find)
  })
})

describe("the world as a command", () => {
  const short = JSON.stringify({ acquirers: 1, issuers: 1, chaos: 5000, calm: 40_000, simplex: 0, groups: 0 })

  it("gives the same hash for a seed and its wishes, another for another seed, and its whole trace when asked", () => {
    const [first, again, other] = [5, 5, 6].map((seed) => worldRunner.run(seed, short, false))
    expect(again!.hash).toBe(first!.hash)
    expect(other!.hash).not.toBe(first!.hash)
    expect(worldRunner.run(5, short, true).trace.length).toBeGreaterThan(first!.trace.length)
    expect(first!.findings).toEqual([])
    expect(first!.linkHours).toBeGreaterThan(0)
  })

  it("says what is wrong with wishes, and that there is nothing to shrink", () => {
    expect(() => worldRunner.run(1, "{", false)).toThrow("the wishes are no JSON")
    expect(() => worldRunner.run(1, '{"fault":[]}', false)).toThrow('"fault" is no wish; known are simplex')
    expect(worldRunner.shrink(5, short, () => undefined)).toBeUndefined()
  })
})
