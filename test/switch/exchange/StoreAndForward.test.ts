import { describe, expect, it } from "vitest"
import { OURS } from "../../../packages/switch/src/exchange/delivery/Due.ts"
import { StoreAndForward } from "../../../packages/switch/src/exchange/delivery/StoreAndForward.ts"
import type { Stored } from "../../../packages/switch/src/exchange/delivery/Stored.ts"

/** A queue with everything outside of it written down. The journal answers at once, or one entry at each `commit`. */
const queueOf = (settings: { attemptsMax?: number; window?: number } = {}, answersAtOnce = true) => {
  const pending: Array<() => void> = []
  const commit = () => pending.shift()?.()
  const world = { isReady: true, carrier: 0, journal: [] as Array<string>, wire: [] as Array<string>, commit, now: 0 }
  const queue = new StoreAndForward(
    { timeoutMs: 1000, retryMs: 5000, attemptsMax: 3, window: 4, ...settings },
    {
      carrier: () => (world.isReady ? world.carrier : undefined),
      recordAttempt: (stored, _carrier, then) => {
        world.journal.push(`attempt ${stored.attempts} of ${stored.exchange}`)
        if (answersAtOnce) then(world.now, 1)
        else pending.push(() => then(world.now, 1))
      },
      recordEnd: (stored, end, code) => world.journal.push(`${stored.exchange} ${end} ${code}`),
      write: (stored, again) => {
        if (!world.isReady) return false
        world.wire.push(`${stored.exchange}${again ? " repeat" : ""}`)
        return true
      },
      isEarly: ({ original }) => original !== undefined,
      own: 0,
      isSuccess: (code) => code === "00",
      isFinal: (code) => code !== "96",
      isAcknowledged: (_, code) => code === "00" || code === "25"
    }
  )
  return { queue, world }
}

const message = (exchange: number, transaction = `t${exchange}`): Stored => ({
  exchange,
  about: 0,
  origin: OURS,
  mti: 420,
  bytes: Buffer.alloc(0),
  key: `k${exchange}`,
  stan: "000001",
  transaction,
  at: 0,
  attempts: 0
})

