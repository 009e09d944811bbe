/** A partner's requests have other STANs since: whatever takes back an older one names it by the STAN that it was sent with. */
import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { answerTo, makeDisk, purchase } from "./Bench.ts"
import { acquirer, bench, issuer } from "./Pair.ts"

const modes = [
  ["own", "callers"],
  ["callers", "own"]
] as const

/** The STAN by which each reversal names its original. */
const named = (messages: ReadonlyArray<Message>) =>
  messages.filter(({ mti }) => mti.startsWith("04")).map(({ fields }) => String(fields[90]).slice(4, 10))

/** The disk of a switch that is killed now. */
const killed = (disk: ReturnType<typeof makeDisk>) => {
  disk.store = disk.store.copy()
  return disk
}

for (const [before, after] of modes) {
  const then = { issuer: { ...issuer, stan: before } }
  const now = { issuer: { ...issuer, stan: after } }

  describe(`Where STANs were ${before} and are ${after}`, () => {
    it.effect("a request that was open when the switch was killed is reversed by the STAN that it had", () =>
      Effect.gen(function* () {
        const disk = makeDisk()
        const { a, b, commit } = yield* bench(then, disk)
        a.say(purchase({ 11: "000077" }))
        yield* commit
        const [request] = b.heard()
        const { b: again, commit: later } = yield* bench(now, killed(disk))
        yield* later

        expect(named(again.heard())).toEqual([request!.fields[11]])
      })
    )

    it.effect("so is one that is approved late, behind two starts", () =>
      Effect.gen(function* () {
        const disk = makeDisk()
        const { a, b, commit } = yield* bench(then, disk)
        a.say(purchase({ 11: "000077" }))
        yield* commit
        const [request] = b.heard()
        yield* TestClock.adjust(1020)
        yield* commit
        b.say(...b.heard().map((reversal) => answerTo(reversal, "0430", { 39: "25" })))
        yield* commit
        const second = killed(disk)
        yield* bench(now, second)
        const { b: again, commit: later } = yield* bench(now, killed(second))
        again.say(answerTo(request!, "0210"))
        yield* later
        yield* later

        expect(named(again.heard())).toEqual([request!.fields[11]])
      })
    )

    it.effect("so is one whose approval nobody hears, behind a reload", () =>
      Effect.gen(function* () {
        const { a, b, commit, dial, running } = yield* bench(then)
        a.say(purchase({ 11: "000077" }))
        yield* commit
        const [request] = b.heard()
        a.takes = false
        b.say(answerTo(request!, "0210"))
        yield* commit
        const next = {
          links: [acquirer, now.issuer],
          routes: [{ bin: "62", to: 1 }],
          limits: { requestTimeoutMs: 1000, recentKeys: 1024, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 }
        }
        const reloading = yield* Effect.forkChild(running.reload(next, { user: "ann" }, 100))
        for (let n = 0; n < 20; n++) {
          yield* TestClock.adjust(100)
          yield* commit
        }
        yield* Fiber.join(reloading)
        a.end(new ConnectionEnded({ how: "reset", cause: "read ECONNRESET" }))
        yield* commit
        const again = dial(1)
        yield* commit

        expect(named(again.heard())).toEqual([request!.fields[11]])
      })
    )
  })
}
