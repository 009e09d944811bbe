import { describe, expect, it } from "vitest"
import type { KeyHandle } from "../../../packages/switch/src/guard/KeyHandle.ts"
import { type KeyChange, KeyRing } from "../../../packages/switch/src/guard/KeyRing.ts"

const key = (name: string): KeyHandle => ({ name, purpose: "mac", algorithm: "tdes", text: "", checkValue: name })

describe("the ring of keys", () => {
  it("gives one slot for both directions, or one for each, and none where a link has no keys", () => {
    const ring = new KeyRing()
    const both = ring.slot(3, "mac", "both")
    const out = ring.slot(3, "pin", "send")

    const back = ring.slot(3, "pin", "receive")

    expect(ring.at(3, "mac", "send")).toBe(both)
    expect(ring.at(3, "mac", "receive")).toBe(both)
    expect(ring.at(3, "pin", "send")).toBe(out)
    expect(ring.at(3, "pin", "receive")).toBe(back)
    expect(ring.at(2, "mac", "send")).toBeUndefined()
    expect(ring.at(4, "mac", "send")).toBeUndefined()
    expect(ring.slots(3)).toEqual([both, out, back])
    expect(ring.slots()).toEqual([both, out, back])
  })

  it("keeps the previous key until its window ends, and tells of each change", () => {
    const ring = new KeyRing()
    const slot = ring.slot(0, "mac", "both")
    const told: Array<[KeyChange, string | undefined, string | undefined]> = []
    ring.onChange((one, change) => told.push([change, one.current?.name, one.previous?.name]))

    ring.take(slot, key("one"), 1, 1000)
    ring.take(slot, key("two"), 2, 2000, key("one"), 500)
    ring.tick(499)

    expect(slot.previous?.name).toBe("one")

    ring.tick(500)
    expect(slot.previous).toBeUndefined()

    ring.tick(501)
    ring.retire(slot, 3000)

    expect(told).toEqual([
      ["taken", "one", undefined],
      ["taken", "two", "one"],
      ["windowEnded", "two", undefined],
      ["retired", undefined, undefined]
    ])
    expect(slot.version).toBe(2)
  })

  it("counts which key fitted, and the failures in a row", () => {
    const slot = new KeyRing().slot(0, "mac", "both")

    expect([slot.count("none"), slot.count("none"), slot.count("previous"), slot.count("none")]).toEqual([1, 2, 0, 1])
    slot.count("current")
    expect([slot.fittedCurrent, slot.fittedPrevious, slot.fittedNone, slot.failuresInRow]).toEqual([1, 1, 3, 0])
  })
})
