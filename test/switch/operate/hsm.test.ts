/** `security.hsm`: what the configuration may say, and a switch whose keys are in devices, over TCP. */
import { readFileSync, writeFileSync } from "node:fs"
import { Effect, Exit, Scope } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { chanceOf } from "../../../packages/simulator/src/chance/Chance.ts"
import { type HsmDevice, startHsmDevice } from "../../../packages/simulator/src/hsm/HsmDevice.ts"
import { hsmSettings } from "../../../packages/switch/src/operate/configuration/security/HsmPlan.ts"
import { pinBlock, pinIn } from "../core/Guarded.ts"
import { delivery, isSealed } from "../core/KeyBench.ts"
import { keyVectors } from "../guard/vectors.ts"
import { configurationOf, saidOf, sound } from "./checked.ts"
import { answerTo, Line, purchase, until } from "./Line.ts"
import { cleanUp, configuration, folder, jinka, runSwitch } from "./program.ts"

const scopes: Array<Scope.Closeable> = []
afterEach(async () => {
  for (const scope of scopes.splice(0)) await Effect.runPromise(Scope.close(scope, Exit.void))
  cleanUp()
})

const withHsm = (hsm: string, more: ReadonlyArray<string> = []): string =>
  sound
    .replace("links:\n", `security:\n  hsm: ${hsm}\nlinks:\n`)
    .replace("    dialect: cups\n", `    dialect: cups\n${more.map((line) => `    ${line}\n`).join("")}`)

const hsmOf = async (hsm: string) => {
  const { document } = await configurationOf(withHsm(hsm))
  return hsmSettings(document.security!.hsm!, (path) => `/srv/jinka/${path}`)
}

const errorsOf = async (hsm: string, more?: ReadonlyArray<string>): Promise<ReadonlyArray<string>> =>
  (await saidOf(withHsm(hsm, more))).filter((line) => line.includes(" error "))

