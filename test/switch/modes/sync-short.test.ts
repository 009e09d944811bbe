import { connect } from "node:net"
import type { FrameFormat } from "@jinka/codec"
import { afterEach, describe, expect, it, vi } from "vitest"
import { Change } from "../../../packages/switch/src/link/Bell.ts"
import { patience } from "../../Pace.ts"
import {
  answerTo,
  call,
  cleanUp,
  dialling,
  framed,
  host,
  type LinkAll,
  linkOf,
  listenTo,
  purchase,
  short,
  startRig,
  until
} from "./Rig.ts"

afterEach(cleanUp)

const untilClose: FrameFormat = { kind: "until-close", lengthMax: 2000 }
const singleRead: FrameFormat = { kind: "single-read", lengthMax: 2000 }

/** Terminals that connect for one request; a host that is dialled for each. */
const terminals = (more: Partial<LinkAll> = {}) => linkOf("terminals", { mode: "sync-short", short: short(), ...more })
const issuer = (port: number, more: Partial<LinkAll> = {}) =>
  dialling("issuer", port, { mode: "sync-short", short: short(), ...more })

const plainUntil = Change.prototype.until

const codeOf = ({ messages }: Awaited<ReturnType<typeof call>>) => messages.map(({ fields }) => fields[39])

describe("sync-short", () => {
  it("opens a connection for each request on both sides, and closes it behind the answer", async () => {
    const partner = await host((message, socket) => socket.write(framed(answerTo(message))))
    const rig = await startRig([terminals(), issuer(partner.port)])
    for (const stan of [1, 2, 3]) {
      const called = await call(rig.port("terminals"), purchase(stan))
      expect(codeOf(called)).toEqual(["00"])
      expect(called.end).toBe("fin")
    }

    expect(partner.connections).toBe(3)

    await until(() => rig.running.status().links.every(({ short }) => short?.open === 0))
    expect(rig.running.status().links[1]?.ends).toEqual([])
  })

  it("is ready without a connection where its partner only calls, as long as its calls are taken", async () => {
    const rig = await startRig([terminals(), issuer(1)])
    const [link] = rig.running.status().links

    expect(link).toMatchObject({ state: "listening", ready: true })

    rig.running.links[0]!.change({ _tag: "blocked", on: true })
    expect(rig.running.status().links[0]).toMatchObject({ state: "blocked", ready: false })
  })

  it.each([
    ["until-close", untilClose],
    ["single-read", singleRead]
  ])("reads messages framed %s, and says the end of its own", async (_, frame) => {
    const partner = await host((message, socket) => socket.end(framed(answerTo(message), frame)), { frame })
    const rig = await startRig([terminals({ frame }), issuer(partner.port, { frame })])
    const called = await call(rig.port("terminals"), purchase(1), { frame, isHalf: frame === untilClose })
    expect(codeOf(called)).toEqual(["00"])
  })

  it("answers a partner that has closed its half behind the request", async () => {
    const partner = await host((message, socket) => {
      setTimeout(() => socket.write(framed(answerTo(message))), 50)
    })
    const rig = await startRig([terminals(), issuer(partner.port)])
    expect(codeOf(await call(rig.port("terminals"), purchase(1), { isHalf: true }))).toEqual(["00"])
  })

  it("looks no more often when many that have closed their half wait than when each does alone", async () => {
    const callers = 40
    const looks = vi.spyOn(Change.prototype, "until")
    const isDone = vi.fn()
    looks.mockImplementation(function (this: Change, done, limitMs) {
      const look = () => {
        isDone()
        return done()
      }
      return plainUntil.call(this, look, limitMs)
    })
    const waiting: Array<() => void> = []
    const partner = await host((message, socket) => {
      waiting.push(() => socket.write(framed(answerTo(message))))
    })
    const rig = await startRig([terminals(), issuer(partner.port)])
    const calls = Array.from({ length: callers }, (_, n) =>
      call(rig.port("terminals"), purchase(n + 1), { isHalf: true })
    )
    await until(() => waiting.length === callers)
    for (const answer of waiting) answer()
    const codes = (await Promise.all(calls)).flatMap(codeOf)
    looks.mockRestore()

    expect(codes).toEqual(Array.from({ length: callers }, () => "00"))
    expect(isDone.mock.calls.length).toBeLessThan(8 * callers)
  })

  it("refuses at once and reverses nothing when the partner does not take the connection", async () => {
    const partner = await host(() => {})
    partner.close()
    const rig = await startRig([terminals(), issuer(partner.port)])

    expect(codeOf(await call(rig.port("terminals"), purchase(1)))).toEqual(["91"])
    expect([rig.count("notSent"), rig.count("queued")]).toEqual([1, 0])
    expect(rig.running.status().links[1]?.ends[0]?.reason).toBe("ConnectFailed")
  })

  it.each([
    ["closes instead of answering", (socket: import("node:net").Socket) => void socket.end()],
    ["resets instead of answering", (socket: import("node:net").Socket) => void socket.resetAndDestroy()]
  ])("ends a request at once as unknown and reverses it when the partner %s", async (_, end) => {
    const partner = await host((message, socket) => {
      if (message.mti === "0200") end(socket)
      else socket.write(framed(answerTo(message)))
    })
    const rig = await startRig([terminals(), issuer(partner.port)], { requestTimeoutMs: 20_000 })

    expect(codeOf(await call(rig.port("terminals"), purchase(1)))).toEqual(["98"])

    await until(() => rig.count("acknowledged") === 1)
    expect(partner.heard.map(({ mti }) => mti)).toEqual(["0200", "0420"])
  })

  it("takes an answer that is followed by a reset", async () => {
    const partner = await host((message, socket) => {
      socket.write(framed(answerTo(message)), () => setTimeout(() => socket.resetAndDestroy(), 20))
    })
    const rig = await startRig([terminals(), issuer(partner.port)])

    expect(codeOf(await call(rig.port("terminals"), purchase(1)))).toEqual(["00"])
    expect(rig.count("timedOut")).toBe(0)
  })

  it("closes the connection of a request that timed out, so that its late answer finds nobody", async () => {
    let late: { readonly on: import("node:net").Socket; readonly answer: Buffer } | undefined
    const partner = await host((message, socket) => {
      const answer = framed(answerTo(message))
      if (message.mti === "0200") late = { on: socket, answer }
      else socket.write(answer)
    })
    const rig = await startRig([terminals(), issuer(partner.port)], { requestTimeoutMs: 300 })

    expect(codeOf(await call(rig.port("terminals"), purchase(1)))).toEqual(["98"])

    late!.on.write(late!.answer)
    await until(() => rig.count("acknowledged") === 1)
    await until(() => late!.on.destroyed || late!.on.readableEnded)
    expect(rig.running.status().links[1]?.ends[0]?.reason).toBe("AnswerOverdue")
    expect(rig.count("answered")).toBe(0)
  })

  it("does not give an answer that comes on another request's connection", async () => {
    const waiting: Array<import("node:net").Socket> = []
    const partner = await host((message, socket) => {
      if (message.mti !== "0200") return void socket.write(framed(answerTo(message)))
      waiting.push(socket)
      // The answer to the second request goes out on the first one's connection.
      if (waiting.length === 2) waiting[0]?.write(framed(answerTo(message)))
    })
    const rig = await startRig([terminals(), issuer(partner.port)], { requestTimeoutMs: 300 })

    const [one, two] = await Promise.all([
      call(rig.port("terminals"), purchase(1)),
      call(rig.port("terminals"), purchase(2))
    ])

    expect([codeOf(one), codeOf(two)]).toEqual([["98"], ["98"]])
    expect(rig.count("unmatched")).toBe(1)
  })

  it("takes back an approval whose caller has gone", async () => {
    let approve = () => {}
    const partner = await host((message, socket) => {
      const answer = () => void socket.write(framed(answerTo(message)))
      if (message.mti === "0200") approve = answer
      else answer()
    })
    const rig = await startRig([terminals(), issuer(partner.port)])
    const socket = connect(rig.port("terminals"), "127.0.0.1", () => socket.write(framed(purchase(1))))
    await until(() => partner.heard.length === 1)
    socket.resetAndDestroy()
    await until(() => rig.running.status().links[0]?.short?.open === 0)
    approve()
    await until(() => rig.count("undelivered") === 1 && rig.count("acknowledged") === 1)

    expect(partner.heard.map(({ mti }) => mti)).toEqual(["0200", "0420"])
  })

  it("tries a reversal until the partner can be dialled again, and counts no attempt that had no connection", async () => {
    const partner = await host((_, socket) => socket.end())
    const rig = await startRig([terminals(), issuer(partner.port)])
    await call(rig.port("terminals"), purchase(1))
    await until(() => rig.count("sent") >= 1)

    const sent = rig.count("sent")

    expect(rig.running.status().links[1]?.stored.size).toBe(1)
    expect(sent).toBeGreaterThan(0)
  })

  it.each([
    ["takes every connection and closes it at once", true],
    ["closes behind every message", false]
  ])("tries store-and-forward at its own pace when the partner %s", async (_, atOnce) => {
    const partner = await host((_, socket) => void socket.end(), {
      onConnection: (socket) => void (atOnce && socket.destroy())
    })
    const retryMs = 400
    const delivery = { timeoutMs: 30_000, retryMs, attemptsMax: 50, window: 8 }
    const rig = await startRig([terminals(), issuer(partner.port, { delivery })])

    expect(codeOf(await call(rig.port("terminals"), purchase(1, {}, "0220")))).toEqual(["00"])

    // As many as it wants, and each behind a pause: a busy machine makes pauses longer, and never shorter.
    await until(() => partner.connections >= 3)
    const [began, from] = [performance.now(), partner.connections]
    expect(rig.count("sent")).toBeLessThanOrEqual(from)
    await until(() => partner.connections >= from + 3)
    expect(performance.now() - began).toBeGreaterThan(2 * retryMs)
  })

  it("carries one request after the other where the link keeps connections, and closes an idle one", async () => {
    const partner = await host((message, socket) => socket.write(framed(answerTo(message))))
    const rig = await startRig([
      terminals({ short: short({ keep: true, idleMs: patience(300) }) }),
      issuer(partner.port)
    ])
    const codes: Array<unknown> = []
    const socket = connect(rig.port("terminals"), "127.0.0.1", () => socket.write(framed(purchase(1))))
    const closed = new Promise((resolve) => socket.once("close", resolve))
    listenTo(socket, linkOf("x").frame, ({ fields }) => {
      codes.push(fields[39])
      if (codes.length < 3) socket.write(framed(purchase(codes.length + 1)))
    })
    await closed

    // All three on the one connection, which the switch then closed.
    expect(codes).toEqual(["00", "00", "00"])
  })

  it("closes a connection that says nothing, one that stops inside a frame, and one too many", async () => {
    const partner = await host(() => {})
    const [firstMessageMs, frameTimeoutMs] = [patience(500), patience(500)]
    const door = terminals({ short: short({ connectionsMax: 2, firstMessageMs }), frameTimeoutMs })
    const rig = await startRig([door, issuer(partner.port)])
    const silent = call(rig.port("terminals"), undefined)
    const stuck = call(rig.port("terminals"), Buffer.from("0100abc"))
    await until(() => rig.running.status().links[0]?.short?.open === 2)
    await call(rig.port("terminals"), purchase(1))

    // Closed at once: the two before it are there still.
    expect(rig.running.status().links[0]?.short?.open).toBe(2)
    expect((await silent).messages).toEqual([])
    expect((await stuck).messages).toEqual([])
    await until(() => rig.running.status().links[0]?.short?.open === 0)
  })

  it("numbers its connections from 1 again after the largest number that the journal can hold", async () => {
    const partner = await host((message, socket) => socket.write(framed(answerTo(message))))
    const rig = await startRig([terminals(), issuer(partner.port)])
    for (const link of rig.running.links) link.epoch = 0xffff_fffe

    for (const stan of [1, 2, 3]) expect(codeOf(await call(rig.port("terminals"), purchase(stan)))).toEqual(["00"])
    expect(rig.running.links.map(({ epoch }) => epoch)).toEqual([2, 2])
  })

  it("lets in only the addresses of its list", async () => {
    const partner = await host(() => {})
    const side = { _tag: "listen", at: { host: "127.0.0.1", port: 0 }, from: ["192.0.2.1"], second: "refuse" } as const
    const rig = await startRig([terminals({ side }), issuer(partner.port)])

    expect((await call(rig.port("terminals"), purchase(1))).messages).toEqual([])
    expect(rig.count("accepted")).toBe(0)
  })

  it("answers what it refuses, repeats and cannot read on the connection that it came on", async () => {
    const partner = await host((message, socket) => socket.write(framed(answerTo(message, "51"))))
    const rig = await startRig([terminals(), issuer(partner.port)])
    const port = rig.port("terminals")

    expect(codeOf(await call(port, purchase(1, { 2: "4000000000000002" })))).toEqual(["92"])
    expect(codeOf(await call(port, purchase(2)))).toEqual(["51"])
    expect(codeOf(await call(port, purchase(2)))).toEqual(["51"])
    expect(codeOf(await call(port, purchase(3, {}, "0220")))).toEqual(["00"])
    expect((await call(port, Buffer.from("0003abc"))).end).toBe("fin")
    expect(partner.heard.filter(({ mti }) => mti === "0200").length).toBe(1)
  })

  it("opens no more connections at once than its window has places, and refuses the rest at once", async () => {
    let open = 0
    let most = 0
    const partner = await host((message, socket) => {
      most = Math.max(most, ++open)
      socket.on("close", () => open--)
      setTimeout(() => socket.write(framed(answerTo(message))), 100)
    })
    const rig = await startRig([terminals(), issuer(partner.port, { window: 4 })])
    const calls = Array.from({ length: 20 }, (_, n) => call(rig.port("terminals"), purchase(n + 1)))

    const codes = (await Promise.all(calls)).flatMap(codeOf)

    expect(most).toBeLessThanOrEqual(4)
    expect(codes.filter((code) => code === "00").length).toBeGreaterThanOrEqual(4)
    expect(codes.every((code) => code === "00" || code === "96")).toBe(true)
  })
})
