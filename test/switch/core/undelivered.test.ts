/** Answers that were not handed to the kernel when their connection ended: nobody has heard them, and money goes back. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { LinkEnded } from "../../../packages/switch/src/link/LinkEnded.ts"
import { ConnectionEnded, type Transport } from "../../../packages/switch/src/transport/Transport.ts"
import { answerTo, dialledLinkOf, linkOf, makeDisk, purchase, settle, startBench, Wire } from "./Bench.ts"
import { bench, types } from "./Pair.ts"

/** `many` purchases, approved by the issuer; the acquirer takes nothing from now on. */
const approvals = (many: number, unsentMax = 1 << 20) =>
  Effect.gen(function* () {
    const started = yield* bench({ acquirer: { unsentMax } })
    const { a, b, commit, store } = started
    a.takes = false
    for (let stan = 1; stan <= many; stan++) a.say(purchase({ 11: String(stan).padStart(6, "0") }))
    yield* commit
    const asked = b.heard()
    const entries = (kind: keyof typeof EntryKind) => store.entries.filter((entry) => entry.kind === EntryKind[kind])
    const answer = Effect.gen(function* () {
      for (const one of asked) {
        b.say(answerTo(one, "0210"))
        yield* commit
      }
    })
    return { ...started, asked, entries, answer }
  })

const settings = {
  routes: [{ bin: "62", to: 1 }],
  limits: { requestTimeoutMs: 1000, recentKeys: 1024, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 }
}

/** An approval on disk, for an acquirer whose own address does not answer: it is dialled for the answer. */
const dialledFor = (disk: ReturnType<typeof makeDisk>, connect: Transport["Service"]["connect"] = () => Effect.never) =>
  Effect.gen(function* () {
    const links = [dialledLinkOf("acquirer", 4802), linkOf("issuer", 103)]
    const { commit, dial, running } = yield* startBench(links, disk, settings, undefined, connect)
    const [a, b] = [dial(0), dial(1)]
    yield* commit
    a.say(purchase())
    yield* commit
    b.say(answerTo(b.heard()[0]!, "0210"))
    yield* commit
    const pass = (ms: number) =>
      Effect.repeat(Effect.andThen(TestClock.adjust(20), commit), { times: Math.floor(ms / 20) })
    return { b, links, pass, running }
  })

