/**
 * Rows 9, 10, 13 and 16 of docs/reference/test-plan.md over real kernels: a line that swallows everything without a word, in both
 * directions or in one, idle or with requests under way; and a cable that is out for a moment.
 */
import { Clock, Effect, type Scope } from "effect"
import { describe, expect, it } from "vitest"
import { patience } from "../../Pace.ts"
import { isLong } from "../../Runs.ts"
import { makeCast, type Plan, until } from "./Cast.ts"
import { hindrance, makeNetwork } from "./Network.ts"

const seed = Number(process.env["JINKA_SEED"] ?? 20261123)
/** Tw; the product's default is 30 seconds. `JINKA_LAB=long` takes 6, the least that RFC 3539 allows. */
const watchdogMs = isLong ? 6000 : 1000
/** What the test's own looking may add; short runs share two processors with all other tests. */
const slackMs = isLong ? 2000 : 6000

/** Requests a second: a score is under way when a line has been silent for a watchdog time. */
const RATE = 20

/** The words that a skipped test shows. */
const unlessHindered = hindrance === "" ? "" : ` (skipped: ${hindrance})`
const unlessLong = isLong ? "" : " (skipped: only with JINKA_LAB=long)"

/** Acquirer, switch and issuer on three hosts, with a cable on each side of the switch. */
const three = Effect.fnUntraced(function* (
  plan: Pick<Plan, "rate" | "requestTimeoutMs"> & Partial<Pick<Plan, "watchdogMs">>
) {
  const network = yield* makeNetwork
  const [acquirer, middle, issuer] = [network.host("acquirer"), network.host("switch"), network.host("issuer")]
  const near = network.cable(acquirer, middle)
  const far = network.cable(middle, issuer)
  const cast = yield* makeCast({
    ...{ seed, watchdogMs, ...plan },
    acquirer: { before: acquirer.before, address: near.ends[0].address },
    switch: { before: middle.before, address: near.ends[1].address },
    issuer: { before: issuer.before, address: far.ends[1].address }
  })
  return { cast, near, far, middle }
})

const answered = Effect.fnUntraced(function* (cast: { readonly status: Effect.Effect<{ readonly entries: object }> }) {
  const { entries } = yield* cast.status
  return (entries as Record<string, number>)["answered"] ?? 0
})

/** What must hold of the accounts, whatever the line has swallowed. */
const agreed = ({ summary, verdict }: Effect.Success<Effect.Success<ReturnType<typeof makeCast>>["accounts"]>) => {
  expect(verdict.findings).toEqual([])
  expect(verdict.isPassed).toBe(true)
  expect([verdict.totals.lost, verdict.totals.doubled]).toEqual([0, 0])
  expect(summary.filter(({ end }) => end === "Open")).toEqual([])
}

const run = <A, E>(scenario: Effect.Effect<A, E, Scope.Scope>): Promise<A> => Effect.runPromise(Effect.scoped(scenario))

