/** What persons do while room is scarce: it is in the journal all the same, until a program has done too much of it. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { bench } from "./Pair.ts"

const by = { user: "anna", reason: "disk is nearly full" }

describe("An act while the disk is nearly full", () => {
  it.effect("is in the journal, of a link and of the switch; what happens by itself is not", () =>
    Effect.gen(function* () {
      const { a, commit, running, store } = yield* bench()
      store.isScarce = true
      store.refuses = "space"

      yield* running.operations.act("issuer", "block", by, 1000)
      running.operations.told(by, "silence alarm full for 60 minutes")
      a.close()
      yield* commit

      const events = store.entries.filter(({ kind }) => kind === EntryKind.event).map(({ code }) => code)
      expect(events.slice(-2)).toEqual([
        expect.stringMatching(/^operator anna: block \(disk is nearly full\): New requests/),
        "operator anna: silence alarm full for 60 minutes (disk is nearly full)"
      ])
    })
  )

  it.effect("is written a thousand times at most, and again when there is room", () =>
    Effect.gen(function* () {
      const { commit, running, store } = yield* bench()
      const acts = () => store.entries.filter(({ code }) => code.startsWith("operator ")).length
      store.isScarce = true
      for (let n = 0; n < 1100; n++) running.operations.told(by, "trace")
      yield* commit
      expect(acts()).toBe(1000)

      store.isScarce = false
      running.operations.told(by, "trace")
      yield* commit
      expect(acts()).toBe(1001)
      store.isScarce = true
      running.operations.told(by, "trace")
      yield* commit
      expect(acts()).toBe(1002)
    })
  )
})
