import { assert, describe, it } from "@effect/vitest"
import { drawOptions, PARTNERS_MAX } from "./Options.ts"
import { parseWishes } from "./WishesText.ts"

describe("Wishes for a world", () => {
  it.each([
    ["{", /no JSON/],
    ["[1]", /no JSON object/],
    ['{"aquirers":1}', /"aquirers" is no wish; known are acquirers, issuers/],
    ['{"acquirers":"two"}', /number.*acquirers/s],
    ['{"issuers":0}', /from 1 to 999 is expected.*issuers/s],
    ['{"days":3}', /chance from 0 to 1.*days/s],
    ['{"acquirer":{"pause":5}}', /acquirer.*pause/s],
    ['{"acquirer":{"pause":[5,1]}}', /the shorter time comes first.*pause/s],
    ['{"weights":{"crsh":1}}', /weights.*crsh/s],
    ['{"faults":[{"kind":"bang","at":1}]}', /faults.*crash.*kind/s]
  ])("%s is refused with the place and the rule", (text, says) => {
    assert.throws(() => parseWishes(text), says)
  })

  it("partners have codes, cards and addresses of their own, however many there are", () => {
    const { acquirers, issuers } = drawOptions(
      1,
      parseWishes(`{"acquirers":${PARTNERS_MAX},"issuers":${PARTNERS_MAX}}`)
    )
    const codes = [...acquirers, ...issuers].map(({ line }) => line.institution)

    assert.strictEqual(new Set(codes).size, 2 * PARTNERS_MAX)
    assert.deepStrictEqual([...new Set(codes.map((code) => code.length))], [8])

    const bins = issuers.map(({ bin }) => bin)

    // No BIN begins another one.
    assert.deepStrictEqual([...new Set(bins.map((bin) => bin.length))], [7])
    assert.strictEqual(new Set(bins).size, PARTNERS_MAX)
  })

  it("service is asked of a partner that rests for long by the time in which it can have tried", () => {
    const { calm, serviceWithin } = drawOptions(1, parseWishes('{"acquirer":{"pause":[50000,150000]}}'))
    assert.strictEqual(serviceWithin, 1_200_000)
    assert.isAbove(calm, serviceWithin)
  })
})