describe("The devices that hold the keys", () => {
  it("have usual values for all but their addresses", async () => {
    expect(
      await hsmOf("{ devices: [{ name: a, host: 10.0.0.1 }, { name: b, host: hsm-b, port: 1501 }] }")
    ).toMatchObject({
      family: { name: "payshield" },
      devices: [
        { name: "a", to: { host: "10.0.0.1", port: 1500 } },
        { name: "b", to: { host: "hsm-b", port: 1501 } }
      ],
      connections: 4,
      headerLength: 4,
      connectTimeoutMs: 5000,
      reconnect: { minMs: 100, maxMs: 10_000 },
      heartbeatMs: 10_000,
      heartbeatTimeoutMs: 5000,
      tls: undefined
    })
    expect(await hsmOf("{ family: sjl05, devices: [{ name: a, host: a }] }")).toMatchObject({
      headerLength: 0,
      devices: [{ to: { port: 6666 } }]
    })
  })

  it("are reached by TLS where the file says so, with paths from the file", async () => {
    const hsm = "{ devices: [{ name: a, host: a, port: 2500 }], tls: { ca: [hsm-ca.pem] }, header: 8, lmkId: '01' }"
    expect(await hsmOf(hsm)).toMatchObject({ tls: { ca: ["/srv/jinka/hsm-ca.pem"] }, headerLength: 8, lmkId: "01" })
  })

  it("are refused where their parts do not go together, with what to write", async () => {
    const one = "devices: [{ name: a, host: a }]"

    expect(await errorsOf("{ devices: [] }")).toHaveLength(1)
    expect(await errorsOf("{ devices: [{ name: a, host: a }, { name: a, host: a }] }")).toEqual([
      expect.stringContaining("another device has the same name"),
      expect.stringContaining("another device has the same address")
    ])
    expect(await errorsOf(`{ ${one}, tls: {} }`)).toEqual([expect.stringContaining("anybody could take")])
    expect(await errorsOf(`{ ${one}, family: sjl05, header: 4 }`)).toEqual([
      expect.stringContaining("the family sjl05 has no `header`")
    ])
    expect(await errorsOf(`{ ${one}, reconnect: { min: 1 minutes, max: 1 seconds } }`)).toEqual([
      expect.stringContaining("`max` is not shorter than `min`")
    ])

    const both = `{ ${one} }\n  software: { storageKey: { env: K } }`

    expect(await errorsOf(both)).toEqual([expect.stringContaining("hsm")])
  })

  it("are held against what the links need of them, before the first message", async () => {
    const hsm = "{ devices: [{ name: a, host: a }] }"

    expect(await errorsOf(hsm, ["mac: { algorithm: ansi-x9.19 }"])).toEqual([])
    expect(await errorsOf(hsm, ["mac: { algorithm: sm4-cbc, bytes: 4 }"])).toEqual([
      expect.stringContaining(
        "devices of the family payshield have no MAC sm4-cbc; found sm4-cbc. They have: ansi-x9.9, ansi-x9.19."
      )
    ])
    expect(await errorsOf(hsm, ["mac: { algorithm: ansi-x9.19, padding: 3 }"])).toEqual([
      expect.stringContaining("have no padding 3 for ansi-x9.19")
    ])
    expect(await errorsOf(hsm, ["pin: { format: unionPayWithoutPan }"])).toEqual([
      expect.stringContaining("have no PIN blocks of unionPayWithoutPan")
    ])
    expect((await errorsOf(hsm, ["mac: { algorithm: ansi-x9.19, bytes: 6 }"])).join("\n")).toContain(
      "devices of the family payshield have no MACs of 6 bytes. Write `bytes: 4 or 8`."
    )
  })

  it("are held against the keys that the links exchange, too, each with what the family has", async () => {
    const of = (family: string) => `{ family: ${family}, devices: [{ name: a, host: a }] }`
    const mac = "mac: { algorithm: ansi-x9.19 }"

    expect(await errorsOf(of("racal"), [mac, "keys: {}"])).toEqual([])
    expect(await errorsOf(of("racal"), [mac, "keys: { algorithm: sm4 }"])).toEqual([
      expect.stringContaining("devices of the family racal take and give no sm4 keys. They have: des, tdes.")
    ])
    expect(await errorsOf(of("payshield"), [mac, "keys: { algorithm: aes }"])).toEqual([
      expect.stringContaining("devices of the family payshield take and give no aes keys. They have: des, tdes.")
    ])
    expect(await errorsOf(of("sjl05"), [mac, "keys: { giver: us }"])).toEqual([
      expect.stringContaining("devices of the family sjl05 draw no keys that leave them")
    ])
    const blocks = withHsm(of("payshield"), [mac, "keys: {}"]).replaceAll("cups", "iso8583v1987AsciiRaw")
    expect((await saidOf(blocks)).join("\n")).toContain(
      "devices of the family payshield take and give keys as `ecb`, and the exchange keyBlock has them as `tr31`"
    )
  })

  it("give keys that the link's MACs and PIN blocks can use, or it is warned of", async () => {
    const of = "{ family: sjl05, devices: [{ name: a, host: a }] }"
    const warned = async (...more: ReadonlyArray<string>) =>
      (await saidOf(withHsm(of, more))).filter((line) => line.includes("they are refused"))

    expect(await warned("mac: { algorithm: ansi-x9.19 }", "keys: {}")).toEqual([])
    expect(await warned("mac: { algorithm: ansi-x9.9 }", "keys: {}")).toEqual([
      expect.stringContaining("keys for MACs come as tdes, and ansi-x9.9 takes des: they are refused")
    ])
    expect(await warned("mac: { algorithm: ansi-x9.9 }", "keys: { algorithm: des }")).toEqual([])
    expect(await warned("pin: { format: iso4 }", "keys: { algorithm: tdes }")).toEqual([
      expect.stringContaining("keys for PIN blocks come as tdes, and iso4 is not made under such")
    ])
    expect(
      await warned("mac: { algorithm: sm4-cbc, bytes: 4 }", "pin: { format: iso0 }", "keys: { kinds: [pin] }")
    ).toEqual([])
  })

  it("translate PIN blocks of terminals to zones where they can, and to no terminal", async () => {
    const of = (family: string) => `{ family: ${family}, devices: [{ name: a, host: a }] }`
    const terminal = "pin: { format: iso0, keys: terminal }"

    expect(await errorsOf(of("payshield"), [terminal])).toEqual([])
    expect(await errorsOf(of("sjl05"), [terminal])).toEqual([
      expect.stringContaining("devices of the family sjl05 do not translate PIN blocks of terminals")
    ])
    expect(await errorsOf(of("payshield"), [terminal, "keys: {}"])).toEqual([
      expect.stringContaining("take no keys of terminals by exchange")
    ])
    const crossed = (issuer: string, acquirer: string) =>
      saidOf(withHsm(of("payshield"), [acquirer]).replace(/(name: issuer\n)/, `$1    pin: ${issuer}\n`)).then((lines) =>
        lines.filter((line) => line.includes("from") && line.includes("is refused"))
      )
    expect(await crossed("{ format: iso0, keys: terminal }", "pin: { format: iso0 }")).toEqual([
      expect.stringContaining("no device translates PIN blocks to a terminal's key: a request with a PIN from acquirer")
    ])
    expect(await crossed("{ format: iso1 }", "pin: { format: iso0 }")).toEqual([
      expect.stringContaining("PIN blocks of acquirer (iso0) do not become iso1")
    ])
    expect(await crossed("{ format: iso1, mayDropPan: true }", "pin: { format: iso0 }")).toEqual([])
    expect(await crossed("{ format: iso0 }", "pin: { format: iso1 }")).toEqual([])
  })
})

const device = async (listen = { host: "127.0.0.1", port: 0 }): Promise<HsmDevice> => {
  const scope = Scope.makeUnsafe()
  scopes.push(scope)
  return Effect.runPromise(
    startHsmDevice({
      listen,
      family: "payshield",
      headerLength: 4,
      delayMs: 2,
      isInOrder: false,
      errorPercent: 0,
      errorCode: "41",
      connectionsMax: 0,
      chance: chanceOf(1, "hsm")
    }).pipe(Scope.provide(scope))
  )
}

