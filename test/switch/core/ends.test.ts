/** When the end of a connection is told, and with which reason, where it waits for answers yet or has a leg that is read on. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { answerTo, type LinkAll, type makeDisk, purchase, settle, startBench } from "./Bench.ts"
import { acquirer, issuer } from "./Pair.ts"

const fin = new ConnectionEnded({ how: "fin", cause: "the partner closed the connection" })
const broken = (cause: string) => new ConnectionEnded({ how: "reset", cause })
const pass = (ms: number) => TestClock.adjust(ms)

/** What the journal was told to note of links; the log has the same lines. */
const eventsOf = ({ entries }: ReturnType<typeof makeDisk>["store"]): ReadonlyArray<string> =>
  entries.filter(({ kind }) => kind === EntryKind.event).map(({ code }) => code)

describe("the end of a connection", () => {
  it.effect(
    "is told when the link is down, and is the partner's also when a stop comes while it waits for its answer",
    () =>
      Effect.gen(function* () {
        const { commit, dial, running, store } = yield* startBench([acquirer, issuer])
        const [a, b] = [dial(0), dial(1)]
        yield* commit
        a.say(purchase())
        yield* commit
        a.end(fin)
        yield* settle

        const told = () => running.status().links[0]!
        expect(told()).toMatchObject({ state: "down", ends: [{ reason: "PeerClosed" }] })

        const stopped = yield* Effect.forkChild(running.drain(1000))
        b.say(answerTo(b.heard()[0]!, "0210"))
        yield* commit
        yield* pass(3000)
        yield* Fiber.join(stopped)

        expect(told().ends.map(({ reason }) => reason)).toEqual(["PeerClosed"])
        expect(eventsOf(store).filter((text) => text.startsWith("ended: "))).toEqual([
          "ended: PeerClosed, the partner closed the connection",
          "ended: Stopping, the switch is stopping"
        ])
      })
  )

  it.effect(
    "is ours where our FIN was the first, also when the partner's own comes while it waits for its answer",
    () =>
      Effect.gen(function* () {
        const { commit, dial, running, store } = yield* startBench([acquirer, issuer])
        const [a] = [dial(0), dial(1)]
        yield* commit
        Object.assign(a, { finish: () => undefined })
        a.say(purchase())
        yield* commit
        const drained = yield* Effect.forkChild(running.operations.act("acquirer", "drain", { user: "ann" }, 100))
        yield* pass(200)
        yield* settle
        a.end(fin)
        yield* commit
        yield* pass(3000)
        yield* commit
        yield* Fiber.join(drained)

        expect(running.status().links[0]!.ends.map(({ reason }) => reason)).toEqual(["Operator"])
        expect(eventsOf(store).filter((text) => text.startsWith("ended: "))).toEqual([
          "ended: Operator, drained by ann"
        ])
      })
  )

  it.effect("is told by the sending leg, too, whose link reads late answers yet", () =>
    Effect.gen(function* () {
      const side: LinkAll["side"] = {
        _tag: "legs",
        send: { _tag: "listen", at: { host: "bench", port: 103 }, from: [], second: "replace" },
        receive: { _tag: "listen", at: { host: "bench", port: 113 }, from: [], second: "replace" },
        timeoutMs: 1000,
        collectMs: 500
      }
      const { commit, dialLeg, running, store } = yield* startBench([acquirer, { ...issuer, side }])
      const send = dialLeg(1, "send")
      dialLeg(1, "receive")
      yield* commit
      send.end(broken("ECONNRESET"))
      yield* commit

      expect(running.status().links[1]!.state).toBe("collecting late answers")
      expect(eventsOf(store)).toContain(
        "PeerReset, send leg: reset by the partner or the network (ECONNRESET): late answers are read for 500 ms"
      )
    })
  )
})
