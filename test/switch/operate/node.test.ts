/** A Node that is too old is told of, and does not break the program somewhere in the middle. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { tooOld } from "../../../packages/switch/src/operate/quick/NodeVersion.ts"

describe("The version of Node", () => {
  it("is refused below what the package says, and taken from there on", () => {
    const { engines } = JSON.parse(
      readFileSync(new URL("../../../packages/switch/package.json", import.meta.url), "utf8")
    )

    expect(engines.node).toBe(">=22.19")
    expect(["22.19.0", "22.20.1", "24.0.0", process.versions.node].map(tooOld)).toEqual(Array(4).fill(undefined))
    expect(tooOld("20.20.2")).toContain("this is Node 20.20.2; Jinka needs Node 22.19 or later")
    expect(tooOld("22.18.0")).toBeDefined()
    expect(tooOld("")).toBeDefined()
  })
})