const withDevices = (devices: ReadonlyArray<HsmDevice>): string =>
  configuration(folder(), (text) =>
    text
      .replace(
        "requestTimeout:",
        `security:\n  hsm:\n    devices:\n${devices
          .map(({ endpoint: { host, port } }, n) => `      - { name: hsm-${n + 1}, host: ${host}, port: ${port} }\n`)
          .join("")}    reconnect: { min: 20 millis, max: 100 millis }\nrequestTimeout:`
      )
      .replace(
        "listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }",
        "listen: { host: 127.0.0.1, port: 0, from: [127.0.0.1] }\n    mac: { algorithm: ansi-x9.19 }\n    keys: {}"
      )
  )

describe("A switch whose keys are in devices", () => {
  it("takes a key in a device's own text, then keys of the partner, and makes and verifies MACs with them", async () => {
    const devices = [await device(), await device()]
    const file = withDevices(devices)
    const said = await jinka(["check", file])
    expect(said.out).toMatch(/^keys {5}in devices, payshield: hsm-1 at 127\.0\.0\.1:\d+, hsm-2 at 127\.0\.0\.1:\d+$/m)
    const running = await runSwitch(file)
    await until(async () => (await running.status()).module?.state === "up", "the devices are up")
    const kek = ["key", "import", file, "acquirer", "--purpose", "kek", "--device-text", "--by", "Li"]
    const taken = await jinka(kek, { input: keyVectors.hsmFrames.keysUnderTestLmk["zmk"]! })

    expect(taken).toMatchObject({ code: 0, err: "" })
    expect(taken.out).toContain("check value 37B92E")

    const centre = await Line.connect(running.port("acquirer"))
    centre.send(delivery("mac", "zak-a", "000001"))
    let answer = await centre.next()
    while (answer.mti !== "0810") answer = await centre.next()
    expect([answer.fields[39], isSealed(answer, "zak-a")]).toEqual(["00", true])
    const list = await jinka(["key", "list", file])
    expect(list.out).toMatch(/^acquirer {2}mac\/both {2}1 {2}tdes {2}check value C4039C {2}since /m)

    const status = await jinka(["status", file])
    expect(status.out).toContain("keys       hsm up")
    expect(status.out).toMatch(/hsm-1 at 127\.0\.0\.1:\d+ up; 4 of 4 connections, outstanding 0/)

    const away = async () => {
      await until(async () => (await running.status()).module?.state === "away", "no device is there")
      await until(() => running.err().includes("ALARM keys"), "somebody is told")
    }
    await Effect.runPromise(
      Effect.all(
        devices.map((one) => one.restart(3_600_000)),
        { concurrency: 2 }
      ).pipe(Effect.raceFirst(Effect.promise(away)))
    )
    await running.stop()
    const { err } = await running.ended
    expect(err).toContain("security module: away")
    expect(err).toMatch(/ALARM keys: links with keys take no new requests: hsm-1 away/)
  })

  it("translates a PIN block from one partner's zone into the other's, and refuses one that a device cannot open", async () => {
    const devices = [await device(), await device()]
    const file = withDevices(devices)
    const text = readFileSync(file, "utf8")
      .replaceAll("    mac: { algorithm: ansi-x9.19 }\n    keys: {}", "    pin: { format: iso0 }")
      .replace("    storeAndForward:", "    pin: { format: iso0 }\n    storeAndForward:")
      .replace('bin: "621234"', 'bin: "62"')
    writeFileSync(file, text)
    const running = await runSwitch(file)
    await until(async () => (await running.status()).module?.state === "up", "the devices are up")
    for (const [link, key] of [
      ["acquirer", "zpkA"],
      ["issuer", "zpkB"]
    ] as const) {
      const own = ["key", "import", file, link, "--purpose", "pin", "--device-text", "--by", "Li"]
      const taken = await jinka(own, { input: keyVectors.hsmFrames.keysUnderTestLmk[key]! })
      expect(taken).toMatchObject({ code: 0, err: "" })
    }
    const centre = await Line.connect(running.port("acquirer"))
    const issuer = await Line.connect(running.port("issuer"))
    const sent = purchase(1)
    const pan = String(sent.fields[2])
    const withPin = (key: string) => ({
      ...sent,
      fields: { ...sent.fields, 52: pinBlock("493817", key, "iso0", pan), 53: "2600000000000000" }
    })
    centre.send(withPin("zpk-a"))

    let request = await issuer.next()
    while (request.mti !== "0200") request = await issuer.next()
    expect(pinIn(request.fields[52], "zpk-b", "iso0", pan)).toBe("493817")

    issuer.send(answerTo(request))
    let answer = await centre.next()
    while (answer.mti !== "0210") answer = await centre.next()
    expect(answer.fields[39]).toBe("00")

    const wrong = withPin("zpk-b")
    centre.send({ ...wrong, fields: { ...wrong.fields, 11: "000002", 37: "RRN000000002" } })
    const refused = await centre.next()
    expect([refused.mti, refused.fields[39]]).toEqual(["0210", "99"])
    await running.stop()
    expect((await running.ended).err).not.toContain("493817")
  })
})
