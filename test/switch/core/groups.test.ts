import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import type { GroupSettings } from "../../../packages/switch/src/link/LinkGroup.ts"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"

const reset = new ConnectionEnded({ how: "reset", cause: "ECONNRESET" })
const same = { institution: "01030000" }
/** Links 1 and 2 are the issuer's. */
const issuers = [
  { ...linkOf("issuer-a", 103), ...same },
  { ...linkOf("issuer-b", 104), ...same }
]
const group = (change: Partial<GroupSettings> = {}): GroupSettings => ({
  name: "issuer",
  members: [
    { link: 1, name: "issuer-a", weight: 1 },
    { link: 2, name: "issuer-b", weight: 1 }
  ],
  use: "primary-backup",
  by: [],
  failbackMs: 10_000,
  fallTogether: false,
  ...change
})

/** An acquirer on link 0, and an issuer on links 1 and 2, all up; requests go to the group. */
const bench = (
  change: Partial<GroupSettings> = {},
  links: ReadonlyArray<LinkAll> = [linkOf("acquirer", 4802), ...issuers],
  disk = makeDisk()
) =>
  Effect.gen(function* () {
    const groups = [group(change)]
    const started = yield* startBench(links, disk, { groups, routes: [{ bin: "62", to: links.length }] })
    const [acquirer, a, b] = [started.dial(0), started.dial(1), started.dial(2)]
    yield* started.commit
    return { ...started, acquirer, a, b }
  })

const stan = (n: number) => ({ 11: String(n).padStart(6, "0") })
const stans = (messages: ReadonlyArray<Message>) => messages.map(({ fields }) => Number(fields[11]))
const codes = (messages: ReadonlyArray<Message>) => messages.map(({ fields }) => fields[39])
const types = (messages: ReadonlyArray<Message>) => messages.map(({ mti }) => mti)

