/** Connections of a load that come, fall, are made again, are all taken, or never come about. */
import { cupsFrame } from "@jinka/codec"
import { Effect } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { Sockets } from "../../packages/simulator/src/link/Sockets.ts"
import { findKnee, judged, parseBound, runLoad } from "../../packages/simulator/src/load/RunLoad.ts"
import { answerTo, cleanUp, framed, host, listenTo, until } from "../switch/modes/Rig.ts"
import { caller, loadOf, ofLinks, port, watching } from "./LoadSystems.ts"

afterEach(cleanUp)

/** A sign-on or echo of the system under test. */
const management = (stan: number, code: string) => ({
  mti: "0820",
  header: { destination: "48020000", source: "00010000" },
  fields: { 7: "1122223829", 11: String(stan).padStart(6, "0"), 33: "00010000", 70: code }
})

describe("A system that connects itself", () => {
  it("is waited for, may come again after it fell, and may have more connections than were waited for", async () => {
    const ours = await port()
    const told: Array<string> = []
    const settings = await loadOf(`acquirer: { listen: "127.0.0.1:${ours}", connections: 2 }`, "fixed 100/s for 2s")
    const running = Effect.runPromise(runLoad(settings, watching(told)))
    const [first, second] = [await caller(ours), await caller(ours)]
    await until(() => first.heard.length > 20 && second.heard.length > 20)
    first.socket.resetAndDestroy()
    const third = await caller(ours)
    const fourth = await caller(ours)
    const { measure } = await running
    const { answered, lost, notSent, sent } = measure.totals()

    expect(third.heard.length).toBeGreaterThan(5)
    expect(fourth.heard.length).toBeGreaterThan(5)
    expect({ sum: answered + lost, notSent, total: sent }).toEqual({ sum: sent, notSent: 0, total: 200 })
    // Nobody's numbers are another one's.
    const all = [first, second, third, fourth].flatMap(({ heard }) => heard)
    expect(new Set(all).size).toBe(all.length)
    expect(told).toContain("acquirer: 3 connections of the far side")
  })

  it("is named when it does not come, with where it was waited for", async () => {
    const ours = await port()
    const links = `acquirer: { listen: "127.0.0.1:${ours}", connections: 2 }`
    const settings = await loadOf(links, "fixed 10/s for 1s", "wait: 400ms")
    const alone = Effect.runPromise(Effect.flip(runLoad(settings, watching())))

    expect((await alone).message).toContain(
      `not up and signed on in 0.4 seconds: link acquirer: nobody connected to 127.0.0.1:${ours}`
    )

    const half = Effect.runPromise(Effect.flip(runLoad(settings, watching())))
    await caller(ours)

    expect((await half).message).toContain(`only 1 of 2 connections to 127.0.0.1:${ours} came`)
  })

  it("cannot take a port that another program has", async () => {
    const other = await host(() => {})
    const settings = await loadOf(`acquirer: { listen: "127.0.0.1:${other.port}" }`)

    expect((await Effect.runPromise(Effect.flip(runLoad(settings, watching())))).message).toContain(
      "another process listens there already"
    )
  })

  it("signs on, echoes and is answered; with `expect sign on` nothing is sent before", async () => {
    const ours = await port()
    const links = `acquirer: { listen: "127.0.0.1:${ours}", expect sign on: yes }`
    const running = Effect.runPromise(runLoad(await loadOf(links, "fixed 100/s for 500ms"), watching()))
    const { heard, socket } = await caller(ours)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const before = heard.length
    socket.write(framed(management(1, "301")))
    socket.write(framed(management(2, "001")))
    const { measure } = await running

    expect(before).toBe(0)
    expect(heard.slice(0, 2)).toEqual(["0830 000001", "0830 000002"])
    expect(measure.totals()).toMatchObject({ answered: 50, sent: 50 })
    expect(measure.unexpected).toBe(0)
  })

  it("keeps its connection through all rates of a search", async () => {
    const ours = await port()
    const settings = await loadOf(`acquirer: { listen: "127.0.0.1:${ours}" }`, "fixed 40/s for 1s", "timeout: 5s")
    const searching = Effect.runPromise(findKnee(settings, parseBound("p50 < 150 ms")!, 400, watching(), () => {}))
    // More than 40 in 200 ms are too much for it.
    const arrivals: Array<number> = []
    const { socket } = await caller(ours, () => {
      const now = performance.now()
      arrivals.push(now)
      while (arrivals[0]! < now - 200) arrivals.shift()
      return arrivals.length > 40 ? 400 : 0
    })
    let isEnded = false
    socket.on("close", () => {
      isEnded = true
    })
    const knee = await searching

    expect(knee.steps.length).toBeGreaterThan(2)
    expect(knee.rate).toBeGreaterThanOrEqual(40)
    await until(() => isEnded)
  })
})

