/** Recorded traffic that is sent again: numbers and times, answers, and how it ends. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"
import { it } from "@effect/vitest"
import { cupsFrame, dialects, Framer, type Message, MessageIndex, PatchList, wholeFrame } from "@jinka/codec"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { describe, expect } from "vitest"
import { freePort } from "../../examples/shared/FreePort.ts"
import { makeWireFormat } from "../../packages/simulator/src/dialogue/WireFormat.ts"
import { noTolerance } from "../../packages/simulator/src/traffic/Compare.ts"
import { reCard } from "../../packages/simulator/src/traffic/ReCard.ts"
import { type Replayed, type ReplaySettings, replay } from "../../packages/simulator/src/traffic/Replay.ts"
import { lineOf, pairsOf, type TrafficLine } from "../../packages/simulator/src/traffic/Traffic.ts"
import { eventually } from "./house.ts"
import { codec, message, pan, system } from "./System.ts"

const form = { codec, frame: cupsFrame }
const key = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex")

describe("a replay", () => {
  const recorded = (code: string, gapMs = 0): ReadonlyArray<TrafficLine> =>
    [1, 2, 3].flatMap((stan) => {
      const at = 1_000_000 + stan * gapMs
      const request = message("0200", stan, stan * 100)
      const answer = message("0210", stan, stan * 100, { 39: stan === 2 ? code : "00" })
      return [
        lineOf(codec, request, { at, connection: 1, direction: "toTarget" }, key),
        lineOf(codec, answer, { at: at + 5, connection: 1, direction: "fromTarget" }, key)
      ]
    })

  const replayed = (port: number, lines: ReadonlyArray<TrafficLine>, more: Partial<ReplaySettings> = {}) =>
    Effect.gen(function* () {
      const ended: Array<Replayed> = []
      const settings: ReplaySettings = {
        ...{
          form,
          mac: undefined,
          way: { role: "dial", endpoint: { host: "127.0.0.1", port } },
          isSignOnExpected: false,
          speed: 1,
          isRenewed: true,
          timeoutMs: 500
        },
        tolerance: { ...noTolerance, ignored: new Set(["header.source", "header.destination", "header"]) },
        ...more
      }
      yield* replay(settings, pairsOf(codec, lines, "toTarget"), (one) => ended.push(one))
      return ended
    })

  it.live("sends every request with new numbers and dates, and compares each answer with the recorded one", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* system()
      const ended = yield* replayed(port, recorded("51"))

      expect(ended.map(({ outcome }) => outcome)).toEqual(["same", "differs", "same"])
      expect(ended[1]!.differences).toEqual([{ place: "39", name: "Response code", one: "51", other: "00" }])
      expect(seen.map((index) => index.text(2))).toEqual([1, 2, 3].map(() => reCard(pan, key)))
      expect(seen[0]!.text(7)).not.toBe("0301120000")
    }).pipe(Effect.scoped)
  )

  it.live("waits for a system that connects itself and signs on, also when it comes again", () =>
    Effect.gen(function* () {
      const at = yield* Effect.promise(() => Effect.runPromise(freePort))
      const seen: Array<string> = []
      const sockets: Array<Socket> = []
      /** Connects, signs on, and answers; the first one leaves with its first request. */
      const comes = (leaves: boolean): void => {
        const socket = connect(at, "127.0.0.1")
        sockets.push(socket)
        const send = (bytes: Buffer): void => void socket.write(wholeFrame(cupsFrame, bytes))
        const heard = (buffer: Buffer, start: number, end: number): void => {
          const index = new MessageIndex()
          codec.index(buffer, start, end, index)
          seen.push(`${index.mti}`)
          if (index.mti !== 200) return
          if (leaves) {
            socket.destroy()
            return comes(false)
          }
          const patches = new PatchList()
          patches.mti(210)
          patches.answer()
          patches.set(39, "00")
          send(codec.patched(index, patches))
        }
        const framer = new Framer(cupsFrame)
        socket.on("error", () => (socket.bytesRead > 0 ? undefined : setTimeout(() => comes(leaves), 20)))
        socket.on("data", (chunk: Buffer) => framer.push(chunk, { frame: heard, idle: () => undefined }))
        socket.once("connect", () => setTimeout(() => send(message("0820", 900, 0, { 70: "001" })), 100))
      }
      comes(true)
      const ended = yield* replayed(0, recorded("00"), {
        way: { role: "listen", endpoint: { host: "127.0.0.1", port: at } },
        isSignOnExpected: true,
        speed: 0
      })
      for (const socket of sockets) socket.destroy()

      expect(seen.slice(0, 2)).toEqual(["830", "200"])
      expect(ended.map(({ outcome }) => outcome)).toEqual(["unanswered", "same", "same"])
    }).pipe(Effect.scoped)
  )

  it.live("keeps the recorded timing, goes faster, and says what was not answered", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* system((index) => (index.text(4).endsWith("300") ? undefined : {}))
      const began = performance.now()
      const ended = yield* replayed(port, recorded("00", 400), { isRenewed: false })

      expect(performance.now() - began).toBeGreaterThan(790)
      expect(ended.map(({ outcome }) => outcome)).toEqual(["same", "same", "unanswered"])
      expect(seen.map((index) => index.text(7))).toEqual(["0301120000", "0301120000", "0301120000"])

      const faster = yield* replayed(port, recorded("00", 60_000), { speed: 0 })
      expect(faster.length).toBe(3)
    }).pipe(Effect.scoped)
  )

  it.live("renews the local time as the dialect has it, and leaves what another edition has in its place", () =>
    Effect.gen(function* () {
      const of1993 = makeWireFormat(dialects["iso8583v1993Ascii"]!)
      const fields = {
        2: pan,
        3: "000000",
        4: "000000000100",
        7: "0301120000",
        11: "000001",
        12: "260301120000",
        13: "2203"
      }
      const request = of1993.codec.encode({ mti: "1200", fields } as Message) as Buffer
      const line = lineOf(of1993.codec, request, { at: 1, connection: 1, direction: "toTarget" }, key)
      const seen: Array<Buffer> = []
      const server = yield* Effect.acquireRelease(
        Effect.callback<Server>((resume) => {
          const made = createServer((socket) => {
            socket.on("data", (bytes: Buffer) => {
              seen.push(bytes)
              socket.destroy()
            })
            socket.on("error", () => undefined)
          })
          made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
        }),
        (made) => Effect.sync(() => made.close())
      )
      const way = {
        role: "dial",
        endpoint: { host: "127.0.0.1", port: (server.address() as AddressInfo).port }
      } as const
      const how = {
        form: of1993,
        mac: undefined,
        way,
        isSignOnExpected: false,
        speed: 0,
        isRenewed: true,
        timeoutMs: 300,
        tolerance: noTolerance
      }
      yield* replay(how, pairsOf(of1993.codec, [line], "toTarget"), () => undefined)
      const index = new MessageIndex()
      new Framer(of1993.frame).push(Buffer.concat(seen), {
        frame: (buffer, start, end) => void of1993.codec.index(buffer, start, end, index),
        idle: () => undefined
      })

      expect(index.text(12)).toMatch(/^\d{12}$/)
      expect(index.text(12)).not.toBe("260301120000")
      expect(index.text(12).slice(2)).toBe(index.text(7))
      expect(index.text(13)).toBe("2203")
    }).pipe(Effect.scoped)
  )

  it.live("lets a reversal name its original by the numbers under which that went out", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* system()
      const original = "0200000041030112000000048020000" + "00048020000"
      const reversal = message("0420", 42, 100, { 90: original.padEnd(42, "0").slice(0, 42) })
      const lines = [message("0200", 41, 100), reversal].map((bytes, at) =>
        lineOf(codec, bytes, { at, connection: 1, direction: "toTarget" }, key)
      )
      yield* replayed(port, lines, { speed: 0 })
      const [first, second] = seen

      expect(first!.text(11)).not.toBe("000041")
      expect(second!.text(90).slice(0, 20)).toBe(`0200${first!.text(11)}${first!.text(7)}`)
      expect(second!.text(90).slice(20)).toBe(original.padEnd(42, "0").slice(20, 42))
    }).pipe(Effect.scoped)
  )

  it.live("gives each of two requests with the same numbers its own answer, as recorded and as sent", () =>
    Effect.gen(function* () {
      const { port } = yield* system()
      const lines = recorded("00").slice(0, 2)
      const twins = [lines[0]!, lines[0]!, lines[1]!, lines[1]!]
      const ended = yield* replayed(port, twins, { isRenewed: false })

      expect(ended.map(({ outcome }) => outcome)).toEqual(["same", "same"])
    }).pipe(Effect.scoped)
  )

  it.live("ends when the far side went away for good or somebody stops it, and says what was not sent", () =>
    Effect.gen(function* () {
      const gone = yield* Scope.make()
      const { port, seen, sockets } = yield* system(() => undefined).pipe(Scope.provide(gone))
      const pairs = pairsOf(codec, recorded("00", 50), "toTarget")
      const ended: Array<Replayed> = []
      const settings: ReplaySettings = {
        ...{
          form,
          mac: undefined,
          way: { role: "dial", endpoint: { host: "127.0.0.1", port } },
          isSignOnExpected: false,
          speed: 0,
          isRenewed: true,
          timeoutMs: 60_000
        },
        tolerance: noTolerance
      }
      const stopped = yield* Deferred.make<void>()
      const run = yield* Effect.forkScoped(replay(settings, pairs, (one) => ended.push(one), Deferred.await(stopped)))
      yield* eventually(() => seen.length === 1)
      yield* Deferred.succeed(stopped, undefined)

      expect(yield* Fiber.join(run)).toBe("it was stopped")
      expect(ended.map(({ outcome }) => outcome)).toEqual(["unanswered", "not sent", "not sent"])

      ended.length = 0
      const again = yield* Effect.forkScoped(replay(settings, pairs, (one) => ended.push(one)))
      yield* eventually(() => seen.length === 2)
      expect(sockets.size).toBe(2)
      yield* Scope.close(gone, Exit.void)

      expect(yield* Fiber.join(again)).toMatch(/^the connection fell \(ECONN\w+\), and none came up in 5 seconds$/)
      expect(ended.map(({ outcome }) => outcome)).toEqual(["unanswered", "not sent", "not sent"])
    }).pipe(Effect.scoped)
  )
})
