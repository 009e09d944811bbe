/**
 * Rows 30 and 33 of docs/reference/test-plan.md: a partner or the switch itself is stopped (SIGSTOP) and goes on later, and
 * a disk takes seconds for each fsync. Nothing stale leaves, nothing is lost, and the link says what it sees.
 */
import { spawnSync } from "node:child_process"
import { Effect, type Scope } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { patience } from "../../Pace.ts"
import { isLong } from "../../Runs.ts"
import { answerTo, Line, pause, purchase, text } from "../../switch/operate/Line.ts"
import { cleanUp } from "../../switch/operate/program.ts"
import { makeCast, until } from "./Cast.ts"
import { goodLinks, switchWith } from "./Switch.ts"

const seed = Number(process.env["JINKA_SEED"] ?? 20261123)
const WATCHDOG_MS = 1000
/** What the test's own looking may add; short runs share two processors with all other tests. */
const SLACK_MS = isLong ? 2000 : 6000

/** Every fsync of the switch takes this much longer. `-D`: the switch stays our own child. */
const SLOW_DISK_MS = isLong ? 1000 : 200
const slowDisk = [
  ...["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"],
  ...["-e", `inject=fsync,fdatasync:delay_exit=${SLOW_DISK_MS * 1000}`]
]

const straceHindrance = ((): string => {
  if (process.platform !== "linux") return `strace is of Linux, this is ${process.platform}`
  const { error, status } = spawnSync("strace", [...slowDisk.slice(1), "true"])
  if (error !== undefined) return "strace is missing"
  return status === 0 ? "" : "strace may not trace here"
})()

const answered = (entries: object): number => (entries as Record<string, number>)["answered"] ?? 0

const play = <A, E>(scenario: Effect.Effect<A, E, Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(scenario))

describe.concurrent(`Who is stopped and goes on later (JINKA_SEED=${seed})`, () => {
  it("when it is the partner: the link falls silent, and comes back with it; the accounts agree", () =>
    play(
      Effect.gen(function* () {
        const cast = yield* makeCast({ seed, rate: 20, requestTimeoutMs: 2000, watchdogMs: WATCHDOG_MS })
        yield* until(Effect.map(cast.status, ({ entries }) => answered(entries) > 20))

        cast.issuer.signal("SIGSTOP")
        const closed = yield* until(Effect.map(cast.link("issuer"), ({ lastEnd }) => lastEnd !== null))
        const { lastEnd } = yield* cast.link("issuer")
        // Its kernel goes on taking connections: they prove nothing, and no request is sent on them.
        yield* Effect.sleep(isLong ? 30_000 : 1500)
        const proving = yield* cast.link("issuer")
        cast.issuer.signal("SIGCONT")
        yield* until(Effect.map(cast.link("issuer"), ({ ready }) => ready))
        const accounts = yield* cast.accounts

        expect(lastEnd!.reason).toBe("PeerSilent")
        expect(closed).toBeLessThan(3 * WATCHDOG_MS + patience(SLACK_MS))
        expect(proving.ready).toBe(false)
        expect(accounts.verdict.findings).toEqual([])
        expect(accounts.summary.filter(({ end }) => end === "TimedOut").length).toBeGreaterThan(5)
      })
    ))

  it("when it is the switch: what has expired meanwhile ends, nothing stale is sent, the accounts agree", () =>
    play(
      Effect.gen(function* () {
        const cast = yield* makeCast({
          ...{ seed, rate: 20, requestTimeoutMs: 2000, watchdogMs: 10_000 },
          issuerFlags: ["--delay", "20", "--delay-from", "200 millis", "--delay-to", "1 second"]
        })
        for (let round = 0; round < (isLong ? 20 : 2); round++) {
          const { entries } = yield* cast.status
          yield* until(Effect.map(cast.status, (now) => answered(now.entries) > answered(entries) + 15))
          cast.switch.signal("SIGSTOP")
          yield* Effect.sleep(2500)
          cast.switch.signal("SIGCONT")
        }
        const accounts = yield* cast.accounts

        expect(accounts.verdict.findings).toEqual([])
        expect([accounts.verdict.totals.lost, accounts.verdict.totals.doubled]).toEqual([0, 0])
        expect(accounts.summary.filter(({ end }) => end === "Open")).toEqual([])
      })
    ))

  const title = `while every fsync takes ${SLOW_DISK_MS} ms: no link falls, and what was accepted is answered`
  it.skipIf(straceHindrance !== "")(`${title}${straceHindrance === "" ? "" : ` (skipped: ${straceHindrance})`}`, () =>
    play(
      Effect.gen(function* () {
        const cast = yield* makeCast({
          ...{ seed, rate: 20, requestTimeoutMs: 8000, watchdogMs: WATCHDOG_MS },
          tool: slowDisk
        })
        const epochs = (yield* cast.status).links.map(({ epoch }) => epoch)
        yield* Effect.sleep(isLong ? 60_000 : 4000)
        const { entries, links } = yield* cast.status
        const accounts = yield* cast.accounts

        expect(links.map(({ epoch }) => epoch)).toEqual(epochs)
        expect(links.every(({ ready }) => ready)).toBe(true)
        expect(answered(entries)).toBeGreaterThan(20)
        expect(accounts.verdict.findings).toEqual([])
      })
    )
  )
})

const trade = async (acquirer: Line, ...stans: ReadonlyArray<number>): Promise<ReadonlyArray<string>> => {
  for (const stan of stans) acquirer.send(purchase(stan))
  return Promise.all(stans.map(async () => text(await acquirer.next(), 39)))
}

describe("Requests that came while the switch was stopped", () => {
  afterEach(cleanUp)

  it("are refused when they have waited longer than their answer may take; the next one is forwarded", async () => {
    const running = await switchWith(goodLinks, { requestTimeout: "2 seconds" })
    const issuer = await Line.connect(running.port("issuer"))
    const acquirer = await Line.connect(running.port("acquirer"))
    const stans: Array<number> = []
    issuer.onMessage = (message) => {
      stans.push(Number(text(message, 11)))
      issuer.send(answerTo(message))
    }
    await Effect.runPromise(
      until(Effect.promise(async () => (await running.status()).links.every(({ ready }) => ready)))
    )

    expect(await trade(acquirer, 1)).toEqual(["00"])

    running.signal("SIGSTOP")
    const late = trade(acquirer, ...Array.from({ length: 200 }, (_, n) => 100 + n))
    await pause(4000)
    running.signal("SIGCONT")

    expect(new Set(await late)).toEqual(new Set(["98"]))
    expect(await trade(acquirer, 2)).toEqual(["00"])
    expect(stans).toEqual([1, 2])

    const { stalls } = await running.status()
    expect(stalls?.count).toBeGreaterThan(0)
    expect(stalls?.longest.ms).toBeGreaterThan(3000)

    acquirer.end("FIN")
    issuer.end("FIN")
  })
})
