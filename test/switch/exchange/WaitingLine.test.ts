import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { WaitingLine } from "../../../packages/switch/src/exchange/request/WaitingLine.ts"

describe("a waiting line", () => {
  it("lets in who fits, and the others in their order as places become free", () => {
    const line = new WaitingLine(2, 100)
    expect([line.enter(), line.enter(), line.enter()]).toEqual([true, true, false])

    line.wait(7, 1, 0, 1000)
    line.wait(8, 1, 0, 1000)
    expect(line.next()).toBeUndefined()

    line.leave()
    // A newcomer does not pass who waits.
    expect(line.enter()).toBe(false)
    expect([line.next(), line.next()]).toEqual([7, undefined])
  })

  it("tells each whose wait is over once, and none before its time", () => {
    const line = new WaitingLine(1, 100)
    line.enter()
    line.wait(1, 1, 0, 1000)
    line.wait(2, 1, 50, 120)

    expect(line.overdue(99)).toBeUndefined()
    expect([line.overdue(100), line.overdue(100)]).toEqual([1, undefined])
    expect([line.overdue(120), line.overdue(1000), line.length]).toEqual([2, undefined, 0])
  })

  it("lets partners in by turns, however many of one wait", () => {
    const line = new WaitingLine(1, 1000)
    line.enter()
    for (let id = 10; id < 1000; id++) line.wait(id, 1, 0, 1000)
    line.wait(2, 2, 0, 1000)
    const next = () => {
      line.leave()
      return line.next()
    }

    expect([next(), next(), next()]).toEqual([10, 2, 11])
  })

  it("never has more under way than its window, and loses nobody", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.constantFrom("come", "leave", "late"), { maxLength: 400 }),
        (window, steps) => {
          const line = new WaitingLine(window, 10)
          const seen: Array<number> = []
          let underWay = 0
          let come = 0
          let now = 0
          for (const step of steps) {
            now++
            if (step === "come") {
              const id = come++
              if (line.enter()) {
                underWay++
                seen.push(id)
              } else line.wait(id, 1, now, now + 1000)
            } else if (step === "leave" && underWay > 0) {
              underWay--
              line.leave()
            } else if (step === "late") {
              for (let id = line.overdue(now); id !== undefined; id = line.overdue(now)) seen.push(id)
            }
            for (let id = line.next(); id !== undefined; id = line.next()) {
              underWay++
              seen.push(id)
            }
            expect(underWay).toBeLessThanOrEqual(window)
          }
          expect(seen).toEqual([...seen].sort((a, b) => a - b))
          expect(seen.length + line.length).toBe(come)
        }
      )
    )
  })
})