describe.concurrent(`A line that swallows everything (JINKA_SEED=${seed})`, () => {
  it.skipIf(hindrance !== "")(
    `ends each request under way as unknown and reverses it, is noticed while it is idle, too, and the link comes back${unlessHindered}`,
    () =>
      run(
        Effect.gen(function* () {
          // A request outlives the watchdog here: it is the loss of the link that ends it, not its own time.
          const { cast, far } = yield* three({ rate: RATE, requestTimeoutMs: 6 * watchdogMs })
          yield* until(Effect.map(answered(cast), (count) => count > 30))

          far.blackHole()
          const lost = yield* until(Effect.map(cast.link("issuer"), ({ lastEnd }) => lastEnd !== null))
          expect(lost).toBeLessThan(3 * watchdogMs + patience(slackMs))
          yield* until(
            Effect.map(cast.link("issuer"), ({ outstanding }) => outstanding === 0),
            2000
          )

          far.heal()
          yield* until(Effect.map(cast.link("issuer"), ({ ready }) => ready))
          const before = yield* answered(cast)
          yield* until(Effect.map(answered(cast), (count) => count > before + 30))
          yield* until(cast.isEnough)
          cast.acquirer.tell({ do: "stop-load" })
          yield* until(Effect.map(cast.link("issuer"), ({ outstanding, stored }) => outstanding + stored === 0))
          const { epoch } = yield* cast.link("issuer")

          const began = yield* Clock.currentTimeMillis
          far.blackHole()
          const unready = yield* until(Effect.map(cast.link("issuer"), ({ ready }) => !ready))
          const more = Effect.map(cast.link("issuer"), ({ ends }) =>
            ends.filter(({ at }) => Date.parse(at ?? "") > began)
          )
          const closed = unready + (yield* until(Effect.map(more, ({ length }) => length > 0)))
          const ends = yield* more

          expect(unready).toBeLessThan(2 * watchdogMs + patience(slackMs))
          expect(closed).toBeLessThan(3 * watchdogMs + patience(slackMs))
          // The next attempt may have failed already.
          expect(ends.map(({ reason }) => reason)).toContain("PeerSilent")
          // It tries again all the while, and no attempt hangs.
          yield* until(Effect.map(cast.link("issuer"), ({ attempts }) => attempts >= 2))

          far.heal()
          yield* until(Effect.map(cast.link("issuer"), ({ ready }) => ready))
          expect((yield* cast.link("issuer")).epoch).toBeGreaterThan(epoch)
          const accounts = yield* cast.accounts

          agreed(accounts)
          const unknown = accounts.summary.filter(({ end }) => end === "TimedOut")
          expect(unknown.length).toBeGreaterThan(5)
          // An inquiry moves no money and is not reversed; the accounts have looked at each of them.
          expect(unknown.filter(({ reversal }) => reversal !== null).length).toBeGreaterThan(5)
        })
      )
  )

  it.skipIf(hindrance !== "" || !isLong)(
    `in one direction only is noticed just as soon${unlessHindered || unlessLong}`,
    () =>
      run(
        Effect.gen(function* () {
          const { cast, far, middle } = yield* three({ rate: RATE, requestTimeoutMs: 6 * watchdogMs })
          yield* until(Effect.map(answered(cast), (count) => count > 30))

          // The partner's bytes arrive, ours do not.
          far.blackHole(middle)
          const closed = yield* until(Effect.map(cast.link("issuer"), ({ lastEnd }) => lastEnd !== null))
          far.heal()
          yield* until(Effect.map(cast.link("issuer"), ({ ready }) => ready))

          // What the partner says by itself, once a second, may still arrive once; each Tw may be a fifteenth longer.
          expect(closed).toBeLessThan(3 * watchdogMs * (16 / 15) + 1000 + patience(slackMs))
          agreed(yield* cast.accounts)
        })
      )
  )

  it.skipIf(hindrance !== "")(`for less than a watchdog time costs no connection${unlessHindered}`, () =>
    run(
      Effect.gen(function* () {
        // A machine that is late with the plug or with a program is no silent line.
        const longer = patience(watchdogMs)
        const { cast, near, far } = yield* three({ rate: RATE, requestTimeoutMs: 6 * longer, watchdogMs: longer })
        yield* until(Effect.map(answered(cast), (count) => count > 30))
        const epochs = (yield* cast.status).links.map(({ epoch }) => epoch)

        for (const cable of [near, far]) cable.plug(false)
        yield* Effect.sleep(longer / 2)
        for (const cable of [near, far]) cable.plug(true)
        const before = yield* answered(cast)
        yield* until(Effect.map(answered(cast), (count) => count > before + 30))

        expect((yield* cast.status).links.map(({ epoch }) => epoch)).toEqual(epochs)
        agreed(yield* cast.accounts)
      })
    )
  )
})
