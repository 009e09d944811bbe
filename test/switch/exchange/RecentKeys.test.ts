import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { KeyHash } from "../../../packages/switch/src/exchange/entry/KeyHash.ts"
import { KeyKind, type Known, Outcome, RecentKeys } from "../../../packages/switch/src/exchange/entry/RecentKeys.ts"

const DAY = 86_400

const keysOf = (capacity: number, seconds = DAY) => new RecentKeys(new KeyHash(1, 2), capacity, seconds)

/** Puts a key with the number `exchange`: a request unless it is said otherwise. */
const put = (
  keys: RecentKeys,
  text: string,
  known: Partial<Known> & { readonly exchange: number },
  { kind = KeyKind.request as KeyKind, now = 0, time = 0 } = {}
) => {
  const bytes = Buffer.from(text)
  keys.put(kind, bytes, 0, bytes.length, { end: 0, outcome: Outcome.open, ...known }, now, time)
}

const known = (keys: RecentKeys, text: string, kind: KeyKind = KeyKind.request, now = 0) => {
  const bytes = Buffer.from(text)
  return keys.find(kind, bytes, 0, bytes.length, now)
}

const refusal = (exchange: number): Known => ({ exchange, end: exchange, outcome: Outcome.refused })

describe("the keys of recent exchanges of one link", () => {
  it("knows a key with its exchange, its end and its outcome, among those of its kind only", () => {
    const keys = keysOf(100)
    put(keys, "k", { exchange: 7 })

    expect(known(keys, "k")).toEqual({ exchange: 7, end: 0, outcome: Outcome.open })

    put(keys, "k", { exchange: 7, end: 9, outcome: Outcome.answered })

    expect(known(keys, "k")).toEqual({ exchange: 7, end: 9, outcome: Outcome.answered })
    expect(known(keys, "k", KeyKind.reversal)).toBeUndefined()
    expect(keys.findSent(Buffer.from("k"), 0, 1, 0)).toBeUndefined()
  })

  it("keeps what was accepted when something else with its key is refused", () => {
    const keys = keysOf(100)
    for (const outcome of [Outcome.queued, Outcome.answered]) {
      put(keys, `${outcome}`, { exchange: 7, end: 0, outcome })
      put(keys, `${outcome}`, refusal(9))
      expect(known(keys, `${outcome}`)).toEqual({ exchange: 7, end: 0, outcome })
    }
  })

  it("gives the newest outcome of a key, also when the key is in the older generation", () => {
    const keys = keysOf(4)
    put(keys, "k", { exchange: 7 })
    for (let n = 0; n < 4; n++) put(keys, `other ${n}`, { exchange: n + 10 })
    put(keys, "k", { exchange: 7, end: 30, outcome: Outcome.answered })

    expect(known(keys, "k")).toEqual({ exchange: 7, end: 30, outcome: Outcome.answered })
  })

  it("remembers at least its capacity and forgets after at most twice as many", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 1000 }), (capacity, count) => {
        const keys = keysOf(capacity)
        for (let n = 0; n < count; n++) put(keys, `key ${n}`, { exchange: n + 1 })
        for (let n = Math.max(0, count - capacity); n < count; n++) {
          expect(known(keys, `key ${n}`)?.exchange).toBe(n + 1)
        }
        for (let n = 0; n < count - 2 * capacity; n++) expect(known(keys, `key ${n}`)).toBeUndefined()
      })
    )
  })

  it("does not let any number of refusals, or of keys sent to the partner, push out what was accepted", () => {
    const keys = keysOf(100)
    for (let n = 0; n < 100; n++) put(keys, `mine ${n}`, { exchange: n + 1 })
    for (let n = 0; n < 50_000; n++) {
      put(keys, `refused ${n}`, refusal(1000 + n))
      const sent = Buffer.from(`sent ${n}`)
      keys.putSent(sent, 0, sent.length, { exchange: 1000 + n, outcome: Outcome.timedOut, origin: 3 }, 0)
    }

    for (let n = 0; n < 100; n++) expect(known(keys, `mine ${n}`)?.exchange).toBe(n + 1)

    expect(keys.forgotten(0, 0)).toBe(0)
  })

  it("knows of a request that was sent who had asked for it, where that is known", () => {
    const keys = keysOf(10)
    const [one, other] = [Buffer.from("one"), Buffer.from("other")]
    keys.putSent(one, 0, one.length, { exchange: 7, outcome: Outcome.answered, origin: 12 }, 0)
    keys.putSent(other, 0, other.length, { exchange: 9, outcome: Outcome.timedOut, origin: -1 }, 0)

    expect(keys.findSent(one, 0, one.length, 0)).toEqual({ exchange: 7, outcome: Outcome.answered, origin: 12 })
    expect(keys.findSent(other, 0, other.length, 0)).toEqual({ exchange: 9, outcome: Outcome.timedOut, origin: -1 })
  })

  it("counts a request that was accepted and not sent as accepted", () => {
    const keys = keysOf(10)
    put(keys, "k", { exchange: 5 })
    put(keys, "k", { exchange: 5, end: 6, outcome: Outcome.refused })
    for (let n = 0; n < 5000; n++) put(keys, `refused ${n}`, refusal(1000 + n))

    expect(known(keys, "k")).toEqual({ exchange: 5, end: 6, outcome: Outcome.refused })
  })

  it("recognises nothing that came longer ago than repeats are recognised", () => {
    const keys = keysOf(10, 60)
    put(keys, "k", { exchange: 5 }, { now: 1000 })
    expect(known(keys, "k", KeyKind.request, 1060)?.exchange).toBe(5)
    expect(known(keys, "k", KeyKind.request, 1061)).toBeUndefined()
  })

  it("never says of an accepted key that it was none: it knows it, or the journal has to be asked as far as it", () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 60 }),
      kind: fc.constantFrom<KeyKind>(KeyKind.request, KeyKind.reversal, KeyKind.advice),
      isRefused: fc.boolean(),
      passed: fc.integer({ min: 0, max: 20 }),
      hasTime: fc.boolean()
    })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.boolean(),
        fc.array(step, { maxLength: 400 }),
        (capacity, timed, steps) => {
          const keys = keysOf(capacity, 100)
          const accepted = new Map<string, { exchange: number; at: number; key: number; kind: KeyKind }>()
          let now = 1
          let seq = 0
          for (const { key, kind, isRefused, passed } of steps) {
            now += passed
            // The key's own time: every key is older or younger than others by what it says itself.
            const time = timed ? key + 1 : 0
            seq++
            const text = `key ${key}`
            const before = known(keys, text, kind, now) !== undefined || keys.forgotten(time, now) > 0
            if (isRefused && !before) put(keys, text, refusal(seq), { kind, now, time })
            else if (!isRefused && !before) {
              put(keys, text, { exchange: seq }, { kind, now, time })
              accepted.set(`${kind} ${key}`, { exchange: seq, at: now, key, kind })
            }
            for (const one of accepted.values()) {
              if (one.at < now - 100) continue
              const found = known(keys, `key ${one.key}`, one.kind, now)
              const upTo = keys.forgotten(timed ? one.key + 1 : 0, now)
              expect(found?.exchange === one.exchange || upTo >= one.exchange).toBe(true)
            }
          }
        }
      )
    )
  })

  it("asks the journal for no key whose own time is later than that of all it has forgotten", () => {
    const keys = keysOf(4)
    for (let n = 1; n <= 20; n++) put(keys, `key ${n}`, { exchange: n }, { time: 1_122_000_000 + n })
    expect(keys.forgotten(1_122_000_001, 0)).toBeGreaterThan(0)
    expect(keys.forgotten(1_122_000_021, 0)).toBe(0)
  })

  it("asks for nothing any more once what it has forgotten is too old to be a repeat", () => {
    const keys = keysOf(4, 60)
    for (let n = 1; n <= 20; n++) put(keys, `key ${n}`, { exchange: n }, { now: 1000 })
    expect(keys.forgotten(0, 1060)).toBeGreaterThan(0)
    expect(keys.forgotten(0, 1061)).toBe(0)
  })

  it("is not slowed down by keys that were chosen to meet under another start's hash", () => {
    const chosenAgainst = new KeyHash(3, 4)
    const mine = new KeyHash(5, 6)
    const meeting: Array<Buffer> = []
    for (let n = 0; meeting.length < 2000; n++) {
      const key = Buffer.from(`1122223829|${String(n).padStart(6, "0")}|48020000`)
      const { first } = chosenAgainst.hash(KeyKind.request, key, 0, key.length)
      if ((first & 0xff) === 0) meeting.push(key)
    }
    const places = new Set(meeting.map((key) => mine.hash(KeyKind.request, key, 0, key.length).first & 0xfff))

    // 2,000 balls in 4,096 boxes fill 1,580 of them on average, with a deviation of 20.
    expect(places.size).toBeGreaterThan(1450)
  })
})
