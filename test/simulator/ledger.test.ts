import { describe, expect, it } from "vitest"
import { type Entry, Ledger, type Posting } from "../../packages/simulator/src/issuer/Ledger.ts"

const pan = "6219990000000000018"
const OPENING = 100_000

const entry = (key: string, kind: Entry["kind"], amount: number, original?: string): Entry => ({
  key,
  rrn: `R${key}`,
  kind,
  pan,
  amount,
  original
})

const ledgerWith = () => {
  const postings: Array<Posting> = []
  const ledger = new Ledger(OPENING, (posting) => postings.push(posting))
  return { ledger, postings }
}

describe("the issuer's ledger", () => {
  it("debits a purchase, holds a pre-authorisation and credits a void and a refund", () => {
    const { ledger, postings } = ledgerWith()

    expect(ledger.post(entry("1", "purchase", 500))).toBe("posted")
    expect(ledger.post(entry("2", "preAuthorisation", 300))).toBe("posted")
    expect(ledger.post(entry("3", "void", 500, "1"))).toBe("posted")
    expect(ledger.post(entry("4", "purchase", 200))).toBe("posted")
    expect(ledger.post(entry("5", "refund", 200, "4"))).toBe("posted")

    expect(ledger.available(pan)).toBe(OPENING - 300)
    expect(postings.map(({ rule, amount }) => [rule, amount])).toEqual([
      ["debit", -500],
      ["hold", -300],
      ["credit", 500],
      ["debit", -200],
      ["credit", 200]
    ])
  })

  it("moves nothing for a balance inquiry", () => {
    const { ledger, postings } = ledgerWith()

    expect(ledger.post(entry("1", "balanceInquiry", 0))).toBe("noEffect")
    expect(postings).toEqual([])
  })

  it("declines what the account cannot bear, and its reversal has nothing to undo", () => {
    const { ledger } = ledgerWith()

    expect(ledger.post(entry("1", "purchase", OPENING + 1))).toBe("insufficientFunds")
    expect(ledger.reverse("1").rule).toBe("nothingToUndo")
    expect(ledger.available(pan)).toBe(OPENING)
  })

  it("undoes a purchase exactly once, however often the reversal comes", () => {
    const { ledger } = ledgerWith()
    ledger.post(entry("1", "purchase", 500))

    expect(ledger.reverse("1")).toEqual({ rule: "undone", rrn: "R1" })
    expect(ledger.reverse("1").rule).toBe("alreadyUndone")
    expect(ledger.available(pan)).toBe(OPENING)
    expect(ledger.totals()).toMatchObject({ standing: 0, undone: 1, postings: 2 })
  })

  it("gives no effect to an original that comes after its reversal", () => {
    const { ledger, postings } = ledgerWith()

    expect(ledger.reverse("1").rule).toBe("nothingToUndo")
    expect(ledger.post(entry("1", "purchase", 500))).toBe("tombstone")
    expect(ledger.reverse("1").rule).toBe("nothingToUndo")
    expect(postings).toEqual([])
    expect(ledger.totals().tombstones).toBe(1)
  })

  it("refuses a void of nothing, of another amount, of a reversed purchase, and a second void", () => {
    const { ledger } = ledgerWith()
    ledger.post(entry("1", "purchase", 500))
    ledger.post(entry("2", "purchase", 700))
    ledger.reverse("2")

    expect(ledger.post(entry("3", "void", 500, "9"))).toBe("originalNotFound")
    expect(ledger.post(entry("4", "void", 499, "1"))).toBe("amountDiffers")
    expect(ledger.post(entry("5", "void", 700, "2"))).toBe("originalNotStanding")
    expect(ledger.post(entry("6", "void", 500, "1"))).toBe("posted")
    expect(ledger.post(entry("7", "void", 500, "1"))).toBe("originalNotStanding")
    expect(ledger.available(pan)).toBe(OPENING)
  })

  it("takes the money again when a void is reversed, and the purchase may then be voided once more", () => {
    const { ledger } = ledgerWith()
    ledger.post(entry("1", "purchase", 500))
    ledger.post(entry("2", "void", 500, "1"))

    expect(ledger.reverse("2").rule).toBe("undone")
    expect(ledger.available(pan)).toBe(OPENING - 500)
    expect(ledger.post(entry("3", "void", 500, "1"))).toBe("posted")
    expect(ledger.available(pan)).toBe(OPENING)
  })

  it("undoes a part, and then no more than what is left", () => {
    const { ledger, postings } = ledgerWith()
    ledger.post(entry("1", "purchase", 500))

    expect(ledger.reverse("1", 300).rule).toBe("undone")
    expect(ledger.reverse("1", 300).rule).toBe("alreadyUndone")
    expect(ledger.reverse("1", 400).rule).toBe("amountDiffers")
    expect(ledger.available(pan)).toBe(OPENING - 300)
    expect(ledger.reverse("1").rule).toBe("undone")
    expect(ledger.reverse("1", 100).rule).toBe("alreadyUndone")
    expect(postings.map(({ amount, rule }) => [rule, amount])).toEqual([
      ["debit", -500],
      ["undoPart", 200],
      ["undo", 300]
    ])
  })

  it("does not undo a purchase that was voided: the money is back already", () => {
    const { ledger } = ledgerWith()
    ledger.post(entry("1", "purchase", 500))
    ledger.post(entry("2", "void", 500, "1"))

    expect(ledger.reverse("1").rule).toBe("originalNotStanding")
    expect(ledger.available(pan)).toBe(OPENING)
  })

  it("never refunds more than was paid", () => {
    const { ledger } = ledgerWith()
    ledger.post(entry("1", "purchase", 500))

    expect(ledger.post(entry("2", "refund", 300, "1"))).toBe("posted")
    expect(ledger.post(entry("3", "refund", 300, "1"))).toBe("amountDiffers")
    expect(ledger.post(entry("4", "refund", 100, "unknown"))).toBe("posted")
  })

  it("keeps balances equal to opening balances plus postings", () => {
    const { ledger, postings } = ledgerWith()
    for (let i = 0; i < 200; i++) ledger.post(entry(`p${i}`, "purchase", 10 + i))
    for (let i = 0; i < 200; i += 3) ledger.reverse(`p${i}`)

    const { available, opening: opened } = ledger.totals()

    expect(available - opened).toBe(postings.reduce((sum, { amount }) => sum + amount, 0))
  })
})
