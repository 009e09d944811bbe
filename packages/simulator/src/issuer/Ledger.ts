/**
 * The issuer's ledger: accounts, holds, and what each transaction did to them.
 *
 * Owns the money rules: a purchase debits, a pre-authorisation holds, a void gives back what its original took, a
 * refund credits, a reversal undoes exactly once, or a part of what is left, and a reversal that comes before its
 * original leaves a tombstone so that the original has no effect when it arrives. Does not know links, answers or
 * chance; duplicates (the same key twice) are the issuer's business and never reach the ledger.
 *
 * Invariant: for every key at most one effect, and no more of it undone than it was; the sum of all postings of an account plus
 * its opening balance is its available balance.
 */
import { maskPan } from "../chance/Cards.ts"
import type { Kind } from "../message/Transaction.ts"

/** One change of an available balance. */
export interface Posting {
  /** DE 37 of the transaction whose effect this is, or which is undone. */
  readonly rrn: string
  /** Key of that transaction. */
  readonly key: string
  /** Masked card number. */
  readonly account: string
  readonly rule: "debit" | "hold" | "credit" | "undo" | "undoPart"
  /** Minor units; negative takes from the cardholder. */
  readonly amount: number
  /** Available balance afterwards. */
  readonly available: number
}

/** A money request or advice as the ledger needs it. */
export interface Entry {
  readonly key: string
  readonly rrn: string
  readonly kind: Kind
  readonly pan: string
  /** Minor units. */
  readonly amount: number
  /** Key in DE 90, for voids, refunds, and what completes a pre-authorisation. */
  readonly original: string | undefined
  /** An advice: it has happened, so the balance and the limits of the account cannot refuse it. */
  readonly isDone?: boolean
}

/** What an account may do, in minor units; limits left out: none. */
export interface AccountTerms {
  readonly balance: number
  /** Most for one transaction. */
  readonly transactionMax?: number
  /** Most taken in one business day, and how often. */
  readonly dayMax?: number
  readonly dayCount?: number
}

/** The terms of an account by its card number; `undefined`: there is no such account. */
export type Terms = (pan: string) => AccountTerms | undefined

/** Which rule decided; the codes are in `codeOf`. */
export type LedgerRule =
  | "posted"
  | "noEffect"
  | "insufficientFunds"
  | "noAccount"
  | "overLimit"
  | "tooOften"
  | "originalNotFound"
  | "originalNotStanding"
  | "amountDiffers"
  | "tombstone"
  | "undone"
  | "alreadyUndone"
  | "nothingToUndo"

/** DE 39 that answers each rule. */
export const codeOf: { readonly [R in LedgerRule]: string } = {
  posted: "00",
  noEffect: "00",
  insufficientFunds: "51",
  noAccount: "14",
  overLimit: "61",
  tooOften: "65",
  originalNotFound: "25",
  originalNotStanding: "22",
  amountDiffers: "64",
  tombstone: "22",
  undone: "00",
  alreadyUndone: "00",
  nothingToUndo: "25"
}

interface Record {
  readonly key: string
  readonly rrn: string
  readonly pan: string
  /** Effect on the available balance; 0 when declined or without effect. */
  effect: number
  readonly isHold: boolean
  state: "standing" | "voided" | "reversed" | "without"
  /** A void or refund remembers what it gave back, a completion the hold that it took the place of. */
  readonly original: Record | undefined
  /** Sum of refunds of this purchase. */
  refunded: number
  /** Business day on which it was taken, counted from the first. */
  readonly day: number
}

/** Totals of a ledger. Amounts in minor units. */
export interface LedgerTotals {
  readonly accounts: number
  readonly opening: number
  readonly available: number
  readonly postings: number
  /** Transactions that have an effect now. */
  readonly standing: number
  readonly undone: number
  readonly tombstones: number
}

/** Accounts are made on demand with the opening balance. Grows with the number of transactions: for runs, not years. */
export class Ledger {
  private terms: Terms
  private opened = 0
  private day = 0
  private readonly taken = new Map<string, { amount: number; count: number }>()
  private readonly onPosting: (posting: Posting) => void
  private readonly accounts = new Map<string, number>()
  private readonly records = new Map<string, Record>()
  private readonly tombstones = new Set<string>()
  private postings = 0
  private standing = 0
  private undone = 0

