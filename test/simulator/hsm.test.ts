import { connect } from "node:net"
import { Effect } from "effect"
import { describe, expect, it, vi } from "vitest"
import { chanceOf } from "../../packages/simulator/src/chance/Chance.ts"
import { BinaryCommands } from "../../packages/simulator/src/hsm/BinaryCommands.ts"
import { DeviceCrypt } from "../../packages/simulator/src/hsm/DeviceCrypt.ts"
import { type HsmDevice, type HsmFamily, startHsmDevice } from "../../packages/simulator/src/hsm/HsmDevice.ts"
import { keyText, withParity } from "../../packages/simulator/src/hsm/TestLmk.ts"
import { TextCommands } from "../../packages/simulator/src/hsm/TextCommands.ts"
import { bytes, hex, seeded } from "../codec/security/vectors.ts"
import { patience } from "../Pace.ts"
import { keyBytes, keyVectors } from "../switch/guard/vectors.ts"

const { exchanges, framing, keysUnderTestLmk, binaryLayouts } = keyVectors.hsmFrames

/** A device on a free port, as long as `use` runs. */
const withDevice = <A>(
  use: (device: HsmDevice) => Promise<A>,
  family: HsmFamily = "payshield",
  change: Partial<Parameters<typeof startHsmDevice>[0]> = {}
): Promise<A> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const device = yield* startHsmDevice({
          listen: { host: "127.0.0.1", port: 0 },
          family,
          headerLength: 4,
          delayMs: 0,
          isInOrder: false,
          errorPercent: 0,
          errorCode: "41",
          connectionsMax: 0,
          chance: chanceOf(1, "hsm"),
          // The key drawn in the published exchange.
          draw: () => keyBytes("zpk-b"),
          ...change
        })
        return yield* Effect.promise(() => use(device))
      })
    )
  )

/** Sends bytes and gives back as many as are expected, or what came before the connection ended. */
const exchange = (device: HsmDevice, sent: ReadonlyArray<Buffer>, length: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const socket = connect(device.endpoint.port, "127.0.0.1")
    let received = Buffer.alloc(0)
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length >= length) socket.destroy()
    })
    socket.on("error", reject)
    socket.on("close", () => resolve(received))
    for (const piece of sent) socket.write(piece)
  })

