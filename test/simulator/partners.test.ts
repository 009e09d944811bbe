import { describe, expect, it } from "vitest"
import { intentAt, Schedule, usualWorkload } from "../../packages/simulator/src/acquirer/Workload.ts"
import { check } from "../../packages/simulator/src/checker/Checker.ts"
import { requestHeader, textOf } from "../../packages/simulator/src/message/PartnerMessage.ts"
import { originalKey } from "../../packages/simulator/src/message/Transaction.ts"
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

describe("a link that is cut", () => {
  it("ends every request on it as lost, and the reversals go out after the next sign-on", async () => {
    const wire = new Wire({
      workload: { mix: onlyPurchases },
      behaviour: { requests: { ignore: 0, drop: 0, delay: 100 }, delayFrom: 100, delayTo: 200 }
    })
    wire.connect()
    await wire.pass(500)
    const waiting = wire.acquirer.totals().outstanding
    wire.cut()

    expect(waiting).toBeGreaterThan(5)
    expect(wire.acquirer.totals()).toMatchObject({ outstanding: 0, linkLost: waiting, inDoubt: waiting })

    wire.connect()
    await wire.pass(3_000)
    expect(wire.acquirer.totals()).toMatchObject({ inDoubt: 0, reversalsAcknowledged: waiting, signOns: 2 })
    expect(wire.issuer.totals().answersLost).toBeGreaterThan(0)
    expect(broken(wire)).toEqual([])
  })

  it("sends nothing while it is down: those requests end as not sent and have no effect", async () => {
    const wire = new Wire()
    wire.connect()
    await wire.pass(200)
    wire.cut()
    await wire.pass(300)
    wire.connect()
    await wire.pass(2_000)

    expect(wire.acquirer.totals().notSent).toBeGreaterThan(20)
    expect(broken(wire)).toEqual([])
  })

  it("loses nothing in a storm of cuts with a misbehaving issuer", async () => {
    const wire = new Wire({
      acquirer: { duration: 5_000 },
      behaviour: {
        decline: 10,
        requests: { ignore: 5, drop: 5, delay: 10 },
        advices: { ignore: 10, drop: 10, delay: 10 },
        delayFrom: 50,
        delayTo: 900
      }
    })
    for (let i = 0; i < 25; i++) {
      wire.connect()
      await wire.pass(170 + i * 7)
      wire.cut()
      await wire.pass(30)
    }
    wire.connect()
    await wire.pass(6_000)

    expect(wire.acquirer.isDrained).toBe(true)
    expect(wire.acquirer.totals().linkLost).toBeGreaterThan(5)
    expect(broken(wire)).toEqual([])
  })
})

describe("answers that are wrong", () => {
  it("are not believed when they carry another transaction's RRN: the request times out and is reversed", async () => {
    const wire = new Wire({
      workload: { mix: onlyPurchases },
      acquirer: { count: 3 },
      onWay: (message) =>
        message.mti === "0210" ? { ...message, fields: { ...message.fields, 37: "000000009999" } } : message
    })
    wire.connect()
    await wire.pass(2_000)

    expect(wire.acquirer.totals()).toMatchObject({ mismatches: 3, approved: 0, timedOut: 3, reversalsAcknowledged: 3 })
    expect(broken(wire).map(({ rule }) => rule)).toContain("right-answer")
  })

  it("are counted as duplicates when they come twice", async () => {
    const wire = new Wire({ workload: { mix: onlyPurchases }, acquirer: { count: 1 } })
    wire.connect()
    await wire.pass(100)
    const answer = wire.messages.find(({ mti }) => mti === "0210")!
    wire.acquirer.received({ epoch: 1, send: () => undefined, close: () => undefined }, answer)

    expect(wire.acquirer.totals()).toMatchObject({ approved: 1, duplicateAnswers: 1 })
    expect(broken(wire).map(({ rule }) => rule)).toEqual(["one-answer"])
  })

  it("with a reject code end the request as rejected, whatever F39 the quoted message carries", async () => {
    const wire = new Wire({
      workload: { mix: onlyPurchases },
      acquirer: { count: 1 },
      onWay: (message, to) => (to === "issuer" && message.mti === "0200" ? undefined : message)
    })
    wire.connect()
    await wire.pass(50)
    const request = wire.messages.find(({ mti }) => mti === "0200")!
    const quoted = { ...request, reject: "00035", fields: { ...request.fields, 39: "00" } }
    wire.acquirer.received({ epoch: 1, send: () => undefined, close: () => undefined }, quoted)

    expect(wire.acquirer.totals()).toMatchObject({ rejected: 1, approved: 0, outstanding: 0, reversals: 0 })
  })

  it("of 98 end the request as failed, without a reversal of our own unless the setting asks for it", async () => {
    const answer98 = {
      onWay: (m: (typeof Wire.prototype.messages)[0]) =>
        m.mti === "0210" ? { ...m, fields: { ...m.fields, 39: "98" } } : m
    }
    const plain = new Wire({ ...answer98, workload: { mix: onlyPurchases }, acquirer: { count: 2 } })
    const own = new Wire({
      ...answer98,
      workload: { mix: onlyPurchases },
      acquirer: { count: 2, reverseAnswered: new Set(["98"]) }
    })
    for (const wire of [plain, own]) {
      wire.connect()
      await wire.pass(1_000)
    }

    expect(plain.acquirer.totals()).toMatchObject({ failed: 2, reversals: 0 })
    expect(own.acquirer.totals()).toMatchObject({ failed: 2, reversals: 2, reversalsAcknowledged: 2 })
    expect(own.issuer.totals().ledger.undone).toBe(2)
  })
})

