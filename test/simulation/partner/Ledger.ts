/**
 * What an issuer did with money, by matching key: pure, no time, no messages.
 *
 * A reversal of an unknown request leaves a tombstone, so that the request, should it still come, has no effect.
 */

/** One transaction at the issuer. */
export interface LedgerEntry {
  readonly key: string
  readonly rrn: string
  /** Minor units. */
  readonly amount: number
  readonly state: "approved" | "declined" | "reversed" | "tombstone"
  /** DE 39 of the answer. */
  readonly code: string
}

export class Ledger {
  private readonly entries = new Map<string, LedgerEntry>()

  /** Books a request once. The same key again changes nothing and gets the same code. */
  request(key: string, rrn: string, amount: number, isDeclined: boolean): LedgerEntry {
    const known = this.entries.get(key)
    if (known !== undefined) return known
    const entry: LedgerEntry = {
      key,
      rrn,
      amount,
      state: isDeclined ? "declined" : "approved",
      code: isDeclined ? "51" : "00"
    }
    this.entries.set(key, entry)
    return entry
  }

  /** Takes a request back. True: the original was known. Twice is once. */
  reverse(originalKey: string, rrn: string): boolean {
    const known = this.entries.get(originalKey)
    if (known === undefined) {
      this.entries.set(originalKey, { key: originalKey, rrn, amount: 0, state: "tombstone", code: "12" })
      return false
    }
    if (known.state === "approved") this.entries.set(originalKey, { ...known, state: "reversed" })
    return known.state !== "tombstone"
  }

  /** Money that stays booked, by RRN, over all entries with that RRN, minor units. */
  net(): ReadonlyMap<string, number> {
    const sums = new Map<string, number>()
    for (const { rrn, amount, state } of this.entries.values()) {
      if (state === "approved") sums.set(rrn, (sums.get(rrn) ?? 0) + amount)
    }
    return sums
  }
}
