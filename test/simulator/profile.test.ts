/** The profile of a load: when each of its requests is due. */
import { describe, expect, it } from "vitest"
import { chanceOf } from "../../packages/simulator/src/chance/Chance.ts"
import { Arrivals, parsePhase } from "../../packages/simulator/src/load/Profile.ts"

const instants = (text: string, seed = 1): ReadonlyArray<number> => {
  const arrivals = new Arrivals(
    parsePhase(text, () => "0,10\n2,20\n3,0\n"),
    chanceOf(seed, "arrivals")
  )
  const found: Array<number> = []
  for (let at = arrivals.take(1e9); at >= 0; at = arrivals.take(1e9)) found.push(at)
  return found
}

describe("a profile", () => {
  it("is due at even instants, more of them as a ramp rises, in steps, and as a file of rates says", () => {
    expect(instants("fixed 4/s for 1s")).toEqual([0, 250, 500, 750])

    const ramp = instants("ramp 0/s to 100/s over 10s")
    expect(ramp.length).toBe(500)
    expect(ramp.filter((at) => at < 5000).length).toBe(125)

    const steps = instants("steps 10/s 20/s of 1s")
    expect([steps.filter((at) => at < 1000).length, steps.length]).toEqual([10, 30])

    const replay = instants("replay rates.csv")
    expect([replay.filter((at) => at < 2000).length, replay.filter((at) => at < 3000).length, replay.length]).toEqual([
      20, 40, 40
    ])
  })

  it("is drawn from the seed when it is Poisson, with the rate as its mean", () => {
    const drawn = instants("poisson 1000/s for 20s")
    expect(drawn).toEqual(instants("poisson 1000/s for 20s"))
    expect(drawn).not.toEqual(instants("poisson 1000/s for 20s", 2))
    expect(Math.abs(drawn.length - 20_000)).toBeLessThan(600)

    const gaps = drawn.slice(1).map((at, before) => at - drawn[before]!)
    // Of an exponential distribution 63 % lie below the mean; evenly spaced ones never do.
    expect(gaps.filter((gap) => gap < 1).length / gaps.length).toBeCloseTo(0.632, 1)
  })

  it("says what is wrong", () => {
    const wrong = (text: string): string => {
      try {
        parsePhase(text, () => "")
      } catch (error) {
        return (error as Error).message
      }
      return "good"
    }

    expect(wrong("fixed 500 for 1m")).toBe('a rate like 500/s is expected, not "500"')
    expect(wrong("ramp 1/s to 5/s")).toBe('"over" is expected, not "the end"')
    expect(wrong("sawtooth 5/s")).toContain("known are fixed, soak, poisson, ramp, steps, replay")
    expect(wrong("fixed 5/s for 1m and more")).toContain('"and" is not expected here')
    expect(wrong("replay rates.csv")).toContain("no line of seconds,rate")
  })

  it("reads a file of rates with a blank in its name and says which of its lines is wrong: none is passed over", () => {
    const replayed = (text: string): string => {
      try {
        return parsePhase("poisson replay 双十一 rates.csv", (path) => (path === "双十一 rates.csv" ? text : ""))
          .map(({ from, lasts }) => `${from}/s ${lasts}`)
          .join(", ")
      } catch (error) {
        return (error as Error).message
      }
    }

    expect(replayed("\uFEFFseconds,rate\r\n0,5\r\n\r\n2.5,7\r\n")).toBe("5/s 2500, 7/s 1000")
    for (const line of ["x1,9", "-1,9", "1,", "1", "1,2,3", "1;2", "noon"]) {
      expect([line, replayed(`seconds,rate\n0,5\n${line}\n9,5\n`)]).toEqual([
        line,
        "line 3 of the profile is no seconds,rate"
      ])
    }
    expect(replayed("seconds,rate\n\n4,5\n3,5\n")).toBe(
      "line 3 of the profile: the next line does not have a later second"
    )
  })
})
