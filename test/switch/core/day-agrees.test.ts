/**
 * A mixed day between a switch and a partner of the simulator, each with sums of its own: they agree, because both count by the
 * dialect's `reconciliation`.
 */
import { describe, expect, it } from "@effect/vitest"
import { compile, cups, type Dialect, iso8583v1993Ascii, type Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { head, money, reversalOf, Bench as SimulatorBench, wallStart } from "../../simulator/scripted/Bench.ts"
import { linkOf, makeDisk, settle, startBench } from "./Bench.ts"
import { totalsOf } from "./DayTotals.ts"

const businessDay = { cutOver: "accept", stan: "goes-on", reconcile: "answer" } as const

const plan = `accounts: { others: { balance: 1000000, limit: { transaction: 90000 } } }
rules:
  - { when: { amount: "40000" }, answer: approve 25% }
schedule:
  - { send: totals, after: 60s }
`

/** One day: each request of the acquirer, and what the partner says to it. */
const day = (dialect: Dialect) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(wallStart)
    const codec = compile(dialect)
    const links = [
      { ...linkOf("acquirer", 4802, dialect), identity: "unchecked" as const },
      { ...linkOf("issuer", 103, dialect), identity: "unchecked" as const, businessDay }
    ]
    const routes = [{ bin: "62", to: 1 }]
    const { commit, dial, running, store } = yield* startBench(links, makeDisk(), { routes })
    running.reconcileBy((date) => totalsOf(store.entries, links, date))
    const [acquirer, issuer] = [dial(0), dial(1)]
    const partner = new SimulatorBench(head(dialect.name, plan))
    yield* commit
    const pass = Effect.gen(function* () {
      for (let n = 0; n < 4; n++) {
        yield* settle
        yield* commit
        for (const message of issuer.heard()) partner.say(message)
        for (const message of partner.heard()) issuer.say(message)
      }
      yield* commit
    })
    acquirer.heard()
    const version = dialect.version * 1000
    let stan = 0
    const say = (fields: Readonly<Record<number, string>>, mti = 200) =>
      Effect.gen(function* () {
        const message = money(codec, { 11: String(++stan).padStart(6, "0"), ...fields }, version + mti)
        acquirer.say(withHeader(dialect, message))
        yield* pass
        return [message, String(acquirer.heard().at(-1)?.fields[39])] as const
      })
    const undo = (original: Message) =>
      Effect.gen(function* () {
        const reversal = reversalOf(codec, original, String(++stan).padStart(6, "0"))
        acquirer.say(withHeader(dialect, { ...reversal, fields: { ...reversal.fields, 4: original.fields[4]! } }))
        yield* pass
        return String(acquirer.heard().at(-1)?.fields[39])
      })
    const named = (original: Message) => {
      const field = dialect.reversal!.originalData.field
      return { [field]: String(reversalOf(codec, original).fields[field]) }
    }
    /** The partner's totals, the switch's answer to them, and what it notes. */
    const compare = Effect.gen(function* () {
      partner.pass(60_000)
      const [said] = partner.heard()
      issuer.say(said!)
      yield* pass
      const answer = partner.history.lines.findLast(({ what }) => what === "totals")
      const notes = store.entries.filter(({ kind }) => kind === EntryKind.event).map(({ code }) => code)
      return { said: said!, answer: answer?.reason, note: notes.findLast((text) => text.includes("totals of")) }
    })
    return { say, undo, named, compare }
  })

const withHeader = (dialect: Dialect, message: Message): Message =>
  dialect.header === undefined ? message : { ...message, header: { destination: "00010000", source: "48020000" } }

describe.each([
  ["cups", cups, "0522"],
  ["1993", iso8583v1993Ascii, "1522"]
] as const)("A mixed day in %s", (_, dialect, mti) => {
  it.effect("has the same totals at the switch and at the partner", () =>
    Effect.gen(function* () {
      const { compare, named, say, undo } = yield* day(dialect)
      const codes: Array<string> = []
      const money = function* (fields: Readonly<Record<number, string>>, of = 200) {
        const [message, code] = yield* say(fields, of)
        codes.push(code)
        return message
      }
      yield* money({ 4: "12300" })
      const second = yield* money({ 4: "4500" })
      codes.push(yield* undo(second))
      // A refund and a purchase that have happened, as advices.
      yield* money({ 3: "200000", 4: "700" }, 220)
      yield* money({ 4: "800" }, 220)
      // Authorizations: one completed, one taken back, one left.
      const held = yield* money({ 3: "030000", 4: "15000" }, 100)
      yield* money({ 4: "14000", ...named(held) })
      const other = yield* money({ 3: "030000", 4: "1000" }, 100)
      codes.push(yield* undo(other))
      yield* money({ 3: "030000", 4: "2000" }, 100)
      // A quarter of what was asked, twice, and one of them taken back; one refused; a void; an inquiry.
      yield* money({ 4: "40000" })
      const part = yield* money({ 4: "40000" })
      codes.push(yield* undo(part))
      yield* money({ 4: "95000" })
      const bought = yield* money({ 4: "3300" })
      yield* money({ 3: "200000", 4: "3300", ...named(bought) })
      // A void that is taken back itself.
      const again = yield* money({ 4: "600" })
      codes.push(yield* undo(yield* money({ 3: "200000", 4: "600", ...named(again) })))
      yield* money({ 3: "310000", 4: "0" })
      const { answer, note, said } = yield* compare

      expect(said.mti).toBe(mti)
      expect(note).toMatch(/in balance, \d+ counts and amounts compared$/)
      expect(answer).toContain(dialect === cups ? "answered 00" : "answered 500")
      // Of authorizations only the number is said.
      expect(said.fields).toMatchObject({
        ...{ 74: "0000000003", 75: "0000000001", 76: "0000000008", 77: "0000000002", 81: "0000000003" },
        ...{ 86: "0000000000004600", 87: "0000000000000600", 88: "0000000000055500", 89: "0000000000014500" }
      })
      expect(codes.filter((code) => /^0*0$/.test(code) || code === "400").length).toBeGreaterThan(10)
    })
  )
})