describe("store-and-forward", () => {
  it("sends in the order of acceptance and ends with the acknowledgement", () => {
    const { queue, world } = queueOf()
    for (const exchange of [1, 2, 3]) queue.add(message(exchange))

    expect(world.wire).toEqual(["1", "2", "3"])
    expect(queue.answered("k2", "00", 10)).toBe(true)
    expect(world.journal).toContain("2 acknowledged 00")
    expect(queue.size).toBe(2)
  })

  it("journals every attempt before it is written", () => {
    const { queue, world } = queueOf()
    world.isReady = false
    queue.add(message(1))

    expect(world.journal).toEqual([])

    world.isReady = true
    queue.linkReady()
    expect(world.journal).toEqual(["attempt 1 of 1"])
  })

  it("repeats with the repeat mark after the timeout and the wait, and gives up after its attempts", () => {
    const { queue, world } = queueOf({ attemptsMax: 2 })
    queue.add(message(1))
    queue.tick(999)
    queue.tick(1000)

    expect(world.wire).toEqual(["1"])

    queue.tick(6000)
    expect(world.wire).toEqual(["1", "1 repeat"])

    queue.tick(7000)
    expect(world.journal.at(-1)).toBe("1 abandoned no answer")
    expect(queue.size).toBe(0)
  })

  it("tries again after an answer that does not say what became of the message", () => {
    const { queue, world } = queueOf()
    queue.add(message(1))
    queue.answered("k1", "96", 100)
    queue.tick(5100)

    expect(world.wire).toEqual(["1", "1 repeat"])

    queue.answered("k1", "25", 5200)
    expect(world.journal.at(-1)).toBe("1 acknowledged 25")
  })

  it("repeats on the next connection what was under way when the link fell", () => {
    const { queue, world } = queueOf()
    queue.add(message(1))
    queue.add(message(2))
    world.isReady = false
    queue.linkLost(0)
    queue.tick(50)

    expect(world.wire).toEqual(["1", "2"])

    world.isReady = true
    queue.linkReady()
    expect(world.wire).toEqual(["1", "2", "1 repeat", "2 repeat"])
  })

  it("rests before the next try when one of a short link's connections ended without an answer, and does not give up for it", () => {
    const { queue, world } = queueOf({ attemptsMax: 1 })
    queue.add(message(1))
    queue.add(message(2))
    queue.linkLost(0, { epoch: 7, nowMs: 100 })

    expect(queue.status()).toMatchObject({ underWay: 2, resting: 0 })

    queue.linkLost(0, { epoch: 1, nowMs: 100 })
    expect(queue.status()).toMatchObject({ underWay: 0, resting: 2 })

    queue.tick(5099)
    expect(world.wire).toEqual(["1", "2"])

    queue.tick(5100)
    expect(world.wire).toEqual(["1", "2", "1 repeat", "2 repeat"])
    expect(queue.size).toBe(2)
  })

  it("repeats only what the link that fell carried, by another link of the group", () => {
    const { queue, world } = queueOf()
    queue.add(message(1))
    world.carrier = 1
    queue.add(message(2))
    queue.linkLost(0)
    queue.linkReady()

    expect(world.wire).toEqual(["1", "2", "1 repeat"])

    queue.linkLost(0)
    queue.linkReady()
    expect(world.wire).toEqual(["1", "2", "1 repeat"])
  })

  it("asks again when another link than its own says that there is no original, and believes it at the last attempt", () => {
    const { queue, world } = queueOf({ attemptsMax: 2 })
    world.carrier = 1
    queue.add(message(1))
    queue.answered("k1", "25", 10)

    expect(queue.size).toBe(1)

    queue.tick(5100)
    expect(world.wire).toEqual(["1", "1 repeat"])

    queue.answered("k1", "25", 5200)
    expect(world.journal.at(-1)).toBe("1 acknowledged 25")

    queue.add(message(2))
    queue.answered("k2", "00", 6000)
    expect(world.journal.at(-1)).toBe("2 acknowledged 00")
  })

  it("marks the first sending after a restart as a repeat when the last run had tried", () => {
    const { queue, world } = queueOf()
    queue.add({ ...message(1), attempts: 1 })
    expect(world.wire).toEqual(["1 repeat"])
  })

  it("never lets a message overtake an earlier one about the same transaction", () => {
    const { queue, world } = queueOf()
    queue.add(message(1, "same"))
    queue.add(message(2, "same"))
    queue.add(message(3, "other"))

    expect(world.wire).toEqual(["1", "3"])

    queue.answered("k1", "00", 10)
    expect(world.wire).toEqual(["1", "3", "2"])
  })

  it("has no more under way than its window", () => {
    const { queue, world } = queueOf({ window: 2 })
    for (const exchange of [1, 2, 3]) queue.add(message(exchange))
    expect(world.wire).toEqual(["1", "2"])
    queue.answered("k1", "00", 10)
    expect(world.wire).toEqual(["1", "2", "3"])
  })

  it("does not know an answer that nobody waits for", () => {
    const { queue } = queueOf()
    expect(queue.answered("k9", "00", 0)).toBe(false)
  })

  it("writes once on a connection, also when the link falls and comes back while an attempt is being journalled", () => {
    const { queue, world } = queueOf({}, false)
    queue.add(message(1))
    queue.linkLost(0)
    queue.linkReady()

    expect(world.journal).toEqual(["attempt 1 of 1", "attempt 2 of 1"])

    world.commit()
    world.commit()
    expect(world.wire).toEqual(["1 repeat"])
  })

  it("never has two messages with one key under way, and sends the second when the first has ended", () => {
    const { queue, world } = queueOf()
    queue.add(message(1))
    queue.add({ ...message(2), key: "k1" })
    queue.add(message(3))

    expect(world.wire).toEqual(["1", "3"])

    queue.answered("k1", "00", 10)
    expect(world.journal).toContain("1 acknowledged 00")
    expect(world.wire).toEqual(["1", "3", "2"])

    queue.answered("k1", "00", 20)
    expect(world.journal).toContain("2 acknowledged 00")

    queue.answered("k3", "00", 30)
    expect(queue.size).toBe(0)
  })

  it("waits for an answer from the writing on, however long the journal takes, and gives up no message that was never written", () => {
    const { queue, world } = queueOf({ attemptsMax: 1 }, false)
    queue.add(message(1))
    queue.tick(60_000)

    expect(world.journal).toEqual(["attempt 1 of 1"])

    world.now = 60_000
    world.commit()
    expect(world.wire).toEqual(["1"])

    queue.tick(60_999)
    expect(queue.size).toBe(1)

    queue.tick(61_000)
    expect(world.journal.at(-1)).toBe("1 abandoned no answer")
  })

  it("does not count an attempt that the falling link prevented", () => {
    const { queue, world } = queueOf({ attemptsMax: 1 }, false)
    queue.add(message(1))
    world.isReady = false
    world.commit()
    world.isReady = true
    queue.linkReady()
    world.commit()

    expect(world.wire).toEqual(["1"])
  })
})
