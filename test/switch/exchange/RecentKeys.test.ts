import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Fate, RecentKeys } from "../../../packages/switch/src/exchange/RecentKeys.ts"

const put = (keys: RecentKeys, link: number, text: string, exchange: number, fate: Fate) => {
  const bytes = Buffer.from(text)
  keys.put(link, bytes, 0, bytes.length, exchange, fate)
}
const known = (keys: RecentKeys, link: number, text: string) => {
  const bytes = Buffer.from(text)
  return keys.find(link, bytes, 0, bytes.length) ? { exchange: keys.exchange, fate: keys.fate } : undefined
}

describe("the keys of recent exchanges", () => {
  it("knows a key with its exchange and fate, on its own link only", () => {
    const keys = new RecentKeys(100)
    put(keys, 1, "k", 7, Fate.open)
    expect(known(keys, 1, "k")).toEqual({ exchange: 7, fate: Fate.open })
    expect(known(keys, 2, "k")).toBeUndefined()
  })

  it("gives the newest fate of a key, also when the key was put into the older generation", () => {
    const keys = new RecentKeys(4)
    put(keys, 1, "k", 7, Fate.open)
    for (let n = 0; n < 4; n++) put(keys, 1, `other ${n}`, n + 10, Fate.open)
    put(keys, 1, "k", 7, Fate.answered)
    expect(known(keys, 1, "k")).toEqual({ exchange: 7, fate: Fate.answered })
  })

  it("remembers at least its capacity and forgets after at most twice as many", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 1000 }), (capacity, count) => {
        const keys = new RecentKeys(capacity)
        for (let n = 0; n < count; n++) put(keys, 3, `key ${n}`, n + 1, Fate.open)
        for (let n = Math.max(0, count - capacity); n < count; n++) {
          expect(known(keys, 3, `key ${n}`)?.exchange).toBe(n + 1)
        }
        for (let n = 0; n < count - 2 * capacity; n++) expect(known(keys, 3, `key ${n}`)).toBeUndefined()
      })
    )
  })
})
