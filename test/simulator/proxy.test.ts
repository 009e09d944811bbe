import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { describe, expect } from "vitest"
import { type FaultProxy, makeFaultProxy } from "../../packages/simulator/src/link/FaultProxy.ts"
import { eventually } from "./house.ts"

/** What a plain socket has seen. */
class Ear {
  readonly chunks: Array<string> = []
  ended = false
  closed = false
  error = ""
  readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding("latin1")
    socket.on("data", (text: string) => this.chunks.push(text))
    socket.on("end", () => {
      this.ended = true
    })
    socket.on("close", () => {
      this.closed = true
    })
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? "error"
    })
  }

  get text(): string {
    return this.chunks.join("")
  }
}

/** A target behind a proxy, and a way to connect through it. */
const arrange = Effect.gen(function* () {
  const accepted: Array<Ear> = []
  const server = yield* Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const made = createServer((socket) => accepted.push(new Ear(socket)))
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) =>
      Effect.sync(() => {
        made.close()
        for (const { socket } of accepted) socket.destroy()
      })
  )
  const target = { host: "127.0.0.1", port: (server.address() as AddressInfo).port }
  const proxy = yield* makeFaultProxy({ host: "127.0.0.1", port: 0 }, target)
  const dial = Effect.acquireRelease(
    Effect.sync(() => new Ear(connect(proxy.endpoint))),
    ({ socket }) => Effect.sync(() => socket.destroy())
  )
  return { proxy, accepted, dial }
})

/** One connection through the proxy, both ends. */
const joined: Effect.Effect<
  {
    readonly proxy: FaultProxy
    readonly near: Ear
    readonly far: Ear
    readonly dial: Effect.Effect<Ear, never, Scope.Scope>
  },
  unknown,
  Scope.Scope
> = Effect.gen(function* () {
  const { proxy, accepted, dial } = yield* arrange
  const near = yield* dial
  yield* eventually(() => accepted.length === 1)
  return { proxy, near, far: accepted[0]!, dial }
})

describe("the fault proxy", () => {
  it.live("passes bytes both ways and the FIN behind them", () =>
    Effect.gen(function* () {
      const { near, far, proxy } = yield* joined
      near.socket.write("hello")
      far.socket.write("there")
      yield* eventually(() => far.text === "hello" && near.text === "there")
      near.socket.end("bye")
      yield* eventually(() => far.ended && near.closed)

      expect(far.text).toBe("hellobye")
      expect(far.error + near.error).toBe("")
      yield* eventually(() => proxy.connections() === 0)
    }).pipe(Effect.scoped)
  )

  it.live("cuts with a reset that both sides see as a reset", () =>
    Effect.gen(function* () {
      const { near, far, proxy } = yield* joined
      proxy.cut("reset")
      yield* eventually(() => near.closed && far.closed)

      expect([near.error, far.error]).toEqual(["ECONNRESET", "ECONNRESET"])
    }).pipe(Effect.scoped)
  )

  it.live("cuts with a FIN that both sides see as an orderly end", () =>
    Effect.gen(function* () {
      const { near, far, proxy } = yield* joined
      proxy.cut("fin")
      yield* eventually(() => near.ended && far.ended)

      expect([near.error, far.error]).toEqual(["", ""])
    }).pipe(Effect.scoped)
  )

  it.live("passes a reset of one side on to the other as a reset", () =>
    Effect.gen(function* () {
      const { near, far } = yield* joined
      far.socket.resetAndDestroy()
      yield* eventually(() => near.closed)

      expect(near.error).toBe("ECONNRESET")
    }).pipe(Effect.scoped)
  )

  it.live("swallows one direction in a black hole, and resets the connection when that ends", () =>
    Effect.gen(function* () {
      const { near, far, proxy } = yield* joined
      proxy.set("toTarget", { isBlackHole: true })
      near.socket.write("lost")
      far.socket.write("kept")
      yield* eventually(() => near.text === "kept")
      yield* Effect.sleep(50)

      expect(far.text).toBe("")

      proxy.heal()
      yield* eventually(() => near.closed && far.closed)
      expect(far.text).toBe("")
    }).pipe(Effect.scoped)
  )

  it.live("holds bytes back in a partition and delivers them after the heal, in order", () =>
    Effect.gen(function* () {
      const { near, far, proxy } = yield* joined
      proxy.set("both", { isHeld: true })
      near.socket.write("one ")
      near.socket.write("two ")
      yield* Effect.sleep(50)

      expect(far.text).toBe("")

      proxy.heal()
      near.socket.write("three")
      yield* eventually(() => far.text === "one two three")
    }).pipe(Effect.scoped)
  )

  it.live("delays bytes by the time asked for", () =>
    Effect.gen(function* () {
      const { near, far, proxy } = yield* joined
      proxy.set("toTarget", { delay: 600 })
      near.socket.write("slow")
      yield* Effect.sleep(100)

      expect(far.text).toBe("")

      yield* eventually(() => far.text === "slow")
    }).pipe(Effect.scoped)
  )

  it.live("slices a stream so that it arrives in pieces", () =>
    Effect.gen(function* () {
      const { near, far, proxy } = yield* joined
      proxy.set("toTarget", { slice: 2 })
      near.socket.write("abcdefghij")
      yield* eventually(() => far.text === "abcdefghij")

      expect(far.chunks.length).toBeGreaterThan(2)
    }).pipe(Effect.scoped)
  )

  it.live("refuses connections for a time and takes them again on the same port", () =>
    Effect.gen(function* () {
      const { dial, proxy, near } = yield* joined
      yield* Effect.forkChild(proxy.refuse(600))
      yield* Effect.sleep(20)
      const refused = yield* dial
      yield* eventually(() => refused.closed)

      expect(refused.error).toBe("ECONNREFUSED")
      expect(near.closed).toBe(false)

      yield* Effect.sleep(900)
      yield* dial
      yield* eventually(() => proxy.connections() === 2)
    }).pipe(Effect.scoped)
  )
})
