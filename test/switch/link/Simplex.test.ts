import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { LegConnection } from "../../../packages/switch/src/link/simplex/LegConnection.ts"
import type { Connection } from "../../../packages/switch/src/transport/Transport.ts"
import { framed, joinedBench, type LegName, simplexBench, until, ways } from "./SimplexBench.ts"

const echo = { mti: "0820", fields: { 7: "1122223829", 11: "000001", 33: "01030000", 70: "301" } }
const header = { destination: "00010000", source: "01030000" }
const purchase = {
  mti: "0200",
  header,
  fields: { 2: "6200000000000005", 3: "000000", 4: "000000012300", 7: "1122223829", 11: "000001", 32: "1", 33: "1" }
}
const other = (leg: LegName): LegName => (leg === "send" ? "receive" : "send")

for (const [send, receive] of ways) {
  describe(`a simplex link that ${send}s to send and ${receive}s to receive`, () => {
    it.live("is up only when both legs are, reads from one and writes to the other", () =>
      Effect.gen(function* () {
        const bench = yield* simplexBench(send, receive)
        const { link, known } = bench

        bench.send.comeUp()
        yield* until("the send leg waits", () => link.status().legs[0]?.simplex?.state === "waiting for the other leg")

        expect(link.isUp).toBe(false)

        bench.receive.comeUp()
        yield* until("both legs are up", () => link.isReady)
        expect(link.status().legs.map(({ simplex }) => simplex?.state)).toEqual(["up", "up"])

        bench.receive.socket!.write(Buffer.concat([framed(purchase), framed({ ...echo, header })]))
        yield* until("the answer to the echo", () => bench.send.received.length > 0)

        expect(known.mtis).toEqual([200])
        expect(bench.send.received.toString("latin1")).toContain("0830")
        expect(bench.receive.received.length).toBe(0)

        const [sending, receiving] = link.status().legs
        expect(sending?.simplex?.lastByte).toBeGreaterThan(0)
        expect(receiving?.simplex?.lastByte).toBeGreaterThan(0)
        expect(sending?.remote).not.toBe(receiving?.remote)
      })
    )

    for (const leg of ["send", "receive"] as const) {
      for (const how of ["fin", "rst"] as const) {
        it.live(`ends both legs, names the ${leg} leg and rebuilds both when that one ends by ${how}`, () =>
          Effect.gen(function* () {
            const bench = yield* joinedBench(send, receive)
            const { link, known } = bench
            const fallen = bench[leg].socket!

            if (how === "fin") fallen.end()
            else fallen.resetAndDestroy()
            yield* until("the link has ended", () => known.ends.length > 0)
            yield* until("the other leg is closed", () => bench[other(leg)].end !== "" || bench[other(leg)].count > 1)

            const [ended] = known.ends

            expect(ended?.reason).toBe(how === "fin" ? "PeerClosed" : "PeerReset")
            expect(ended?.why).toContain(`${leg} leg: ${how === "fin" ? "closed" : "reset"} by the partner`)

            const legs = link.status().legs
            const index = leg === "send" ? 0 : 1
            expect(legs[index]?.simplex?.lastEnd?.why).toContain("by the partner")
            expect(legs[1 - index]?.simplex?.lastEnd?.why).toMatch(
              leg === "receive" && how === "fin"
                ? /^closed by this side/
                : `closed by this side: the ${leg} leg had ended`
            )

            bench.send.comeUp()
            bench.receive.comeUp()
            yield* until("both legs are up again", () => link.isReady)

            expect(link.epoch).toBe(2)
          })
        )
      }

      it.live(`notices that the ${leg} leg ended while it waited for the other, and takes the next one`, () =>
        Effect.gen(function* () {
          const bench = yield* simplexBench(send, receive)
          const { link } = bench
          const index = leg === "send" ? 0 : 1
          const state = () => link.status().legs[index]!.simplex!
          bench[leg].comeUp()
          yield* until("it waits", () => state().state === "waiting for the other leg")

          bench[leg].socket!.resetAndDestroy()
          yield* until("its end was noticed", () => state().lastEnd !== undefined)

          expect(state().lastEnd?.why).toContain("reset by the partner")
          expect(bench.known.noted.some((text) => text.startsWith(`${leg} leg: reset by the partner`))).toBe(true)

          bench[leg].comeUp()
          bench[other(leg)].comeUp()
          yield* until("both legs are up", () => link.isReady)

          expect(link.epoch).toBe(1)
        })
      )

      it.live(`closes a ${leg} leg that waits too long for the other, and tries again`, () =>
        Effect.gen(function* () {
          const bench = yield* simplexBench(send, receive, { legs: { timeoutMs: 60 } })
          const { link } = bench
          bench[leg].comeUp()
          yield* until("it was closed", () => bench[leg].count > 1 || bench[leg].end !== "")

          const status = link.status()

          expect(status.legs[leg === "send" ? 0 : 1]?.simplex?.lastEnd?.why).toBe(
            `up for 60 ms without the ${other(leg)} leg`
          )
          // Where the other leg is dialled an attempt of its own may have failed since.
          if ((leg === "send" ? receive : send) === "listen") expect(status.ends[0]?.reason).toBe("HalfOpen")

          bench[other(leg)].comeUp()
          bench[leg].comeUp()
          yield* until("both legs are up", () => {
            if (bench.send.end !== "") bench.send.comeUp()
            if (bench.receive.end !== "") bench.receive.comeUp()
            return link.isReady
          })
        })
      )
    }
  })
}

