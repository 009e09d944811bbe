/** Network management that passes through: by a route of its type, to whom that says; everything else ends at its link. */
import { describe, expect, it } from "@effect/vitest"
import { compile, type Message, unionPayPos } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { answerTo, type LinkAll, linkOf, purchase, startBench } from "./Bench.ts"
import { codes, types } from "./Pair.ts"

const pos = (name: string, port: number): LinkAll => ({
  ...linkOf(name, port),
  dialect: unionPayPos,
  codec: compile(unionPayPos),
  callers: [41, 42]
})

/** A terminal's message: sign-in 0800, echo 0820, settlement 0500. */
const terminal = (mti: string, stan: number, merchant = "102110053110001"): Message => ({
  mti,
  fields: { 11: String(stan).padStart(6, "0"), 41: "T0000001", 42: merchant, 60: "00000001003" }
})

const posBench = (routes: ReadonlyArray<{ mti?: ReadonlyArray<string>; from?: number; to: number; bin?: string }>) =>
  Effect.gen(function* () {
    const started = yield* startBench([pos("terminals", 4802), pos("host", 103), pos("other", 104)], undefined, {
      routes
    })
    const [terminals, host, other] = [0, 1, 2].map((link) => started.dial(link))
    yield* started.commit
    return { ...started, terminals: terminals!, host: host!, other: other! }
  })

describe("a route by message type", () => {
  it.effect("takes a terminal's sign-in, echo and settlement to its host, and the answers back to the terminal", () =>
    Effect.gen(function* () {
      const { terminals, host, commit, running } = yield* posBench([{ mti: ["0500", "0800", "0820"], from: 0, to: 1 }])
      const asked = ["0800", "0820", "0500"].map((mti, n) => terminal(mti, n + 1))
      terminals.say(...asked)
      yield* commit
      const seen = host.heard()

      expect(types(seen)).toEqual(["0800", "0820", "0500"])

      host.say(...seen.map((one) => answerTo(one, String(Number(one.mti) + 10).padStart(4, "0"))))
      yield* commit
      const answers = terminals.heard()

      expect(types(answers)).toEqual(["0810", "0830", "0510"])
      expect(answers.map(({ fields }) => fields[11])).toEqual(["000001", "000002", "000003"])
      expect(running.status().links[0]!.traffic).toMatchObject({ requestsIn: 3, answersOut: { "00": 3 } })
    })
  )

  it.effect("keeps two merchants with the same STAN apart", () =>
    Effect.gen(function* () {
      const { terminals, host, commit } = yield* posBench([{ mti: ["0800"], to: 1 }])
      terminals.say(terminal("0800", 1), terminal("0800", 1, "102110053110002"))
      yield* commit
      const [first, second] = host.heard()
      host.say(answerTo(second!, "0810", { 39: "77" }), answerTo(first!, "0810"))
      yield* commit

      expect(terminals.heard().map(({ fields }) => [fields[42], fields[39]])).toEqual([
        ["102110053110002", "77"],
        ["102110053110001", "00"]
      ])
    })
  )

  it.effect(
    "is never sent again or reversed: without an answer the terminal hears so, and a late answer is nobody's",
    () =>
      Effect.gen(function* () {
        const { terminals, host, commit, running } = yield* posBench([{ mti: ["0800"], to: 1 }])
        terminals.say(terminal("0800", 1))
        yield* commit
        const [seen] = host.heard()
        yield* TestClock.adjust(5000)
        yield* commit
        host.say(answerTo(seen!, "0810"))
        yield* commit

        expect(codes(terminals.heard())).toEqual(["98"])
        expect(host.heard()).toEqual([])
        expect(running.pending.list().messages).toEqual([])
      })
  )

  it.effect("tells a terminal that repeats what had no answer so again, and counts the late answer as late", () =>
    Effect.gen(function* () {
      const { terminals, host, commit, running } = yield* posBench([{ mti: ["0500", "0800", "0820"], to: 1 }])
      const asked = ["0800", "0820", "0500"].map((mti, n) => terminal(mti, n + 1))
      terminals.say(...asked)
      yield* commit
      const seen = host.heard()
      yield* TestClock.adjust(5000)
      yield* commit
      terminals.heard()
      host.say(...seen.map((one) => answerTo(one, String(Number(one.mti) + 10).padStart(4, "0"))))
      terminals.say(...asked)
      yield* commit

      expect(codes(terminals.heard())).toEqual(["98", "98", "98"])
      expect(host.heard()).toEqual([])
      expect(running.status().links[1]!.traffic).toMatchObject({ late: 3, unmatched: 0 })
    })
  )

  it.effect("gives no answer again whose keys or totals it has not kept, for that would be another one", () =>
    Effect.gen(function* () {
      const { terminals, host, commit } = yield* posBench([{ mti: ["0500", "0800", "0820"], to: 1 }])
      const asked = ["0800", "0820", "0500"].map((mti, n) => terminal(mti, n + 1))
      terminals.say(...asked)
      yield* commit
      const [signIn, echo, settlement] = host.heard()
      host.say(
        answerTo(signIn!, "0810", { 62: Buffer.alloc(40, 7) }),
        answerTo(echo!, "0830"),
        answerTo(settlement!, "0510", { 48: "1".padStart(62, "0") })
      )
      yield* commit
      terminals.heard()
      terminals.say(...asked)
      yield* commit

      expect(terminals.heard().map(({ mti, fields }) => [mti, fields[39]])).toEqual([["0830", "00"]])
      expect(host.heard()).toEqual([])
    })
  )

  it.effect("gives an answer back though a reload has ended the passing while it was on its way", () =>
    Effect.gen(function* () {
      const { terminals, host, commit, running, settings } = yield* posBench([{ mti: ["0800"], to: 1 }])
      terminals.say(terminal("0800", 1))
      yield* commit
      const [seen] = host.heard()
      yield* running.reload({ ...settings, routes: [] }, { user: "ann" }, 300)
      host.say(answerTo(seen!, "0810"))
      terminals.say(terminal("0800", 2))
      yield* commit

      expect(terminals.heard().map(({ fields }) => [fields[11], fields[39]])).toEqual([
        ["000002", "30"],
        ["000001", "00"]
      ])
    })
  )

  it.effect("holds for what comes from its link only; without one the message ends here", () =>
    Effect.gen(function* () {
      const { terminals, host, other, commit } = yield* posBench([{ mti: ["0800", "0500"], from: 2, to: 1 }])
      terminals.say(terminal("0800", 1), terminal("0500", 2))
      other.say(terminal("0800", 3))
      yield* commit

      expect(terminals.heard().map(({ mti, fields }) => [mti, fields[39]])).toEqual([
        ["0810", "30"],
        ["0510", "92"]
      ])
      expect(host.heard().map(({ fields }) => fields[11])).toEqual(["000003"])
    })
  )

  it.effect("does not take a message back to the link that it came from", () =>
    Effect.gen(function* () {
      const { host, commit } = yield* posBench([{ mti: ["0820"], to: 1 }])
      host.say(terminal("0820", 1))
      yield* commit
      expect(host.heard().map(({ mti, fields }) => [mti, fields[39]])).toEqual([["0830", "30"]])
    })
  )

  it.effect("is asked after card numbers: a purchase goes where its BIN says", () =>
    Effect.gen(function* () {
      const { terminals, host, other, commit } = yield* posBench([
        { mti: ["0200"], to: 1 },
        { bin: "62", to: 2 }
      ])
      const sale = (stan: number, pan: string): Message => ({
        mti: "0200",
        fields: { ...terminal("0200", stan).fields, 2: pan, 3: "000000", 4: "000000000100", 25: "00", 49: "156" }
      })
      terminals.say(sale(1, "6200000000000005"), sale(2, "4111111111111111"))
      yield* commit

      expect([other, host].map((wire) => wire.heard().map(({ fields }) => fields[11]))).toEqual([
        ["000001"],
        ["000002"]
      ])
    })
  )
})

