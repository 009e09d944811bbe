/**
 * A caller that is gone before its answer, over every door and in every way of going: an approval that nobody heard of is
 * reversed, and one that was heard is not.
 */
import { connect, type Socket } from "node:net"
import { compile, cups, isMessageError } from "@jinka/codec"
import { afterEach, describe, expect, it } from "vitest"
import {
  answerTo,
  cleanUp,
  dialling,
  framed,
  host,
  type LinkAll,
  linkOf,
  purchase,
  type Rig,
  short,
  startRig,
  until
} from "./Rig.ts"

afterEach(cleanUp)

const codec = compile(cups)
const untilClose = { kind: "until-close", lengthMax: 1892 } as const

const message = (stan: number): Buffer => {
  const bytes = codec.encode(purchase(stan))
  if (isMessageError(bytes)) throw new Error(bytes._tag)
  return bytes
}

const post = (stan: number, header = "x: y"): Buffer => {
  const body = message(stan)
  const head = `POST /t HTTP/1.1\r\nhost: x\r\n${header}\r\ncontent-type: application/octet-stream\r\ncontent-length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

/** The doors that a caller may come by: the link behind each, what a request looks like, and whether a half-close means gone. */
const doors: Readonly<
  Record<string, { link: Partial<LinkAll>; request: (stan: number) => Buffer; halfIsGone: boolean }>
> = {
  "one long connection": { link: {}, request: (stan) => framed(purchase(stan)), halfIsGone: false },
  "a short connection": {
    link: { mode: "sync-short", short: short() },
    request: (stan) => framed(purchase(stan)),
    halfIsGone: false
  },
  "a short connection that is kept": {
    link: { mode: "sync-short", short: short({ keep: true }) },
    request: (stan) => framed(purchase(stan)),
    halfIsGone: false
  },
  HTTP: {
    link: {
      mode: "sync-short",
      short: short(),
      frame: untilClose,
      side: { _tag: "door", door: "web", sign: { from: [], certificate: undefined, value: "/t" }, second: "refuse" }
    },
    request: post,
    halfIsGone: true
  }
}

const web = {
  name: "web",
  at: { host: "127.0.0.1", port: 0 },
  from: [],
  limits: { connections: 100, perSource: 100, newPerSecond: 1000, pending: 100 },
  bodyMax: 16_384,
  requestMs: 2000,
  idleMs: 5000
}

/** A switch, an issuer that holds its approvals until `answer`, and one caller of it. */
const start = async (door: string, issuer: Partial<LinkAll> = {}, callers: Partial<LinkAll> = {}) => {
  const link = { ...doors[door]!.link, ...callers }
  const held: Array<() => void> = []
  const partner = await host((one, socket) => {
    const answer = () => socket.write(framed(answerTo(one)))
    if (one.mti === "0200") held.push(answer)
    else answer()
  })
  const rig = await startRig([linkOf("callers", link), dialling("issuer", partner.port, issuer)], {
    http: door === "HTTP" ? [web] : [],
    requestTimeoutMs: 20_000
  })
  await until(() => rig.running.links[1]!.isReady)
  const port = door === "HTTP" ? rig.running.status().doors[0]!.at.port : rig.port("callers")
  const caller = connect({ port, host: "127.0.0.1", allowHalfOpen: true })
  let heard = ""
  caller.on("error", () => {})
  caller.on("data", (chunk) => {
    heard += chunk.toString("latin1")
  })
  await new Promise<void>((resolve) => caller.once("connect", () => resolve()))
  return {
    rig,
    partner,
    caller,
    heard: () => heard,
    answered: () => rig.count("answered"),
    asked: (many: number) => until(() => held.length >= many),
    answer: () => {
      for (const one of held.splice(0)) one()
    }
  }
}

const ways: Readonly<Record<string, (caller: Socket) => void>> = {
  "closes (FIN)": (caller) => caller.destroy(),
  "breaks off (RST)": (caller) => caller.resetAndDestroy()
}

/** Every approval has been reversed, and the reversals were acknowledged. */
const reversed = async (rig: Rig, many: number): Promise<void> => {
  await until(() => rig.count("acknowledged") === many)
  expect([rig.count("answered"), rig.count("undelivered"), rig.count("queued")]).toEqual([many, many, many])
}

/** Lets the switch see what the caller did before the answer comes. */
const seen = () => new Promise((resolve) => setTimeout(resolve, 100))

describe("A caller that goes before its answer", () => {
  for (const mode of ["async-duplex", "sync-long"] as const) {
    it(`and is back before its system could say that it was gone (${mode}): its approval is reversed`, async () => {
      const { rig, caller, asked, answer, answered } = await start("one long connection", {}, { mode })
      caller.write(framed(purchase(1)))
      await asked(1)
      caller.destroy()
      await seen()
      answer()
      await until(() => answered() === 1)
      await new Promise((resolve) => setTimeout(resolve, 60))
      const back = connect({ port: rig.port("callers"), host: "127.0.0.1" })
      await until(() => rig.running.links[0]!.isReady && rig.running.links[0]!.epoch === 2)
      await reversed(rig, 1)
      back.destroy()
    })

    it(`half, hears it and is back at once (${mode}): nothing is reversed`, async () => {
      const { rig, caller, asked, answer, heard } = await start("one long connection", {}, { mode })
      caller.write(framed(purchase(1)))
      await asked(1)
      caller.end()
      await seen()
      answer()
      await until(() => heard().includes("0210"))
      const back = connect({ port: rig.port("callers"), host: "127.0.0.1" })
      await until(() => rig.running.links[0]!.epoch === 2)
      await new Promise((resolve) => setTimeout(resolve, 500))

      expect([rig.count("answered"), rig.count("undelivered"), rig.count("queued")]).toEqual([1, 0, 0])
      back.destroy()
    })
  }

  for (const [door, { request, halfIsGone }] of Object.entries(doors)) {
    for (const [way, go] of Object.entries(ways)) {
      it(`on ${door} and ${way}: its approval is reversed`, async () => {
        const { rig, caller, asked, answer } = await start(door)
        caller.write(request(1))
        await asked(1)
        go(caller)
        await seen()
        answer()
        await reversed(rig, 1)
        // A long link is told at once; of a short one the end is that of its one connection.
        if (door === "HTTP")
          expect(rig.running.status().links[0]!.ends[0]?.reason).toBe(way.includes("FIN") ? "PeerClosed" : "PeerReset")
      })
    }

    it(`on ${door} and only closes its half: it is ${halfIsGone ? "gone, and its approval is reversed" : "answered, and nothing is reversed"}`, async () => {
      const { rig, caller, asked, answer, heard } = await start(door)
      caller.write(request(1))
      await asked(1)
      caller.end()
      await seen()
      answer()
      if (halfIsGone) return reversed(rig, 1)
      await until(() => heard().includes("0210"))
      await new Promise((resolve) => caller.once("close", resolve))

      expect([rig.count("answered"), rig.count("undelivered"), rig.count("queued")]).toEqual([1, 0, 0])
    })

    it(`on ${door} and stays: it is answered, and nothing is reversed`, async () => {
      const { rig, caller, asked, answer, heard } = await start(door)
      caller.write(request(1))
      await asked(1)
      answer()
      await until(() => heard().includes("0210"))

      expect([rig.count("undelivered"), rig.count("queued")]).toEqual([0, 0])
    })
  }

  it("over HTTP with a second request behind the first (pipelining): both approvals are reversed", async () => {
    for (const go of Object.values(ways)) {
      const { rig, caller, asked, answer } = await start("HTTP")
      caller.write(Buffer.concat([post(1), post(2)]))
      await asked(2)
      go(caller)
      await seen()
      answer()
      await reversed(rig, 2)
    }
  })

  it.each([
    ["a request behind the last one", ["connection: close", 1], Buffer.from(post(9))],
    ["what is no request", ["x: y", 1], Buffer.from("what is this\r\n\r\n")],
    ["what is no request, behind two", ["x: y", 2], Buffer.alloc(64)],
    [
      "half of a bad body",
      ["x: y", 1],
      Buffer.from("POST /t HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
    ]
  ] as const)(
    "over HTTP with %s: whole requests are answered, then the connection ends",
    async (_what, how, behind) => {
      const [header, count] = how
      const { rig, caller, asked, answer, heard } = await start("HTTP")
      const ended = new Promise((resolve) => caller.once("end", resolve))
      const whole = [1, 2].slice(0, count).map((stan) => post(stan, header))
      caller.write(Buffer.concat([...whole, behind]))
      await asked(count)
      await seen()
      answer()
      await ended

      expect(heard().match(/HTTP\/1\.1 \d+/g)).toEqual(whole.map(() => "HTTP/1.1 200"))
      await until(() => rig.count("answered") === count)
      expect([rig.count("undelivered"), rig.count("queued")]).toEqual([0, 0])
    }
  )

  it("over HTTP on a connection that was kept: the first approval was heard, the second is reversed", async () => {
    const { rig, caller, asked, answer, heard } = await start("HTTP")
    caller.write(post(1))
    await asked(1)
    answer()
    await until(() => heard().includes("0210"))
    caller.write(post(2))
    await asked(1)
    caller.destroy()
    await seen()
    answer()
    await until(() => rig.count("acknowledged") === 1)

    expect([rig.count("answered"), rig.count("undelivered"), rig.count("queued")]).toEqual([2, 1, 1])
  })

  it("over a bridge with a STAN of ours: the reversal names the STAN that the issuer knows", async () => {
    const { rig, partner, caller, asked, answer } = await start("HTTP", { stan: "own" })
    caller.write(post(1))
    await asked(1)
    caller.destroy()
    await seen()
    answer()
    await reversed(rig, 1)

    const [asked1, reversal] = partner.heard

    expect(reversal?.fields[90]).toContain(`0200${asked1?.fields[11]}`)
  })

  it("where a message ends with its connection (until-close): the one that waits hears, the one that is gone is reversed", async () => {
    for (const isGone of [false, true]) {
      const held: Array<() => void> = []
      const partner = await host((one, socket) => {
        const answer = () => socket.write(framed(answerTo(one)))
        if (one.mti === "0200") held.push(answer)
        else answer()
      })
      const callers = linkOf("callers", { mode: "sync-short", short: short(), frame: untilClose })
      const rig = await startRig([callers, dialling("issuer", partner.port)], { requestTimeoutMs: 20_000 })
      await until(() => rig.running.links[1]!.isReady)
      const caller = connect({ port: rig.port("callers"), host: "127.0.0.1", allowHalfOpen: true })
      let heard = 0
      caller.on("error", () => {})
      caller.on("data", ({ length }) => {
        heard += length
      })
      caller.end(message(1))
      await until(() => held.length > 0)
      if (isGone) caller.destroy()
      await seen()
      held[0]!()
      if (isGone) await reversed(rig, 1)
      else {
        await new Promise((resolve) => caller.once("close", resolve))
        expect(heard).toBeGreaterThan(100)
        expect(rig.count("undelivered")).toBe(0)
      }
    }
  })

  it("whose answer goes out on a connection of its own (async-short) that nobody takes: its approval is reversed", async () => {
    const partner = await host((one, socket) => socket.write(framed(answerTo(one))))
    const nobody = await host(() => {})
    nobody.close()
    const callers = linkOf("callers", {
      mode: "async-short",
      short: short({ dial: { _tag: "connect", to: { host: "127.0.0.1", port: nobody.port }, timeoutMs: 30_000 } })
    })
    const rig = await startRig([callers, dialling("issuer", partner.port)])
    await until(() => rig.running.links[1]!.isReady)
    const caller = connect({ port: rig.port("callers"), host: "127.0.0.1" })
    caller.on("error", () => {})
    caller.end(framed(purchase(1)))
    await reversed(rig, 1)
  })
})

/** Additional data that make a message some 1,300 bytes long. */
const long = { 48: "A".repeat(500), 57: "B".repeat(98), 61: "C".repeat(190), 62: "D".repeat(190), 63: "E".repeat(190) }

describe("An acquirer that does not read", () => {
  it("is cut, and each approval is either heard or reversed, never both and never neither", async () => {
    const partner = await host((one, socket) => socket.write(framed(answerTo(one))))
    const acquirer = linkOf("callers", { unsentMax: 64 * 1024, writeTimeoutMs: 60_000 })
    const issuer = dialling("issuer", partner.port, { window: 4096 })
    const rig = await startRig([acquirer, issuer], { requestTimeoutMs: 60_000 })
    await until(() => rig.running.links[1]!.isReady)
    const caller = connect({ port: rig.port("callers"), host: "127.0.0.1" })
    caller.pause()
    caller.on("error", () => {})
    const isCut = () => rig.running.status().links[0]!.ends[0]?.reason === "SlowPeer"
    let stan = 0
    while (!isCut() && stan < 200_000) {
      // Long messages: the kernels of both sides hold some megabytes.
      const batch = Array.from({ length: 100 }, () => framed(purchase(++stan, long)))
      caller.write(Buffer.concat(batch))
      // Counted by the switch: to count the journal's entries at every look would take longer than the switch needs to make them.
      await until(() => isCut() || (rig.running.status().answers["00"] ?? 0) >= stan - 100, 30_000)
    }

    expect(isCut()).toBe(true)

    await until(() => rig.running.status().links[1]!.outstanding === 0, 30_000)
    const answered = rig.count("answered")
    const undelivered = rig.count("undelivered")
    const each = framed(answerTo(purchase(1, long))).length

    // What the kernel had taken is at most what both kernels hold; the rest, more than the limit, went back.
    expect(undelivered * each).toBeGreaterThan(64 * 1024)
    expect((answered - undelivered) * each).toBeLessThan(16 * 1024 * 1024)
    expect(rig.count("queued")).toBe(undelivered)
  })
})