describe("the issuer", () => {
  it("answers the same request again from memory, without a second effect, and counts it as doubled", async () => {
    const wire = new Wire({ workload: { mix: onlyPurchases }, acquirer: { count: 1 } })
    wire.connect()
    await wire.pass(100)
    const request = wire.messages.find(({ mti }) => mti === "0200")!
    const answers: typeof wire.messages = []
    const far = { epoch: 9, send: (message: typeof request) => answers.push(message), close: () => undefined }
    wire.issuer.received(far, request)

    expect(answers[0]).toEqual(wire.messages.find(({ mti }) => mti === "0210"))
    expect(wire.issuer.totals()).toMatchObject({ doubled: 1 })
    expect(wire.postings.length).toBe(1)
    expect(broken(wire).map(({ rule }) => rule)).toContain("no-blind-resend")
  })

  it("notices a request that was sent again under another key by its RRN", async () => {
    const wire = new Wire({ workload: { mix: onlyPurchases }, acquirer: { count: 1 } })
    wire.connect()
    await wire.pass(100)
    const request = wire.messages.find(({ mti }) => mti === "0200")!
    const again = { ...request, fields: { ...request.fields, 11: "777777" } }
    wire.issuer.received({ epoch: 9, send: () => undefined, close: () => undefined }, again)

    expect(wire.issuer.totals().doubled).toBe(1)
    expect(new Set(broken(wire).map(({ rule }) => rule))).toEqual(new Set(["no-blind-resend", "money", "money-total"]))
  })

  it("takes a reversal before its original and declines the original that old bytes bring later", async () => {
    const wire = new Wire({
      workload: { mix: onlyPurchases },
      acquirer: { count: 1 },
      onWay: (message, to) => (to === "issuer" && message.mti === "0200" ? undefined : message)
    })
    wire.connect()
    await wire.pass(1_500)
    const answers: typeof wire.messages = []
    const request = wire.messages.find(({ mti }) => mti === "0200")!
    wire.issuer.received({ epoch: 9, send: (message) => answers.push(message), close: () => undefined }, request)

    expect(wire.acquirer.totals().reversalsAcknowledged).toBe(1)
    expect(answers[0]!.fields[39]).toBe("22")
    expect(wire.postings).toEqual([])
    expect(broken(wire).filter(({ rule }) => rule !== "progress")).toEqual([])
  })

  it("finds the original of a void by F90", async () => {
    const wire = new Wire({ workload: { mix: { ...onlyPurchases, void: 1 } } })
    wire.connect()
    await wire.pass(2_000)

    const voids = wire.issuerHistory.lines.filter(({ kind }) => kind === "void")
    expect(voids.length).toBeGreaterThan(20)
    expect(voids.every(({ code }) => code === "00")).toBe(true)
    const request = wire.messages.find(({ mti, fields }) => mti === "0200" && fields[3] === "200000")!
    const original = wire.messages.find((message) => originalKey(textOf(request, 90)).startsWith(textOf(message, 11)))!
    expect(textOf(original, 2)).toBe(textOf(request, 2))
    expect(textOf(request, 38)).toMatch(/^\d{6}$/)
  })

  it("declines the share that it was told to, with codes of a card issuer", async () => {
    const wire = new Wire({ acquirer: { rate: 1_000 }, behaviour: { decline: 20 } })
    wire.connect()
    await wire.pass(2_500)

    const { declined, sent } = wire.acquirer.totals()
    expect(declined / sent).toBeGreaterThan(0.14)
    expect(declined / sent).toBeLessThan(0.28)
    expect(broken(wire)).toEqual([])
  })

  it("gives the same transaction the same fate, whatever the rate", async () => {
    const run = async (rate: number) => {
      const wire = new Wire({
        workload: { mix: onlyPurchases },
        acquirer: { rate, count: 50, duration: 10_000 },
        behaviour: { decline: 30 }
      })
      wire.connect()
      await wire.pass(6_000)
      return wire.issuerHistory.lines.filter(({ what }) => what === "received").map(({ rrn, code }) => [rrn, code])
    }

    expect(await run(10)).toEqual(await run(500))
  })

  it("answers a function that it does not know with 40", async () => {
    const wire = new Wire({ acquirer: { count: 0 } })
    const answers: typeof wire.messages = []
    wire.issuer.received(
      { epoch: 1, send: (message) => answers.push(message), close: () => undefined },
      { header: requestHeader("1", "2"), mti: "0200", fields: { 3: "990000", 11: "000001" }, reject: "00000" }
    )

    expect(answers[0]).toMatchObject({ mti: "0210", fields: { 39: "40", 11: "000001" } })
  })
})
