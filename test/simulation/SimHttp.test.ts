import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import type { HttpCall } from "../../packages/switch/src/transport/Http.ts"
import { Caller } from "./partner/Caller.ts"
import { Host } from "./partner/Host.ts"
import { Machine } from "./world/Machine.ts"
import { SimNet } from "./world/SimNet.ts"
import { World } from "./world/World.ts"

const at = { host: "server", port: 80 }

/** A server that keeps its calls, and a caller of it, over a network of 5 ms. */
const start = (connections: "anew" | "kept" | "pipelined") => {
  const world = new World({ seed: 1, startsAt: 0, keepTrace: false })
  const latencyMs = [5, 5] as const
  const net = new SimNet(world, { latencyMs, splits: 0.5, joins: 0.5, kernelRoom: 16_384, resetLosesInFlight: 0 })
  const [server, client] = ["server", "client"].map((name) => new Machine(world, name))
  for (const machine of [server!, client!]) net.attach(machine)
  const calls: Array<HttpCall> = []
  const limits = { bodyMax: 100, requestMs: 1000, idleMs: 2000 }
  server!.start(
    (life) =>
      Effect.scoped(
        Effect.andThen(
          net.transport(life).listenHttp!(at, (call) => void calls.push(call), limits),
          Effect.never
        )
      ),
    () => {}
  )
  const got: Array<string> = []
  const host = new Host(net, client!, client!.begin(), [])
  const caller = new Caller(
    host,
    { endpoint: at, path: "/a", connections, silenceMax: 10_000 },
    { got: (body) => void got.push(body.toString()), unreadable: (error) => void got.push(String(error)) }
  )
  const told: Array<boolean> = []
  const answer = (n: number, body: string) =>
    calls[n]!.answer({ status: 200, type: "x", body }, (isHanded) => void told.push(isHanded))
  return { world, calls, got, told, answer, call: (body: string) => caller.call(Buffer.from(body)) }
}

describe("HTTP in the simulated network", () => {
  it("gives calls with their path and body, and their answers in the order of the calls, whatever came first", () => {
    const { answer, call, calls, got, told, world } = start("pipelined")
    call("one")
    call("two")
    world.advance(100)

    expect(calls.map(({ body, path }) => `${path} ${body.toString()}`)).toEqual(["/a one", "/a two"])
    expect(calls[0]!.remote).toBe(calls[1]!.remote)

    answer(1, "second")
    world.advance(100)
    expect([got, told]).toEqual([[], []])
    answer(0, "first")
    world.advance(100)
    expect([got, told]).toEqual([
      ["first", "second"],
      [true, true]
    ])
  })

  it("says that nobody heard when the caller has gone, by FIN or RST, before the answer or before the answer in front of its own", () => {
    for (const how of ["fin", "reset"] as const) {
      const { answer, call, got, told, world } = start("pipelined")
      call("one")
      const leave = call("two")
      world.advance(100)
      answer(1, "second")
      leave(how)
      world.advance(100)
      answer(0, "first")
      world.advance(100)

      expect([got, told]).toEqual([[], [false, false]])
    }
  })

  it("keeps a connection for the next call, makes one for each where it is asked to, and closes one that says nothing", () => {
    const kept = start("kept")
    const anew = start("anew")
    for (const { answer, call, world } of [kept, anew]) {
      for (const n of [0, 1]) {
        call("call")
        world.advance(100)
        answer(n, "answer")
        world.advance(100)
      }
    }
    expect(new Set(kept.calls.map(({ remote }) => remote)).size).toBe(1)
    expect(new Set(anew.calls.map(({ remote }) => remote)).size).toBe(2)

    kept.world.advance(3000)
    kept.call("call")
    kept.world.advance(100)
    expect(new Set(kept.calls.map(({ remote }) => remote)).size).toBe(2)
  })
})
