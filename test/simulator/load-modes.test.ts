/** Load in each of the five modes and both roles, on the switch that ships: real sockets, its journal in memory. */
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { Authority, type Issued } from "../../examples/08-many-institutions/Authority.ts"
import { runLoad } from "../../packages/simulator/src/load/RunLoad.ts"
import {
  answerTo,
  cleanUp,
  dialling,
  framed,
  host,
  type LinkAll,
  linkOf,
  type Rig,
  short,
  startRig,
  until
} from "../switch/modes/Rig.ts"
import { testFolder } from "../TestFolder.ts"
import { allApproved, loadOf, nothingOdd, ofLinks, port, watching } from "./LoadSystems.ts"
import { plansOf } from "./scripted/Bench.ts"
import { cleanUp as endPartners, start } from "./scripted/Sockets.ts"

const folder = mkdtempSync(join(testFolder(), "jinka-load-modes-"))
afterEach(async () => {
  await cleanUp()
  await endPartners()
})
afterAll(() => rmSync(folder, { recursive: true }))

const local = (port: number) => ({ host: "127.0.0.1", port })

/** A switch whose acquirer is on this link, and whose issuer approves everything. */
const switchWith = async (acquirer: LinkAll | ReadonlyArray<LinkAll>): Promise<Rig> => {
  const issuer = await host((message, socket) => socket.write(framed(answerTo(message))))
  const rig = await startRig([...[acquirer].flat(), dialling("issuer", issuer.port)])
  await until(() => rig.running.links.at(-1)!.isReady)
  return rig
}

describe("A load on the shipped switch", () => {
  it.each(["async-duplex", "sync-long"] as const)("dials in %s", async (mode) => {
    const rig = await switchWith(linkOf("acquirer", { mode }))
    const settings = await loadOf(`acquirer: { mode: ${mode}, connect: "127.0.0.1:${rig.port("acquirer")}" }`)
    const result = await Effect.runPromise(runLoad(settings, watching()))

    expect(allApproved(result)).toEqual({ sent: 30, isAll: true, odd: nothingOdd })
    expect(ofLinks(result)).toEqual([])
  })

  it.each(["async-duplex", "sync-long"] as const)("waits for the switch to connect in %s", async (mode) => {
    const ours = await port()
    await switchWith(dialling("acquirer", ours, { mode }))
    const told: Array<string> = []
    const settings = await loadOf(`acquirer: { mode: ${mode}, listen: "127.0.0.1:${ours}" }`)
    const result = await Effect.runPromise(runLoad(settings, watching(told)))

    expect(allApproved(result)).toEqual({ sent: 30, isAll: true, odd: nothingOdd })
    expect(told).toContain(`acquirer: listens on 127.0.0.1:${ours}`)
  })

  it("makes a connection for each request in sync-short", async () => {
    const rig = await switchWith(linkOf("acquirer", { mode: "sync-short", short: short() }))
    const at = rig.port("acquirer")
    const settings = await loadOf(`acquirer: { mode: sync-short, connect: "127.0.0.1:${at}", connections: 20 }`)

    expect(allApproved(await Effect.runPromise(runLoad(settings, watching())))).toMatchObject({
      sent: 30,
      isAll: true,
      odd: nothingOdd
    })
  })

  it("makes a connection for each message in async-short, and takes answers on those of the switch", async () => {
    const ours = await port()
    const dial: NonNullable<LinkAll["short"]>["dial"] = { _tag: "connect", to: local(ours), timeoutMs: 30_000 }
    const rig = await switchWith(linkOf("acquirer", { mode: "async-short", short: short({ dial }) }))
    const at = `connect: "127.0.0.1:${rig.port("acquirer")}", listen: "127.0.0.1:${ours}"`
    const settings = await loadOf(`acquirer: { mode: async-short, ${at} }`)
    const result = await Effect.runPromise(runLoad(settings, watching()))

    expect(allApproved(result)).toEqual({ sent: 30, isAll: true, odd: nothingOdd })
    expect(ofLinks(result)).toEqual([])
  })

  it.each([
    ["dial", "listen"],
    ["listen", "dial"],
    ["dial", "dial"],
    ["listen", "listen"]
  ] as const)("has two legs in async-simplex: %ss to send, %ss to receive", async (sending, receiving) => {
    const [sendPort, receivePort] = [await port(), await port()]
    // What we dial the switch listens on, and what we send on it receives on.
    const sideOf = (way: "dial" | "listen", at: number) =>
      way === "listen"
        ? ({ _tag: "connect", to: local(at), timeoutMs: 30_000 } as const)
        : ({ _tag: "listen", at: local(at), from: [], second: "replace" } as const)
    const side: LinkAll["side"] = {
      _tag: "legs",
      send: sideOf(receiving, receivePort),
      receive: sideOf(sending, sendPort),
      timeoutMs: 30_000,
      collectMs: 0
    }
    await switchWith(linkOf("acquirer", { mode: "async-simplex", side }))
    const wayOf = (way: "dial" | "listen", at: number) =>
      `{ ${way === "dial" ? "connect" : "listen"}: "127.0.0.1:${at}" }`
    const settings = await loadOf(
      `acquirer: { mode: async-simplex, send: ${wayOf(sending, sendPort)}, receive: ${wayOf(receiving, receivePort)} }`
    )

    expect(allApproved(await Effect.runPromise(runLoad(settings, watching())))).toEqual({
      sent: 30,
      isAll: true,
      odd: nothingOdd
    })
  })
})

