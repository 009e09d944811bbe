/** Transactions that a partner sends by itself: in every dialect, with what is lost on the way, judged by the checker. */
import { dialects, mtiText } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { check } from "../../../packages/simulator/src/checker/Checker.ts"
import { head, plansOf, wrongOf } from "./Bench.ts"
import { Link } from "./Couple.ts"

const sends = (more = "") =>
  `sends: { rate: 10/s, count: 60, amount: 100..5000, cards: ["6200000000000005", "6200000000000013"]${more} }\n`

const all = ", mix: { purchase: 60, pre-authorisation: 10, inquiry: 15, void: 10, refund: 5 }"

/** The verdict on what both sides wrote. */
const judged = ({ one, other }: Link) =>
  check({
    acquirer: one.history.lines,
    issuer: other.history.lines,
    postings: other.postings,
    ledger: undefined,
    journal: undefined,
    counters: undefined,
    cardData: [],
    faults: undefined,
    traffic: undefined
  } as never)

const findings = (link: Link) => judged(link).findings.map(({ rule, says }) => `${rule}: ${says}`)

const money = ({ other }: Link) => other.postings.reduce((sum, { amount }) => sum + amount, 0)

const trading = Object.entries(dialects).filter(([, { reversal }]) => reversal !== undefined)