describe("a leg that receives", () => {
  it.live("is read by one reader at a time, also when the pair is joined right after its first bytes", () =>
    Effect.gen(function* () {
      const readers: Array<(bytes: string) => void> = []
      const connection: Connection = {
        local: "",
        remote: "",
        pull: Effect.callback((resume) => {
          readers.push((bytes) => resume(Effect.succeed([Buffer.from(bytes)])))
        }),
        write: () => Effect.void,
        unsent: () => 0,
        close: () => {}
      }
      const leg = new LegConnection(connection, { ended: () => {}, spoke: () => {} }, yield* Clock.Clock)
      const read: Array<string> = []
      const note = (chunks: ReadonlyArray<Buffer>) => void read.push(...chunks.map(String))

      yield* Effect.forkChild(leg.watchReceiving, { startImmediately: true })
      readers.shift()!("sign-on")
      leg.isJoined = true
      const reading = Effect.forever(Effect.map(leg.pull, note), { disableYield: true })
      yield* Effect.forkChild(reading, { startImmediately: true })
      // Whoever would still read besides has had its turn by then.
      yield* Effect.sleep(5)
      expect(readers.length).toBe(1)

      readers.shift()!("0200")
      yield* until("both are read", () => read.length === 2)
      expect(read).toEqual(["sign-on", "0200"])
    })
  )
})