describe("a route by network management code", () => {
  const management = (code: string, stan: string): Message => ({
    mti: "0820",
    header: { destination: "00010000", source: "48020000" },
    fields: { 7: "1122223829", 11: stan, 33: "48020000", 70: code }
  })

  it.effect("passes what it names; an echo still ends at its link, and ours are not mixed with what passes", () =>
    Effect.gen(function* () {
      const routes = [
        { bin: "62", to: 1 },
        { mti: ["0820"], codes: ["101"], to: 1 }
      ]
      const watched = { ...linkOf("issuer", 103), watchdog: { intervalMs: 500, probe: true, proofs: 0 } }
      const { commit, dial, running } = yield* startBench([linkOf("acquirer", 4802), watched], undefined, { routes })
      const a = dial(0)
      const b = dial(1)
      yield* commit
      yield* TestClock.adjust(600)
      const echo = b.heard().find(({ fields }) => fields[70] === "301")!
      a.say(management("301", "000007"), management("101", String(echo.fields[11])))
      yield* commit

      expect(a.heard().map(({ fields }) => [fields[11], fields[39]])).toEqual([["000007", "00"]])

      const [passed] = b.heard()
      expect(passed).toMatchObject({ mti: "0820", fields: { 70: "101" } })

      b.say(answerTo(passed!, "0830"), answerTo(echo, "0830"))
      yield* commit
      expect(a.heard().map(({ mti, fields }) => [mti, fields[70], fields[39]])).toEqual([["0830", "101", "00"]])
      expect(running.status().links[1]).toMatchObject({ state: "ready" })

      a.say(purchase())
      yield* commit
      expect(types(b.heard())).toEqual(["0200"])
    })
  )
})
