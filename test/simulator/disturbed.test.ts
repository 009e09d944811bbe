import { describe, expect, it } from "vitest"
import { check } from "../../packages/simulator/src/checker/Checker.ts"
import { requestHeader, textOf } from "../../packages/simulator/src/message/PartnerMessage.ts"
import { originalKey } from "../../packages/simulator/src/message/Transaction.ts"
import { onlyPurchases, Wire } from "./wire.ts"

const broken = (wire: Wire) => check(wire.evidence()).findings

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

  it("gives the same transaction the same answer, whatever the rate", async () => {
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
