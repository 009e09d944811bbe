import { it } from "@effect/vitest"
import { Effect } from "effect"
import { describe, expect } from "vitest"
import { cardsOf } from "../../packages/simulator/src/chance/Cards.ts"
import { canariesOf, findCardData } from "../../packages/simulator/src/checker/CardLeaks.ts"
import { patience } from "../Pace.ts"
import { eventually, openHouse } from "./house.ts"

const misbehaving = {
  decline: 10,
  requests: { ignore: 3, drop: 3, delay: 5 },
  advices: { ignore: 10, drop: 10, delay: 10 },
  delayFrom: 10,
  delayTo: 600
}

describe("acquirer and issuer over real sockets", () => {
  it.live("complete a load and keep every rule", () =>
    Effect.gen(function* () {
      // What is due within the load's time is sent, however busy the machine; so is its answer waited for.
      const house = yield* openHouse({ acquirer: { timeout: patience(3_000) } })
      yield* house.acquirer.loaded
      const verdict = yield* house.judge

      expect(verdict.findings).toEqual([])
      expect(verdict.totals.approved).toBeGreaterThan(100)
      expect(verdict.totals.money.acquirer).toBe(verdict.totals.money.ledger)
      expect(house.acquirer.totals().latency.response.count).toBeGreaterThan(100)
    }).pipe(Effect.scoped)
  )

  it.live("keep every rule with an issuer that declines, delays, drops and ignores", () =>
    Effect.gen(function* () {
      const house = yield* openHouse({ behaviour: misbehaving })
      yield* house.acquirer.loaded
      const verdict = yield* house.judge

      expect(verdict.findings).toEqual([])
      expect(verdict.totals).toMatchObject({ inDoubt: 0, lost: 0, doubled: 0 })
      expect(verdict.totals.reversed).toBeGreaterThan(5)
    }).pipe(Effect.scoped)
  )

  for (const how of ["reset", "fin"] as const) {
    it.live(`reconnect at once after a ${how} on the way and lose nothing`, () =>
      Effect.gen(function* () {
        const house = yield* openHouse({ behaviour: misbehaving, acquirer: { duration: 1_200 } })
        for (let i = 0; i < 6; i++) {
          yield* eventually(() => house.acquirer.totals().signOns === i + 1)
          yield* Effect.sleep(100)
          house.proxy.cut(how)
        }
        yield* house.acquirer.loaded

        const verdict = yield* house.judge

        expect(verdict.findings).toEqual([])
        expect(house.acquirer.totals().signOns).toBeGreaterThanOrEqual(6)
        // How many it was in the time says how busy the machine is; that each kind was approved, the rule of progress says.
      }).pipe(Effect.scoped)
    )
  }

  it.live("reassemble messages that arrive in slices of three bytes", () =>
    Effect.gen(function* () {
      const house = yield* openHouse({ acquirer: { count: 5, rate: 10_000, timeout: 4_000 } })
      yield* eventually(() => house.acquirer.totals().isSignedOn)
      house.proxy.set("both", { slice: 3 })
      yield* house.acquirer.loaded
      yield* eventually(() => house.acquirer.totals().outstanding === 0)

      expect(house.acquirer.totals()).toMatchObject({ timedOut: 0, linkLost: 0 })
    }).pipe(Effect.scoped)
  )

  it.live("end everything as timed out in a black hole, and reverse it after the heal", () =>
    Effect.gen(function* () {
      const house = yield* openHouse({ acquirer: { duration: 800 } })
      yield* eventually(() => house.acquirer.totals().approved > 20)
      house.proxy.set("fromTarget", { isBlackHole: true })
      yield* eventually(() => house.acquirer.totals().timedOut > 20)
      house.proxy.heal()
      yield* house.acquirer.loaded

      const verdict = yield* house.judge

      expect(verdict.findings).toEqual([])
      expect(verdict.totals.reversed).toBeGreaterThan(20)
      expect(verdict.totals.undone).toBeGreaterThan(20)
    }).pipe(Effect.scoped)
  )

  it.live("get late answers when the way is slower than the timeout, and believe none of them", () =>
    Effect.gen(function* () {
      const house = yield* openHouse({ acquirer: { duration: 300 } })
      yield* eventually(() => house.acquirer.totals().approved > 20)
      house.proxy.set("fromTarget", { delay: 500 })
      yield* eventually(() => house.acquirer.totals().late > 5)
      house.proxy.heal()

      const verdict = yield* house.judge

      expect(verdict.findings).toEqual([])
      expect(verdict.totals.late).toBeGreaterThan(5)
    }).pipe(Effect.scoped)
  )

  it.live("lose nothing while a partition holds bytes back and lets them go again", () =>
    Effect.gen(function* () {
      const house = yield* openHouse({ acquirer: { duration: 500, timeout: 2_000 } })
      yield* eventually(() => house.acquirer.totals().approved > 20)
      house.proxy.set("both", { isHeld: true })
      yield* Effect.sleep(300)
      house.proxy.heal()
      yield* house.acquirer.loaded

      const verdict = yield* house.judge

      expect(verdict.findings).toEqual([])
      expect(house.acquirer.totals()).toMatchObject({ timedOut: 0, linkLost: 0, links: 1 })
    }).pipe(Effect.scoped)
  )

  it.live("count what was due while the partner refused connections as not sent", () =>
    Effect.gen(function* () {
      const house = yield* openHouse({ acquirer: { duration: 1_500 } })
      yield* eventually(() => house.acquirer.totals().approved > 20)
      yield* Effect.forkChild(house.proxy.refuse(600))
      yield* Effect.sleep(20)
      house.proxy.cut("reset")
      yield* house.acquirer.loaded

      const verdict = yield* house.judge

      expect(verdict.findings).toEqual([])
      expect(verdict.totals.notSent).toBeGreaterThan(50)
      expect(house.acquirer.totals().signOns).toBe(2)
    }).pipe(Effect.scoped)
  )

  for (const side of ["acquirer", "issuer"] as const) {
    it.live(`come back when the ${side} cuts its own links for a time`, () =>
      Effect.gen(function* () {
        const house = yield* openHouse({ acquirer: { duration: 900, timeout: 3_000 } })
        yield* eventually(() => house.acquirer.totals().approved > 20)
        yield* house[side].link.cut("reset", 200)
        yield* house.acquirer.loaded

        const verdict = yield* house.judge

        expect(verdict.findings).toEqual([])
        expect(verdict.totals.notSent).toBeGreaterThan(20)
      }).pipe(Effect.scoped)
    )
  }

  it.live("keep a quiet link alive with idle frames", () =>
    Effect.gen(function* () {
      const house = yield* openHouse({ acquirer: { count: 0 }, link: { idleInterval: 100, silenceLimit: 700 } })
      yield* eventually(() => house.acquirer.totals().isSignedOn)
      yield* Effect.sleep(1_600)

      expect(house.acquirer.totals().links).toBe(1)
    }).pipe(Effect.scoped)
  )

  it.live("close a link on which nothing arrives any more, and dial again", () =>
    Effect.gen(function* () {
      const house = yield* openHouse({ acquirer: { count: 0 }, link: { idleInterval: 50, silenceLimit: 200 } })
      yield* eventually(() => house.acquirer.totals().isSignedOn)
      house.proxy.set("fromTarget", { isBlackHole: true })
      yield* eventually(() => house.acquirer.totals().links > 1)
      house.proxy.heal()
      yield* eventually(() => house.acquirer.totals().signOns > 1)
    }).pipe(Effect.scoped)
  )

  it.live("write no card number, track or PIN block into their files", () =>
    Effect.gen(function* () {
      const house = yield* openHouse({ behaviour: misbehaving, workload: { cards: 20, seed: 5 } })
      yield* house.acquirer.loaded
      yield* house.judge

      const canaries = canariesOf(cardsOf({ seed: 5, bins: ["621999"], count: 20 }))
      const bytes = Buffer.from(house.text())

      expect(bytes.length).toBeGreaterThan(10_000)
      expect(findCardData(bytes, canaries)).toEqual([])
    }).pipe(Effect.scoped)
  )
})
