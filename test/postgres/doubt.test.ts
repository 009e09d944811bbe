/** What becomes of commits whose acknowledgement was lost, decided from any table that can be seen. */
import { createHash } from "node:crypto"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Link, settle } from "../../packages/switch/src/journal/postgres/Doubt.ts"

const hashOf = (text: string): Buffer => createHash("sha256").update(text).digest()
const ours = (n: number): Link => ({ first: n, hash: hashOf(`ours ${n}`) })

/** A journal of `acknowledged` groups of ours, and `sent` behind them of which nothing was heard; `reached` of these arrived. */
const scenario = fc.record({
  acknowledged: fc.integer({ min: 0, max: 5 }),
  sent: fc.integer({ min: 0, max: 4 }),
  reached: fc.nat(4),
  epoch: fc.bigInt({ min: 1n, max: 9n }),
  /** Groups that another owner wrote behind what arrived. */
  others: fc.nat(3),
  /** Groups that PostgreSQL lost from its end, at a fail-over to a standby that lagged. */
  lost: fc.nat(6)
})

describe("Commits in doubt", () => {
  it("count where they are in the table under our epoch, and go again where they are not (any table)", () => {
    fc.assert(
      fc.property(scenario, ({ acknowledged, sent, reached, epoch, others, lost }) => {
        const inDoubt = Array.from({ length: sent }, (_, n) => ours(acknowledged + n + 1))
        const arrived = Math.min(reached, sent)
        const rows = Array.from({ length: acknowledged + arrived + 1 }, (_, n) => ({ ...ours(n), epoch }))
        const left = rows.slice(0, Math.max(0, rows.length - lost))
        const next = left.length
        const taken = Array.from({ length: others }, (_, n) => ({
          first: next + n,
          hash: hashOf(`others ${n}`),
          epoch: epoch + 1n
        }))
        const isTaken = others > 0
        const from = ours(acknowledged).first
        const look = {
          epoch: isTaken ? epoch + 1n : epoch,
          rows: [...left, ...taken].filter(({ first }) => first >= from)
        }

        const settled = settle(ours(acknowledged), inDoubt, epoch, look)

        if (isTaken) expect(settled).toEqual({ what: "overtaken", epoch: epoch + 1n })
        else if (left.length <= acknowledged) expect(settled).toEqual({ what: "truncated", first: acknowledged })
        else expect(settled).toEqual({ what: "go on", found: left.length - acknowledged - 1 })
      }),
      { numRuns: 2000 }
    )
  })

  it("are lost with their epoch, where PostgreSQL has forgotten that too", () => {
    expect(settle(ours(3), [ours(4)], 5n, { epoch: 4n, rows: [] })).toEqual({ what: "truncated", first: 3 })
    expect(settle(ours(3), [], 5n, { epoch: 4n, rows: [{ ...ours(3), epoch: 4n }] })).toMatchObject({
      what: "truncated"
    })
  })

  it("never count behind another group than ours, whatever the epoch says", () => {
    const look = (rows: ReadonlyArray<Link & { readonly epoch: bigint }>) =>
      settle(ours(1), [ours(2), ours(3)], 4n, { epoch: 4n, rows })
    const known = { ...ours(1), epoch: 3n }

    expect(look([known, { first: 2, hash: hashOf("x"), epoch: 4n }])).toMatchObject({ what: "overtaken" })
    expect(look([known, { ...ours(2), epoch: 3n }])).toMatchObject({ what: "overtaken" })
    expect(look([known, { ...ours(3), epoch: 4n }])).toMatchObject({ what: "overtaken" })
    expect(look([{ ...known, hash: hashOf("y") }])).toEqual({ what: "truncated", first: 1 })
    expect(look([])).toEqual({ what: "truncated", first: 1 })
    expect(look([known])).toEqual({ what: "go on", found: 0 })
  })
})
