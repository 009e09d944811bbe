/** What the alarms say of a switch in virtual time: a partner that signs off, half a link, a link that is down. */
import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import type { Side } from "../../../packages/switch/src/link/Settings.ts"
import { RefusedCalls } from "../../../packages/switch/src/operate/admin/RefusedCalls.ts"
import { Conditions } from "../../../packages/switch/src/operate/alarm/Conditions.ts"
import { linkOf, startBench } from "./Bench.ts"
import { bench } from "./Pair.ts"

const limits = {
  linkDownMs: 60_000,
  noTrafficMs: 1e9,
  isTrafficUsual: true,
  timeoutsPercent: 0,
  refusalsPercent: 10,
  queueAgeMs: 1e9,
  macFailures: 0,
  clockMs: 1e9
}

/** What is wrong in a look at the switch now, as `kind link: sentence`. */
const looking = ({ running }: Pick<Effect.Success<ReturnType<typeof startBench>>, "running">) =>
  Effect.map(Clock.Clock, (clock) => {
    const conditions = new Conditions(limits)
    return () => {
      const now = clock.currentTimeMillisUnsafe()
      const look = {
        now,
        wallMs: now,
        startedAt: 0,
        certificates: [],
        refusedCalls: new RefusedCalls(),
        success: () => undefined,
        pause: () => undefined
      }
      return conditions
        .look({ ...look, status: running.status() })
        .map(({ kind, link, says }) => `${kind} ${link}: ${says}`)
    }
  })

const management = (meaning: "001" | "002"): Message => ({
  mti: "0820",
  fields: { 7: "1122223829", 11: "000009", 33: "48020000", 70: meaning }
})

describe("An alarm", () => {
  it.effect("says at once that the partner has signed off, and ends when it signs on again", () =>
    Effect.gen(function* () {
      const { a, commit, running } = yield* bench()
      const look = yield* looking({ running })
      expect(look()).toEqual([])

      a.say(management("002"))
      yield* commit
      expect(look()).toEqual([
        "signOff acquirer: the partner has signed off, and has not signed on again: requests from it and for it are refused"
      ])
      expect(running.status().links[0]).toMatchObject({ state: "partner signed off", partners: "off", ready: false })

      yield* running.operations.act("acquirer", "block", { user: "anna" }, 0)
      expect(look()).toEqual([])
      yield* running.operations.act("acquirer", "unblock", { user: "anna" }, 0)
      a.say(management("001"))
      yield* commit
      expect(look()).toEqual([])
    })
  )

  it.effect("says which half of a link is missing, from ten seconds on, and why it ended", () =>
    Effect.gen(function* () {
      const listensAt = (port: number): Side => ({
        ...{ _tag: "listen", at: { host: "bench", port }, from: [], second: "replace" }
      })
      const legs = { send: listensAt(103), receive: listensAt(104), timeoutMs: 30_000, collectMs: 0 }
      const started = yield* startBench([
        linkOf("acquirer", 4802),
        { ...linkOf("issuer", 103), side: { _tag: "legs", ...legs } }
      ])
      started.dial(0)
      const look = yield* looking(started)
      started.dialLeg(1, "receive")
      yield* started.commit
      yield* TestClock.adjust(9000)
      expect(look()).toEqual([])

      yield* TestClock.adjust(2000)
      expect(look()).toEqual(["halfLink issuer: half a link: the receive leg is up alone, the send leg is listening"])
      started.dialLeg(1, "send")
      yield* started.commit
      expect(look()).toEqual([])
    })
  )

  it.effect("says of a link that is down why its last connection ended", () =>
    Effect.gen(function* () {
      const { b, commit, running } = yield* bench()
      const look = yield* looking({ running })
      b.close()
      yield* commit
      expect(look()).toEqual([])

      yield* TestClock.adjust(61_000)
      const [said = ""] = look()
      expect(said).toMatch(/^linkDown issuer: it takes no requests: down; last end: \w+, /)
    })
  )
})
