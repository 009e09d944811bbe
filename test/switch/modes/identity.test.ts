/** Who may be named, over real sockets: at each kind of door, on every message and not only the first. */

import { readFileSync } from "node:fs"
import { request } from "node:http"
import { connect as connectPlain, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { compile, cups, cupsFrame, isMessageError, type Message } from "@jinka/codec"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { Authority, type Issued } from "../../../examples/08-many-institutions/Authority.ts"
import type { DoorSettings } from "../../../packages/switch/src/link/door/Door.ts"
import { folder, cleanUp as removeFolders, tls } from "../transport/Sockets.ts"
import {
  answerTo,
  cleanUp,
  dialling,
  framed,
  host,
  type LinkAll,
  linkOf,
  listenTo,
  purchase,
  short,
  startRig
} from "./Rig.ts"

afterEach(cleanUp)
afterAll(removeFolders)

const directory = folder()
let ours: Authority
let server: Issued
let banks: ReadonlyArray<Issued>

beforeAll(async () => {
  ours = await Authority.make(directory, "centre-ca")
  server = await ours.issue("switch.example")
  banks = [await ours.issue("bank-a.example"), await ours.issue("bank-b.example")]
})

const limits = { connections: 100, perSource: 100, newPerSecond: 1000, pending: 100 }
const codes = ["48020000", "48030000"] as const
const header = (source: string) => ({ destination: "00010000", source })

/** A purchase of bank 0 or 1. */
const ofBank = (bank: number, stan: number, fields: Message["fields"] = {}, mti = "0200"): Message => ({
  ...purchase(stan, { 32: codes[bank]!, 33: codes[bank]!, 41: `T000000${bank}`, ...fields }, mti),
  header: header(codes[bank]!)
})

const echo = (source: string, stan: number): Message => ({
  mti: "0820",
  header: header(source),
  fields: { 7: "1122223829", 11: String(stan).padStart(6, "0"), 33: source, 70: "301" }
})

/** A connection that says one message after the other and hears each answer. */
const speaker = (socket: Socket) => {
  const heard: Array<Message> = []
  const waiting: Array<(message: Message) => void> = []
  listenTo(socket, cupsFrame, (message) => {
    const next = waiting.shift()
    if (next === undefined) heard.push(message)
    else next(message)
  })
  return {
    say: (message: Message): Promise<Message> => {
      socket.write(framed(message))
      const first = heard.shift()
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first)
    },
    end: () => socket.destroy()
  }
}

/** Both banks behind one door, and an issuer that approves everything. */
const start = async (door: Pick<DoorSettings, "by" | "tls">, banksAs: (bank: number) => Partial<LinkAll>) => {
  const issuer = await host((message, socket) => socket.write(framed(answerTo(message))))
  const bank = (n: number): LinkAll => linkOf(`bank-${n}`, { institution: codes[n]!, ...banksAs(n) })
  const rig = await startRig([bank(0), bank(1), dialling("issuer", issuer.port)], {
    doors: [{ name: "front", at: { host: "127.0.0.1", port: 0 }, from: [], limits, ...door }]
  })
  while (!rig.running.links[2]!.isReady) await new Promise((resolve) => setImmediate(resolve))
  return { rig, issuer, port: rig.running.status().doors[0]!.at.port }
}

const behind = (sign: { from?: Array<string>; names?: Array<string>; value?: string }): LinkAll["side"] => ({
  _tag: "door",
  door: "front",
  sign: {
    from: sign.from ?? [],
    certificate: sign.names === undefined ? undefined : { names: sign.names, fingerprints: [] },
    value: sign.value ?? ""
  },
  second: "refuse"
})

const plain = (port: number, bank: number): Socket =>
  connectPlain({ port, host: "127.0.0.1", localAddress: `127.0.0.${2 + bank}` })

const ways: ReadonlyArray<{
  readonly by: string
  readonly door: () => Pick<DoorSettings, "by" | "tls">
  readonly bank: (n: number) => Partial<LinkAll>
  readonly dial: (port: number, bank: number) => Socket
}> = [
  {
    by: "address",
    door: () => ({ by: { _tag: "address" } }),
    bank: (n) => ({ side: behind({ from: [`127.0.0.${2 + n}`] }) }),
    dial: plain
  },
  {
    by: "header",
    door: () => ({ by: { _tag: "header", field: 0, waitMs: 5000 } }),
    bank: (n) => ({ side: behind({ value: codes[n]! }), mark: { _tag: "header" } }),
    dial: plain
  },
  {
    by: "field",
    door: () => ({ by: { _tag: "field", field: 41, waitMs: 5000 } }),
    bank: (n) => ({
      side: behind({ value: `T000000${n}` }),
      mark: { _tag: "field", field: 41, value: `T000000${n}` }
    }),
    dial: plain
  },
  {
    by: "certificate",
    door: () => ({ by: { _tag: "certificate" }, tls: tls(server, { ca: [ours.file] }) }),
    bank: (n) => ({ side: behind({ names: [`bank-${"ab"[n]}.example`] }) }),
    dial: (port, bank) =>
      connectTls({
        port,
        host: "127.0.0.1",
        ca: readFileSync(ours.file),
        cert: readFileSync(banks[bank]!.certificate),
        key: readFileSync(banks[bank]!.key),
        servername: "switch.example"
      })
  }
]