  /**
   * `opening`: balance of a new account in minor units, without limits, or the terms of each account. `onPosting` sees every
   * change as it is made.
   */
  constructor(opening: number | Terms, onPosting: (posting: Posting) => void = () => undefined) {
    this.terms = typeof opening === "number" ? () => ({ balance: opening }) : opening
    this.onPosting = onPosting
  }

  /** Other terms from now on; accounts that are open keep their balance. */
  change(terms: Terms): void {
    this.terms = terms
  }

  /** A new business day: what was taken before counts for no limit any more. */
  startDay(): void {
    this.day++
    this.taken.clear()
  }

  /** Available balance of an account; opens it when it is new. */
  available(pan: string): number {
    const balance = this.accounts.get(pan)
    if (balance !== undefined) return balance
    const opening = this.terms(pan)?.balance ?? 0
    this.accounts.set(pan, opening)
    this.opened += opening
    return opening
  }

  /** Applies a request or advice that was never seen before. */
  post(entry: Entry): LedgerRule {
    if (this.tombstones.has(entry.key)) return this.without(entry, "tombstone")
    if (this.terms(entry.pan) === undefined && entry.isDone !== true) return this.without(entry, "noAccount")
    switch (entry.kind) {
      case "balanceInquiry":
        this.available(entry.pan)
        return this.without(entry, "noEffect")
      case "purchase":
      case "preAuthorisation":
        return this.take(entry)
      case "void":
        return this.giveBack(entry)
      case "refund":
        return this.refund(entry)
    }
  }

  /** Remembers a request that was declined for another reason: its reversal finds it and has nothing to undo. */
  decline(entry: Entry): void {
    this.without(entry, "noEffect")
  }

  /**
   * Undoes the transaction with the key, once; all but `remains` of it, in minor units. A key that is not known leaves a
   * tombstone.
   */
  reverse(original: string, remains = 0): { readonly rule: LedgerRule; readonly rrn: string | undefined } {
    const record = this.records.get(original)
    if (record === undefined) {
      this.tombstones.add(original)
      return { rule: "nothingToUndo", rrn: undefined }
    }
    const { rrn } = record
    if (record.state === "reversed") return { rule: "alreadyUndone", rrn }
    if (record.state === "without") return { rule: "nothingToUndo", rrn }
    if (record.state === "voided" || record.refunded > remains) return { rule: "originalNotStanding", rrn }
    if (remains > 0) return { rule: this.reverseTo(record, remains), rrn }
    this.undo(record, "reversed")
    if (record.original !== undefined) this.restore(record.original, record)
    return { rule: "undone", rrn }
  }

  /** Undoes a part: so much of the effect remains. */
  private reverseTo(record: Record, remains: number): LedgerRule {
    const { day, effect, pan } = record
    if (remains > Math.abs(effect)) return "amountDiffers"
    const left = Math.sign(effect) * remains
    if (left === effect) return "alreadyUndone"
    record.effect = left
    if (effect < 0 && day === this.day) this.takenFrom(pan).amount += effect - left
    this.posted(record, "undoPart", left - effect)
    return "undone"
  }

  /** Sums for the end of a run. */
  totals(): LedgerTotals {
    let available = 0
    for (const balance of this.accounts.values()) available += balance
    return {
      accounts: this.accounts.size,
      opening: this.opened,
      available,
      postings: this.postings,
      standing: this.standing,
      undone: this.undone,
      tombstones: this.tombstones.size
    }
  }

  private take(entry: Entry): LedgerRule {
    const held = this.heldBy(entry)
    const over = entry.isDone === true ? undefined : this.refusal(entry, held)
    if (over !== undefined) return this.without(entry, over)
    if (held !== undefined) this.undo(held, "voided")
    this.effect(entry, -entry.amount, entry.kind === "preAuthorisation" ? "hold" : "debit", held)
    return "posted"
  }

  /** Gives back what a transaction took. */
  private undo(record: Record, state: "voided" | "reversed"): void {
    record.state = state
    this.standing--
    this.undone++
    this.limit(record, -1)
    this.posted(record, "undo", -record.effect)
  }

