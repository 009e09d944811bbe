/** Load, replay, proxy, second host and recording on a link with TLS and MACs: the same words as in a partner's file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Exit, Scope } from "effect"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { Authority, type Issued } from "../../examples/08-many-institutions/Authority.ts"
import { failureText, runDialogue } from "../../packages/simulator/src/dialogue/index.ts"
import { Recorded } from "../../packages/simulator/src/dialogue/Recorded.ts"
import { readLineFile, readLinkFile } from "../../packages/simulator/src/file/LinkKeys.ts"
import { passThrough } from "../../packages/simulator/src/link/PassThrough.ts"
import { readLoadFile } from "../../packages/simulator/src/load/LoadFile.ts"
import { runLoad } from "../../packages/simulator/src/load/RunLoad.ts"
import { readProxyFile } from "../../packages/simulator/src/proxy/ProxyFile.ts"
import { startProxy } from "../../packages/simulator/src/proxy/RunningProxy.ts"
import { noTolerance } from "../../packages/simulator/src/traffic/Compare.ts"
import { type Replayed, replay } from "../../packages/simulator/src/traffic/Replay.ts"
import { pairsOf, parseTraffic } from "../../packages/simulator/src/traffic/Traffic.ts"
import { patientRun, readDialogue } from "../regression/Written.ts"
import { testFolder } from "../TestFolder.ts"
import { plansOf } from "./scripted/Bench.ts"
import { cleanUp, type Started, start, until } from "./scripted/Sockets.ts"

const folder = mkdtempSync(join(testFolder(), "jinka-secured-"))
const scopes: Array<Scope.Closeable> = []
let ours: Authority
let other: Authority
let host: Issued
let client: Issued
let middle: Issued

beforeAll(async () => {
  ours = await Authority.make(folder, "ca")
  other = await Authority.make(folder, "other")
  host = await ours.issue("host.example")
  client = await ours.issue("client.example")
  middle = await ours.issue("middle.example")
})
afterEach(async () => {
  for (const scope of scopes.splice(0)) await Effect.runPromise(Scope.close(scope, Exit.void))
  await cleanUp()
})
afterAll(() => rmSync(folder, { recursive: true }))

const zak = "6B948A0134A110705BD325CD6E73BC15"
const tlsOf = ({ certificate, key }: Issued, more = "", ca = ours.file) =>
  `{ certificate: ${certificate}, key: ${key}, ca: ${ca}${more} }`
const macOf = (key = zak) => `mac: { algorithm: ansi-x9.19, key: ${key} }`
const local = { host: "127.0.0.1", port: 0 }

/** A CUPS issuer that asks for a certificate, and refuses what has no right MAC. */
const issuer = (rules = ""): Promise<Started> =>
  start(
    plansOf(`partner: host
link: { listen: "127.0.0.1:0", tls: ${tlsOf(host)} }
keys: { zak: { mac: ansi-x9.19, hex: ${zak} } }
mac: zak
${rules}
`)
  )

/** An acquirer that sends purchases and voids to `port`, each with its MAC, and has its answers. */
const acquirer = async (port: number, name: string, count = 6): Promise<Started> => {
  const one = await start(
    plansOf(`partner: acquirer
link: { connect: "127.0.0.1:${port}", tls: ${tlsOf(client, `, name: ${name}`)} }
keys: { zak: { mac: ansi-x9.19, hex: ${zak} } }
mac: zak
sends: { rate: 100/s, count: ${count}, mix: { purchase: 50, void: 50 }, cards: ["6200000000000005"] }
`)
  )
  const ended = ["approved", "declined", "failed"]
  await until("answers to all of them", () => one.lines.filter(({ what }) => ended.includes(what)).length >= count)
  return one
}

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const held = async <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Promise<A> => {
  const scope = await Effect.runPromise(Scope.make())
  scopes.push(scope)
  return Effect.runPromise(effect.pipe(Scope.provide(scope)))
}

