/** What a throw in the middle of one message costs: that message or its connection, and never the other partners. */

import { expect, it } from "@effect/vitest"
import { type Codec, compile, cups } from "@jinka/codec"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { describe } from "vitest"
import { Inconsistent } from "../../../packages/switch/src/journal/Inconsistent.ts"
import { answerTo, linkOf, purchase, startBench } from "./Bench.ts"
import { defective, defectiveWriter, pan, poison } from "./Poison.ts"

const links = (codec: Codec, at: number) =>
  ["acquirer", "issuer", "other"].map((name, id) => ({
    ...linkOf(name, 4802 + id),
    ...(id === at ? { codec, dialect: codec.dialect } : {})
  }))

/** A purchase of another partner still has its way. */
const otherIsServed = (bench: Bench, other: Wire, issuer: Wire) =>
  Effect.gen(function* () {
    const header = { destination: "00010000", source: "48040000" }
    other.say({ ...purchase({ 11: "000042", 32: "48040000", 33: "48040000" }), header })
    yield* bench.commit
    const seen = issuer.heard().find(({ fields }) => fields[11] === "000042")
    issuer.say(answerTo(seen!, "0210"))
    yield* bench.commit
    expect(other.heard().map(({ mti, fields }) => [mti, fields[39]])).toEqual([["0210", "00"]])
  })

type Bench = Effect.Success<ReturnType<typeof startBench>>
type Wire = ReturnType<Bench["dial"]>

const running = (codec: Codec, at = 0) =>
  Effect.gen(function* () {
    const bench = yield* startBench(links(codec, at))
    const [acquirer, issuer, other] = [bench.dial(0), bench.dial(1), bench.dial(2)]
    yield* bench.commit
    return { bench, acquirer, issuer, other }
  })

describe("A defect that one message meets", () => {
  it.effect(
    "while it goes into the journal: it is answered 96 or its connection is closed, and the others are served",
    () =>
      Effect.gen(function* () {
        const { bench, acquirer, issuer, other } = yield* running(defective("redact"))
        acquirer.say(purchase({ 11: poison }), purchase({ 11: "000002" }))
        yield* bench.commit
        yield* otherIsServed(bench, other, issuer)

        expect(acquirer.isOpen).toBe(false)
        expect(bench.running.status().defects).toBeGreaterThan(0)
      }).pipe(Effect.scoped)
  )

  it.effect("while it is written to its target: it is answered 96, nothing of it leaves, nothing is reversed", () =>
    Effect.gen(function* () {
      const { bench, acquirer, issuer, other } = yield* running(defectiveWriter(), 1)
      acquirer.say(purchase({ 11: poison }), purchase({ 11: "000002" }))
      yield* bench.commit

      expect(acquirer.heard().map(({ fields }) => [fields[11], fields[39]])).toEqual([[poison, "96"]])
      expect(issuer.heard().map(({ mti, fields }) => [mti, fields[11]])).toEqual([["0200", "000002"]])
      expect(bench.running.status().links[1]!.outstanding).toBe(1)
      yield* otherIsServed(bench, other, issuer)
    }).pipe(Effect.scoped)
  )

  it.effect("is noted with its place and without a word of its content", () =>
    Effect.gen(function* () {
      const { bench, acquirer } = yield* running(defectiveWriter(), 1)
      acquirer.say(purchase({ 11: poison }))
      yield* bench.commit
      const texts = bench.store.entries.map(({ code }) => code)

      expect(
        // Behind a ? is what the runner loads the file again by.
        texts.filter((text) => /could not be written: a defect .*TypeError at Poison\.ts:\d+/.test(text))
      ).toHaveLength(1)
      expect(texts.join()).not.toContain(pan)
    }).pipe(Effect.scoped)
  )

  it.effect("in the reversal of a timed-out request: the origin is told, and the money is left to a person", () =>
    Effect.gen(function* () {
      let isOn = false
      const codec = defective("patch", () => new TypeError(pan))
      const late = new Proxy(codec, {
        get: (target, name) => (isOn ? Reflect.get(target, name) : Reflect.get(compile(cups), name))
      })
      const { bench, acquirer, issuer, other } = yield* running(late, 1)
      acquirer.say(purchase({ 11: poison }))
      yield* bench.commit
      isOn = true
      yield* TestClock.adjust(1100)
      yield* bench.commit

      expect(acquirer.heard().map(({ fields }) => fields[39])).toEqual(["98"])
      expect(bench.store.entries.some(({ code }) => code.includes("a person has to do it"))).toBe(true)
      yield* otherIsServed(bench, other, issuer)
    }).pipe(Effect.scoped)
  )

  it.effect("that shows a table or the journal to be inconsistent stops the switch (G9)", () =>
    Effect.gen(function* () {
      const { bench, acquirer } = yield* running(defective("matchKey", () => new Inconsistent("a table")))
      const failed = yield* Effect.forkChild(bench.running.failed)
      acquirer.say(purchase({ 11: poison }))
      yield* bench.commit

      expect(Exit.isFailure(yield* Fiber.await(failed))).toBe(true)
    }).pipe(Effect.scoped)
  )
})
