/** The checker and reversals of a part. */
import { describe, expect, it } from "vitest"
import { brokenRules, sound } from "./SoundRun.ts"

describe("the checker", () => {
  it("expects of what was reversed in part that the rest stands", () => {
    const evidence = sound()
    const acquirer = evidence.acquirer.map((line) => (line.mti === "0420" ? { ...line, remains: 100 } : line))
    const postings = evidence.postings.map((posting) =>
      posting.rrn === "RRN3" && posting.rule === "undo"
        ? { ...posting, rule: "undoPart" as const, amount: 200 }
        : posting
    )

    expect(brokenRules({ ...evidence, acquirer, postings, ledger: undefined })).toEqual([])
    expect(brokenRules({ ...evidence, acquirer, ledger: undefined })).toEqual(["money", "money-total"])
  })
})
