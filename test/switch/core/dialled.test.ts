/** Connections that are dialled for one message, and the deadlines that come meanwhile. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { dialledLinkOf, makeDisk, purchase, startBench, Wire } from "./Bench.ts"
import { acquirer } from "./Pair.ts"

const issuer = dialledLinkOf("issuer", 103)

describe("a connection that is dialled for a request", () => {
  it.effect("and comes at the request's very deadline is not used: the request ends, and no byte has left", () =>
    Effect.gen(function* () {
      const wires: Array<Wire> = []
      const connect = () =>
        Effect.map(Effect.sleep(1), () => {
          const wire = new Wire(issuer)
          wires.push(wire)
          return wire
        })
      const started = yield* startBench([acquirer, issuer], makeDisk(), {}, undefined, connect)
      const { commit, dial, running, store } = started
      const a = dial(0)
      yield* commit
      // The deadline is one of the ticks at which deadlines are looked at, and its journal is slow until a millisecond before.
      yield* TestClock.adjust(19)
      yield* commit
      a.say(purchase())
      yield* TestClock.adjust(999)
      yield* commit
      yield* TestClock.adjust(1)
      yield* commit

      expect(wires.map((wire) => [wire.isOpen, wire.heard()])).toEqual([[false, []]])
      expect(a.heard().map(({ fields }) => fields[39])).toEqual(["98"])
      expect(store.entries.at(-1)?.kind).toBe(EntryKind.notSent)
      expect(running.status().links.map(({ outstanding }) => outstanding)).toEqual([0, 0])
    })
  )
})
