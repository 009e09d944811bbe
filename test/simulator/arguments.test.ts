/** The words of a call as they were meant: the same rules in both commands. */
import { describe, expect, it } from "vitest"
import * as Simulator from "../../packages/simulator/src/cli/WholeArguments.ts"
import * as Switch from "../../packages/switch/src/operate/command/WholeArguments.ts"

describe.each([
  ["jinka", Switch],
  ["jinka-sim", Simulator]
])("The words of a call of %s", (_, { wrongFlag, wholeArguments }) => {
  it("join a value that begins with a dash to its flag, and leave the short flags alone", () => {
    expect(wholeArguments(["close", "s.yaml", "5", "--reason", "- as agreed"])).toEqual([
      "close",
      "s.yaml",
      "5",
      "--reason=- as agreed"
    ])
    expect(wholeArguments(["load", "--seed", "-5"])).toEqual(["load", "--seed=-5"])
    expect(wholeArguments(["load", "--check", "-h"])).toEqual(["load", "--check", "-h"])
    expect(wholeArguments(["decode", "-"])).toEqual(["decode", "-"])
  })

  it("have a flag flag where a word with a dash belongs to none", () => {
    expect(wrongFlag(["status", "s.yaml", "-hello"])).toBe("-hello")
    expect(wrongFlag(["status", "s.yaml", "-v", "--reason=-x"])).toBeUndefined()
    expect(wrongFlag(["encode", "--", "-hello"])).toBeUndefined()
  })
})