describe("the device for tests", () => {
  for (const { name, requestFrame, responseFrame } of exchanges) {
    it(`answers over TCP, byte for byte: ${name}`, () =>
      withDevice(async (device) => {
        expect(hex(await exchange(device, [bytes(requestFrame)], responseFrame.length / 2))).toBe(responseFrame)
      }))
  }

  it("answers all of them at once on one connection, each frame cut into single bytes", () =>
    withDevice(async (device) => {
      const all = Buffer.concat(exchanges.map(({ requestFrame }) => bytes(requestFrame)))
      const expected = exchanges.map(({ responseFrame }) => responseFrame).join("")

      const received = await exchange(
        device,
        Array.from(all, (byte) => Buffer.from([byte])),
        expected.length / 2
      )

      expect(hex(received)).toBe(expected)
    }))

  it("answers the published traces with their headers", () =>
    withDevice(async (device) => {
      for (const { request, answer } of framing.traces) {
        const header = request.slice(4, 12)
        const received = hex(await exchange(device, [bytes(request)], (answer ?? "0000").length / 2))
        expect(received.slice(4, 12)).toBe(header)
        // The LMK of the real device in the trace is not this one.
        if (answer !== undefined) expect(received.slice(12, 20)).toBe(answer.slice(12, 20))
      }
      expect(framing.traces).toHaveLength(3)
    }))

  it("computes the values that other people have published", () => {
    const commands = new TextCommands(new DeviceCrypt(seeded(1)), seeded(1))
    const published = (request: string, answer: string) => expect(commands.answer(request).slice(2)).toBe(answer)

    published("BU011U1EF828AA8F6B80EB83E19FBC373F3A85", "006F1E3F74F826B7EB")
    published("BU0200406FBB23A5214DF", "000035BBE340A4B763")
    published(
      "A6001U71979DEB8587E2734F1E99D5DCAEF9ACXC8E3118AFA853807EB7E92294663A5BAU",
      "00U1EF828AA8F6B80EB83E19FBC373F3A856F1E3F"
    )
    published("A6001U1457FF6ADF6250C66C368416B4C9D3832B930A07119F93A8Z", "00BAB32D775A38E4AB73936E")
    published("FAU1457FF6ADF6250C66C368416B4C9D3832B930A07119F93A8", "00BAB32D775A38E4AB73936E441E46819D")
    published("A8002U1457FF6ADF6250C66C368416B4C9D3837BB126F2BE631486Z", "0016224FDAA779AFB31FFD3C")
    const zpks = "BAB32D775A38E4ABU1EF828AA8F6B80EB83E19FBC373F3A85"
    published(`CC${zpks}12F7808F2CBEC631680303550000025321`, "000482206CCD872229C203")
    published(`CC${zpks}12F7808F2CBEC631680301550000025321`, "000491DDDA0A7C12CFAA01")
    published("MAC6F34693FB39CB6EgivemeSOMEMACing", "00170C2BDB")
  })

  it("answers what it does not know, or cannot read, with an error and goes on", () => {
    const commands = new TextCommands(new DeviceCrypt(seeded(1)), seeded(1))

    expect(commands.answer("ZZ")).toBe("Z[68")
    expect(commands.answer("CC")).toBe("CD15")
    expect(commands.answer("A6001Uno key")).toBe("A715")
    expect(commands.answer("A6999")).toBe("A726")
    expect(commands.answer(`CC${keysUnderTestLmk["zpkA"]}`)).toBe("CD15")
    expect(commands.answer("M600031008")).toBe("M715")
  })

  it("speaks the binary commands: MACs, check values, PIN blocks, imports, whole or in single bytes", () => {
    const commands = new BinaryCommands(new DeviceCrypt(seeded(1)))
    const own = (name: string, type = "001") => keyText(type, "X", keyBytes(name)).slice(1)
    const message = Buffer.from("0200 169999991234567893").toString("hex")
    const ask = (request: string): string => {
      const whole = bytes(request)
      for (let length = 0; length < whole.length; length++) {
        if (length < 2) expect(commands.answer(whole.subarray(0, length))).toBeUndefined()
        else expect(commands.answer(whole.subarray(0, length))?.length ?? 0).toBe(0)
      }
      const made = commands.answer(whole)!
      expect(made.length).toBe(whole.length)
      return hex(made.answer)
    }
    const zak = own("zak-a")
    const length = (message.length / 2).toString(16).padStart(4, "0")

    const mac = ask(`D1320310${zak}${"00".repeat(8)}${length}${message}`)

    expect(mac).toMatch(/^41[0-9A-F]{16}$/)
    expect(ask(`D1340310${zak}${"00".repeat(8)}${mac.slice(2, 10)}${length}${message}`)).toBe(mac)
    expect(ask(`D1340310${zak}${"00".repeat(8)}00000000${length}${message}`)).toBe("4520")
    expect(ask(`0423001010${own("zpk-a")}`)).toBe(`41${keyVectors.keys["zpk-a"]!.kcv3}257C6F8AC0`)

    const account = Buffer.from("999123456789;999123456789").toString("hex")
    const { block } = keyVectors.pinBlocks.blocks["iso0 tdes zpk-a"]!
    expect(ask(`D12410${own("zpk-a")}10${own("zpk-b")}0101${block}${account}`)).toBe(
      `41${keyVectors.pinBlocks.blocks["iso0 tdes zpk-b"]!.block}`
    )

    const zmk = own("zmk-a", "000")
    expect(ask(`D1021010FFFF${zmk}82F1A5021495FEA5C2A5884E5E37B4F00493E1AA25`)).toBe(
      `4110${own("zpk-a")}93E1AA257C6F8AC0`
    )
  })

  it("takes the published layouts whole, whatever their keys are", () => {
    const commands = new BinaryCommands(new DeviceCrypt(seeded(1)))
    const requests = binaryLayouts.items.flatMap(({ request }) => (request === undefined ? [] : [bytes(request)]))

    expect(requests).toHaveLength(3)
    for (const request of requests) {
      const made = commands.answer(request)
      expect(made?.length).toBe(request.length)
      expect(made!.answer[0] === 0x41 || made!.answer[0] === 0x45).toBe(true)
    }
  })

  it("fails as many commands as it is told, turns connections away, and is restarted", () =>
    withDevice(
      async (device) => {
        const echo = bytes(exchanges.find(({ name }) => name.startsWith("B2"))!.requestFrame)
        device.set({ errorPercent: 100, errorCode: "41" })

        expect((await exchange(device, [echo], 10)).toString("latin1").slice(6)).toBe("B341")

        device.set({ errorPercent: 0 })
        const isEmpty = () => vi.waitFor(() => expect(device.counts().connections).toBe(0), { timeout: patience(2000) })
        await isEmpty()

        const first = connect(device.endpoint.port, "127.0.0.1")
        await new Promise((resolve) => first.once("connect", resolve))
        const second = connect(device.endpoint.port, "127.0.0.1").resume()
        await new Promise((resolve) => second.once("close", resolve))

        expect(device.counts()).toMatchObject({ connections: 1, refused: 1, errors: 1 })

        const ended = new Promise((resolve) => first.once("close", resolve))
        first.on("error", () => undefined)
        await Effect.runPromise(device.restart(20))
        await ended
        await isEmpty()

        expect((await exchange(device, [echo], 14)).toString("latin1").slice(6)).toBe("B300ping")
      },
      "payshield",
      { connectionsMax: 1 }
    ))

  it("draws keys with parity", () => {
    expect(hex(withParity(bytes("00FF10")))).toBe("01FE10")
  })
})
