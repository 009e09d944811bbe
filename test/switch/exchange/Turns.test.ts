import { describe, expect, it } from "vitest"
import { ROUND_BYTES, Turns } from "../../../packages/switch/src/exchange/turns/Turns.ts"

/** Turns whose rounds the test starts, and partners that have pieces to work on. */
const turnsOf = () => {
  const later: Array<() => void> = []
  const turns = new Turns((run) => later.push(run))
  const done: Array<number> = []
  /** A connection of the partner with so many pieces of `bytes`, which takes its turn for each of them. */
  const work = (partner: number, pieces: number, bytes = ROUND_BYTES) => {
    if (pieces === 0) return
    const one = () => {
      done.push(partner)
      work(partner, pieces - 1, bytes)
    }
    if (turns.may(partner, bytes)) one()
    else turns.wait(partner, bytes, one)
  }
  const round = () => later.shift()?.()
  return { turns, done, work, round, later }
}

describe("the turns of the main thread", () => {
  it("works on a partner's bytes at once while it has not had its part of the round", () => {
    const { work, done, later } = turnsOf()
    work(1, 4, ROUND_BYTES / 4)
    expect(done).toEqual([1, 1, 1, 1])
    expect(later.length).toBe(0)
  })

  it("gives a partner with little its turn in each round of another one's flood", () => {
    const { work, done, round } = turnsOf()
    work(1, 1000)
    for (let n = 0; n < 10; n++) {
      round()
      work(2, 1)
    }

    expect(done.slice(0, 21)).toEqual([1, ...Array.from({ length: 10 }, () => [1, 2]).flat()])
  })

  it("counts a partner's connections together: a thousand of them have one turn", () => {
    const { work, done, round } = turnsOf()
    for (let connection = 0; connection < 1000; connection++) work(1, 1, 1024)
    work(2, 1, 1024)

    const inOneTurn = ROUND_BYTES / 1024
    expect(done).toEqual([...new Array(inOneTurn).fill(1), 2])

    round()
    expect(done.length).toBe(2 * inOneTurn + 1)
  })

  it("comes to an end: everybody's work is done, and no round is left over", () => {
    const { work, done, round, later } = turnsOf()
    for (const partner of [1, 2, 3]) work(partner, 50)
    while (later.length > 0) round()

    expect(done.length).toBe(150)
    expect(done.slice(0, 12)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3])
  })
})