describe("approvals that were not handed to the kernel", () => {
  it.effect("are undelivered and reversed, every one, when the acquirer is cut because it does not read", () =>
    Effect.gen(function* () {
      const { b, commit, entries, answer, running } = yield* approvals(40, 2000)
      yield* answer
      yield* commit

      expect(running.status().links[0]!.ends[0]).toMatchObject({ reason: "SlowPeer" })
      expect(entries("undelivered")).toHaveLength(40)
      expect(entries("queued").map(({ about }) => about)).toEqual(
        entries("undelivered").map(({ exchange }) => exchange)
      )
      expect(new Set(types(b.heard()))).toEqual(new Set(["0420"]))
    })
  )

  it.effect("are told to the byte from those before them in the same write, when we end the connection", () =>
    Effect.gen(function* () {
      const { a, b, asked, commit, entries, running } = yield* approvals(5)
      b.say(...asked.map((one) => answerTo(one, "0210")))
      yield* commit
      // The kernel has two answers, and half of the third.
      a.waiting = 2.5 * (a.waiting / 5)
      running.links[0]!.cut(new LinkEnded({ reason: "Operator", why: "cut by ann" }))
      yield* commit

      expect(entries("undelivered").map(({ exchange }) => exchange)).toEqual(
        entries("accepted")
          .slice(2)
          .map(({ exchange }) => exchange)
      )
    })
  )

  it.effect("are not those that a write had taken whole", () =>
    Effect.gen(function* () {
      const { a, b, asked, commit, entries } = yield* approvals(3)
      a.takes = true
      b.say(answerTo(asked[0]!, "0210"), answerTo(asked[1]!, "0210"))
      yield* commit
      a.takes = false
      b.say(answerTo(asked[2]!, "0210"))
      yield* commit
      a.end(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" }))
      yield* commit

      expect(entries("undelivered").map(({ exchange }) => exchange)).toEqual([entries("accepted")[2]!.exchange])
    })
  )

  it.effect("are not taken back when the acquirer has heard them on another connection, for its repeat", () =>
    Effect.gen(function* () {
      const links = [
        linkOf("acquirer", 4802),
        { ...linkOf("acquirer-b", 4803), institution: "48020000" },
        linkOf("issuer", 103)
      ]
      const members = [0, 1].map((link) => ({ link, name: links[link]!.name, weight: 1 }))
      const groups = [
        { name: "both", members, use: "round-robin", by: [], failbackMs: 1000, fallTogether: false } as const
      ]
      const { commit, dial, store } = yield* startBench(links, makeDisk(), { groups, routes: [{ bin: "62", to: 2 }] })
      yield* TestClock.adjust(25)
      const [a, other, b] = [dial(0), dial(1), dial(2)]
      yield* commit
      a.takes = false
      a.say(purchase())
      yield* commit
      b.say(answerTo(b.heard()[0]!, "0210"))
      yield* commit
      other.say(purchase())
      yield* commit
      yield* TestClock.adjust(25)
      yield* commit
      const heard = other.heard().map(({ fields }) => fields[39])
      a.end(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" }))
      yield* commit

      expect(heard).toEqual(["00"])
      expect(types(b.heard())).toEqual([])
      expect(store.entries.map(({ kind }) => kind)).not.toContain(EntryKind.undelivered)
    })
  )

  it.effect("are not taken back when the repeat came while the answer was on its way to disk, and was answered", () =>
    Effect.gen(function* () {
      const once = {
        ...linkOf("acquirer", 4802),
        mode: "sync-short",
        short: { dial: undefined, keep: true, firstMessageMs: 1000, idleMs: 5000, connectionsMax: 10 }
      } as const
      const { commit, dial, store } = yield* startBench([once, linkOf("issuer", 103)])
      yield* TestClock.adjust(25)
      const [a, other, b] = [dial(0), dial(0), dial(1)]
      yield* commit
      a.say(purchase())
      yield* commit
      b.say(answerTo(b.heard()[0]!, "0210"))
      yield* settle
      other.say(purchase())
      yield* settle
      a.end(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" }))
      yield* commit
      yield* TestClock.adjust(25)
      yield* commit

      expect(other.heard().map(({ fields }) => fields[39])).toEqual(["00"])
      expect(types(b.heard())).toEqual([])
      expect(store.entries.map(({ kind }) => kind)).not.toContain(EntryKind.undelivered)
    })
  )

  it.effect("are not given on the next connection of a partner that asks for one thing at a time, but taken back", () =>
    Effect.gen(function* () {
      const oneByOne = { ...linkOf("acquirer", 4802), mode: "sync-long", window: 1 } as const
      const { commit, dial } = yield* startBench([oneByOne, linkOf("issuer", 103)])
      const [a, b] = [dial(0), dial(1)]
      yield* commit
      a.say(purchase())
      yield* commit
      const [request] = b.heard()
      a.end(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" }))
      yield* commit
      const next = dial(0)
      yield* commit
      next.say(purchase({ 11: "000002" }))
      yield* commit
      const [second] = b.heard()
      b.say(answerTo(request!, "0210"))
      yield* commit
      const meanwhile = next.heard()
      b.say(answerTo(second!, "0210", { 39: "51" }))
      yield* commit

      expect(meanwhile).toEqual([])
      expect(next.heard().map(({ fields }) => [fields[11], fields[39]])).toEqual([["000002", "51"]])
      expect(types(b.heard())).toEqual(["0420"])
    })
  )

  it.effect("are taken back once, when the connection of the repeat ends, too", () =>
    Effect.gen(function* () {
      const { a, b, asked, commit, entries } = yield* approvals(1)
      b.say(answerTo(asked[0]!, "0210"))
      yield* commit
      a.say(purchase({ 11: "000001" }))
      yield* commit
      yield* TestClock.adjust(25)
      yield* commit
      expect(entries("undelivered")).toHaveLength(0)
      a.end(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" }))
      yield* commit

      expect(entries("undelivered")).toHaveLength(1)
      expect(types(b.heard())).toEqual(["0420"])
    })
  )

  it.effect("and what was declined is noted, and not reversed", () =>
    Effect.gen(function* () {
      const { a, b, asked, commit, entries } = yield* approvals(1)
      b.say(answerTo(asked[0]!, "0210", { 39: "51" }))
      yield* commit
      a.end(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" }))
      yield* commit

      expect(entries("undelivered")).toHaveLength(1)
      expect(entries("queued")).toEqual([])
    })
  )

  it.effect("are taken back when the link that dials for them is changed by a reload", () =>
    Effect.gen(function* () {
      const { b, pass, running, links } = yield* dialledFor(makeDisk())
      const [acquirer, issuer] = links
      const next = { ...settings, links: [{ ...acquirer!, window: 7 }, issuer!] }
      const reloading = yield* Effect.forkChild(running.reload(next, { user: "ann" }, 100))
      yield* pass(500)
      yield* Fiber.join(reloading)

      expect(types(b.heard())).toEqual(["0420"])
    })
  )

  it.effect("are given while the switch drains, when the connection for them comes in its time", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      // It can be closed behind what is unsent.
      const wire = Object.assign(new Wire(linkOf("acquirer", 4802)), { finish: () => undefined })
      const { pass, running } = yield* dialledFor(disk, () => Effect.as(Effect.sleep(100), wire))
      const draining = yield* Effect.forkChild(Effect.map(running.drain(500), () => wire.heard()))
      yield* pass(300)

      expect((yield* Fiber.join(draining)).map(({ fields }) => fields[39])).toEqual(["00"])
      expect(disk.store.entries.map(({ kind }) => kind)).not.toContain(EntryKind.undelivered)
    })
  )

  it.effect("are taken back when the switch stops while it dials for them", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* Effect.scoped(Effect.asVoid(dialledFor(disk)))
      const kinds = disk.store.entries.map(({ kind }) => kind)

      expect(kinds.slice(kinds.indexOf(EntryKind.answered) + 1)).toEqual(
        expect.arrayContaining([EntryKind.undelivered, EntryKind.queued])
      )
    })
  )
})
