import { readFileSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import { createServer as createTlsServer } from "node:tls"
import { Effect } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import { Authority } from "../../../../examples/08-many-institutions/Authority.ts"
import { macAlgorithms } from "../../../../packages/codec/src/security/index.ts"
import type { HsmDevice } from "../../../../packages/simulator/src/hsm/HsmDevice.ts"
import { keyText } from "../../../../packages/simulator/src/hsm/TestLmk.ts"
import { deviceFamilies } from "../../../../packages/switch/src/guard/hsm/Families.ts"
import { ModuleCall } from "../../../../packages/switch/src/guard/ModuleCall.ts"
import { hex } from "../../../codec/security/vectors.ts"
import { patience } from "../../../Pace.ts"
import { cleanUp, folder, tls } from "../../transport/Sockets.ts"
import { keyBytes } from "../vectors.ts"
import {
  allUp,
  closing,
  failure,
  mac,
  made,
  outcome,
  over,
  settingsFor,
  text,
  until,
  withDevices,
  zak,
  zmk,
  zpkA
} from "./Bed.ts"

afterAll(cleanUp)

/** A listener that does with each frame what it is told. */
const strange = async (answer: (socket: Socket, header: string, body: string) => void): Promise<number> => {
  const server = createServer((socket) => {
    let rest = Buffer.alloc(0)
    socket.on("error", () => undefined)
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const frame = rest.subarray(2, 2 + rest.readUInt16BE(0)).toString("latin1")
        rest = rest.subarray(2 + frame.length)
        answer(socket, frame.slice(0, 4), frame.slice(4))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  closing.push(server)
  return (server.address() as { port: number }).port
}

const framed = (text: string): Buffer => {
  const frame = Buffer.alloc(2 + text.length)
  frame.writeUInt16BE(text.length, 0)
  frame.write(text, 2, "latin1")
  return frame
}

describe("devices that fail", () => {
  it("are not called late for a pause of this process: what they answered meanwhile is read first", () =>
    withDevices(
      2,
      async (bed) => {
        await allUp(bed)
        const call = made()
        call.withinMs = 2000
        const done = bed.submit(call)
        // The devices are in this process as well: they answer when it goes on, and the deadline has passed then.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500)
        expect(outcome(await done)).toBe(hex(mac))
        expect(bed.module.status().state).toBe("up")
      },
      {},
      { delayMs: 2 }
    ))

  it("says that it is away before any device is there, and comes up when one is", async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as { port: number }
    await new Promise((resolve) => server.close(resolve))
    await over(settingsFor([port]), async ({ module, submit }) => {
      expect([module.isUp, module.status().state]).toStrictEqual([false, "away"])
      expect(outcome(await submit(made()))).toBe("ModuleAway")
      await until(() => (module.status().devices[0]?.why ?? "").includes("Refused"))
      expect((await failure(module.checkValue(zpkA, { method: "zeros", length: 3 })))._tag).toBe("ModuleAway")
    })
  })

  it("whose MAC is cut off, or no digits, have not found a wrong one: the partner is not blamed", async () => {
    let said = ""
    const port = await strange((socket, header, body) => {
      const isHeartbeat = body.startsWith("NC")
      socket.write(framed(isHeartbeat ? `${header}ND00${"0".repeat(16)}1500-0023` : `${header}MT00${said}`))
    })
    await over({ ...settingsFor([port]), family: deviceFamilies.racal }, async (bed) => {
      await allUp(bed)
      const call = new ModuleCall()
      for (const one of ["", "B35D", "B35DD2", "ZZZZZZZZ"]) {
        said = one
        call.verifyMac(macAlgorithms["ansi-x9.19"], zak, undefined, text, 0, text.length, mac)
        expect([one, outcome(await bed.submit(call))]).toEqual([one, "RequestWrong"])
      }
      said = "00000000"
      call.verifyMac(macAlgorithms["ansi-x9.19"], zak, undefined, text, 0, text.length, mac)
      expect(outcome(await bed.submit(call))).toBe("MacFailed")
    })
  })

  it("that give a key of another length than was asked for have given none", async () => {
    const single = "0123456789ABCDEF"
    const port = await strange((socket, header, body) => {
      const said = body.startsWith("NC")
        ? `ND00${"0".repeat(16)}1500-0023`
        : body.startsWith("A6")
          ? `A700${single}93E1AA`
          : `A100U${single}${single}${single}93E1AA`
      socket.write(framed(header + said))
    })
    await over(settingsFor([port]), async ({ module }) => {
      await allUp({ module })
      const of = { name: "new", purpose: "mac", algorithm: "tdes" } as const
      const key = { form: "ecb", kek: zmk, bytes: Buffer.alloc(16, 1) } as const

      expect(await failure(module.importKey({ ...of, key }))).toMatchObject({
        _tag: "RequestWrong",
        rule: "the device's answer holds no tdes key of 16 bytes"
      })
      expect((await failure(module.generateKey({ ...of, kek: zmk, form: "ecb" })))._tag).toBe("RequestWrong")
    })
  })

  it.each([
    ["01", "MacFailed"],
    ...["10", "11", "A4", "A5", "A6", "A7", "A8", "A9"].map((code) => [code, "KeyUnusable"] as const),
    ...["20", "22", "23", "24", "69"].map((code) => [code, "FormatRefused"] as const),
    ...["12", "13", "17", "29", "67", "68"].map((code) => [code, "ModuleAway"] as const),
    ...["15", "26", "27", "28", "80", "99"].map((code) => [code, "RequestWrong"] as const),
    ...["39", "41", "42", "90", "91", "92"].map((code) => [code, "ModuleAway"] as const)
  ] as const)("takes the device's error %s for %s", (code, tag) =>
    withDevices(1, async (bed) => {
      await allUp(bed)
      bed.devices[0]!.set({ errorPercent: 100, errorCode: code })
      const call = new ModuleCall()
      call.verifyMac(macAlgorithms["ansi-x9.19"], zak, undefined, text, 0, text.length, mac)
      const { error } = await bed.submit(call)
      expect(error?._tag).toBe(tag)
      if (tag !== "MacFailed") expect(error?.code).toBe(code)
      // What the device says of itself ends its calls; what it says of a call does not.
      const isOut = ["12", "13", "17", "29", "67", "68"].includes(code)
      expect(bed.module.status().devices[0]?.state).toBe(isOut ? "out" : "up")
    })
  )

  it("goes on with the other device when one is restarted in the middle, and loses no call", () =>
    withDevices(
      2,
      async (bed) => {
        await allUp(bed)
        const calls = Array.from({ length: 300 }, () => bed.submit(made()))
        const restarted = Effect.runPromise(bed.devices[0]!.restart(50))
        const more = Array.from({ length: 300 }, () => bed.submit(made()))

        expect(new Set((await Promise.all([...calls, ...more])).map(outcome))).toStrictEqual(new Set(["B35DD256"]))

        await restarted
        await allUp(bed)
        expect(outcome(await bed.submit(made()))).toBe("B35DD256")
      },
      {},
      { delayMs: 20 }
    ))

  it("asks another device when one fails, once more and not again", () =>
    withDevices(2, async (bed) => {
      await allUp(bed)
      bed.devices[0]!.set({ errorPercent: 100 })
      for (let n = 0; n < 20; n++) expect(outcome(await bed.submit(made()))).toBe("B35DD256")

      bed.devices[1]!.set({ errorPercent: 100 })
      const before = bed.devices[0]!.counts().commands + bed.devices[1]!.counts().commands
      const call = await bed.submit(made())

      expect(call.error).toMatchObject({ _tag: "ModuleAway", code: "41" })
      expect(bed.devices[0]!.counts().commands + bed.devices[1]!.counts().commands - before).toBe(2)
    }))

  it("takes a device out of the pool that says it cannot work", () =>
    withDevices(2, async (bed) => {
      await allUp(bed)
      bed.devices[0]!.set({ errorPercent: 100, errorCode: "13" })
      for (let n = 0; n < 20; n++) expect(outcome(await bed.submit(made()))).toBe("B35DD256")

      expect(bed.module.status()).toMatchObject({
        state: "degraded",
        devices: [{ state: "out", why: expect.stringContaining("13") }, { state: "up" }]
      })
      expect(bed.module.isUp).toBe(true)

      bed.devices[1]!.set({ errorPercent: 100, errorCode: "13" })
      expect(outcome(await bed.submit(made()))).toBe("ModuleAway")
      expect(bed.module.isUp).toBe(false)
    }))

  it("leaves a device that is silent for one that answers, and takes it back when it speaks", () =>
    withDevices(2, async (bed) => {
      await allUp(bed)
      bed.devices[0]!.set({ isMute: true })
      const calls = Array.from({ length: 40 }, () => {
        const call = made()
        call.withinMs = patience(2000)
        return bed.submit(call)
      })

      expect(new Set((await Promise.all(calls)).map(outcome))).toStrictEqual(new Set(["B35DD256"]))
      expect(bed.module.status().devices[0]).toMatchObject({ state: "suspect", why: expect.stringContaining("late") })

      bed.devices[0]!.set({ isMute: false })
      bed.devices[0]!.cut()
      await allUp(bed)
    }))

  it("ends every call of a device that is silent, within the call's time", () =>
    withDevices(1, async (bed) => {
      await allUp(bed)
      bed.devices[0]!.set({ isMute: true })
      const call = made()
      call.withinMs = 200

      expect(outcome(await bed.submit(call))).toBe("TooLate")
      expect(bed.module.isUp).toBe(false)
      expect(outcome(await bed.submit(made()))).toBe("ModuleAway")
    }))

  it("connects again to a device that answers no heartbeat", () =>
    withDevices(
      1,
      async (bed) => {
        await allUp(bed)
        bed.devices[0]!.set({ isMute: true })
        await until(() => bed.module.status().state === "away")
        bed.devices[0]!.set({ isMute: false })
        await allUp(bed)
      },
      { heartbeatMs: 50, heartbeatTimeoutMs: 100 }
    ))

  it("gives no call to a device with another LMK, and goes on without it", async () => {
    const other = await strange((socket, header, body) => {
      if (body === "NC") socket.write(framed(`${header}ND00${"1".repeat(16)}1500-0023`))
      else socket.write(framed(`${header}M700AAAAAAAA`))
    })
    await withDevices(1, async (bed) => {
      const [{ endpoint }] = bed.devices as [HsmDevice]
      await over(settingsFor([endpoint.port, other], { lmkCheckValue: "0".repeat(16) }), async (mixed) => {
        await until(() => mixed.module.status().devices[1]?.state === "out")
        await until(() => mixed.module.isUp)
        for (let n = 0; n < 20; n++) expect(outcome(await mixed.submit(made()))).toBe("B35DD256")
        expect(mixed.module.status()).toMatchObject({
          state: "degraded",
          devices: [{}, { why: expect.stringContaining("LMK") }]
        })
      })
    })
  })

  it("takes a silent device without a heartbeat out of the pool after three late answers", () =>
    withDevices(
      1,
      async (bed) => {
        await allUp(bed)
        bed.devices[0]!.set({ isMute: true })
        const key = { ...zak, text: keyText("001", "X", keyBytes("zak-a")).slice(1) }
        for (let n = 0; n < 3; n++) {
          await allUp(bed)
          const call = new ModuleCall()
          call.makeMac(macAlgorithms["ansi-x9.19"], key, text, 0, text.length, 4)
          call.withinMs = 100
          expect(outcome(await bed.submit(call))).toBe("TooLate")
        }
        await until(() => bed.module.status().devices[0]?.why === "3 answers in a row were late")
        expect(bed.module.isUp).toBe(false)
      },
      { family: deviceFamilies.sjl05, headerLength: 0 },
      { family: "sjl05" }
    ))

  it("never sends a command that draws a key twice", () =>
    withDevices(2, async (bed) => {
      await allUp(bed)
      for (const device of bed.devices) device.set({ errorPercent: 100 })
      const before = bed.devices.map((device) => device.counts().commands)
      const request = { name: "n", purpose: "pin", algorithm: "tdes", kek: zmk, form: "ecb" } as const

      expect(await failure(bed.module.generateKey(request))).toMatchObject({ code: "41" })

      const sent = bed.devices.map((device, at) => device.counts().commands - before[at]!)
      expect(sent[0]! + sent[1]!).toBe(1)
    }))
})

describe("devices behind TLS", () => {
  it("are trusted by their certificate, and not without it", async () => {
    const directory = folder()
    const [ours, others] = [await Authority.make(directory, "hsm-ca"), await Authority.make(directory, "other-ca")]
    const own = await ours.issue("localhost", { names: ["localhost"] })
    const server = createTlsServer({ cert: readFileSync(own.certificate), key: readFileSync(own.key) }, (socket) => {
      socket.on("error", () => undefined)
      socket.on("data", (frame: Buffer) => {
        const body = `${frame.toString("latin1", 2, 6)}ND00${"0".repeat(16)}1500-0023`
        socket.write(Buffer.concat([Buffer.from([0, body.length]), Buffer.from(body, "latin1")]))
      })
    })
    server.on("tlsClientError", () => undefined)
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    closing.push(server)
    const { port } = server.address() as { port: number }
    const settings = (ca: string) => ({
      ...settingsFor([], { connections: 1, tls: tls(undefined, { ca: [ca], servername: "localhost" }) }),
      devices: [{ name: "hsm-1", to: { host: "127.0.0.1", port } }]
    })

    await over(settings(ours.file), async (bed) => {
      await allUp(bed)
      expect(bed.module.status().devices[0]?.firmware).toBe("1500-0023")
    })
    await over(settings(others.file), async ({ module }) => {
      await until(() => (module.status().devices[0]?.why ?? "").includes("CertificateUntrusted"))
      expect(module.isUp).toBe(false)
    })
  })
})

describe("devices that say nonsense", () => {
  const alive = (body: string): string | undefined => (body === "NC" ? `ND00${"0".repeat(16)}1500-0023` : undefined)

  it("drops an answer with a header that nobody waits for, and waits for the right one", async () => {
    const port = await strange((socket, header, body) => {
      const other = header === "00FF" ? "00FE" : "00FF"
      if (alive(body) === undefined) socket.write(framed(`${other}M700AAAAAAAA`))
      if (alive(body) === undefined) socket.write(framed("zzzzM700BBBBBBBB"))
      if (alive(body) === undefined) socket.write(framed("M7"))
      socket.write(framed(`${header}${alive(body) ?? "M700B35DD256"}`))
    })
    await over(settingsFor([port]), async (bed) => {
      await allUp(bed)
      for (let n = 0; n < 10; n++) expect(outcome(await bed.submit(made()))).toBe("B35DD256")
    })
  })

  it("puts an answer together that comes in single bytes, and takes two apart that come in one piece", async () => {
    const held: Array<Buffer> = []
    const port = await strange((socket, header, body) => {
      const frame = framed(`${header}${alive(body) ?? "M700B35DD256"}`)
      socket.setNoDelay(true)
      if (alive(body) !== undefined) for (const byte of frame) socket.write(Buffer.from([byte]))
      else if (held.push(frame) === 4) {
        const together = Buffer.concat(held.splice(0))
        socket.write(together.subarray(0, 21))
        setTimeout(() => socket.write(together.subarray(21)), 5)
      }
    })
    await over(settingsFor([port], { connections: 1 }), async (bed) => {
      await allUp(bed)
      const calls = await Promise.all([1, 2, 3, 4].map(() => bed.submit(made())))
      expect(calls.map(outcome)).toStrictEqual(Array(4).fill("B35DD256"))
    })
  })

  it("takes the answer of another command, or half of one, for none", async () => {
    const wrong = ["CD0006D8EDC414EC32A52401", "M700B3", "M7", "", "M799"]
    const port = await strange((socket, header, body) =>
      socket.write(framed(`${header}${alive(body) ?? wrong.shift() ?? "M700B35DD256"}`))
    )
    await over(settingsFor([port]), async (bed) => {
      await allUp(bed)
      for (let n = 0; n < 5; n++) expect(outcome(await bed.submit(made()))).toBe("RequestWrong")
      expect(outcome(await bed.submit(made()))).toBe("B35DD256")
    })
  })

  it("drops the answer that comes after its time, and does not give it to the next call", async () => {
    const late: Array<() => void> = []
    let isLate = true
    const port = await strange((socket, header, body) => {
      const answer = alive(body)
      if (answer !== undefined) socket.write(framed(`${header}${answer}`))
      else if (isLate) late.push(() => socket.write(framed(`${header}M700AAAAAAAA`)))
      else socket.write(framed(`${header}M700B35DD256`))
    })
    await over(settingsFor([port], { connections: 1 }), async (bed) => {
      await allUp(bed)
      const call = made()
      call.withinMs = 200
      expect(outcome(await bed.submit(call))).toBe("TooLate")
      isLate = false
      await allUp(bed)
      const next = bed.submit(made())
      for (const send of late) send()
      expect(outcome(await next)).toBe("B35DD256")
    })
  })

  it("connects again to whatever is no device, without a call to it", async () => {
    let connected = 0
    const server = createServer((socket) => {
      connected++
      socket.on("error", () => undefined)
      socket.write("HTTP/1.1 400 Bad Request\r\n\r\n".repeat(2000))
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    closing.push(server)
    const { port } = server.address() as { port: number }
    await over(settingsFor([port], { heartbeatTimeoutMs: 100 }), async (bed) => {
      await until(() => connected > 4)
      expect(bed.module.isUp).toBe(false)
    })
  })
})
