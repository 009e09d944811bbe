import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Commits } from "../../../packages/switch/src/exchange/turns/Commits.ts"

describe("what waits for the journal", () => {
  it("is done in the order of the entries, and not before its entry is on disk", () => {
    const done: Array<string> = []
    const commits = new Commits()
    const actions = {
      forward: (desk: number, id: number) => done.push(`forward ${desk} ${id}`),
      deliver: (desk: number, id: number) => done.push(`deliver ${desk} ${id}`)
    }
    commits.forward(7, 1, 4, 40)
    commits.after(7, 2, () => done.push("rare"))
    commits.deliver(7, 5, 6, 60)
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
              commits.after(7, id, () => {
                done.push(id)
                // An end that an action journals is a later entry.
                if (id % 14 === 0) commits.deliver(7, ++seq, 0, seq)
              })
            } else commits.forward(7, id, 0, id)
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

  it("takes turns: however much of one partner is due, another one's first is some actions away", () => {
    const done: Array<string> = []
    const commits = new Commits()
    const actions = { forward: (desk: number, id: number) => done.push(`${desk}:${id}`), deliver: () => undefined }
    for (let id = 1; id <= 500; id++) commits.forward(1, id, 1, id)
    commits.forward(2, 501, 2, 501)
    commits.forward(2, 600, 2, 600)

    expect(commits.run(501, actions, 64)).toBe(false)
    expect(done.length).toBe(64)
    expect(done.indexOf("2:501")).toBe(8)
    expect(commits.first).toBe(64)

    while (!commits.run(501, actions, 64)) expect(done.length % 64).toBe(0)

    expect(done.filter((one) => one !== "2:501")).toEqual(Array.from({ length: 500 }, (_, n) => `1:${n + 1}`))
    expect([commits.length, commits.first]).toEqual([1, 600])
  })

  it("keeps each partner's order, and does everything once, whatever the sizes and the moments", () => {
    const step = fc.record({ partner: fc.integer({ min: 0, max: 4 }), burst: fc.integer({ min: 1, max: 300 }) })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 90 }), (steps, most) => {
        const commits = new Commits()
        const pushed: Record<number, Array<number>> = {}
        const done: Record<number, Array<number>> = {}
        const actions = {
          forward: (partner: number, id: number) => {
            done[partner] = [...(done[partner] ?? []), id]
          },
          deliver: () => undefined
        }
        let seq = 0
        for (const { partner, burst } of steps) {
          for (let n = 0; n < burst; n++) {
            commits.forward(partner, ++seq, partner, seq)
            pushed[partner] = [...(pushed[partner] ?? []), seq]
          }
          commits.run(Math.floor(seq / 2), actions, most)
        }
        while (!commits.run(seq, actions, most));
        expect(done).toEqual(pushed)
        expect([commits.length, commits.first]).toEqual([0, Number.POSITIVE_INFINITY])
      }),
      { numRuns: 50 }
    )
  })

  it("tells whoever waits for a partner's entry when it is on disk and done, with or without actions", () => {
    const told: Array<string> = []
    const commits = new Commits()
    const actions = { forward: () => undefined, deliver: () => undefined }
    for (let id = 1; id <= 20; id++) commits.forward(1, id, 1, id)
    commits.whenDone(1, 12, () => told.push("of 1"))
    commits.whenDone(3, 12, () => told.push("of 3, which has none"))
    commits.whenDone(1, 12, () => told.push("taken back"))()
    commits.run(11, actions)

    expect(told).toEqual([])

    commits.run(20, actions, 4)

    expect(told).toEqual(["of 1", "of 3, which has none"])
  })

  it("leaves what becomes due while an action runs to the call that does the action", () => {
    const done: Array<number> = []
    const commits = new Commits()
    const actions = { forward: (_: number, id: number) => done.push(id), deliver: () => undefined }
    commits.after(1, 1, () => {
      done.push(1)
      expect(commits.run(3, actions)).toBe(true)
      expect(done).toEqual([1])
    })
    commits.forward(1, 2, 0, 2)
    commits.forward(2, 3, 0, 3)

    expect(commits.run(1, actions)).toBe(true)
    expect(done).toEqual([1, 2, 3])
  })
})
