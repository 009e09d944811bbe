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

describe("The places of pages that listen", () => {
  it("are given up when nobody is idle, by whoever has listened for longest", () => {
    const broken: Array<string> = []
    const places = new Places<string>(4, 3)
    const come = (key: string) => places.arrive(key, "a", () => broken.push(key))
    for (const key of ["a1", "a2", "a3"]) {
      come(key)
      places.asks(key)
    }
    expect(come("a4")).toBe(false)
    places.listens("a2")
    places.listens("a1")

    expect([come("a4"), broken]).toEqual([true, ["a1"]])
    expect([come("a5"), broken]).toEqual([true, ["a1", "a4"]])
    places.asks("a5")
    expect([come("a6"), broken]).toEqual([true, ["a1", "a4", "a2"]])
  })
})

/** A listener that answers "here", or goes on for ever at `/events`; what is asked of it while it is open. */
const listening = (ask: (port: number, keep: (text: string) => Promise<Socket>) => Promise<void>) => {
  const kept: Array<Socket> = []
  const settings = { at: { host: "127.0.0.1", port: 0 }, tls: undefined, admits: () => true }
  const answer = async (request: Request) =>
    new URL(request.url).pathname === "/events"
      ? new Response(new ReadableStream({ start: (stream) => stream.enqueue(Buffer.from("data: 1\n\n")) }), {
          headers: { "content-type": "text/event-stream" }
        })
      : new Response(`here, by ${request.method}`)
  return Effect.gen(function* () {
    const { endpoint } = yield* listenForRequests(settings, answer)
    const keep = async (text: string) => {
      const socket = connect(endpoint.port, "127.0.0.1")
      socket.on("error", () => undefined)
      kept.push(socket)
      await new Promise((resolve) => socket.once("connect", resolve))
      socket.write(text)
      return socket
    }
    yield* Effect.promise(() => ask(endpoint.port, keep))
    for (const socket of kept) socket.destroy()
  }).pipe(Effect.scoped, Effect.provide(layer), Effect.runPromise)
}

describe("The listener of operators", () => {
  it("answers whether the switch lives while as many pages listen, and bodies trickle in, as it has places", () =>
    listening(async (port, keep) => {
      for (let n = 0; n < 40; n++) {
        const socket = await keep("GET /events HTTP/1.1\r\nhost: x\r\n\r\n")
        await new Promise((resolve) => socket.once("data", resolve).once("close", resolve))
      }

      expect(await (await fetch(`http://127.0.0.1:${port}/live`)).text()).toBe("here, by GET")

      for (let n = 0; n < 40; n++) await keep("POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\na")

      expect(await (await fetch(`http://127.0.0.1:${port}/live`)).text()).toBe("here, by GET")
    }))

  it("answers HEAD as GET, without the body, and refuses what no request of the web is", () =>
    listening(async (port, keep) => {
      const head = await fetch(`http://127.0.0.1:${port}/live`, { method: "HEAD" })

      expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "12", ""])

      const events = await fetch(`http://127.0.0.1:${port}/events`, { method: "HEAD" })

      expect([events.status, await events.text()]).toEqual([200, ""])

      const traced = await keep("TRACE / HTTP/1.1\r\nhost: x\r\n\r\n")
      const said = await new Promise<Buffer>((resolve) => traced.once("data", resolve))

      expect(said.toString()).toMatch(/^HTTP\/1.1 405 .*\r\nallow: GET, HEAD, POST\r\n/)
    }))

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
