import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Event, State, step } from "../../../packages/switch/src/exchange/Exchange.ts"

const states = Object.values(State)
const events = Object.values(Event)

describe("the life of a request", () => {
  it("goes from acceptance over the answer to its end", () => {
    const path = [Event.accepted, Event.sent, Event.answered, Event.endCommitted]
    expect(path.reduce<State>(step, State.free)).toBe(State.free)
  })

  it("ends by its deadline, or with its connection, only while it waits for the answer", () => {
    expect(step(State.open, Event.deadline)).toBe(State.ending)
    expect(step(State.open, Event.connectionLost)).toBe(State.ending)
    for (const state of [State.accepting, State.answering, State.ending]) {
      expect(step(state, Event.deadline)).toBe(state)
      expect(step(state, Event.connectionLost)).toBe(state)
    }
  })

  it("takes an answer only while it waits for one", () => {
    for (const state of states) {
      if (state === State.open) expect(step(state, Event.answered)).toBe(State.answering)
      else expect(() => step(state, Event.answered)).toThrow("cannot happen")
    }
  })

  it("is freed by nothing but the journal's word", () => {
    for (const state of states) {
      for (const event of events) {
        if (event === Event.endCommitted) continue
        let next: State | undefined
        try {
          next = step(state, event)
        } catch {
          next = undefined
        }
        expect(next).not.toBe(State.free)
      }
    }
  })

  it("never sends twice: on every path there is at most one sending before the end", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 40 }), (path) => {
        let state: State = State.free
        let sent = 0
        for (const event of path) {
          let next: State
          try {
            next = step(state, event)
          } catch {
            continue
          }
          if (event === Event.sent) sent++
          if (next === State.free) sent = 0
          expect(sent).toBeLessThanOrEqual(1)
          state = next
        }
      })
    )
  })
})