describe.each(ways)("At a door by $by, a partner", ({ bank, by, dial, door }) => {
  it("is held to its own names on every message, and the other one never hears of it", async () => {
    const { issuer, port, rig } = await start(door(), bank)
    const [a, b] = [speaker(dial(port, 0)), speaker(dial(port, 1))]

    expect((await a.say(ofBank(0, 1))).fields[39]).toBe("00")
    expect((await b.say(ofBank(1, 1))).fields[39]).toBe("00")

    const asked = issuer.heard.length

    const original = `02000000011122223829${`000${codes[1]}`.repeat(2)}`
    const lies = [
      ofBank(1, 2),
      ofBank(1, 3, { 90: original }, "0420"),
      { ...ofBank(1, 4, { 90: original, 41: "T0000000" }, "0420"), header: header(codes[0]) },
      ofBank(1, 5, {}, "0220")
    ]
    for (const lie of lies) expect((await a.say(lie)).fields[39]).toBe("63")

    expect((await a.say(echo(codes[1], 6))).fields[39]).toBe("63")
    expect((await a.say(echo(codes[0], 7))).fields[39]).toBe("00")

    if (by === "field") expect((await a.say(ofBank(0, 8, { 41: "T0000001" }))).fields[39]).toBe("63")
    if (by === "header") expect((await a.say({ ...ofBank(0, 8), header: header("") })).fields[39]).toBe("63")

    expect(issuer.heard.length).toBe(asked)

    for (const stan of [2, 3, 4]) expect((await b.say(ofBank(1, stan))).fields[39]).toBe("00")
    expect((await a.say(ofBank(0, 9))).fields[39]).toBe("00")
    expect(rig.running.status().links.map((link) => link.lies?.count)).toEqual([
      by === "field" || by === "header" ? 6 : 5,
      undefined,
      undefined
    ])

    a.end()
    b.end()
  })
})

describe("Behind an HTTP door, a partner", () => {
  it("is held to its own names in each call, and a call that names nobody is taken", async () => {
    const codec = compile(cups)
    const issuer = await host((message, socket) => socket.write(framed(answerTo(message))))
    const terminals = (n: number) =>
      linkOf(`terminals-${n}`, {
        institution: codes[n]!,
        mode: "sync-short",
        frame: { kind: "until-close", lengthMax: 1892 },
        short: short(),
        side: {
          _tag: "door",
          door: "web",
          sign: { from: [], certificate: undefined, value: `/${n}` },
          second: "refuse"
        }
      })
    const web = { name: "web", at: { host: "127.0.0.1", port: 0 }, from: [], limits }
    const rig = await startRig([terminals(0), terminals(1), dialling("issuer", issuer.port)], {
      http: [{ ...web, bodyMax: 16_384, requestMs: 5000, idleMs: 5000 }]
    })
    while (!rig.running.links[2]!.isReady) await new Promise((resolve) => setImmediate(resolve))
    const { port } = rig.running.status().doors[0]!.at
    const call = (path: string, message: Message): Promise<Message> =>
      new Promise((resolve, reject) => {
        const bytes = codec.encode(message)
        const headers = { "content-type": "application/octet-stream" }
        const asked = request({ host: "127.0.0.1", port, path, method: "POST", headers }, (response) => {
          const chunks: Array<Buffer> = []
          response.on("data", (chunk) => chunks.push(chunk))
          response.on("end", () => {
            const answer = Buffer.concat(chunks)
            const read = codec.decode(answer, 0, answer.length)
            if (isMessageError(read)) reject(new Error(read._tag))
            else resolve(read)
          })
        })
        asked.once("error", reject)
        asked.end(bytes)
      })
    const codeOf = async (path: string, message: Message) => (await call(path, message)).fields[39]

    expect(await codeOf("/0", ofBank(0, 1))).toBe("00")
    expect(await codeOf("/0", ofBank(1, 2))).toBe("63")
    expect(await codeOf("/0", { ...ofBank(1, 2), header: header(codes[0]) })).toBe("63")
    expect(await codeOf("/0", { ...ofBank(0, 3), header: header("") })).toBe("00")
    expect(await codeOf("/1", ofBank(1, 2))).toBe("00")
    expect(issuer.heard.length).toBe(3)
    expect(rig.running.status().links[0]!.lies).toMatchObject({ count: 2 })
  })
})