describe("a partner that sends", () => {
  it.each(trading.map(([name]) => name))(
    "ends each transaction once, and both sides agree on the money, in the dialect %s",
    (dialect) => {
      const link = new Link(head(dialect, sends(all)), head(dialect))
      for (let ms = 0; ms < 10_000; ms += 50) link.pass(50)

      expect(link.one.partner.totals()).toMatchObject({ notSent: 0, sentDeclined: 0, sentUnknown: 0, unmatched: 0 })
      expect(link.one.partner.isDrained).toBe(true)
      expect(findings(link)).toEqual([])
      expect(money(link)).not.toBe(0)
    }
  )

  it.each(trading.map(([name]) => name))(
    "takes a part that is approved for that part, gives it back by a void, and the checker agrees, in the dialect %s",
    (dialect) => {
      const partly =
        "rules:\n  - { when: { every: 3 }, answer: approve 40% }\n  - { when: { every: 7 }, answer: approve 40%, silence: yes }\n"
      const link = new Link(head(dialect, sends(`${all}, timeout: 2s`)), head(dialect, partly))
      for (let ms = 0; ms < 15_000; ms += 50) link.pass(50)

      expect(link.one.history.lines.some(({ approved }) => approved !== undefined)).toBe(true)
      expect(findings(link).filter((one) => !one.startsWith("no-blind-resend"))).toEqual([])
    }
  )

  it.each([
    ["another amount", "wrong: amount"],
    ["another MTI", "mti: 0230"],
    ["a partial approval of more", 'answer: approve 40%, 4: "000000999999"']
  ])("does not take an answer with %s for its own, and the checker says so", (_, rule) => {
    const link = new Link(
      head("cups", sends(", timeout: 2s")),
      head("cups", `rules:\n  - { when: { nth: 5 }, ${rule} }\n`)
    )
    for (let ms = 0; ms < 10_000; ms += 50) link.pass(50)

    expect(link.one.history.lines.filter(({ what }) => what === "mismatch")).toHaveLength(1)
    expect(findings(link).some((one) => one.startsWith("right-answer"))).toBe(true)
  })

  it.each([
    ["cups", "0"],
    ["iso8583v1993Ascii", "1"]
  ])(
    "reverses what was not answered, and says it until it is acknowledged, as repeats with the same key (%s)",
    (dialect, version) => {
      const link = new Link(head(dialect, sends(`${all}, timeout: 5s, repeat: 2s`)), head(dialect))
      let n = 0
      // Every third answer, and every second acknowledgement of a reversal or advice, is lost; some requests never arrive.
      link.loses = ({ mti }) => {
        n++
        const what = mti.slice(1)
        return what === "210" || what === "110"
          ? n % 3 === 0
          : what === "430" || what === "230"
            ? n % 2 === 0
            : what === "200" && n % 11 === 0
      }
      for (let ms = 0; ms < 60_000; ms += 50) link.pass(50)
      link.loses = () => false
      for (let ms = 0; ms < 20_000; ms += 50) link.pass(50)
      const said = new Set(link.passed.map(({ mti }) => mti))

      expect(link.one.partner.totals().sentReversals).toBeGreaterThan(3)
      expect([...said]).toEqual(expect.arrayContaining([`${version}420`, `${version}421`, `${version}221`]))
      expect(link.other.partner.totals().doubled).toBe(0)
      expect(findings(link)).toEqual([])
    }
  )

  it("sends MACs and PIN blocks of its own keys, also while they change, and takes no answer with a wrong one", () => {
    const keys = "key exchange: { giver: GIVER, kek: 3889D6265E54CDD3F8139DC454203146, kinds: [mac, pin] }\n"
    const giver = `${keys.replace("GIVER", "us").replace(" }", ", at sign-on: yes }")}schedule: [{ send: key, every: 2s }]\n`
    const link = new Link(
      head("cups", `${giver}${sends(', pin: "1234", timeout: 3s')}`),
      head(
        "cups",
        `${keys.replace("GIVER", "far side")}accounts: { others: { pin: "1234" } }\nrules: [{ when: { type: purchase, nth: 7 }, wrong: mac }]\n`
      )
    )
    for (let ms = 0; ms < 15_000; ms += 50) link.pass(50)
    const { sentDeclined, sentReversals } = link.one.partner.totals()

    expect([sentDeclined, sentReversals]).toEqual([0, 1])
    expect(link.one.history.lines.filter(({ what }) => what === "mismatch").map(({ reason }) => reason)).toEqual([
      "the MAC"
    ])
    expect(link.one.partner.totals().keys).toBeGreaterThan(10)
    expect(findings(link).filter((says) => !says.startsWith("right-answer"))).toEqual([])
    expect(JSON.stringify(link.one.history.lines)).not.toContain("6200000000000005")
  })

  it("answers and sends on the same link, while the other side does so, too", () => {
    const text = (n: number) => head("cups", `institution: "4802000${n}"\n${sends()}`)
    const link = new Link(text(1), text(2))
    for (let ms = 0; ms < 10_000; ms += 50) link.pass(50)

    for (const { partner } of [link.one, link.other]) {
      expect(partner.totals()).toMatchObject({ received: 60, approved: 60, sent: 60, sentApproved: 60, unmatched: 0 })
    }
    expect(findings(link)).toEqual([])
  })

  it("sends nothing before its sign-on was taken, goes on under another plan, and stops when it is to end", () => {
    const link = new Link(
      head("cups", `sign-on: { send: yes }\n${sends()}`),
      head("cups", "sign-on: { expect: yes }\nrules: [{ when: { type: sign-on }, delay: 1s }]\n")
    )
    link.pass(900)
    expect(link.one.partner.totals()).toMatchObject({ sent: 0, notSent: 0 })
    link.pass(200)
    link.pass(1000)
    const before = link.one.partner.totals().sent
    expect(before).toBeGreaterThan(5)

    link.one.partner.replan(
      plansOf(head("cups", `sign-on: { send: yes }\n${sends(", terminals: 5").replace("10/s", "100/s")}`))[0]!
    )
    link.pass(10)
    link.pass(500)
    expect(link.one.partner.totals().sent).toBeGreaterThan(before + 30)

    link.one.partner.stopSending()
    const last = link.one.partner.totals().sent
    link.pass(1000)
    expect(link.one.partner.totals().sent).toBe(last)
    expect(mtiText(200)).toBe("0200")
  })

  it.each([
    ["sends: { cards: ['6200000000000005'] }\n", '"rate:" is missing'],
    ["sends: { rate: 5, cards: ['6200000000000005'] }\n", 'like "5/s"'],
    ["sends: { rate: 5/s }\n", '"cards:" is missing'],
    ["sends: { rate: 5/s, cards: [12] }\n", "a card number of 12 to 19 digits"],
    ["sends: { rate: 5/s, cards: gone.csv }\n", "gone.csv cannot be read"],
    ["sends: { rate: 5/s, cards: ['6200000000000005'], mix: { purchases: 1 } }\n", 'did you mean "purchase"?'],
    ["sends: { rate: 5/s, cards: ['6200000000000005'], pin: '1234' }\n", "a PIN needs a key"],
    ["sends: { rate: 5/s, cards: ['6200000000000005'], fields: { 65: 'x' } }\n", "has no DE 65"]
  ])("is refused with its line where it cannot work: %#", (text, says) => {
    expect(wrongOf(head("cups", text))).toMatch(/^partner\.yaml:\d+: /)
    expect(wrongOf(head("cups", text))).toContain(says)
  })

  it("takes its cards from a file, and does not send where its link has no way for it", () => {
    const cards = { "cards.csv": "pan,expiry\n6200000000000005,2912\n6200000000000013,2912\n" }
    const [plan] = plansOf(head("cups", "sends: { rate: 30/m, cards: cards.csv }\n"), cards)

    expect([plan!.sends!.rate, plan!.sends!.cards]).toEqual([0.5, ["6200000000000005", "6200000000000013"]])

    const way = (link: string) => `partner: a\nlink: ${link}\nsends: { rate: 1/s, cards: ["6200000000000005"] }\n`

    expect(wrongOf(way('{ mode: sync-long, listen: "h:1" }'))).toContain("only one side asks")
    expect(wrongOf(way('{ mode: sync-short, listen: "h:1" }'))).toContain("let it connect")
    expect(wrongOf(way('{ mode: sync-short, connect: "h:1" }'))).toBe("")
  })
})
