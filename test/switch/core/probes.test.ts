/** Echoes of ours: which answers prove something, what the link says when none does, and when they go out besides silence. */
import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { answerTo, type LinkAll, purchase, type Wire } from "./Bench.ts"
import { bench, codes } from "./Pair.ts"

const watched = (watchdog: Partial<LinkAll["watchdog"]> = {}): Partial<LinkAll> => ({
  watchdog: { intervalMs: 10_000, probe: true, proofs: 0, unanswered: 3, ...watchdog }
})

const start = (watchdog: Partial<LinkAll["watchdog"]> = {}) =>
  Effect.map(bench({ issuer: watched(watchdog) }), (started) => ({
    ...started,
    link: () => started.running.status().links[1]!,
    said: () => started.store.entries.filter(({ kind }) => kind === EntryKind.event).map(({ code }) => code)
  }))

/** The longest that an interval of ten seconds may be drawn. */
const INTERVAL = 10_700

const echoes = (wire: Wire) => wire.heard().filter(({ fields }) => fields[70] === "301")

/** Lets the link be silent until it sends an echo. */
const untilEcho = (wire: Wire, commit: Effect.Effect<void>) =>
  Effect.gen(function* () {
    yield* TestClock.adjust(INTERVAL)
    yield* commit
    return echoes(wire)[0]!
  })

/** The reason of the last end after everything has had its time. */
const endOf = (started: { readonly link: () => { readonly ends: ReadonlyArray<{ reason: string; why: string }> } }) =>
  Effect.gen(function* () {
    for (let step = 0; step < 30 && started.link().ends.length === 0; step++) yield* TestClock.adjust(1000)
    return started.link().ends[0]!
  })

describe("an echo of ours", () => {
  it.effect("that is not answered at all ends in PeerSilent, with the milliseconds that nothing came", () =>
    Effect.gen(function* () {
      const started = yield* start()
      yield* untilEcho(started.b, started.commit)
      const { reason, why } = yield* endOf(started)

      expect(reason).toBe("PeerSilent")

      const [, ms] = /^nothing was received for (\d+) ms, not even an answer to our echo$/.exec(why) ?? []
      expect(Number(ms)).toBeGreaterThan(27_000)
      expect(Number(ms)).toBeLessThan(33_000)
    })
  )

  const wrong: ReadonlyArray<readonly [string, (echo: Message) => Message, string]> = [
    ["under another STAN", (echo) => answerTo(echo, "0830", { 11: "999999" }), "DE 11 is 999999, not 000001"],
    [
      "under another time and code",
      (echo) => answerTo(echo, "0830", { 7: "0101000000", 70: "001" }),
      "DE 7 is 0101000000, not 0101000010, DE 70 is 001, not 301"
    ],
    ["with another message type", (echo) => answerTo(echo, "0810"), "its MTI is 0810, not 0830"]
  ]
  for (const [name, answer, why] of wrong) {
    it.effect(`that is answered ${name} is not answered: the link ends with what differed`, () =>
      Effect.gen(function* () {
        const started = yield* start()
        const echo = yield* untilEcho(started.b, started.commit)
        started.b.say(answer(echo))
        yield* started.commit
        const end = yield* endOf(started)

        const differing = why.replace("0101000010", String(echo.fields[7]))

        expect(end.reason).toBe("EchoUnanswered")
        expect(end.why).toMatch(/^our echo was not answered well in \d+ ms: an answer came that belongs to no request/)
        expect(end.why).toContain(differing)
        expect(started.said()).toContain(
          `an answer ${answer(echo).mti} of the partner belongs to no request of ours; of our echo: ${differing}`
        )
      })
    )
  }

  it.effect("that is answered without a STAN is not answered, and the field is named", () =>
    Effect.gen(function* () {
      const started = yield* start()
      const echo = yield* untilEcho(started.b, started.commit)
      const { 11: _, ...fields } = echo.fields
      started.b.say({ ...echo, mti: "0830", fields: { ...fields, 39: "00" } })
      yield* started.commit

      expect((yield* endOf(started)).why).toContain("DE 11 is missing")
    })
  )

  it.effect("that is answered 96, or without a code, proves nothing", () =>
    Effect.gen(function* () {
      for (const [code, words] of [
        ["96", "answered 96"],
        [undefined, "answered without DE 39"]
      ] as const) {
        const started = yield* start()
        const echo = yield* untilEcho(started.b, started.commit)
        started.b.say({ ...echo, mti: "0830", fields: code === undefined ? echo.fields : { ...echo.fields, 39: code } })
        yield* started.commit
        expect(yield* endOf(started)).toMatchObject({ reason: "EchoUnanswered" })
        expect(started.link().ends[0]!.why).toContain(`it was ${words}`)
        expect(started.said()).toContain(`echo of ours ${words}: that proves nothing`)
      }
    })
  )

  it.effect("that is answered with success keeps the link, whatever else the answer leaves out", () =>
    Effect.gen(function* () {
      const started = yield* start()
      for (let times = 0; times < 4; times++) {
        const echo = yield* untilEcho(started.b, started.commit)
        const { 70: _, ...fields } = echo.fields
        started.b.say({ ...echo, mti: "0830", fields: { ...fields, 39: "00" } })
        yield* started.commit
      }

      expect(started.link()).toMatchObject({ state: "ready", ends: [] })
    })
  )

  it.effect(
    "that has to prove a connection again is one of three: its end names it, and one interval is not three",
    () =>
      Effect.gen(function* () {
        const started = yield* start({ proofs: 3 })
        started.b.end(new ConnectionEnded({ how: "fin", cause: "the partner closed the connection" }))
        yield* started.commit
        const again = started.dial(1)
        yield* started.commit
        again.say(answerTo(echoes(again)[0]!, "0830"))
        yield* started.commit
        const second = echoes(again)
        yield* TestClock.adjust(100)
        again.say(purchase({ 39: "00" }, "0210"))
        yield* started.commit
        yield* TestClock.adjust(INTERVAL)
        yield* started.commit

        expect(second).toHaveLength(1)

        const { reason, why } = started.link().ends[0]!
        expect(reason).toBe("EchoUnanswered")
        expect(why).toMatch(/^echo 2 of the 3 that prove a connection again was not answered in (9|10)\d{3} ms, though/)
      })
  )

  it.effect("that has to prove a connection again and hears nothing ends in the silence of one interval", () =>
    Effect.gen(function* () {
      const started = yield* start({ proofs: 3 })
      started.b.end(new ConnectionEnded({ how: "fin", cause: "the partner closed the connection" }))
      yield* started.commit
      started.dial(1)
      yield* started.commit
      yield* TestClock.adjust(INTERVAL)
      yield* started.commit

      const { reason, why } = started.link().ends[0]!

      expect(reason).toBe("PeerSilent")
      expect(why).toMatch(/^nothing was received for (9|10)\d{3} ms, not even an answer to our echo$/)
    })
  )
})

