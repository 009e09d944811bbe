import { connect, type Socket } from "node:net"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { layer } from "../../../packages/switch/src/transport/Credentials.ts"
import { listenForRequests } from "../../../packages/switch/src/transport/NodeWeb.ts"
import { Places } from "../../../packages/switch/src/transport/Places.ts"

describe("The places of a listener for people", () => {
  const make = () => {
    const broken: Array<string> = []
    const places = new Places<string>(4, 3)
    return {
      broken,
      places,
      come: (key: string, address: string) => places.arrive(key, address, () => broken.push(key))
    }
  }

  it("are given up by whoever says nothing for longest, of the same address", () => {
    const { broken, come, places } = make()
    for (const key of ["a1", "a2", "a3"]) come(key, "a")
    places.asks("a1")
    places.answered("a1")

    expect([come("a4", "a"), broken]).toEqual([true, ["a2"]])
  })

  it("are not taken from somebody by an address that has more of them", () => {
    const { broken, come } = make()
    come("b1", "b")
    for (const key of ["a1", "a2", "a3"]) come(key, "a")

    expect([come("c1", "c"), broken]).toEqual([true, ["a1"]])
  })

  it("are kept by who is being answered, and there is none where all are", () => {
    const { broken, come, places } = make()
    for (const key of ["a1", "a2", "a3"]) {
      come(key, "a")
      places.asks(key)
    }

    expect([come("a4", "a"), come("b1", "b"), broken]).toEqual([false, true, []])
  })
})

describe("The listener of operators", () => {
  it("answers while more connections than it has places say nothing", async () => {
    const silent: Array<Socket> = []
    const settings = { at: { host: "127.0.0.1", port: 0 }, tls: undefined, admits: () => true }
    const asking = Effect.gen(function* () {
      const { endpoint } = yield* listenForRequests(settings, async () => new Response("here"))
      yield* Effect.promise(async () => {
        for (let n = 0; n < 100; n++) {
          const socket = connect(endpoint.port, "127.0.0.1")
          socket.on("error", () => undefined)
          silent.push(socket)
          await new Promise((resolve) => socket.once("connect", resolve))
        }
      })
      return yield* Effect.promise(() => fetch(`http://127.0.0.1:${endpoint.port}/`).then((answer) => answer.text()))
    })

    const answer = await Effect.runPromise(asking.pipe(Effect.scoped, Effect.provide(layer)))

    expect(answer).toBe("here")
    for (const socket of silent) socket.destroy()
  })
})
