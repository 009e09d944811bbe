import { describe, expect, it } from "vitest"
import { OURS } from "../../../packages/switch/src/exchange/delivery/Due.ts"
import { StoreAndForward } from "../../../packages/switch/src/exchange/delivery/StoreAndForward.ts"
import type { Stored } from "../../../packages/switch/src/exchange/delivery/Stored.ts"

/**
 * A queue with everything outside of it written down. The journal answers at once, or one entry at each `commit`; it is read at
 * once, or when the test says so.
 */
const queueOf = (
  settings: { attemptsMax?: number; window?: number } = {},
  { answersAtOnce = true, readsAtOnce = true, whole = 1024 } = {}
) => {
  const pending: Array<() => void> = []
  const commit = () => pending.shift()?.()
  const reads: Array<(isThere: boolean) => void> = []
  const read = (isThere = true) => reads.shift()?.(isThere)
  const world = {
    isReady: true,
    isOpen: true,
    carrier: 0,
    journal: [] as Array<string>,
    wire: [] as Array<string>,
    read: [] as Array<ReadonlyArray<number>>,
    commit,
    answerRead: read,
    now: 0
  }
  const kept = new Map<number, Stored>()
  const numbers = new Map<string, number>()
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
      isEarly: () => world.isOpen,
      load: (messages, then) => {
        world.read.push(messages.map(({ exchange }) => exchange))
        reads.push((isThere) =>
          then(isThere ? messages.map((known) => ({ ...kept.get(known.exchange)!, ...known })) : undefined)
        )
        if (readsAtOnce) read()
      },
      number: (transaction) => {
        const number = numbers.get(transaction) ?? numbers.size
        numbers.set(transaction, number)
        return number
      },
      endOf: (_, code, carrier, isLast) => {
        if (code === "96" || (code !== "00" && carrier !== 0 && !isLast)) return undefined
        return code === "00" || code === "25" ? "acknowledged" : "declined"
      }
    },
    whole
  )
  const add = (stored: Stored) => {
    // What is in the journal knows nothing of a connection.
    const { behind: _, original: __, ...said } = stored
    kept.set(stored.exchange, said)
    queue.add(stored)
  }
  return { queue, world, add }
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
  own: transaction,
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
    const { queue, world } = queueOf({}, { answersAtOnce: false })
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
    const { queue, world } = queueOf({ attemptsMax: 1 }, { answersAtOnce: false })
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
    const { queue, world } = queueOf({ attemptsMax: 1 }, { answersAtOnce: false })
    queue.add(message(1))
    world.isReady = false
    world.commit()
    world.isReady = true
    queue.linkReady()
    world.commit()

    expect(world.wire).toEqual(["1"])
  })

  it("keeps few messages whole, and sends all of them in their order with what the journal says of the others", () => {
    const { add, queue, world } = queueOf({ window: 2 }, { whole: 4 })
    world.isReady = false
    for (let n = 1; n <= 100; n++) add(message(n))

    expect(world.read).toEqual([])

    world.isReady = true
    queue.linkReady()
    for (let n = 1; n <= 100; n++) expect(queue.answered(`k${n}`, "00", 0)).toBe(true)

    expect(world.wire).toEqual(Array.from({ length: 100 }, (_, n) => String(n + 1)))
    expect(queue.size).toBe(0)
    // The first four were there, and each of the others was read once.
    expect(world.read.flat()).toEqual(Array.from({ length: 96 }, (_, n) => n + 5))
  })

  it("waits for what is being read, in its order, and asks again at the next tick when nobody could be asked", () => {
    const { add, queue, world } = queueOf({ window: 1 }, { readsAtOnce: false, whole: 1 })
    world.isReady = false
    for (const exchange of [1, 2, 3]) add({ ...message(exchange), origin: exchange })
    world.isReady = true
    queue.linkReady()
    queue.answered("k1", "00", 0)

    expect(world.wire).toEqual(["1"])
    expect(world.read.length).toBe(1)

    queue.tick(1)
    expect(world.read.length).toBe(1)

    world.answerRead(false)
    expect(world.wire).toEqual(["1"])

    queue.tick(2)
    expect(world.read.length).toBe(2)

    world.answerRead()
    expect(world.wire).toEqual(["1", "2"])
  })

  it("keeps a partner's message back until its request has ended, also when it is read from the journal", () => {
    const { add, queue, world } = queueOf({ window: 1 }, { whole: 1 })
    world.isReady = false
    add(message(1))
    add({ ...message(2), original: { desk: 0, slot: 1, exchange: 9 } })
    add(message(3))
    world.isReady = true
    queue.linkReady()
    queue.answered("k1", "00", 0)
    queue.answered("k3", "00", 0)

    expect(world.wire).toEqual(["1", "3"])

    world.isOpen = false
    queue.tick(1)
    expect(world.wire).toEqual(["1", "3", "2"])
  })

  it("counts attempts of what rests in the journal, and repeats it as one", () => {
    const { add, queue, world } = queueOf({ attemptsMax: 2, window: 10 }, { whole: 2 })
    for (let n = 1; n <= 10; n++) add(message(n))
    queue.tick(1000)

    expect(queue.status()).toMatchObject({ resting: 10, underWay: 0 })

    queue.tick(6000)
    expect(world.wire.slice(10).sort()).toEqual(Array.from({ length: 10 }, (_, n) => `${n + 1} repeat`).sort())

    queue.tick(7000)
    expect(world.journal.filter((line) => line.includes("abandoned")).length).toBe(10)
  })

  it("goes on after a restart where it was: in the order of age, with the attempts, without what had ended or is held", () => {
    const { queue, world } = queueOf()
    for (let n = 1; n <= 5; n++) queue.learn(message(n, n === 4 ? "t2" : `t${n}`))
    queue.learnAttempts(2, 1)
    queue.hold(3)

    expect(queue.learnEnd(1)).toMatchObject({ exchange: 1, stan: "000001" })
    expect(queue.learnEnd(1)).toBeUndefined()
    expect(world.wire).toEqual([])

    expect([...queue.begin()]).toHaveLength(4)
    expect(world.wire).toEqual(["2 repeat", "5"])
    expect(queue.find(3)?.state).toBe("held")

    queue.answered("k2", "00", 0)
    queue.release(3)
    expect(world.wire).toEqual(["2 repeat", "5", "4", "3"])
  })
})