  /** What a void, a refund or a completion had done to its original is no longer so. */
  private restore(original: Record, { effect }: Record): void {
    if (original.state === "standing") original.refunded -= effect
    if (original.state !== "voided") return
    original.state = "standing"
    this.limit(original, 1)
    if (!original.isHold || effect > 0) return
    this.standing++
    this.undone--
    this.posted(original, "hold", original.effect)
  }

  /** Counts for the limits of the day that is open, or no longer does; what an earlier day took counts for none. */
  private limit({ day, effect, pan }: Record, times: 1 | -1): void {
    if (effect >= 0 || day !== this.day) return
    const taken = this.takenFrom(pan)
    taken.amount -= times * effect
    taken.count += times
  }

  /** The hold that a purchase completes: it is given back, and the purchase takes what it really costs. */
  private heldBy(entry: Entry): Record | undefined {
    if (entry.kind !== "purchase" || entry.original === undefined) return undefined
    const original = this.records.get(entry.original)
    return original?.state === "standing" && original.isHold ? original : undefined
  }

  /** Why an account does not take this; `held` is the hold that it takes the place of. */
  private refusal({ amount, pan }: Entry, held: Record | undefined): LedgerRule | undefined {
    const { dayCount, dayMax, transactionMax } = this.terms(pan) ?? { balance: 0 }
    const taken = this.takenFrom(pan)
    const freed = -(held?.effect ?? 0)
    const [freedToday, times] = held?.day === this.day ? [freed, 1] : [0, 0]
    if (amount > (transactionMax ?? Number.POSITIVE_INFINITY)) return "overLimit"
    if (taken.amount + amount - freedToday > (dayMax ?? Number.POSITIVE_INFINITY)) return "overLimit"
    if (taken.count - times >= (dayCount ?? Number.POSITIVE_INFINITY)) return "tooOften"
    return this.available(pan) + freed < amount ? "insufficientFunds" : undefined
  }

  private takenFrom(pan: string): { amount: number; count: number } {
    const known = this.taken.get(pan)
    if (known !== undefined) return known
    const fresh = { amount: 0, count: 0 }
    this.taken.set(pan, fresh)
    return fresh
  }

  private giveBack(entry: Entry): LedgerRule {
    const original = entry.original === undefined ? undefined : this.records.get(entry.original)
    if (original === undefined) return this.without(entry, "originalNotFound")
    if (original.state !== "standing" || original.refunded > 0) return this.without(entry, "originalNotStanding")
    if (original.effect !== -entry.amount) return this.without(entry, "amountDiffers")
    original.state = "voided"
    this.limit(original, -1)
    this.effect(entry, entry.amount, "credit", original)
    return "posted"
  }

  /** A refund of a purchase from before this ledger's time is credited without looking: issuers do. */
  private refund(entry: Entry): LedgerRule {
    const original = entry.original === undefined ? undefined : this.records.get(entry.original)
    if (original !== undefined) {
      if (original.state !== "standing") return this.without(entry, "originalNotStanding")
      if (original.refunded + entry.amount > -original.effect) return this.without(entry, "amountDiffers")
      original.refunded += entry.amount
    }
    this.effect(entry, entry.amount, "credit", original)
    return "posted"
  }

  private without(entry: Entry, rule: LedgerRule): LedgerRule {
    this.records.set(entry.key, this.record(entry, 0, "without", undefined))
    return rule
  }

  private effect(entry: Entry, amount: number, rule: Posting["rule"], original: Record | undefined): void {
    const record = this.record(entry, amount, "standing", original)
    this.records.set(entry.key, record)
    this.standing++
    this.limit(record, 1)
    this.posted(record, rule, amount)
  }

  private record(entry: Entry, effect: number, state: Record["state"], original: Record | undefined): Record {
    return {
      key: entry.key,
      rrn: entry.rrn,
      pan: entry.pan,
      effect,
      isHold: entry.kind === "preAuthorisation",
      state,
      original,
      refunded: 0,
      day: this.day
    }
  }

  private posted(record: Record, rule: Posting["rule"], amount: number): void {
    const available = this.available(record.pan) + amount
    this.accounts.set(record.pan, available)
    this.postings++
    this.onPosting({ rrn: record.rrn, key: record.key, account: maskPan(record.pan), rule, amount, available })
  }
}