const loadOf = (port: number, tls: string, mac: string) =>
  file(
    "load.yaml",
    `links: { one: { connect: "127.0.0.1:${port}", tls: ${tls}, ${mac} } }
messages:
  purchase: { mti: "0200", header: { destination: "01020000", source: "00010000" }, 2: "6200000000000005", 3: "000000", 4: "000000001200",
    7: "{time}", 11: "{stan}", 12: "{time hhmmss}", 13: "{time MMDD}", 18: "5411", 22: "012", 25: "00", 32: "01020000", 33: "01020000",
    37: "{rrn}", 41: "T0000001", 42: "M00000000000001", 49: "156", 128: "00000000" }
mix: [1 purchase]
profile: [fixed 40/s for 500ms]
timeout: 5s
`
  )

const loaded = async (port: number, tls: string, mac = macOf()) => {
  const told: Array<string> = []
  const settings = await Effect.runPromise(readLoadFile(loadOf(port, tls, mac)))
  const stop = Effect.sleep(3000)
  const watch = { tell: (text: string) => void told.push(text), onSecond: () => undefined, stop }
  const result = await Effect.runPromise(runLoad(settings, watch))
  return { told, codes: result.measure.series.flatMap((one) => [...one.codes.keys()]) }
}

describe("a load on a link with TLS and MACs", () => {
  it("has its requests approved, with the cover that the dialect says", async () => {
    const { port } = await issuer()

    expect((await loaded(port(), tlsOf(client, ", name: host.example"))).codes).toEqual(["00"])
  })

  it("is refused with a MAC over something else", async () => {
    const { port } = await issuer()
    const over = macOf().replace(" }", ", over: message }")

    expect((await loaded(port(), tlsOf(client, ", name: host.example"), over)).codes).toEqual(["A0"])
  })

  it("says why a certificate is not taken", async () => {
    const { port } = await issuer()

    expect((await loaded(port(), tlsOf(client, ", name: other.example"))).told.join()).toMatch(/ERR_TLS_CERT_ALTNAME/)
    expect((await loaded(port(), tlsOf(client, "", other.file))).told.join()).toMatch(/UNABLE_TO|SELF_SIGNED/)
  })
})

