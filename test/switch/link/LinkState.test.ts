import { describe, expect, it } from "vitest"
import { type Event, initial, isReady, isSignedOn, phrase, step } from "../../../packages/switch/src/link/LinkState.ts"

const stateAfter = (...events: ReadonlyArray<Event>) => events.reduce(step, initial)
const opened: Event = { _tag: "opened", ours: "missing", partners: "missing" }
const ours: Event = { _tag: "signedOn", side: "ours" }
const partners: Event = { _tag: "signedOn", side: "partners" }
const okay: Event = { _tag: "watchdog", phase: "OKAY" }

describe("the state of a link", () => {
  it("is ready only when both sign-ons and the watchdog say so", () => {
    expect(isReady(stateAfter(opened, okay))).toBe(false)
    expect(isReady(stateAfter(opened, ours, okay))).toBe(false)
    expect(isReady(stateAfter(opened, ours, partners))).toBe(false)
    expect(isReady(stateAfter(opened, ours, partners, okay))).toBe(true)
  })

  it("needs no sign-on where none was asked for", () => {
    expect(isReady(stateAfter({ _tag: "opened", ours: "none", partners: "none" }, okay))).toBe(true)
  })

  it("loses its sign-ons with the connection", () => {
    const down = stateAfter(opened, ours, partners, okay, { _tag: "ended" })
    expect(isSignedOn(down)).toBe(false)
    expect(isReady(step(down, okay))).toBe(false)
  })

  it("is not ready after the partner signs off, and ready when it signs on again", () => {
    const off = stateAfter(opened, ours, partners, okay, { _tag: "signedOff" })
    expect(isReady(off)).toBe(false)
    expect(phrase(off)).toBe("partner signed off")
    expect(isReady(step(off, partners))).toBe(true)
  })

  it("keeps an operator's block over a reconnect", () => {
    const blocked = stateAfter({ _tag: "blocked", on: true }, opened, ours, partners, okay)
    expect(isReady(blocked)).toBe(false)
    expect(isReady(step(blocked, { _tag: "blocked", on: false }))).toBe(true)
  })

  it("keeps an operator's sign-off over a reconnect: the next connection is signed off, not signing on", () => {
    const off = stateAfter(opened, ours, partners, okay, { _tag: "heldOff", on: true }, { _tag: "ended" })

    const again = [opened, partners, okay].reduce(step, off)

    expect(phrase(again)).toBe("signed off")
    expect(isReady(step(again, ours))).toBe(true)
  })

  it("is the same object when a flag is set to what it is", () => {
    const away = stateAfter({ _tag: "away", on: true })

    expect(step(away, { _tag: "away", on: true })).toBe(away)
    expect(away.away).toBe(true)
    expect(stateAfter({ _tag: "leaving", on: true }, { _tag: "gone" })).toMatchObject({ leaving: true, gone: true })
  })

  it("says in a word what keeps it from being used", () => {
    expect(phrase(initial)).toBe("down")
    expect(phrase(stateAfter(opened))).toBe("signing on")
    expect(phrase(stateAfter(opened, ours))).toBe("waiting for sign-on")
    expect(phrase(stateAfter(opened, ours, partners, { _tag: "watchdog", phase: "REOPEN" }))).toBe("proving")
    expect(phrase(stateAfter(opened, ours, partners, { _tag: "watchdog", phase: "SUSPECT" }))).toBe("suspect")
    expect(phrase(stateAfter(opened, ours, partners, okay))).toBe("ready")
    expect(phrase(stateAfter(opened, ours, partners, okay, { _tag: "draining", on: true }))).toBe("draining")
  })
})
