import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import type { Wishes } from "./Options.ts"
import type { CupsMessage } from "./partner/Cups.ts"
import { type Passing, relay, relayThat } from "./Relay.ts"
import { runSeed } from "./Simulation.ts"
import type { Subject } from "./Subject.ts"

// A relay passes everything on and promises nothing: the simulation must say so, and must find each way to spoil it
// (A9 row 42: deliberate defects that have to be found).
const calm: Wishes = {
  acquirers: 1,
  issuers: 1,
  chaos: 25_000,
  faults: [],
  acquirer: { repeats: 0, pause: [10, 500], answerWithin: 15_000 },
  issuer: { answersTwice: 0, keepsSilent: 0, answersLate: 0 }
}

const findingsOf = (subject: Subject, wishes: Wishes = {}): string =>
  [1, 2].flatMap((seed) => runSeed(seed, { subject, wishes: { ...calm, ...wishes } }).findings).join("\n")

const spoilt = (newPassing: () => Passing): Subject => relayThat("spoilt relay", newPassing)

const withField = (message: CupsMessage, de: number, value: string): CupsMessage => ({
  ...message,
  fields: { ...message.fields, [de]: value }
})

/** Issuers that leave a part of the requests unanswered, so that there are reversals. */
const silent: Wishes = { issuer: { answersTwice: 0, keepsSilent: 0.3, answersLate: 0 } }

describe("the simulation", () => {
  it("finds nothing wrong with a mere relay as long as nobody does anything odd", () => {
    expect(findingsOf(relay)).toBe("")
    expect(findingsOf(relay, silent)).toBe("")
  })

  it("finds MACs and PIN blocks of one zone that are passed on into another", () => {
    expect(findingsOf(relay, { zones: 1 })).toMatch(/issuer-1 got bytes that it cannot read: wrong MAC in a 0200/)
    expect(findingsOf(relay, { zones: 1 })).toMatch(/issuer-1 got a PIN block of another zone, PIN or card in a 0200/)
  })

  it("finds answers that are delivered twice", () => {
    expect(findingsOf(relay, { issuer: { answersTwice: 1 } })).toMatch(/^G3: .* 2 answers/m)
  })

  it("finds requests that go out twice", () => {
    expect(findingsOf(relay, { acquirer: { repeats: 1 } })).toMatch(/^G4: .* 2 times/m)
  })

  it("finds repeats of reversals that do not say so", () => {
    const unmarked = spoilt(() => (message) => [message.mti === "0421" ? { ...message, mti: "0420" } : message])
    expect(findingsOf(unmarked, silent)).toMatch(/^G5: .* repeated as 0420/m)
  })

  it("finds reversals that name another original", () => {
    const wrong = spoilt(() => (message) => [
      message.fields[90] === undefined ? message : withField(message, 90, `0200000001${message.fields[90].slice(10)}`)
    ])
    expect(findingsOf(wrong, silent)).toMatch(/^G5: DE 90 /m)
  })

  it("finds answers that belong to another request", () => {
    const mixing = spoilt(() => {
      let last: CupsMessage | undefined
      return (message) => {
        if (message.mti !== "0210" || message.fields[39] !== "00") return [message]
        const mixed = last === undefined ? message : withField(message, 37, last.fields[37] ?? "")
        last = message
        return [mixed]
      }
    })
    expect(findingsOf(mixing)).toMatch(/^G6: /m)
  })

  it("finds money that one side keeps and the other does not know of", () => {
    const greedy = spoilt(() => (message) => [message.mti === "0210" ? withField(message, 39, "05") : message])
    expect(findingsOf(greedy)).toMatch(/^money: issuer-1 keeps \d+ for .* acquirer-1 believes declined \(05\)/m)
  })

  it("finds service that does not come back after the faults", () => {
    const sulking = spoilt(() => {
      let count = 0
      return (message) => (message.mti.startsWith("02") && ++count > 20 ? [] : [message])
    })
    expect(findingsOf(sulking)).toMatch(/^liveness: acquirer-1 had nothing approved/m)
  })

  it("finds what never comes to its end, by name", () => {
    const deaf = spoilt(() => (message) => (message.mti === "0430" ? [] : [message]))
    expect(findingsOf(deaf, silent)).toMatch(/^liveness: reversal of \d+ is not acknowledged/m)
  })

  it("finds bytes that no partner can read", () => {
    const garbled = spoilt(() => (message) => [
      { ...message, rejectCode: "00000", mti: message.mti, source: "x".repeat(12) }
    ])
    expect(findingsOf(garbled)).toMatch(/nobody can read/)
  })

  it("finds a switch that stops by itself for no reason", () => {
    const weary: Subject = { name: "weary", hasJournal: false, start: () => Effect.as(Effect.sleep("20 seconds"), []) }
    expect(findingsOf(weary)).toMatch(/^the switch stopped by itself/m)
  })

  it("finds card numbers in the log", () => {
    const seen: Array<string> = []
    const chatty = spoilt(() => (message) => {
      if (message.fields[2] !== undefined) seen.push(message.fields[2])
      return [message]
    })
    const telling: Subject = {
      ...chatty,
      start: (place) =>
        Effect.raceFirst(
          chatty.start(place),
          Effect.forever(
            Effect.delay(
              Effect.suspend(() => Effect.log(`card ${seen}`)),
              5000
            )
          )
        )
    }

    expect(findingsOf(telling)).toMatch(/^G10: /m)
  })
})
