import { describe, expect, it } from "vitest"
import { intentAt, Schedule, usualWorkload } from "../../packages/simulator/src/acquirer/Workload.ts"
import { check } from "../../packages/simulator/src/checker/Checker.ts"
import { textOf } from "../../packages/simulator/src/message/PartnerMessage.ts"
import { onlyPurchases, Wire } from "./wire.ts"

const broken = (wire: Wire) => check(wire.evidence()).findings

describe("the workload", () => {
  it("is the same for the same seed and another for another seed", () => {
    const draw = (seed: number) => Array.from({ length: 200 }, (_, slot) => intentAt({ ...usualWorkload, seed }, slot))

    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  it("contains every kind in about its weight", () => {
    const kinds = Array.from({ length: 5_000 }, (_, slot) => intentAt(usualWorkload, slot).kind)
    const share = (kind: string) => kinds.filter((one) => one === kind).length / 50

    expect(share("purchase")).toBeCloseTo(62, -1)
    expect(share("refund")).toBeGreaterThan(3)
  })

  it("keeps its schedule however late it is asked", () => {
    const schedule = new Schedule(100, 1_000, 50, Number.POSITIVE_INFINITY)

    expect(schedule.take(999)).toBeUndefined()

    const taken = Array.from({ length: 7 }, () => schedule.take(5_000))
    expect(taken).toEqual([0, 1, 2, 3, 4, undefined, undefined])
    expect(schedule.dueAt(4)).toBe(1_040)
    expect(schedule.isOver).toBe(true)
  })
})

describe("acquirer and issuer joined directly", () => {
  it("sign on, complete a mixed load with every rule kept, and sign off", async () => {
    const wire = new Wire()
    wire.connect()
    await wire.pass(2_000)
    wire.acquirer.finish()
    await wire.pass(10)

    const totals = wire.acquirer.totals()

    expect(totals.sent).toBeGreaterThan(85)
    expect(totals.approved).toBe(totals.sent)
    expect(totals.advicesAcknowledged).toBe(totals.advices)
    expect(totals.money).toBe(wire.issuer.totals().ledger.available - wire.issuer.totals().ledger.opening)
    expect(wire.acquirer.isSignedOff).toBe(true)
    expect(broken(wire)).toEqual([])
  })

  it("send nothing before the sign-on is answered, and close when it is not", async () => {
    const wire = new Wire({ onWay: (message) => (message.mti === "0830" ? undefined : message) })
    wire.connect()
    await wire.pass(400)

    expect(wire.messages.every(({ mti }) => mti === "0820" || mti === "0830")).toBe(true)
    expect(wire.closed).toEqual(["sign-on was not answered"])
  })

  it("close when the sign-on is refused", async () => {
    const refuse = (message: Parameters<NonNullable<Wire["messages"]["push"]>>[0]) =>
      message.mti === "0830" ? { ...message, fields: { ...message.fields, 39: "91" } } : message
    const wire = new Wire({ onWay: refuse })
    wire.connect()
    await wire.pass(50)

    expect(wire.closed).toEqual(["sign-on was refused"])
  })

  it("answer an echo of the other side", async () => {
    const wire = new Wire({ acquirer: { count: 0 } })
    wire.connect()
    await wire.pass(20)
    const far = {
      epoch: 1,
      send: (message: (typeof wire.messages)[0]) => wire.messages.push(message),
      close: () => undefined
    }
    const signOn = wire.messages[0]!
    const echo: typeof signOn = { ...signOn, fields: { ...signOn.fields, 70: "301" } }
    wire.acquirer.received(far, echo)

    const answer = wire.messages.at(-1)!

    expect(answer.mti).toBe("0830")
    expect(answer.fields[39]).toBe("00")
    expect(answer.fields[11]).toBe(echo.fields[11])
    expect(answer.header.destination).toBe(echo.header.source)
  })

  it("give every request its own key and RRN", async () => {
    const wire = new Wire({ acquirer: { rate: 1_000 } })
    wire.connect()
    await wire.pass(1_500)

    const sent = wire.acquirerHistory.lines.filter(({ what }) => what === "sent")

    expect(sent.length).toBeGreaterThan(900)
    expect(new Set(sent.map(({ key }) => key)).size).toBe(sent.length)
    expect(new Set(sent.map(({ rrn }) => rrn)).size).toBe(sent.length)
  })

  it("carry track 2 and PIN block in requests, and neither in reversals", async () => {
    const wire = new Wire({ behaviour: { requests: { ignore: 0, drop: 100, delay: 0 } } })
    wire.connect()
    await wire.pass(2_000)

    const requests = wire.messages.filter(({ mti }) => mti === "0200" || mti === "0100")

    expect(requests.some(({ fields }) => fields[35] !== undefined)).toBe(true)
    expect(requests.some(({ fields }) => fields[52] !== undefined)).toBe(true)

    const reversals = wire.messages.filter(({ mti }) => mti.startsWith("042"))
    expect(reversals.length).toBeGreaterThan(10)
    expect(reversals.some(({ fields }) => fields[35] !== undefined || fields[52] !== undefined)).toBe(false)
  })

  it("never write a card number, a track or a PIN block into a history", async () => {
    const wire = new Wire({ behaviour: { requests: { ignore: 10, drop: 10, delay: 0 } } })
    wire.connect()
    await wire.pass(3_000)

    const text = JSON.stringify([wire.acquirerHistory.lines, wire.issuerHistory.lines, wire.postings])

    for (const { fields } of wire.messages) {
      if (typeof fields[2] === "string") expect(text.includes(fields[2])).toBe(false)
    }
  })
})

describe("a request without an answer", () => {
  it("is ended at its timeout and reversed, and the issuer undoes what it had done", async () => {
    const wire = new Wire({
      workload: { mix: onlyPurchases },
      behaviour: { requests: { ignore: 0, drop: 30, delay: 0 } }
    })
    wire.connect()
    await wire.pass(3_000)

    const totals = wire.acquirer.totals()

    expect(totals.timedOut).toBeGreaterThan(15)
    expect(totals.reversalsAcknowledged).toBe(totals.timedOut)
    expect(wire.issuer.totals().ledger.undone).toBe(totals.timedOut)
    expect(totals.inDoubt).toBe(0)
    expect(broken(wire)).toEqual([])
  })

  it("leaves no effect when the issuer never processed it: the reversal finds nothing", async () => {
    const wire = new Wire({
      workload: { mix: onlyPurchases },
      behaviour: { requests: { ignore: 30, drop: 0, delay: 0 } }
    })
    wire.connect()
    await wire.pass(3_000)

    const { timedOut } = wire.acquirer.totals()

    expect(timedOut).toBeGreaterThan(15)
    expect(wire.issuer.totals().ledger).toMatchObject({ undone: 0, tombstones: timedOut })
    expect(broken(wire)).toEqual([])
  })

  it("is not reversed when it is an inquiry", async () => {
    const mix = { ...onlyPurchases, purchase: 1, balanceInquiry: 1_000 }
    const wire = new Wire({ workload: { mix }, behaviour: { requests: { ignore: 50, drop: 0, delay: 0 } } })
    wire.connect()
    await wire.pass(2_000)

    const { timedOut, reversals } = wire.acquirer.totals()

    expect(timedOut).toBeGreaterThan(20)
    expect(reversals).toBeLessThan(3)
  })

  it("counts an answer that comes after the timeout as late and does not believe it", async () => {
    const wire = new Wire({
      workload: { mix: onlyPurchases },
      behaviour: { requests: { ignore: 0, drop: 0, delay: 30 }, delayFrom: 600, delayTo: 700 }
    })
    wire.connect()
    await wire.pass(3_000)

    const totals = wire.acquirer.totals()

    expect(totals.late).toBeGreaterThan(15)
    expect(totals.late).toBe(totals.timedOut)
    expect(wire.issuer.totals().ledger.undone).toBe(totals.timedOut)
    expect(broken(wire)).toEqual([])
  })

  it("is answered when the delay is shorter than the timeout", async () => {
    const wire = new Wire({
      behaviour: { requests: { ignore: 0, drop: 0, delay: 50 }, delayFrom: 100, delayTo: 300 }
    })
    wire.connect()
    await wire.pass(3_000)

    expect(wire.acquirer.totals()).toMatchObject({ timedOut: 0, late: 0 })
    expect(wire.issuer.totals().delayed).toBeGreaterThan(30)
    expect(broken(wire)).toEqual([])
  })
})

describe("a reversal or advice", () => {
  it("is repeated with the repeat mark and unchanged keys until it is acknowledged", async () => {
    const wire = new Wire({
      workload: { mix: { ...onlyPurchases, refund: 1 } },
      behaviour: {
        requests: { ignore: 0, drop: 30, delay: 0 },
        advices: { ignore: 30, drop: 30, delay: 0 }
      }
    })
    wire.connect()
    await wire.pass(8_000)

    const totals = wire.acquirer.totals()

    expect(totals).toMatchObject({ inDoubt: 0, advicesOpen: 0 })
    expect(totals.repeats).toBeGreaterThan(20)

    const sendings = new Map<string, Array<string>>()
    for (const { what, mti, key } of wire.acquirerHistory.lines) {
      if (what !== "reversal" && what !== "advice") continue
      sendings.set(key!, [...(sendings.get(key!) ?? []), mti!])
    }
    for (const [first, ...repeats] of sendings.values()) {
      expect(["0420", "0220"]).toContain(first)
      expect(repeats.every((mti) => mti === first!.replace(/0$/, "1"))).toBe(true)
    }
    expect([...sendings.values()].some((mtis) => mtis.length > 2)).toBe(true)
    expect(wire.issuer.totals().doubled).toBe(0)
    expect(broken(wire)).toEqual([])
  })

  it("points with F90 to the original's MTI, STAN, time and institutions", async () => {
    const wire = new Wire({
      workload: { mix: onlyPurchases },
      acquirer: { count: 1 },
      behaviour: { requests: { ignore: 0, drop: 100, delay: 0 } }
    })
    wire.connect()
    await wire.pass(1_000)

    const request = wire.messages.find(({ mti }) => mti === "0200")!
    const reversal = wire.messages.find(({ mti }) => mti === "0420")!

    expect(textOf(reversal, 90)).toBe(`0200${textOf(request, 11)}${textOf(request, 7)}${"00048020000"}${"00048020000"}`)
    expect(textOf(reversal, 11)).not.toBe(textOf(request, 11))
    expect(textOf(reversal, 37)).toBe(textOf(request, 37))
  })

  it("is sent again when the answer says that nobody was there", async () => {
    let refusals = 3
    const wire = new Wire({
      workload: { mix: onlyPurchases },
      acquirer: { count: 1 },
      behaviour: { requests: { ignore: 0, drop: 100, delay: 0 } },
      onWay: (message) =>
        message.mti === "0430" && refusals-- > 0 ? { ...message, fields: { ...message.fields, 39: "91" } } : message
    })
    wire.connect()
    await wire.pass(3_000)

    expect(wire.acquirer.totals()).toMatchObject({ reversalsAcknowledged: 1, repeats: 3, inDoubt: 0 })
  })

  it("that was sent on a link that fell is repeated at once on the next one, not after its interval", async () => {
    let isLost = true
    const wire = new Wire({
      workload: { mix: onlyPurchases },
      acquirer: { count: 1, repeatInterval: 60_000 },
      behaviour: { requests: { ignore: 0, drop: 100, delay: 0 } },
      onWay: (message) => (message.mti === "0420" && isLost ? undefined : message)
    })
    wire.connect()
    await wire.pass(700)
    isLost = false
    wire.cut()
    wire.connect()
    await wire.pass(100)

    expect(wire.acquirer.totals()).toMatchObject({ reversals: 1, reversalsAcknowledged: 1, repeats: 1 })
  })

  it("that nobody acknowledged is written down at the end", async () => {
    const wire = new Wire({
      workload: { mix: onlyPurchases },
      acquirer: { count: 1 },
      behaviour: { requests: { ignore: 0, drop: 100, delay: 0 }, advices: { ignore: 100, drop: 0, delay: 0 } }
    })
    wire.connect()
    await wire.pass(2_000)
    wire.acquirer.finish()

    expect(wire.acquirerHistory.lines.at(-1)).toMatchObject({ what: "unacknowledged", op: "info", mti: "0420" })
    expect(broken(wire).map(({ rule }) => rule)).toContain("settled")
  })
})
