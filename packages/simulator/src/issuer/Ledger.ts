/**
 * The issuer's ledger: accounts, holds, and what each transaction did to them.
 *
 * Owns the money rules: a purchase debits, a pre-authorisation holds, a void gives back what its original took, a
 * refund credits, a reversal undoes exactly once, and a reversal that comes before its original leaves a tombstone so
 * that the original has no effect when it arrives. Does not know links, answers or chance; duplicates (the same key
 * twice) are the issuer's business and never reach the ledger.
 *
 * Invariant: for every key at most one effect and at most one undoing of it; the sum of all postings of an account plus
 * its opening balance is its available balance.
 */
import { maskPan } from "../chance/Cards.ts"
import type { Kind } from "../message/Transaction.ts"

/** One change of an available balance. */
export interface Posting {
  /** F37 of the transaction whose effect this is, or which is undone. */
  readonly rrn: string
  /** Key of that transaction. */
  readonly key: string
  /** Masked card number. */
  readonly account: string
  readonly rule: "debit" | "hold" | "credit" | "undo"
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
  /** Key in F90, for voids and refunds. */
  readonly original: string | undefined
}

/** Which rule decided; the codes are in `codeOf`. */
export type LedgerRule =
  | "posted"
  | "noEffect"
  | "insufficientFunds"
  | "originalNotFound"
  | "originalNotStanding"
  | "amountDiffers"
  | "tombstone"
  | "undone"
  | "alreadyUndone"
  | "nothingToUndo"

/** F39 that answers each rule. */
export const codeOf: { readonly [R in LedgerRule]: string } = {
  posted: "00",
  noEffect: "00",
  insufficientFunds: "51",
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
  readonly effect: number
  state: "standing" | "voided" | "reversed" | "without"
  /** A void or refund remembers what it gave back. */
  readonly original: Record | undefined
  /** Sum of refunds of this purchase. */
  refunded: number
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
  private readonly opening: number
  private readonly onPosting: (posting: Posting) => void
  private readonly accounts = new Map<string, number>()
  private readonly records = new Map<string, Record>()
  private readonly tombstones = new Set<string>()
  private postings = 0
  private standing = 0
  private undone = 0

  /** `opening`: balance of a new account in minor units. `onPosting` sees every change as it is made. */
  constructor(opening: number, onPosting: (posting: Posting) => void = () => undefined) {
    this.opening = opening
    this.onPosting = onPosting
  }

  /** Available balance of an account; opens it when it is new. */
  available(pan: string): number {
    const balance = this.accounts.get(pan)
    if (balance !== undefined) return balance
    this.accounts.set(pan, this.opening)
    return this.opening
  }

  /** Applies a request or advice that was never seen before. */
  post(entry: Entry): LedgerRule {
    if (this.tombstones.has(entry.key)) return this.without(entry, "tombstone")
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

  /** Undoes the transaction with the key, once. A key that is not known leaves a tombstone. */
  reverse(original: string): { readonly rule: LedgerRule; readonly rrn: string | undefined } {
    const record = this.records.get(original)
    if (record === undefined) {
      this.tombstones.add(original)
      return { rule: "nothingToUndo", rrn: undefined }
    }
    const { rrn } = record
    if (record.state === "reversed") return { rule: "alreadyUndone", rrn }
    if (record.state === "without") return { rule: "nothingToUndo", rrn }
    if (record.state === "voided") return { rule: "originalNotStanding", rrn }
    record.state = "reversed"
    this.standing--
    this.undone++
    if (record.original?.state === "voided") record.original.state = "standing"
    this.change(record, "undo", -record.effect)
    return { rule: "undone", rrn }
  }

  /** Sums for the end of a run. */
  totals(): LedgerTotals {
    let available = 0
    for (const balance of this.accounts.values()) available += balance
    return {
      accounts: this.accounts.size,
      opening: this.accounts.size * this.opening,
      available,
      postings: this.postings,
      standing: this.standing,
      undone: this.undone,
      tombstones: this.tombstones.size
    }
  }

  private take(entry: Entry): LedgerRule {
    if (this.available(entry.pan) < entry.amount) return this.without(entry, "insufficientFunds")
    this.effect(entry, -entry.amount, entry.kind === "preAuthorisation" ? "hold" : "debit", undefined)
    return "posted"
  }

  private giveBack(entry: Entry): LedgerRule {
    const original = entry.original === undefined ? undefined : this.records.get(entry.original)
    if (original === undefined) return this.without(entry, "originalNotFound")
    if (original.state !== "standing" || original.refunded > 0) return this.without(entry, "originalNotStanding")
    if (original.effect !== -entry.amount) return this.without(entry, "amountDiffers")
    original.state = "voided"
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
    this.change(record, rule, amount)
  }

  private record(entry: Entry, effect: number, state: Record["state"], original: Record | undefined): Record {
    return { key: entry.key, rrn: entry.rrn, pan: entry.pan, effect, state, original, refunded: 0 }
  }

  private change(record: Record, rule: Posting["rule"], amount: number): void {
    const available = this.available(record.pan) + amount
    this.accounts.set(record.pan, available)
    this.postings++
    this.onPosting({ rrn: record.rrn, key: record.key, account: maskPan(record.pan), rule, amount, available })
  }
}
