import { afterEach, describe, expect, it } from "vitest"
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

const terminals = linkOf("terminals", { mode: "sync-short", short: short() })
const issuer = (port: number, more: Partial<LinkAll> = {}) =>
  dialling("issuer", port, { mode: "sync-long", window: 1, ...more })

const codeOf = ({ messages }: Awaited<ReturnType<typeof call>>) => messages[0]?.fields[39]

describe("sync-long", () => {
  it("sends one request at a time on its one connection, in the order in which they came", async () => {
    let open = 0
    let most = 0
    const partner = await host((message, socket) => {
      most = Math.max(most, ++open)
      setTimeout(() => {
        open--
        socket.write(framed(answerTo(message)))
      }, 5)
    })
    const rig = await startRig([terminals, issuer(partner.port, { waiting: { places: 50, waitMs: 30_000 } })])
    await until(() => rig.running.links[1]!.isReady)
    const calls = Array.from({ length: 20 }, (_, n) => call(rig.port("terminals"), purchase(n + 1)))

    expect((await Promise.all(calls)).map(codeOf)).toEqual(calls.map(() => "00"))
    expect([most, partner.connections]).toEqual([1, 1])
  })

  it("refuses the second at once where nobody may wait, and who has waited long enough", async () => {
    const partner = await host(() => {})
    const waitMs = patience(500)
    const rig = await startRig([terminals, issuer(partner.port, { waiting: { places: 1, waitMs } })], {
      requestTimeoutMs: 2.5 * waitMs
    })
    await until(() => rig.running.links[1]!.isReady)
    const first = call(rig.port("terminals"), purchase(1))
    await until(() => partner.heard.length === 1)
    const began = performance.now()

    const second = call(rig.port("terminals"), purchase(2))
    await until(() => rig.running.status().links[1]?.waiting === 1)

    expect(codeOf(await call(rig.port("terminals"), purchase(3)))).toBe("96")
    // Refused at once: the one in front of it waits still.
    expect(rig.running.status().links[1]?.waiting).toBe(1)
    expect(codeOf(await second)).toBe("96")
    expect(performance.now() - began).toBeGreaterThan(waitMs - 10)
    expect(codeOf(await first)).toBe("98")
    expect(partner.heard.filter(({ mti }) => mti === "0200").length).toBe(1)
  })

  it("closes its connection after a timeout, so that the late answer is not taken for the next one's", async () => {
    const late: Array<() => void> = []
    const partner = await host((message, socket, connection) => {
      if (message.mti === "0200" && connection === 1) late.push(() => socket.write(framed(answerTo(message, "51"))))
      else socket.write(framed(answerTo(message)))
    })
    const rig = await startRig([terminals, issuer(partner.port, { waiting: { places: 9, waitMs: 900 } })], {
      requestTimeoutMs: patience(300)
    })
    await until(() => rig.running.links[1]!.isReady)

    expect(codeOf(await call(rig.port("terminals"), purchase(1)))).toBe("98")

    for (const answer of late) answer()
    await until(() => rig.running.links[1]!.isReady && rig.running.links[1]!.epoch === 2)
    expect(codeOf(await call(rig.port("terminals"), purchase(2)))).toBe("00")
    expect(rig.running.status().links[1]?.ends[0]?.reason).toBe("AnswerOverdue")

    await until(() => rig.count("acknowledged") === 1)
    expect(rig.count("answered")).toBe(1)
  })

  it("lets a reversal overtake those that wait", async () => {
    let isReversed = false
    const held: Array<() => void> = []
    const partner = await host((message, socket) => {
      const answer = () => socket.write(framed(answerTo(message)))
      if (message.mti === "0420" || isReversed) answer()
      else held.push(answer)
    })
    const rig = await startRig([terminals, issuer(partner.port, { waiting: { places: 9, waitMs: 30_000 } })])
    await until(() => rig.running.links[1]!.isReady)
    const calls = [1, 2, 3].map((stan) => call(rig.port("terminals"), purchase(stan)))
    await until(() => rig.running.status().links[1]?.waiting === 2)
    const reversal = purchase(9, { 90: `0200000009${"1122223829"}${"00048020000"}${"00048020000"}` }, "0420")

    expect(codeOf(await call(rig.port("terminals"), reversal))).toBe("00")

    await until(() => rig.count("acknowledged") === 1)
    expect(partner.heard.map(({ mti }) => mti)).toEqual(["0200", "0420"])

    isReversed = true
    for (const answer of held) answer()
    expect((await Promise.all(calls)).map(codeOf)).toEqual(["00", "00", "00"])
  })
})
