/** Links that have other names since the last start, and say so. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { answerTo, makeDisk, purchase } from "./Bench.ts"
import { acquirer, bench, codes, issuer, types } from "./Pair.ts"

const renamed = {
  acquirer: { ...acquirer, name: "bank", formerly: ["acquirer"] },
  issuer: { ...issuer, name: "host", formerly: ["issuer"] }
}

const back = {
  acquirer: { ...acquirer, formerly: ["bank"] },
  issuer: { ...issuer, formerly: ["host"] }
}

const stan = (number: string, mti = "0200") => purchase({ 11: number }, mti)

/** The disk of a switch that is killed now. */
const killed = (disk: ReturnType<typeof makeDisk>) => {
  disk.store = disk.store.copy()
  return disk
}

/** A purchase that was approved, one that is open, and an advice that waits; the switch is killed then. */
const before = Effect.gen(function* () {
  const disk = makeDisk()
  const { a, b, commit } = yield* bench({}, disk)
  a.say(stan("000001"))
  yield* commit
  b.say(...b.heard().map((seen) => answerTo(seen, "0210", { 38: "AB1234" })))
  yield* commit
  a.say(stan("000002"), stan("000003", "0220"))
  yield* commit

  return killed(disk)
})

for (const [how, links] of [
  ["by a restart", [renamed]],
  ["and back again", [renamed, back]]
] as const)
  describe(`Links that were renamed ${how}`, () => {
    it.effect("end what was open, deliver what waits, and know repeats", () =>
      Effect.gen(function* () {
        const disk = yield* before
        for (const one of links.slice(0, -1)) {
          yield* bench(one, disk)
          killed(disk)
        }
        const { a, b, commit, store } = yield* bench(links.at(-1)!, disk)
        yield* commit
        const heard = b.heard()
        a.say(stan("000001", "0201"), stan("000002", "0201"), stan("000003", "0221"))
        yield* commit
        yield* commit
        const told = a.heard()

        expect(
          types(heard)
            .map((mti) => mti.slice(0, 3))
            .toSorted()
        ).toEqual(["022", "042"])
        expect(told.map(({ fields }) => `${fields[11]} ${fields[39]}`).toSorted()).toEqual([
          "000001 00",
          "000002 98",
          "000003 00"
        ])
        expect(told.find(({ fields }) => fields[11] === "000001")?.fields[38]).toBe("AB1234")
        expect(b.heard()).toEqual([])
        expect(store.entries.filter(({ code }) => code.includes("not in the configuration"))).toEqual([])
      })
    )
  })

describe("A link that was renamed", () => {
  it.effect("finds in the journal what memory has forgotten of its former name", () =>
    Effect.gen(function* () {
      const disk = yield* before
      const { a, b, commit } = yield* bench(renamed, disk)
      a.say(purchase({ 7: "1122223828", 11: "000900", 90: `02000000011122223829${"00048020000".repeat(2)}` }, "0420"))
      yield* commit

      expect(codes(a.heard())).toEqual(["00"])
      expect(types(b.heard())).toContain("0420")
    })
  )

  it.effect("has what is in doubt under its former name", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      const { a, b, commit } = yield* bench({}, disk)
      a.say(stan("000003", "0220"))
      yield* commit
      b.say(...b.heard().map((seen) => answerTo(seen, "0230", { 39: "51" })))
      yield* commit
      const { running } = yield* bench(renamed, killed(disk))

      expect(running.status().links.map(({ inDoubt, name }) => [name, inDoubt.declined])).toEqual([
        ["bank", 0],
        ["host", 1]
      ])
      expect(running.pending.list().messages).toMatchObject([{ link: "host", state: "declined" }])
    })
  )
})
