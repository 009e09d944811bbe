/** When a partner of a file is ticked: only when it says that something is due, it does the same, at the same instants. */
import { Clock, Effect, Exit, Scope } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import { startPartners } from "../../../packages/simulator/src/scripted/Partners.ts"
import { head, plansOf } from "./Bench.ts"
import { Link } from "./Couple.ts"

const kek = "3889D6265E54CDD3F8139DC454203146"
const keys = (giver: string, more = "") => `key exchange: { giver: ${giver}, kek: ${kek}${more} }\n`

/** What both sides write and close in so many milliseconds, looked at whenever `next` says. */
const lines = (texts: readonly [string, string], ms: number, loses: Link["loses"], next: (link: Link) => number) => {
  const link = new Link(...texts)
  link.loses = loses
  let ticks = 0
  const closed: Array<number> = []
  for (const { connection } of [link.one, link.other]) {
    Object.assign(connection, { close: () => closed.push(link.clock.now) })
  }
  while (link.clock.now < ms) {
    const at = Math.min(Math.max(Math.ceil(next(link)), link.clock.now + 1), ms)
    link.pass(at - link.clock.now)
    ticks++
  }
  return { ticks, told: [link.one.history.lines, link.other.history.lines, closed] }
}

const nextAt = ({ one, other }: Link) => Math.min(one.partner.nextAt(), other.partner.nextAt())

const sends =
  'sends: { rate: 5/s, count: 20, amount: 100, cards: ["6200000000000005"], timeout: 300ms, repeat: 700ms }\n'

describe("a partner of a file", () => {
  it.each<[string, number, string, string, (mti: string) => boolean]>([
    [
      "answers late, twice and behind others",
      6,
      sends,
      "rules:\n  - { when: { every: 3 }, delay: 17ms, twice: yes }\n  - { when: { every: 4 }, out of order: 1, delay: 50ms }\n",
      () => false
    ],
    ["sends, gives up, reverses and repeats", 6, sends, "", (mti) => mti === "0210" || mti === "0430"],
    [
      "says what its schedule has",
      3,
      "schedule:\n  - { send: echo, every: 700ms }\n  - { send: cut-over, after: 1s }\n",
      "",
      () => false
    ],
    [
      "waits for a sign-on that nobody answers",
      20,
      `sign-on: { send: yes }\n${sends}`,
      "sign-on: { expect: yes }\nrules: [{ when: { type: sign-on }, silence: yes }]\n",
      () => false
    ],
    [
      "sends once its sign-on is taken",
      6,
      `sign-on: { send: yes }\n${sends}`,
      "sign-on: { expect: yes }\nrules: [{ when: { type: sign-on }, delay: 1s }]\n",
      () => false
    ],
    [
      "gives keys late, and misses what was promised",
      42,
      `${keys("us")}rules: [{ when: { type: key change, nth: 1 }, key: lost }, { when: { type: key change }, key: after 400ms }]\n`,
      `${keys("far side")}schedule: [{ send: key, every: 20s }]\n`,
      () => false
    ]
  ])("%s, and says when that is due", (_, seconds, one, other, isLost) => {
    const texts = [head("cups", one), head("cups", other)] as const
    const loses: Link["loses"] = ({ mti }) => isLost(mti)
    const each = lines(texts, seconds * 1000, loses, ({ clock }) => clock.now + 1)
    const due = lines(texts, seconds * 1000, loses, nextAt)

    expect(each.told.flat().length).toBeGreaterThan(2)
    expect(due.told).toEqual(each.told)
    expect(due.ticks).toBeLessThan(500)
  })
})

describe("partners that have nothing to do", () => {
  const scope = Effect.runSync(Scope.make())
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  it("look at their clock twenty times a second", async () => {
    let looks = 0
    const clock = await Effect.runPromise(Clock.Clock)
    const counted: Clock.Clock = Object.assign(Object.create(clock), {
      sleep: (duration: never) => {
        looks++
        return clock.sleep(duration)
      }
    })
    const partners = await Effect.runPromise(
      startPartners(plansOf(head()), { onLine: () => {}, onTrouble: () => {} }).pipe(Scope.provide(scope))
    )
    const began = performance.now()
    await Effect.runPromise(
      partners.broken.pipe(Effect.timeoutOption(500), Effect.provideService(Clock.Clock, counted))
    )

    expect(looks).toBeGreaterThan(2)
    expect(looks / (performance.now() - began)).toBeLessThan(1 / 25)
  })
})
