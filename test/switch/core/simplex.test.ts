import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import type { Side } from "../../../packages/switch/src/link/Settings.ts"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"

const reset = new ConnectionEnded({ how: "reset", cause: "ECONNRESET" })
const listensAt = (port: number): Side => ({ _tag: "listen", at: { host: "bench", port }, from: [], second: "replace" })

/** A link of two legs, both made by the partner; late answers are read for half a second. */
const simplex = (name: string, port: number): LinkAll => ({
  ...linkOf(name, port),
  side: { _tag: "legs", send: listensAt(port), receive: listensAt(port + 1), timeoutMs: 60_000, collectMs: 500 }
})

const codes = (messages: ReadonlyArray<{ readonly fields: { readonly [de: number]: unknown } }>) =>
  messages.map(({ fields }) => fields[39])

describe("a request that came on the leg that was up first", () => {
  it.effect("is refused once it has waited for its time, and goes on before", () =>
    Effect.gen(function* () {
      const links = [simplex("acquirer", 4802), linkOf("issuer", 103)]
      const { commit, dial, dialLeg } = yield* startBench(links)
      const issuer = dial(1)
      yield* commit
      for (const [stan, waits, code] of [
        ["000001", 600, undefined],
        ["000002", 1200, "98"]
      ] as const) {
        const receive = dialLeg(0, "receive")
        yield* commit
        receive.say(purchase({ 11: stan }))
        yield* commit
        yield* TestClock.adjust(waits)
        const send = dialLeg(0, "send")
        yield* commit

        const asked = issuer.heard().filter(({ mti }) => mti === "0200")
        expect(asked.map(({ fields }) => fields[11])).toEqual(code === undefined ? [stan] : [])
        expect(codes(send.heard().filter(({ fields }) => fields[11] === stan))).toEqual(
          code === undefined ? [] : [code]
        )
        send.end(reset)
        receive.end(reset)
        yield* commit
      }
    })
  )
})

/** The issuer's pair is up, a purchase has gone out on it, and its sending leg has fallen. */
const fallen = (...how: Parameters<typeof startBench>) =>
  Effect.gen(function* () {
    const started = yield* startBench(...how)
    const { commit, dial, dialLeg } = started
    const acquirer = dial(0)
    const send = dialLeg(1, "send")
    const receive = dialLeg(1, "receive")
    yield* commit
    acquirer.say(purchase())
    yield* commit
    const request = send.heard()[0]!
    send.end(reset)
    yield* commit
    return { ...started, acquirer, receive, request }
  })

describe("a switch with a simplex link whose sending leg fell", () => {
  it.effect("delivers an answer that still comes on the receiving leg, and sends no request meanwhile", () =>
    Effect.gen(function* () {
      const { acquirer, commit, receive, request, running } = yield* fallen([
        linkOf("acquirer", 4802),
        simplex("issuer", 103)
      ])
      acquirer.say(purchase({ 11: "000002" }))
      yield* commit

      expect(codes(acquirer.heard())).toEqual(["91"])
      expect(running.status().links[1]?.state).toBe("collecting late answers")

      receive.say(answerTo(request, "0210"))
      yield* commit
      expect(codes(acquirer.heard())).toEqual(["00"])

      yield* TestClock.adjust(600)
      yield* commit
      expect(receive.isOpen).toBe(false)
      expect(running.status().links[1]?.ends[0]?.why).toContain("send leg: reset by the partner")
    })
  )

  it.effect("ends what got no answer in that time as lost, and reverses it on the next pair", () =>
    Effect.gen(function* () {
      const { acquirer, commit, dialLeg } = yield* fallen([linkOf("acquirer", 4802), simplex("issuer", 103)])
      expect(acquirer.heard()).toEqual([])

      yield* TestClock.adjust(600)
      yield* commit
      expect(codes(acquirer.heard())).toEqual(["98"])

      const next = dialLeg(1, "send")
      dialLeg(1, "receive")
      yield* commit

      expect(next.heard().map(({ mti }) => mti)).toEqual(["0420"])
    })
  )

  it.effect(
    "reads late answers for as long as it is told, also when the partner asks for what cannot be answered",
    () =>
      Effect.gen(function* () {
        const issuer = simplex("issuer", 103)
        const { side } = issuer
        const links = [linkOf("acquirer", 4802), { ...issuer, side: { ...side, collectMs: 20_000 } as typeof side }]
        const { acquirer, commit, receive, request, running } = yield* fallen(links, makeDisk(), {
          limits: { requestTimeoutMs: 15_000, recentKeys: 1024, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 }
        })
        receive.say({
          mti: "0820",
          header: purchase().header!,
          fields: { 7: "1122223829", 11: "000001", 33: "48020000", 70: "301" }
        })
        yield* commit
        yield* TestClock.adjust(8000)
        yield* commit

        expect(running.status().links[1]).toMatchObject({ state: "collecting late answers", unsent: 0 })

        receive.say(answerTo(request, "0210"))
        yield* commit
        expect(codes(acquirer.heard())).toEqual(["00"])
      })
  )

  it.effect("takes an approval back that its partner cannot be told, and takes no request of it", () =>
    Effect.gen(function* () {
      const { commit, dial, dialLeg, store } = yield* startBench([simplex("acquirer", 4802), linkOf("issuer", 103)])
      const send = dialLeg(0, "send")
      const receive = dialLeg(0, "receive")
      const issuer = dial(1)
      yield* commit
      receive.say(purchase())
      yield* commit
      const [request] = issuer.heard()
      send.end(reset)
      yield* commit
      receive.say(purchase({ 11: "000002" }))
      issuer.say(answerTo(request!, "0210"))
      yield* commit

      expect(send.heard()).toEqual([])
      expect(issuer.heard().map(({ mti }) => mti)).toEqual(["0420"])

      const kinds = store.entries.map(({ kind }) => kind)
      expect(kinds).toContain(EntryKind.undelivered)
      expect(kinds.filter((kind) => kind === EntryKind.accepted).length).toBe(1)
    })
  )
})