describe("a proxy on a link with TLS", () => {
  const proxied = async (more: string, target: number) => {
    const text = `listen: 127.0.0.1:0\ntarget: 127.0.0.1:${target}\ndialect: cups\nhistory: ${join(folder, "faults.jsonl")}
listen tls: ${tlsOf(middle)}\ntarget tls: ${tlsOf(client, ", name: host.example")}\n${macOf()}\n${more}\n`
    return held(Effect.flatMap(readProxyFile(file("proxy.yaml", text)), startProxy))
  }

  it("reads the messages that pass, changes them with a right MAC, records them, and asks a second host over TLS", async () => {
    const first = await issuer()
    const second = await issuer("rules: [{ when: { type: purchase }, answer: 51 }]")
    const traffic = join(folder, "traffic.jsonl")
    const shadow = join(folder, "shadow.jsonl")
    const { proxy } = await proxied(
      `record: { to: ${traffic}, card key: ${zak} }
shadow: { connect: "127.0.0.1:${second.port()}", tls: ${tlsOf(client, ", name: host.example")}, report: ${shadow} }
rules: [change 22 to 051 in 0200]`,
      first.port()
    )
    await new Promise((resolve) => setTimeout(resolve, 300))
    const one = await acquirer(proxy.endpoint.port, "middle.example")
    const lines = (path: string) => readFileSync(path, "utf8").trim().split("\n")
    await until("the report", () => lines(shadow).length >= 6)

    expect(new Set(one.lines.flatMap(({ what }) => (what === "declined" || what === "failed" ? [what] : [])))).toEqual(
      new Set()
    )
    expect(lines(shadow).filter((line) => line.includes('"notMirrored"'))).toEqual([])
    expect(lines(shadow).filter((line) => line.includes('"differs"')).length).toBeGreaterThan(0)

    await until("the traffic", () => lines(traffic).length >= 12)
    const link = file("link.yaml", `${macOf()}\ntls: ${tlsOf(client, ", name: host.example")}\n`)
    const side = await Effect.runPromise(readLinkFile(link, true))
    const pairs = pairsOf(side.form.codec, parseTraffic(readFileSync(traffic, "utf8")), "toTarget")
    const fresh = await issuer()
    const ended: Array<Replayed> = []
    const { form, mac, tls } = side
    const way = { role: "dial", endpoint: { host: "127.0.0.1", port: fresh.port() }, ...(tls && { tls }) } as const
    const settings = { form, mac, way, isSignOnExpected: false, speed: 0, isRenewed: true }
    await Effect.runPromise(
      replay({ ...settings, timeoutMs: 5000, tolerance: { ...noTolerance, ignored: new Set(["38"]) } }, pairs, (one) =>
        ended.push(one)
      )
    )
    expect(ended.map(({ outcome }) => outcome)).toEqual(ended.map(() => "same"))
    expect(ended).toHaveLength(6)
  })

  it("says in its history which side's TLS came to nothing", async () => {
    const first = await issuer()
    const { proxy } = await proxied("", first.port())
    const stranger = await other.issue("stranger.example")
    const history = () => readFileSync(join(folder, "faults.jsonl"), "utf8")
    await start(
      plansOf(
        `partner: acquirer\nlink: { connect: "127.0.0.1:${proxy.endpoint.port}", tls: ${tlsOf(stranger, ", name: middle.example")} }\n`
      )
    )
    await until("a refused handshake", () => history().includes('"did":"refused"'))
    const wrong = `listen: 127.0.0.1:0\ntarget: 127.0.0.1:${first.port()}\nhistory: ${join(folder, "wrong.jsonl")}
target tls: ${tlsOf(client, ", name: other.example")}\n`
    const second = await held(Effect.flatMap(readProxyFile(file("wrong.yaml", wrong)), startProxy))
    await start(plansOf(`partner: acquirer\nlink: { connect: "127.0.0.1:${second.proxy.endpoint.port}" }\n`))
    const said = () => readFileSync(join(folder, "wrong.jsonl"), "utf8")
    await until("a refused target", () => said().includes('"says":"the target: '))

    expect(said()).toContain("does not match certificate's altnames")
  })
})

describe("a dialogue that is recorded on a line with TLS and MACs", () => {
  it("runs again with the line's files and key", async () => {
    const text = `listen tls: ${tlsOf(middle)}\ntarget tls: ${tlsOf(client, ", name: host.example")}\n`
    const recordedWith = async (mac: string) => {
      const first = await issuer()
      const path = file("line.yaml", text + mac)
      const line = await Effect.runPromise(readLineFile(path, join(folder, "dialogue.yaml")))
      const { dialect = "cups", tls } = line.written
      const form = { form: line.form, dialect, frame: undefined, rule: "r", seed: 1 }
      const recording = new Recorded({ ...form, mac: line.mac, tls })
      const way = { listen: line.listenTls, target: line.targetTls }
      const at = await held(
        passThrough(
          local,
          { host: "127.0.0.1", port: first.port() },
          line.form.frame,
          (one) => recording.take(one),
          way
        )
      )
      await acquirer(at.port, "middle.example")
      await until("all of it", () => recording.messages === 12)
      return recording.text()
    }
    const written = await recordedWith(macOf())

    expect(written).toContain('connects to: target, tls: { certificate: "./client.example.pem"')
    expect(written).toContain(`keys: { mac: { mac: ansi-x9.19, hex: "${zak}" } }`)
    const again = await Effect.runPromise(
      Effect.gen(function* () {
        const dialogue = yield* readDialogue(file("dialogue.yaml", written))
        const port = (yield* Effect.promise(() => issuer())).port()
        return yield* runDialogue(dialogue, { ...patientRun, endpoint: () => ({ host: "127.0.0.1", port }) })
      })
    )
    expect(failureText(again), written).toBe("")
    expect(await recordedWith("")).toContain("# MACs that are left out: 12 (none was given).")
    expect(await recordedWith(macOf(zak.replaceAll("6", "7")))).toMatch(
      /left out: \d+ \(not by the key that was given\)/
    )
  })
})