describe("TLS and MACs", () => {
  let ours: Issued
  let theirs: Issued
  let ca: string
  beforeAll(async () => {
    const authority = await Authority.make(folder, "ca")
    ours = await authority.issue("load.example")
    theirs = await authority.issue("system.example")
    ca = authority.file
  })

  const zak = "6B948A0134A110705BD325CD6E73BC15"
  /** A host that connects itself where it can, checks MACs and approves. */
  const system = (link: string, tls: string) =>
    start(
      plansOf(`partner: host
link: { ${link}, redial: 20ms, tls: ${tls} }
keys: { zak: { mac: ansi-x9.19, hex: ${zak} } }
mac: zak
`)
    )

  it.each([
    ["async-duplex", (at: number) => `listen: "127.0.0.1:${at}"`, (at: number) => `connect: "127.0.0.1:${at}"`],
    ["sync-long", (at: number) => `listen: "127.0.0.1:${at}"`, (at: number) => `connect: "127.0.0.1:${at}"`],
    [
      "async-short",
      (at: number, to: number) => `listen: "127.0.0.1:${at}", connect: "127.0.0.1:${to}"`,
      (at: number, to: number) => `listen: "127.0.0.1:${to}", connect: "127.0.0.1:${at}"`
    ],
    [
      "async-simplex",
      (at: number, to: number) => `receive: { listen: "127.0.0.1:${at}" }, send: { connect: "127.0.0.1:${to}" }`,
      (at: number, to: number) => `send: { connect: "127.0.0.1:${at}" }, receive: { listen: "127.0.0.1:${to}" }`
    ]
  ])("are the same in %s for a side that listens", async (mode, load, far) => {
    const [at, to] = [await port(), await port()]
    const tlsOf = ({ certificate, key }: Issued, name: string) =>
      `{ certificate: ${certificate}, key: ${key}, ca: [${ca}], name: ${name} }`
    await system(`mode: ${mode}, ${far(at, to)}`, tlsOf(theirs, "load.example"))
    const tls = tlsOf(ours, "system.example")
    const mac = `mac: { algorithm: ansi-x9.19, key: ${zak} }`
    const links = `acquirer: { mode: ${mode}, ${load(at, to)}, tls: ${tls}, ${mac} }`
    const settings = await loadOf(links, "fixed 40/s for 500ms", "timeout: 20s", '128: "00000000"')
    const result = await Effect.runPromise(runLoad(settings, watching()))

    expect(allApproved(result)).toEqual({ sent: 20, isAll: true, odd: nothingOdd })
  })
})

describe("A message that ends with its connection", () => {
  it("goes both ways in sync-short", async () => {
    const frame = { kind: "until-close", lengthMax: 4096 } as const
    const far = await host((message, socket) => socket.end(framed(answerTo(message), frame)), { frame })
    const links = `acquirer: { mode: sync-short, connect: "127.0.0.1:${far.port}", connections: 8, frame: { kind: until-close } }`
    const result = await Effect.runPromise(runLoad(await loadOf(links, "fixed 50/s for 500ms"), watching()))

    expect(allApproved(result)).toEqual({ sent: 25, isAll: true, odd: nothingOdd })
  })
})

describe("A load file", () => {
  const wrongOf = async (link: string): Promise<string> => {
    try {
      await loadOf(`acquirer: { ${link} }`)
      return ""
    } catch (error) {
      return String(error)
    }
  }

  it.each([
    ["connect: a:1, listen: b:2", "give `connect` or `listen`, the one that this side does"],
    ["mode: sync-long", "give `connect` or `listen`"],
    ["mode: sync-short, listen: b:2", "in sync-short who connects is who asks"],
    ["mode: async-short, connect: a:1", '"listen:" is missing'],
    ["mode: async-simplex, connect: a:1", '"send:" is missing'],
    [
      "mode: async-simplex, connections: 2, send: { connect: a:1 }, receive: { listen: b:2 }",
      "one pair of connections"
    ],
    ["connect: a:1, frame: { kind: until-close }", "a message ends with its connection"],
    ["listen: b:2, sign on: signOn, expect sign on: yes", "one side signs on"],
    ["connect: a:1, mode: sync-short, expect sign on: yes", "nobody signs on"],
    ["connect: a:0", "port 0 cannot be dialled"],
    ["listen: b:2, tls: { ca: [none.pem] }", "none.pem cannot be read"]
  ])("says what %s lacks", async (link, what) => {
    expect(await wrongOf(link)).toContain(what)
  })
})