describe("a group as a destination", () => {
  it.effect(
    "uses the backup when the primary is lost, leaves in flight where it is, and fails back after the quiet time",
    () =>
      Effect.gen(function* () {
        const { a, acquirer, b, commit, dial, running } = yield* bench()
        acquirer.say(purchase(stan(1)))
        yield* commit

        expect(stans(a.heard())).toEqual([1])

        a.end(reset)
        yield* commit
        expect(codes(acquirer.heard())).toEqual(["98"])

        acquirer.say(purchase(stan(2)))
        yield* commit
        expect(stans(b.heard())).toEqual([2])

        const again = dial(1)
        yield* commit
        expect(running.status().groups[0]?.members).toMatchObject([
          { link: "issuer-a", state: "spare", outstanding: 0 },
          { link: "issuer-b", state: "used", outstanding: 1 }
        ])
        expect(running.status().groups[0]?.members[0]?.failbackDue).toBeGreaterThan(0)

        acquirer.say(purchase(stan(3)))
        yield* commit
        expect(stans(b.heard())).toEqual([3])

        yield* TestClock.adjust(10_100)
        yield* commit
        acquirer.heard()
        again.heard()
        acquirer.say(purchase(stan(4)))
        yield* commit

        expect(stans(again.heard().filter(({ mti }) => mti === "0200"))).toEqual([4])
      })
  )

  it.effect("refuses at once when no member is ready, and when those that are have no room", () =>
    Effect.gen(function* () {
      const small = issuers.map((link) => ({ ...link, window: 1 }))
      const { a, acquirer, b, commit } = yield* bench({ use: "round-robin" }, [linkOf("acquirer", 4802), ...small])
      for (const n of [1, 2, 3]) acquirer.say(purchase(stan(n)))
      yield* commit

      expect(stans(a.heard())).toEqual([1])
      expect(stans(b.heard())).toEqual([2])
      expect(codes(acquirer.heard())).toEqual(["96"])

      a.end(reset)
      b.end(reset)
      yield* commit
      acquirer.heard()
      acquirer.say(purchase(stan(4)))
      yield* commit

      expect(codes(acquirer.heard())).toEqual(["91"])
    })
  )

  it.effect("lets a request wait only when no other member has a place", () =>
    Effect.gen(function* () {
      const patient = issuers.map((link) => ({ ...link, window: 1, waiting: { places: 4, waitMs: 500 } }))
      const { a, acquirer, b, commit } = yield* bench({}, [linkOf("acquirer", 4802), ...patient])
      for (const n of [1, 2, 3]) acquirer.say(purchase(stan(n)))
      yield* commit
      const [first] = a.heard()

      expect(first?.fields[11]).toBe("000001")
      expect(stans(b.heard())).toEqual([2])
      expect(acquirer.heard()).toEqual([])

      a.say(answerTo(first!, "0210"))
      yield* commit
      expect(stans(a.heard())).toEqual([3])
    })
  )

  it.effect("sends what is equal in the sticky data elements to one member", () =>
    Effect.gen(function* () {
      const { a, acquirer, b, commit } = yield* bench({ use: "sticky", by: [41] })
      for (let n = 1; n <= 40; n++) acquirer.say(purchase({ ...stan(n), 41: `T000000${n % 10}` }))
      yield* commit
      const terminals = (messages: ReadonlyArray<Message>) => new Set(messages.map(({ fields }) => String(fields[41])))

      const [onA, onB] = [terminals(a.heard()), terminals(b.heard())]

      expect(onA.size + onB.size).toBe(10)
      expect(Math.min(onA.size, onB.size)).toBeGreaterThan(0)
    })
  )

  it.effect(
    "never has two requests with one key outstanding, on whichever members, and takes an answer from each",
    () =>
      Effect.gen(function* () {
        const { a, acquirer, b, commit, store } = yield* bench({ use: "round-robin" }, [
          linkOf("acquirer", 4802),
          ...issuers,
          linkOf("other", 4803)
        ])
        acquirer.say(purchase(stan(1)))
        yield* commit
        const [request] = a.heard()
        b.say(answerTo(request!, "0210"))
        yield* commit

        expect(codes(acquirer.heard())).toEqual(["00"])

        a.say(answerTo(request!, "0210"))
        yield* commit
        expect(acquirer.heard()).toEqual([])
        expect(store.entries.at(-1)?.kind).toBe(EntryKind.duplicateAnswer)
      })
  )

  it.effect("refuses the key of an outstanding request also when it would go to another member", () =>
    Effect.gen(function* () {
      // Another partner, whatever it says of itself.
      const other4802 = { ...linkOf("other", 4803), institution: "48020000", identity: "unchecked" as const }
      const links = [linkOf("acquirer", 4802), ...issuers, other4802]
      const { a, acquirer, b, commit, dial } = yield* bench({ use: "round-robin" }, links)
      const other = dial(3)
      yield* commit
      acquirer.say(purchase(stan(1)))
      other.say(purchase(stan(1)))
      yield* commit

      expect(a.heard().length + b.heard().length).toBe(1)
      expect(codes(other.heard())).toEqual(["94"])
    })
  )

  it.effect("reverses by the link that the request was sent on, and by another when that one stays away", () =>
    Effect.gen(function* () {
      const { a, acquirer, b, commit } = yield* bench()
      acquirer.say(purchase(stan(1)))
      yield* commit

      expect(types(a.heard())).toEqual(["0200"])

      a.end(reset)
      yield* commit
      expect(b.heard()).toEqual([])

      yield* TestClock.adjust(30_100)
      yield* commit
      const [reversal] = b.heard()

      expect(reversal?.mti).toBe("0420")
      expect(String(reversal?.fields[90]).slice(0, 10)).toBe("0200000001")

      b.say(answerTo(reversal!, "0430"))
      yield* commit
      yield* TestClock.adjust(5000)
      yield* commit

      expect(b.heard()).toEqual([])
    })
  )

  it.effect("reverses by the link that the request was sent on when that one is there", () =>
    Effect.gen(function* () {
      const { a, acquirer, b, commit } = yield* bench({ use: "round-robin" })
      acquirer.say(purchase(stan(1)))
      acquirer.say(purchase(stan(2)))
      yield* commit
      yield* TestClock.adjust(1100)
      yield* commit

      expect(types(a.heard())).toEqual(["0200", "0420"])
      expect(types(b.heard())).toEqual(["0200", "0420"])
    })
  )

  it.effect("goes on with its reversals after a restart, by another member only when theirs stays away", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { acquirer, commit } = yield* bench({}, undefined, disk)
          acquirer.say(purchase(stan(1)))
          yield* commit
        })
      )
      const groups = [group()]
      const { commit, dial } = yield* startBench([linkOf("acquirer", 4802), ...issuers], disk, {
        groups,
        routes: [{ bin: "62", to: 3 }]
      })
      yield* commit
      const b = dial(2)
      yield* TestClock.adjust(29_000)
      yield* commit

      // The host of the first may still be reading what was written before the switch was killed.
      expect(types(b.heard())).toEqual([])

      yield* TestClock.adjust(1100)
      yield* commit
      expect(types(b.heard())).toEqual(["0420"])
    })
  )
})

describe("a group as an origin", () => {
  /** Links 1 and 2 are the acquirer's now; link 0 is the issuer. */
  const turned = () =>
    Effect.gen(function* () {
      const links = [
        linkOf("issuer", 103),
        { ...linkOf("acquirer-a", 4802) },
        { ...linkOf("acquirer-b", 4803), institution: "48020000" }
      ]
      const started = yield* startBench(links, makeDisk(), { groups: [group()], routes: [{ bin: "62", to: 0 }] })
      const [issuer, a, b] = [started.dial(0), started.dial(1), started.dial(2)]
      yield* started.commit
      return { ...started, issuer, a, b }
    })

  it.effect("gets its answer on another of its links when the one it asked on is gone, once", () =>
    Effect.gen(function* () {
      const { a, b, commit, dial, issuer, store } = yield* turned()
      a.say(purchase())
      yield* commit
      const [request] = issuer.heard()
      a.end(reset)
      yield* commit
      issuer.say(answerTo(request!, "0210"))
      yield* commit

      expect(codes(b.heard())).toEqual(["00"])

      const again = dial(1)
      yield* commit
      expect(again.heard()).toEqual([])
      expect(store.entries.some(({ kind }) => kind === EntryKind.undelivered)).toBe(false)
      expect(types(issuer.heard())).toEqual([])
    })
  )

  it.effect("has its request forwarded once when it repeats it on another of its links", () =>
    Effect.gen(function* () {
      const { a, b, commit, issuer } = yield* turned()
      a.say(purchase())
      yield* commit
      const [request] = issuer.heard()
      issuer.say(answerTo(request!, "0210"))
      yield* commit
      a.end(reset)
      yield* commit
      b.say(purchase())
      yield* commit

      expect(issuer.heard()).toEqual([])
      expect(codes(b.heard())).toEqual(["00"])
    })
  )
})

