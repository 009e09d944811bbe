import { describe, expect, it } from "@effect/vitest"
import { cups, type Dialect } from "@jinka/codec"
import { Effect, Exit } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"

const issuer = linkOf("issuer", 103)

const bench = (links: ReadonlyArray<LinkAll>, disk = makeDisk()) =>
  Effect.gen(function* () {
    const started = yield* startBench(links, disk)
    const [a, b] = [started.dial(0), started.dial(1)]
    yield* started.commit
    return { ...started, a, b }
  })

/** Terminals speak a dialect of their own, in which nobody but themselves reverses. */
const { header: _, reversal: __, ...rest } = cups
const terminals: Dialect = { ...rest, name: "terminals" }

describe("a reversal of our own", () => {
  it.effect("is made by the recipe of the target, also for an origin whose dialect has none", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench([linkOf("acquirer", 4802, terminals), issuer])
      const { header: _header, ...request } = purchase({ 14: "3012", 35: "6200000000000005=3012" })
      a.say(request)
      yield* commit

      expect(b.heard().map(({ mti }) => mti)).toEqual(["0200"])

      yield* TestClock.adjust(2000)
      yield* commit
      const [reversal] = b.heard()

      expect(reversal?.mti).toBe("0420")
      expect(reversal?.fields[90]).toBe(`0200${"000001"}${"1122223829"}00048020000${"00048020000"}`)
      expect(Object.keys(reversal!.fields)).not.toContain("35")
      expect(a.heard().map(({ fields }) => fields[39])).toEqual(["98"])
    })
  )

  it.effect("is made for a request that came with the repeat mark at once, and for one of another sender", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench([linkOf("acquirer", 4802), issuer])
      const sent = ["0201", "0202", "0203", "0204", "0205"]
      a.say(
        ...sent.map((mti, at) => purchase({ 11: `00000${at + 1}` }, mti)),
        purchase({ 11: "000006", 3: "310000" }, "0201")
      )
      yield* commit
      expect(b.heard().map(({ mti }) => mti)).toEqual([...sent, "0201"])

      yield* TestClock.adjust(2000)
      yield* commit
      const reversals = b.heard()

      expect(reversals.map(({ mti, fields }) => [mti, String(fields[90]).slice(0, 10)]).sort()).toEqual([
        ["0420", "0200000001"],
        ["0422", "0202000002"],
        ["0422", "0202000003"],
        ["0424", "0204000004"],
        ["0424", "0204000005"]
      ])
    })
  )

  it.effect(
    "is not made for a decline that could not be delivered, which is given again; a reversed approval is not",
    () =>
      Effect.gen(function* () {
        for (const [code, reversals] of [
          ["51", 0],
          ["00", 1]
        ] as const) {
          const { a, b, commit, store, dial } = yield* bench([linkOf("acquirer", 4802), issuer])
          a.say(purchase())
          yield* commit
          const [request] = b.heard()
          a.end(new ConnectionEnded({ how: "reset", cause: "the test cuts it" }))
          b.say(answerTo(request!, "0210", { 39: code }))
          yield* commit
          expect(store.entries.filter(({ kind }) => kind === EntryKind.undelivered).length).toBe(1)
          expect(store.entries.filter(({ kind }) => kind === EntryKind.queued).length).toBe(reversals)

          const again = dial(0)
          yield* commit
          again.say(purchase())
          yield* commit
          yield* commit
          expect(again.heard().map(({ fields }) => fields[39])).toEqual([reversals === 0 ? "51" : "98"])
        }
      })
  )
})

describe("a start over a journal with open exchanges", () => {
  it.effect("is refused while a link of theirs is not in the configuration, and goes on when it is back", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      const links = [linkOf("acquirer", 4802), issuer]
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { a, commit } = yield* bench(links, disk)
          a.say(purchase({}, "0220"))
          yield* commit
        })
      )
      const renamed = [links[0]!, { ...issuer, name: "issuer-new" }]
      const refused = yield* Effect.exit(Effect.scoped(bench(renamed, disk)))

      expect(Exit.isFailure(refused)).toBe(true)
      expect(String(Exit.isFailure(refused) && refused.cause)).toContain("1 open exchanges")
      expect(String(Exit.isFailure(refused) && refused.cause)).toContain("issuer")

      const { b, commit } = yield* bench(links, disk)
      yield* commit
      expect(b.heard().map(({ mti }) => mti)).toEqual(["0221"])
    })
  )

  it.effect(
    "is refused when a dialect was changed so that it does not read them any more: none is ended unreversed",
    () =>
      Effect.gen(function* () {
        const changed = (name: string, de: number) =>
          linkOf(name, name === "issuer" ? 103 : 4802, {
            ...cups,
            fields: { ...cups.fields, [de]: { ...cups.fields[de]!, format: "n9" } }
          })
        const links = [linkOf("acquirer", 4802), issuer]
        for (const message of [purchase(), purchase({}, "0220")]) {
          const disk = makeDisk()
          yield* Effect.scoped(
            Effect.gen(function* () {
              const { a, b, commit } = yield* bench(links, disk)
              a.say(message)
              yield* commit
              expect(b.heard().map(({ mti }) => mti)).toEqual([message.mti])
              return disk.store
            })
          )
          const entries = disk.store.entries.length
          const other = [changed("acquirer", 3), changed("issuer", 3)]
          const refused = yield* Effect.exit(Effect.scoped(bench(other, disk)))
          expect(String(Exit.isFailure(refused) && refused.cause)).toContain("1 open exchanges")
          expect(disk.store.entries.length).toBe(entries)
        }
      })
  )
})
