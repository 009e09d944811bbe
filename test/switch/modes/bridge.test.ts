import { connect, type Socket } from "node:net"
import type { Message } from "@jinka/codec"
import { reveal } from "@jinka/codec"
import { afterEach, describe, expect, it } from "vitest"
import {
  answerTo,
  call,
  cleanUp,
  dialling,
  framed,
  host,
  type LinkAll,
  linkOf,
  makeStore,
  purchase,
  short,
  startRig,
  until
} from "./Rig.ts"

afterEach(cleanUp)

const terminals = (more: Partial<LinkAll> = {}) =>
  linkOf("terminals", { mode: "sync-short", short: short(), callers: [41, 42], ...more })
const centre = (port: number, more: Partial<LinkAll> = {}) => dialling("issuer", port, { stan: "own", ...more })

const terminalOf = (n: number): string => `T${String(n).padStart(7, "0")}`
const text = (message: Message | undefined, de: number): string => String(reveal(message?.fields[de] ?? ""))
const stanOf = (message: Message): string => text(message, 11)

describe("a bridge of many short callers to one long link", () => {
  it("gives each of hundreds of callers at once its own answer, although all their STANs are the same", async () => {
    const callers = 300
    const held: Array<() => void> = []
    // Answers all together and backwards, when every request is there: the first answer is the last caller's.
    const partner = await host((message, socket) => {
      const code = Number(text(message, 4)) % 2 === 0 ? "00" : "51"
      held.push(() => socket.write(framed(answerTo(message, code, { 38: text(message, 4).slice(-6) }))))
      if (held.length === callers) for (const answer of held.reverse()) answer()
    })
    const rig = await startRig([terminals(), centre(partner.port)], { requestTimeoutMs: 20_000 })
    await until(() => rig.running.links[1]!.isReady)
    const calls = Array.from({ length: callers }, (_, n) =>
      call(rig.port("terminals"), purchase(7, { 4: String(n).padStart(12, "0"), 41: terminalOf(n) }))
    )
    const called = await Promise.all(calls)
    called.forEach(({ messages }, n) => {
      expect(messages.length).toBe(1)
      expect([11, 38, 39, 41].map((de) => text(messages[0], de))).toEqual([
        "000007",
        String(n).padStart(6, "0"),
        n % 2 === 0 ? "00" : "51",
        terminalOf(n)
      ])
    })

    expect(partner.connections).toBe(1)
    expect(new Set(partner.heard.map(stanOf)).size).toBe(callers)
    expect(rig.count("unmatched")).toBe(0)
  })

  it("names a request in its reversal as the partner knows it, before and after a restart", async () => {
    const silent = await host((message, socket) => {
      if (message.mti !== "0200") socket.write(framed(answerTo(message)))
    })
    const store = makeStore()
    const links = [terminals(), centre(silent.port)]
    const rig = await startRig(links, { requestTimeoutMs: 300, store })
    await until(() => rig.running.links[1]!.isReady)
    // No number of an exchange here.
    await call(rig.port("terminals"), purchase(900_007))
    await until(() => rig.count("acknowledged") === 1)
    const [request, reversal] = silent.heard

    expect(stanOf(request!)).not.toBe("900007")
    expect(text(reversal, 90).slice(4, 10)).toBe(stanOf(request!))

    const socket = connect(rig.port("terminals"), "127.0.0.1", () => socket.write(framed(purchase(8))))
    socket.on("error", () => {})
    await until(() => silent.heard.length === 3)
    await rig.stop()
    const again = await startRig(links, { requestTimeoutMs: 300, store })
    await until(() => again.count("acknowledged") === 2)

    expect(text(silent.heard.at(-1), 90).slice(4, 10)).toBe(stanOf(silent.heard[2]!))
  })

  it("recognises a late answer after a restart by the STAN that its request had", async () => {
    let line: Socket | undefined
    const partner = await host((message, socket) => {
      line = socket
      if (message.mti !== "0200") socket.write(framed(answerTo(message)))
    })
    const store = makeStore()
    const links = [terminals(), centre(partner.port)]
    const rig = await startRig(links, { requestTimeoutMs: 200, store })
    await until(() => rig.running.links[1]!.isReady)
    await call(rig.port("terminals"), purchase(7))
    await until(() => rig.count("acknowledged") === 1)
    await rig.stop()
    const again = await startRig(links, { requestTimeoutMs: 200, store })
    await until(() => partner.connections === 2 && again.running.links[1]!.isReady)
    line = undefined
    await call(again.port("terminals"), purchase(8))
    line!.write(framed(answerTo(partner.heard[0]!)))
    await until(() => again.count("late") === 1)
  })

  it("answers a repeated request with what was answered, under its own STAN", async () => {
    const partner = await host((message, socket) => socket.write(framed(answerTo(message, "51", { 38: "ABCDEF" }))))
    const rig = await startRig([terminals(), centre(partner.port)])
    await until(() => rig.running.links[1]!.isReady)
    const first = await call(rig.port("terminals"), purchase(7))
    const second = await call(rig.port("terminals"), purchase(7))
    const other = await call(rig.port("terminals"), purchase(7, { 41: "T0000002" }))
    const seen = [first, second, other].map(({ messages }) => [11, 38, 39].map((de) => text(messages[0], de)))

    expect(seen).toEqual([1, 2, 3].map(() => ["000007", "ABCDEF", "51"]))
    expect(partner.heard.length).toBe(2)
  })

  it("passes a caller's reversal on with the original as the partner knows it, and acknowledges one about nothing that came", async () => {
    const partner = await host((message, socket) => socket.write(framed(answerTo(message))))
    const rig = await startRig([terminals(), centre(partner.port)])
    await until(() => rig.running.links[1]!.isReady)
    const port = rig.port("terminals")
    await call(port, purchase(7))
    await call(port, purchase(7, { 41: "T0000002" }))
    const about = (stan: string) => `0200${stan}${"1122223829"}${"00048020000"}${"00048020000"}`
    const reversal = (stan: number, original: string) => purchase(stan, { 41: "T0000002", 90: about(original) }, "0420")
    const taken = await call(port, reversal(8, "000007"))
    const unknown = await call(port, reversal(9, "000555"))

    expect([taken, unknown].map(({ messages }) => text(messages[0], 39))).toEqual(["00", "00"])

    await until(() => rig.count("acknowledged") === 2)
    expect(partner.heard.length).toBe(3)

    const [, second, passed] = partner.heard
    expect(text(passed, 90)).toBe(about(stanOf(second!)))
    expect([text(passed, 41), stanOf(passed!) === "000008"]).toEqual(["T0000002", false])
  })
})
