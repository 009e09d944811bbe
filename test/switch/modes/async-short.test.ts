import { connect } from "node:net"
import type { Message } from "@jinka/codec"
import { afterEach, describe, expect, it } from "vitest"
import { reportOf } from "../../../packages/switch/src/operate/control/Status.ts"
import { statusText } from "../../../packages/switch/src/operate/control/StatusText.ts"
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
  purchase,
  short,
  startRig,
  until
} from "./Rig.ts"

afterEach(cleanUp)

/** Sends one message on a connection of its own and closes. */
const send = (port: number, message: Message): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(framed(message)))
    socket.on("error", () => {})
    socket.on("close", () => resolve())
    socket.resume()
  })

/** A link that dials `port` with what it sends, and listens for what comes. */
const both = (name: string, port: number, more: Partial<LinkAll> = {}) =>
  linkOf(name, {
    mode: "async-short",
    short: short({ dial: { _tag: "connect", to: { host: "127.0.0.1", port }, timeoutMs: 30_000 } }),
    ...more
  })

describe("async-short", () => {
  it("sends each request on a connection of its own, and takes the answer that comes on the partner's", async () => {
    let port = 0
    const issuer = await host((message) => void send(port, answerTo(message)))
    const rig = await startRig([
      linkOf("terminals", { mode: "sync-short", short: short() }),
      both("issuer", issuer.port)
    ])
    port = rig.port("issuer")
    const calls = [1, 2, 3].map((stan) => call(rig.port("terminals"), purchase(stan)))
    const codes = (await Promise.all(calls)).flatMap(({ messages }) => messages.map(({ fields }) => fields[39]))

    expect(codes).toEqual(["00", "00", "00"])
    expect(issuer.connections).toBe(3)

    await until(() => rig.running.status().links[1]?.short?.open === 0)
    expect(rig.running.status().links[1]?.ends).toEqual([])
  })

  it("takes every message of a connection that the partner has not closed: two answers, or two requests", async () => {
    let port = 0
    const asked: Array<Message> = []
    const issuer = await host((message) => void asked.push(message))
    const acquirer = await host(() => {})
    const rig = await startRig([both("acquirer", acquirer.port), both("issuer", issuer.port)])
    port = rig.port("acquirer")
    const requests = connect(port, "127.0.0.1")
    requests.on("error", () => {})
    requests.resume()
    requests.write(framed(purchase(1)))
    await until(() => asked.length === 1)

    const [link] = rig.running.status().links
    expect(link).toMatchObject({ bytesReceived: framed(purchase(1)).length, short: { open: 1 } })
    expect(link!.lastReceived).toBeGreaterThan(0)

    requests.write(framed(purchase(2)))
    await until(() => asked.length === 2)
    const answers = connect(rig.port("issuer"), "127.0.0.1")
    answers.on("error", () => {})
    answers.resume()
    answers.write(framed(answerTo(asked[0]!)))
    await until(() => acquirer.heard.length === 1)
    answers.end(framed(answerTo(asked[1]!)))
    await until(() => acquirer.heard.length === 2)

    expect(acquirer.heard.map(({ fields }) => fields[39])).toEqual(["00", "00"])

    requests.end()
    await until(() => rig.running.status().links.every(({ short: one }) => one?.open === 0))
  })

  it("answers the partner's request, refusal and repeat alike, on connections that it dials", async () => {
    const issuer = await host((message, socket) => socket.write(framed(answerTo(message, "51"))))
    const acquirer = await host(() => {})
    const rig = await startRig([both("acquirer", acquirer.port), dialling("issuer", issuer.port)])
    await until(() => rig.running.links[1]!.isReady)
    await send(rig.port("acquirer"), purchase(1))
    await until(() => acquirer.heard.length === 1)
    await send(rig.port("acquirer"), purchase(1))
    await until(() => acquirer.heard.length === 2)
    await send(rig.port("acquirer"), purchase(2, { 2: "4000000000000002" }))
    await until(() => acquirer.heard.length === 3)

    expect(acquirer.heard.map(({ fields }) => fields[39])).toEqual(["51", "51", "92"])
    expect(acquirer.connections).toBe(3)
    expect(issuer.heard.length).toBe(1)
  })

  it("takes back an approval that it finds no connection for", async () => {
    const issuer = await host((message, socket) => socket.write(framed(answerTo(message))))
    const acquirer = await host(() => {})
    acquirer.close()
    const rig = await startRig([both("acquirer", acquirer.port), dialling("issuer", issuer.port)])
    await until(() => rig.running.links[1]!.isReady)
    await send(rig.port("acquirer"), purchase(1))
    await until(() => rig.count("undelivered") === 1 && rig.count("acknowledged") === 1)

    expect(issuer.heard.map(({ mti }) => mti)).toEqual(["0200", "0420"])
  })

  it("is unreachable from its first attempt that fails, and its status says what is tried next", async () => {
    const issuer = await host((message, socket) => socket.write(framed(answerTo(message))))
    const acquirer = await host(() => {})
    acquirer.close()
    const rig = await startRig([both("acquirer", acquirer.port), dialling("issuer", issuer.port)])
    await until(() => rig.running.links[1]!.isReady)
    const ready = rig.running.status().links[0]!
    await send(rig.port("acquirer"), purchase(1))
    await until(() => rig.count("undelivered") === 1)
    const failed = () => rig.running.status().links[0]!
    const { since } = failed()
    // A minute later, when its pause for what can wait is over.
    const clocks = { wallMs: 1_000_000, monotonicMs: since + 60_000 }
    const kernel = { view: { _tag: "absent", why: "a test" }, earlier: new Map() } as const
    const told = { alarms: [], success: () => undefined }
    const text = statusText(reportOf({ name: "t", pid: 1, startedAt: 0 }, rig.running.status(), clocks, kernel, told))

    expect([ready.state, failed().state]).toEqual(["ready", "unreachable"])
    expect(since).toBeGreaterThan(ready.since)
    expect(text).toContain("unreachable for 1 min 0 s")
    expect(text).toContain("1 connection failed or ended early; it is tried again with the next message")
  })

  it("goes on waiting when the connection of a request breaks behind it, and reverses at the deadline", async () => {
    let port = 0
    const issuer = await host((message, socket) => {
      socket.resetAndDestroy()
      if (message.fields[11] === "000001" || message.mti !== "0200") void send(port, answerTo(message))
    })
    const terminals = linkOf("terminals", { mode: "sync-short", short: short() })
    const rig = await startRig([terminals, both("issuer", issuer.port)], {
      requestTimeoutMs: patience(300)
    })
    port = rig.port("issuer")
    const answered = await call(rig.port("terminals"), purchase(1))
    const silent = await call(rig.port("terminals"), purchase(2))

    expect([answered, silent].map(({ messages }) => messages[0]?.fields[39])).toEqual(["00", "98"])

    await until(() => rig.count("acknowledged") === 1)
    expect(issuer.heard.map(({ mti }) => mti)).toEqual(["0200", "0200", "0420"])
  })

  it("refuses at once what it cannot dial for, and reverses nothing", async () => {
    const issuer = await host(() => {})
    issuer.close()
    const terminals = linkOf("terminals", { mode: "sync-short", short: short() })
    const rig = await startRig([terminals, both("issuer", issuer.port)])

    const { messages } = await call(rig.port("terminals"), purchase(1))

    expect(messages.map(({ fields }) => fields[39])).toEqual(["91"])
    expect([rig.count("notSent"), rig.count("queued")]).toEqual([1, 0])
  })

  it("counts an answer that comes twice, and delivers it once", async () => {
    let port = 0
    const issuer = await host((message) => {
      void send(port, answerTo(message)).then(() => send(port, answerTo(message)))
    })
    const terminals = linkOf("terminals", { mode: "sync-short", short: short() })
    const rig = await startRig([terminals, both("issuer", issuer.port)])
    port = rig.port("issuer")

    const { messages } = await call(rig.port("terminals"), purchase(1))
    await until(() => rig.count("duplicateAnswer") === 1)

    expect(messages.length).toBe(1)
  })
})
