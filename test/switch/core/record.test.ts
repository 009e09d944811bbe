import { describe, expect, it } from "@effect/vitest"
import { cups } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { RecordLanguage, record } from "../message/RecordLanguage.ts"
import { linkOf, purchase, settle, startBench, type Wire } from "./Bench.ts"

/** A link whose messages are records of a core system, and no ISO 8583. */
const recordLink = (name: string, port: number) => {
  const link = linkOf(name, port)
  return { ...link, language: new RecordLanguage(link.frame) }
}

const texts = (wire: Wire): ReadonlyArray<string> =>
  wire.heardBytes().map((bytes) => bytes.toString("latin1").trimEnd())

const bench = Effect.gen(function* () {
  const links = [recordLink("branch", 1), recordLink("core", 2), { ...linkOf("acquirer", 3), institution: "48020000" }]
  const routes = [
    { institution: "CORE", to: 1 },
    { bin: "62", to: 1 }
  ]
  const started = yield* startBench(links, undefined, { routes })
  const [branch, core, acquirer] = [started.dial(0), started.dial(1), started.dial(2)]
  yield* started.commit
  return { ...started, branch, core, acquirer }
})

describe("a link that speaks records of fixed length", () => {
  it.effect("passes a request and its answer on byte for byte, each only when the journal has it", () =>
    Effect.gen(function* () {
      const { branch, commit, core } = yield* bench
      branch.say(record("RQ", "K1", "CORE", "  ", "balance of 42"))
      yield* settle

      expect(texts(core)).toEqual([])

      yield* commit
      expect(texts(core)).toEqual(["RQK1      CORE      0balance of 42"])

      core.say(record("RS", "K1", "CORE", "00", "1,234.00"))
      yield* commit
      expect(texts(branch)).toEqual(["RSK1      CORE    0001,234.00"])
    })
  )

  it.effect("tells the caller of a timeout, and knows the late answer and the repeated request", () =>
    Effect.gen(function* () {
      const { branch, commit, core, store } = yield* bench
      branch.say(record("RQ", "K2", "CORE"))
      yield* commit
      yield* TestClock.adjust(1100)
      yield* commit

      expect(texts(branch)).toEqual(["RSK2      CORE    980"])

      core.say(record("RS", "K2", "CORE", "00"))
      branch.say(record("RQ", "K2", "CORE"))
      yield* commit

      expect(texts(core)).toEqual(["RQK2      CORE      0"])
      expect(texts(branch)).toEqual(["RSK2      CORE    980"])
      expect(store.entries.map(({ kind }) => kind)).toContain(EntryKind.late)
    })
  )

  it.effect("acknowledges an advice, and delivers it with the partner's repeat flag until it is acknowledged", () =>
    Effect.gen(function* () {
      const { branch, commit, core } = yield* bench
      branch.say(record("AD", "K3", "CORE", "  ", "posted"))
      yield* commit

      expect(texts(branch)).toEqual(["AAK3      CORE    000posted"])
      expect(texts(core)).toEqual(["ADK3      CORE      0posted"])

      yield* TestClock.adjust(2100)
      yield* commit
      expect(texts(core)).toEqual(["ADK3      CORE      1posted"])

      core.say(record("AA", "K3", "CORE", "00", "posted"))
      yield* commit
      yield* TestClock.adjust(10_000)
      yield* commit

      expect(texts(core)).toEqual([])
    })
  )

  it.effect("is asked nothing that its language cannot say: a message of ISO 8583 for it is refused", () =>
    Effect.gen(function* () {
      const { acquirer, commit, core } = yield* bench
      acquirer.say(purchase())
      yield* commit

      expect(acquirer.heard().map(({ fields }) => fields[39])).toEqual([cups.refusal.formatError])
      expect(texts(core)).toEqual([])
    })
  )
})
