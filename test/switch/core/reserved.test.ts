/** Message types that an edition reserves: nobody acts on them, whatever their class and whoever sends them. */
import { describe, expect, it } from "@effect/vitest"
import { compile, iso8583v1993Ascii, type Message } from "@jinka/codec"
import { Effect } from "effect"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { type LinkAll, purchase, startBench, type Wire } from "./Bench.ts"
import { acquirer, bench, codes, issuer, types } from "./Pair.ts"

/** A sign-on, as it would be taken with a good message type. */
const management = (mti: string): Message => ({
  mti,
  header: { destination: "00010000", source: "48020000" },
  fields: { 7: "1122223829", 11: "000009", 33: "48020000", 70: "001" }
})

const count = (store: { readonly entries: ReadonlyArray<{ readonly kind: number }> }, kind: keyof typeof EntryKind) =>
  store.entries.filter((entry) => entry.kind === EntryKind[kind]).length

const asking = (version: string, classes: ReadonlyArray<number>, functions: ReadonlyArray<number>) =>
  classes.flatMap((kind) => functions.map((digit) => `${version}${kind}${digit}0`))

describe("a message type that its edition reserves", () => {
  it.effect(
    "is refused as a format error when it asks, in every class and from both sides, and the link is as before",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, store, running } = yield* bench({
          acquirer: { signOn: { send: false, expect: true, timeoutMs: 60_000 } },
          issuer: { speaksFor: ["48020000"] }
        })
        const asked = asking("0", [1, 2, 3, 4, 5, 6, 7], [4, 6, 8])
        for (const wire of [a, b]) {
          for (const mti of asked) wire.say(purchase({ 11: `00${mti}` }, mti))
          for (const mti of ["0840", "0860", "0880"]) wire.say(management(mti))
          yield* commit
          const heard = wire.heard()
          expect(codes(heard)).toEqual(heard.map(() => "30"))
          expect(types(heard)).toEqual([
            ...asked.map((mti) => String(Number(mti) + 10).padStart(4, "0")),
            "0850",
            "0870",
            "0890"
          ])
        }

        expect(count(store, "refused")).toBe(2 * (asked.length + 3))
        expect(running.status().links[0]).toMatchObject({ state: "waiting for sign-on" })
      })
  )

  it.effect("is dropped and counted when it answers: it ends no request and proves nothing", () =>
    Effect.gen(function* () {
      const { a, b, commit, store } = yield* bench()
      a.say(purchase())
      yield* commit
      b.heard()
      for (const mti of ["0250", "0270", "0290", "0850", "0890"]) b.say(purchase({ 39: "00" }, mti))
      yield* commit

      expect(a.heard()).toEqual([])
      expect(b.heard()).toEqual([])
      expect(count(store, "unmatched")).toBe(5)
    })
  )

  it.effect("is said in the journal with its digit", () =>
    Effect.gen(function* () {
      const { a, commit, store } = yield* bench()
      a.say(management("0860"), purchase({}, "0900"))
      yield* commit
      const events = store.entries.filter(({ kind }) => kind === EntryKind.event).map(({ code }) => code)

      expect(events).toContain("message type 0860 was refused 30: its function digit is reserved")
      expect(events).toContain("message type 0900 was refused 30: its class digit is reserved")
    })
  )

  it.effect("is another one in 1993: 4 to 7 are notifications and instructions, 8 and 9 are reserved", () =>
    Effect.gen(function* () {
      const codec = compile(iso8583v1993Ascii)
      const link = (one: LinkAll): LinkAll => ({ ...one, dialect: iso8583v1993Ascii, codec })
      const started = yield* startBench([link(acquirer), link(issuer)])
      const a: Wire = started.dial(0)
      started.dial(1)
      yield* started.commit
      const echo = (mti: string, stan: string): Message => ({
        mti,
        fields: { 7: "1122223829", 11: stan, 24: "831" }
      })
      a.say(echo("1804", "000001"), echo("1844", "000002"), echo("1864", "000003"), echo("1884", "000004"))
      yield* started.commit

      expect(a.heard().map(({ mti, fields }) => [mti, fields[39]])).toEqual([
        ["1814", "800"],
        ["1854", "800"],
        ["1874", "800"],
        ["1894", "904"]
      ])
    })
  )
})