describe("a partner that sends idle frames and answers nothing", () => {
  const idle = Buffer.alloc(0)

  /** Requests that time out one after the other, an idle frame beside each. */
  const unanswered = (started: { a: Wire; b: Wire; commit: Effect.Effect<void> }, from: number, many: number) =>
    Effect.gen(function* () {
      for (let stan = from; stan < from + many; stan++) {
        started.a.say(purchase({ 11: String(stan).padStart(6, "0"), 3: "300000" }))
        yield* started.commit
        started.b.say(idle)
        yield* TestClock.adjust(1100)
        yield* started.commit
      }
    })

  it.effect("is asked by an echo after the third request in a row, and status and journal say so", () =>
    Effect.gen(function* () {
      const started = yield* start()
      yield* unanswered(started, 1, 2)

      expect(echoes(started.b)).toEqual([])

      yield* unanswered(started, 3, 1)
      expect(echoes(started.b)).toHaveLength(1)
      expect(started.link().unanswered).toMatchObject({ inARow: 3, came: "" })
      expect(started.link().unanswered.askedAt).toBeGreaterThan(0)
      expect(started.said()).toContain("3 requests in a row were not answered: the partner is asked by an echo")
    })
  )

  it.effect(
    "takes no new requests when the echo has no answer either, however many idle frames come, and is closed",
    () =>
      Effect.gen(function* () {
        const started = yield* start()
        yield* unanswered(started, 1, 13)
        started.a.heard()
        started.a.say(purchase({ 11: "000099", 3: "300000" }))
        yield* started.commit

        expect(codes(started.a.heard())).toEqual(["91"])
        expect(started.link().state).toBe("suspect")

        for (let second = 0; second < 12; second++) {
          started.b.say(idle)
          yield* TestClock.adjust(1000)
        }
        const end = started.link().ends[0]!
        expect(end.reason).toBe("EchoUnanswered")
        expect(end.why).toMatch(/^requests in a row were not answered, nor was our echo in \d+ ms$/)
      })
  )

  it.effect(
    "stays in use when it answers the echo, and the log says what is dead; a request's answer ends the matter",
    () =>
      Effect.gen(function* () {
        const started = yield* start()
        yield* unanswered(started, 1, 3)
        started.b.say(answerTo(echoes(started.b)[0]!, "0830"))
        yield* started.commit
        const came = "our echo was answered 00, so the line is alive and the system behind it is not"

        expect(started.link()).toMatchObject({ state: "ready", unanswered: { inARow: 3, came } })
        expect(started.said()).toContain(`3 requests in a row were not answered; ${came}`)

        started.a.say(purchase({ 11: "000050" }))
        yield* started.commit
        started.b.say(answerTo(started.b.heard().at(-1)!, "0210"))
        yield* started.commit

        expect(started.link().unanswered).toEqual({ inARow: 0, askedAt: 0, came: "" })
        expect(started.said()).toContain("a request was answered again, after 3 in a row that were not")
      })
  )

  it.effect("is asked once an interval, not once for each few requests, and never where it is switched off", () =>
    Effect.gen(function* () {
      for (const [limit, many] of [
        [3, 1],
        [0, 0]
      ] as const) {
        const started = yield* start({ unanswered: limit, intervalMs: 3_600_000 })
        yield* unanswered(started, 1, 12)
        expect(echoes(started.b)).toHaveLength(many)
      }
    })
  )

  it.effect("is not suspected for a link that has no echo: it is only said", () =>
    Effect.gen(function* () {
      const started = yield* start({ probe: false })
      yield* unanswered(started, 1, 3)
      expect(started.link()).toMatchObject({ state: "ready", unanswered: { came: "there is no echo to ask with" } })
    })
  )
})