describe("a simplex link", () => {
  it.live("reads what came on the receive leg before the send leg was up", () =>
    Effect.gen(function* () {
      const bench = yield* simplexBench("connect", "listen")
      bench.receive.comeUp()
      bench.receive.socket!.write(framed(purchase))
      yield* until("it was received", () => (bench.link.status().legs[1]?.simplex?.lastByte ?? 0) > 0)

      expect(bench.known.mtis).toEqual([])

      bench.send.comeUp()
      yield* until("both legs are up", () => bench.link.isReady)
      bench.receive.socket!.write(framed(purchase))
      yield* until("both messages", () => bench.known.mtis.length === 2)

      expect(bench.known.mtis).toEqual([200, 200])
    })
  )

  it.live("calls it a fault of its own when bytes come on the sending leg", () =>
    Effect.gen(function* () {
      const bench = yield* joinedBench("connect", "listen")
      bench.send.socket!.write("0000")
      yield* until("the link has ended", () => bench.known.ends.length > 0)

      expect(bench.known.ends[0]?.reason).toBe("WrongLeg")
      expect(bench.known.ends[0]?.why).toBe("send leg: 4 bytes came on the leg that only sends to the partner")
      yield* until("both legs were closed", () => bench.receive.end !== "" && bench.send.count > 1)
    })
  )

  it.live("calls it the same when they come before the other leg is up", () =>
    Effect.gen(function* () {
      const bench = yield* simplexBench("listen", "connect")
      bench.send.comeUp()
      bench.send.socket!.write("0000")
      yield* until("it was closed", () => bench.send.end !== "")

      // The other leg may have failed to connect once more since.
      expect(bench.link.status().ends.map(({ reason }) => reason)).toContain("WrongLeg")
    })
  )

  it.live("closes a second connection of a leg, or gives it the leg and ends the pair, as `second` says", () =>
    Effect.gen(function* () {
      const refusing = yield* joinedBench("connect", "listen")
      const first = refusing.receive.socket!
      refusing.receive.comeUp()
      yield* until("the second was closed", () => refusing.receive.end !== "")

      expect(refusing.link.isReady).toBe(true)

      first.destroy()

      const replacing = yield* joinedBench("connect", "listen", { second: "replace" })
      replacing.receive.comeUp()
      yield* until("the pair ended", () => replacing.known.ends.length > 0)

      expect(replacing.known.ends[0]?.reason).toBe("Replaced")
      expect(replacing.known.ends[0]?.why).toContain("receive leg: a second connection came from 127.0.0.1:")

      yield* until("the new pair is up", () => replacing.link.isReady)
      expect(replacing.link.epoch).toBe(2)
      expect(replacing.receive.end).toBe("")
    })
  )

  it.live("gives a waiting leg's place to a second connection where `second` says so, without an end of the link", () =>
    Effect.gen(function* () {
      const bench = yield* simplexBench("connect", "listen", { second: "replace" })
      bench.receive.comeUp()
      yield* until("it waits", () => bench.link.status().legs[1]?.simplex?.state === "waiting for the other leg")
      const first = bench.receive.socket!
      bench.receive.comeUp()
      yield* until("the first was closed", () => first.destroyed)
      bench.send.comeUp()
      yield* until("both legs are up", () => bench.link.isReady)

      expect(bench.receive.end).toBe("")
      expect(bench.known.ends).toEqual([])
    })
  )

  it.live(
    "sends its probe on one leg and expects the answer on the other, and names the receive leg when none comes",
    () =>
      Effect.gen(function* () {
        const watchdog = { intervalMs: 60, probe: true, proofs: 0 }
        const bench = yield* joinedBench("connect", "listen", { link: { watchdog } })
        yield* until("the probe", () => bench.send.received.includes("0820"))

        expect(bench.receive.received.length).toBe(0)

        const asked = bench.send.received
          .subarray(bench.send.received.indexOf("0820") + 4 + 16)
          .toString("latin1", 0, 16)
        const key = { 7: asked.slice(0, 10), 11: asked.slice(10) }
        bench.receive.socket!.write(framed({ mti: "0830", header, fields: { ...echo.fields, ...key, 39: "00" } }))
        yield* until("the next probe", () => bench.send.received.toString("latin1").split("0820").length > 2)

        yield* until("the link has ended", () => bench.known.ends.length > 0)

        expect(bench.known.ends[0]?.reason).toBe("PeerSilent")
        expect(bench.known.ends[0]?.why).toMatch(
          /^receive leg: nothing was received for \d+ ms, not even an answer to our echo, though we have written: this leg/
        )
      })
  )

  it.live("names the send leg when the partner does not take what is written", () =>
    Effect.gen(function* () {
      const bench = yield* joinedBench("connect", "listen", { link: { writeTimeoutMs: 100 } })
      bench.send.socket!.pause()
      const message = Buffer.alloc(1800, 0x30)
      yield* until("the link has ended", () => {
        const { session } = bench.link
        if (session !== undefined && session.outbox.waiting < 1 << 20) {
          for (let n = 0; n < 500; n++) session.put(message)
          session.outbox.flush()
        }
        return bench.known.ends.length > 0
      })

      expect(bench.known.ends[0]?.reason).toBe("SlowPeer")
      expect(bench.known.ends[0]?.why).toBe("send leg: a write made no progress for 100 ms")
    })
  )

  it.live("reads the receive leg on for late answers when told to, and is not used for requests meanwhile", () =>
    Effect.gen(function* () {
      const bench = yield* joinedBench("listen", "listen", { legs: { collectMs: 300 } })
      const { link, known } = bench
      bench.send.socket!.resetAndDestroy()
      yield* until("it collects", () => link.status().state === "collecting late answers")

      expect(link.isReady).toBe(false)
      expect(link.canSend).toBe(false)
      expect(known.ends).toEqual([])

      bench.receive.socket!.write(framed({ ...purchase, mti: "0210", fields: { ...purchase.fields, 39: "00" } }))
      yield* until("the late answer", () => known.mtis.length > 0)
      yield* until("the link has ended", () => known.ends.length > 0)

      expect(known.mtis).toEqual([210])
      expect(known.ends[0]?.why).toContain("send leg: reset by the partner")

      bench.send.comeUp()
      bench.receive.comeUp()
      yield* until("both legs are up again", () => link.isReady)
    })
  )

  it.live("stops collecting when the receive leg ends too", () =>
    Effect.gen(function* () {
      const bench = yield* joinedBench("connect", "listen", { legs: { collectMs: 60_000 } })
      bench.send.socket!.resetAndDestroy()
      yield* until("it collects", () => bench.link.status().state === "collecting late answers")
      bench.receive.socket!.end()
      yield* until("the link has ended", () => bench.known.ends.length > 0)

      expect(bench.known.ends[0]?.why).toContain("send leg: reset by the partner")
    })
  )

  it.live("hands on what the receive leg brought before the send leg's end", () =>
    Effect.gen(function* () {
      const bench = yield* joinedBench("connect", "listen")
      for (let n = 0; n < 20; n++) bench.receive.socket!.write(framed(purchase))
      yield* Effect.sleep(20)
      bench.send.socket!.resetAndDestroy()
      yield* until("the link has ended", () => bench.known.ends.length > 0)

      expect(bench.known.mtis.length).toBe(20)
    })
  )
})