describe("A leg whose connection is made again before the old one has ended", () => {
  it("takes its place, and the pair is joined anew", async () => {
    const [sendPort, receivePort] = [await port(), await port()]
    const legs = `send: { listen: "127.0.0.1:${sendPort}" }, receive: { listen: "127.0.0.1:${receivePort}" }`
    const settings = await loadOf(`acquirer: { mode: async-simplex, ${legs} }`, "fixed 100/s for 1s", "timeout: 3s")
    const told: Array<string> = []
    const running = Effect.runPromise(runLoad(settings, watching(told)))
    const answers = await caller(receivePort)
    const heard: Array<number> = [0, 0]
    const asked = async (place: number): Promise<void> => {
      const { socket } = await caller(sendPort)
      socket.removeAllListeners("data")
      listenTo(socket, cupsFrame, (message) => {
        heard[place]!++
        answers.socket.write(framed(answerTo(message)))
      })
    }
    await asked(0)
    await until(() => heard[0]! > 20)
    await asked(1)
    const { measure } = await running
    const { answered, lost, notSent, timedOut } = measure.totals()

    expect(heard[1]).toBeGreaterThan(20)
    expect({ sum: answered + lost + notSent, timedOut }).toEqual({ sum: 100, timedOut: 0 })
    expect(told).toContain("acquirer: no connection (a second connection); the far side is waited for")
  })
})

describe("A load on which nothing came about", () => {
  it("is INVALID: nobody brought an answer in async-short, nobody took a connection in a short mode", async () => {
    const [ours, nobody] = [await port(), await port()]
    const silent = await host(() => {})
    const more = "timeout: 300ms"
    const answerless = await loadOf(
      `acquirer: { mode: async-short, connect: "127.0.0.1:${silent.port}", listen: "127.0.0.1:${ours}" }`,
      "fixed 50/s for 300ms",
      more
    )
    const one = await Effect.runPromise(runLoad(answerless, watching()))

    expect(ofLinks(one)).toEqual([`link acquirer: nobody connected to 127.0.0.1:${ours}, where the answers come`])
    expect(silent.connections).toBeGreaterThan(0)

    for (const mode of [`mode: async-short, listen: "127.0.0.1:${ours}"`, "mode: sync-short"]) {
      const links = `acquirer: { ${mode}, connect: "127.0.0.1:${nobody}" }`
      const settings = await loadOf(links, "fixed 50/s for 300ms", more)
      const result = await Effect.runPromise(runLoad(settings, watching()))

      expect(ofLinks(result)).toEqual([`link acquirer: no connection to 127.0.0.1:${nobody} came about (ECONNREFUSED)`])
      expect(result.measure.totals()).toMatchObject({ answered: 0, timedOut: 0 })
    }
  })
})

describe("A generator whose machine has no room for a connection", () => {
  it.each(["EADDRNOTAVAIL", "EMFILE"])("is the limit, and says so: %s", async (why) => {
    const ours = await port()
    for (const mode of ["sync-short", `async-short, listen: "127.0.0.1:${ours}"`]) {
      const settings = await loadOf(
        `acquirer: { mode: ${mode}, connect: a:1 }`,
        "fixed 50/s for 200ms",
        "timeout: 200ms"
      )
      const network = { ...(await Effect.runPromise(Effect.service(Sockets))), dial: () => Effect.succeed(why) }
      const running = runLoad(settings, watching()).pipe(Effect.provideService(Sockets, network))
      const result = await Effect.runPromise(running)

      expect(result.invalid.join("; ")).toContain(
        "the generator was the limit: this machine had no port or file for 10 connections"
      )
      expect(judged(parseBound("p99 < 5 ms")!, result)).toMatchObject({ isInvalid: true, isKept: false })
    }
  })
})

describe("Requests that find no free connection", () => {
  it("wait for one, and their latencies begin when they were due", async () => {
    const slow = await host((message, socket) => void setTimeout(() => socket.write(framed(answerTo(message))), 20))
    const links = `acquirer: { mode: sync-long, connect: "127.0.0.1:${slow.port}" }`
    // At most 50 a second are answered: a second's last ones wait for a second more.
    const { measure } = await Effect.runPromise(runLoad(await loadOf(links, "fixed 100/s for 1s"), watching()))

    expect(measure.totals()).toMatchObject({ answered: 100, sent: 100, notSent: 0 })
    expect(measure.waited).toBeGreaterThan(40)
    expect(measure.all.getValueAtPercentile(90)).toBeGreaterThan(600_000)
    expect(measure.lag.getValueAtPercentile(50)).toBeLessThan(measure.all.getValueAtPercentile(50))
  })

  it("are given up at their timeout, and count with it", async () => {
    const dead = await host(() => {})
    const links = `acquirer: { mode: sync-long, connect: "127.0.0.1:${dead.port}" }`
    const settings = await loadOf(links, "fixed 50/s for 500ms", "timeout: 300ms")
    const { measure } = await Effect.runPromise(runLoad(settings, watching()))
    const { notSent, sent, timedOut } = measure.totals()

    expect(sent + notSent).toBe(25)
    expect({ isEach: timedOut === sent, count: measure.all.totalCount }).toEqual({ isEach: true, count: 25 })
    expect(measure.all.minNonZeroValue).toBeGreaterThanOrEqual(299_000)
  })

  it("count with their timeout at once while there is no connection at all", async () => {
    const gone = await host((message, socket) => socket.write(framed(answerTo(message))), {
      onConnection: (socket, n) => {
        if (n === 1) setTimeout(() => socket.resetAndDestroy(), 300)
        if (n === 1) gone.close()
      }
    })
    const settings = await loadOf(
      `acquirer: { connect: "127.0.0.1:${gone.port}" }`,
      "fixed 100/s for 1s",
      "timeout: 2s"
    )
    const { measure } = await Effect.runPromise(runLoad(settings, watching()))

    expect(measure.totals().notSent).toBeGreaterThan(20)
    expect(measure.all.getValueAtPercentile(90)).toBeGreaterThanOrEqual(1_999_000)
  })
})
