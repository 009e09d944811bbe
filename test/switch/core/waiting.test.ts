import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { linkOf, purchase, startBench } from "./Bench.ts"

const WAITING = 10_000

describe("a long waiting line", () => {
  it.effect("ends in one turn when everybody's time is up, as after a pause of the process", () =>
    Effect.gen(function* () {
      const issuer = { ...linkOf("issuer", 103), window: 1, waiting: { places: WAITING, waitMs: 5000 } }
      const limits = { requestTimeoutMs: 1000, recentKeys: 65_536, unwrittenRefuse: 1 << 26, unwrittenStop: 1 << 27 }
      const bench = yield* startBench([linkOf("acquirer", 4802), issuer], undefined, { limits })
      const { commit, dial, running, store } = bench
      const [a, b] = [dial(0), dial(1)]
      const failed = yield* Effect.forkChild(running.failed)
      yield* commit
      for (let stan = 0; stan <= WAITING; stan++) a.say(purchase({ 11: String(stan).padStart(6, "0") }))
      // One partner's bytes are worked on a few at a time, with a turn of the others between.
      for (let round = 0; round < 100 && running.status().links[1]!.waiting < WAITING; round++) yield* commit

      expect(running.status().links[1]).toMatchObject({ outstanding: WAITING + 1, waiting: WAITING })

      yield* TestClock.adjust(1040)
      for (let round = 0; round < 3; round++) yield* commit

      expect(failed.pollUnsafe()).toBeUndefined()

      const count = (kind: EntryKind) => store.entries.filter((entry) => entry.kind === kind).length
      expect([count(EntryKind.timedOut), count(EntryKind.notSent)]).toEqual([1, WAITING])
      expect(running.status().links[1]).toMatchObject({ outstanding: 0, waiting: 0 })
      expect(b.heard().map(({ mti }) => mti)).toEqual(["0200", "0420"])
    })
  )
})