describe("a group that a reload makes", () => {
  it.effect("is used at once, and knows what its links were asked before", () =>
    Effect.gen(function* () {
      const links = [linkOf("issuer", 103), linkOf("acquirer-a", 4802), linkOf("acquirer-b", 4803)].map((link, n) =>
        n === 0 ? link : { ...link, institution: "48020000" }
      )
      const started = yield* startBench(links, makeDisk(), { routes: [{ bin: "62", to: 0 }] })
      const { commit, running } = started
      const [issuer, a, b] = [started.dial(0), started.dial(1), started.dial(2)]
      yield* commit
      a.say(purchase())
      yield* commit
      issuer.say(answerTo(issuer.heard()[0]!, "0210"))
      yield* commit
      const limits = { requestTimeoutMs: 1000, recentKeys: 1024, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 }
      const reloading = yield* Effect.forkChild(
        running.reload(
          {
            links,
            groups: [group()],
            routes: [
              { bin: "62", to: 0 },
              { bin: "63", to: 3 }
            ],
            limits
          },
          { user: "ann" },
          100
        )
      )
      yield* TestClock.adjust(100)
      yield* commit
      yield* Fiber.join(reloading)

      expect(running.status().groups.map(({ name }) => name)).toEqual(["issuer"])
      expect(running.status().groups[0]?.members.map(({ state }) => state)).toEqual(["used", "spare"])

      a.end(reset)
      b.say(purchase())
      yield* commit

      expect(issuer.heard()).toEqual([])
      expect(codes(b.heard())).toEqual(["00"])

      issuer.say({
        ...purchase({ ...stan(9), 2: "6300000000000003", 32: "1030000", 33: "1030000" }),
        header: { destination: "00010000", source: "1030000" }
      })
      yield* commit
      expect(stans(b.heard())).toEqual([9])
    })
  )
})

describe("a group that falls together", () => {
  it.effect("closes the other connections when one ends, says why, and does not cut what is made anew", () =>
    Effect.gen(function* () {
      const { a, b, commit, dial, running } = yield* bench({ fallTogether: true })
      a.end(reset)
      yield* commit

      expect(b.isOpen).toBe(false)

      const [, , fallen] = running.status().links
      expect(fallen?.ends[0]).toMatchObject({
        reason: "GroupFell",
        why: "issuer-a of the group issuer ended, and the group falls together"
      })
      expect(running.status().groups[0]?.fellAt).toBeGreaterThan(0)

      const [a2, b2] = [dial(1), dial(2)]
      yield* commit
      // The partner closes a new connection of ours by the same rule: the other one stays.
      a2.end(reset)
      yield* commit

      expect(b2.isOpen).toBe(true)

      const a3 = dial(1)
      yield* commit
      yield* TestClock.adjust(6000)
      b2.end(reset)
      yield* commit

      expect(a3.isOpen).toBe(false)
    })
  )

  it.effect("closes the others once for one end, also when that took long because answers were owed", () =>
    Effect.gen(function* () {
      const patient = (link: LinkAll): LinkAll => ({ ...link, speaksFor: ["48020000"], writeTimeoutMs: 10_000 })
      const links = [linkOf("acquirer", 4802), ...issuers.map(patient), linkOf("other", 105)]
      const started = yield* startBench(links, makeDisk(), {
        groups: [group({ fallTogether: true })],
        routes: [{ bin: "62", to: 3 }],
        limits: { requestTimeoutMs: 20_000, recentKeys: 1024, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 }
      })
      const { commit, dial, running } = started
      const [a, b] = [dial(1), dial(2)]
      dial(3)
      yield* commit
      a.say(purchase(stan(1)))
      yield* commit
      a.end(new ConnectionEnded({ how: "fin", cause: "the partner closed" }))
      yield* commit

      expect([a.isOpen, b.isOpen]).toEqual([true, false])

      const again = dial(2)
      yield* commit
      yield* TestClock.adjust(11_000)
      yield* commit

      expect(running.status().links[1]?.state).toBe("down")
      expect(again.isOpen).toBe(true)
    })
  )

  it.effect("leaves the others alone when an operator cuts one", () =>
    Effect.gen(function* () {
      const { b, commit, running } = yield* bench({ fallTogether: true })
      yield* running.operations.act("issuer-a", "cut", { user: "test" }, 100)
      yield* commit
      expect(b.isOpen).toBe(true)
    })
  )
})
