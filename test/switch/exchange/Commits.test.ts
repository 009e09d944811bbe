import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Commits } from "../../../packages/switch/src/exchange/Commits.ts"

describe("what waits for the journal", () => {
  it("is done in the order of the entries, and not before its entry is on disk", () => {
    const done: Array<string> = []
    const commits = new Commits()
    const actions = {
      forward: (desk: number, id: number) => done.push(`forward ${desk} ${id}`),
      deliver: (desk: number, id: number) => done.push(`deliver ${desk} ${id}`)
    }
    commits.forward(1, 4, 40)
    commits.after(2, () => done.push("rare"))
    commits.deliver(5, 6, 60)
    commits.run(0, actions)
    expect(done).toEqual([])
    commits.run(4, actions)
    expect(done).toEqual(["forward 4 40", "rare"])
    commits.run(5, actions)
    expect(done).toEqual(["forward 4 40", "rare", "deliver 6 60"])
    expect(commits.length).toBe(0)
  })

  it("keeps the order however far the disk lags behind and whatever the actions add", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 }), (bursts) => {
        const done: Array<number> = []
        const commits = new Commits()
        const pushId = (_: number, id: number) => done.push(id)
        const actions = { forward: pushId, deliver: pushId }
        let seq = 0
        let lag = 0
        for (const burst of bursts) {
          for (let n = 0; n < burst; n++) {
            const id = ++seq
            if (id % 7 === 0) {
              commits.after(id, () => {
                done.push(id)
                // An end that an action journals is a later entry.
                if (id % 14 === 0) commits.deliver(++seq, 0, seq)
              })
            } else commits.forward(id, 0, id)
          }
          lag = Math.floor((seq + lag) / 2)
          commits.run(lag, actions)
        }
        while (commits.length > 0) commits.run(seq, actions)
        expect(done).toEqual(Array.from({ length: seq }, (_, n) => n + 1))
      }),
      { numRuns: 30 }
    )
  })
})
