/**
 * What a partner took and gave in a business day, and the messages that compare it. What a transaction counts as, and where each
 * count and sum is, is the dialect's (`reconciliation`), as on the other side; an edition without it says only that it has
 * reconciled.
 */
import {
  type Codec,
  type MessageIndex,
  noTotals,
  type Reconciliation,
  type TotalsKind,
  totalsKindOf,
  totalsKinds,
  totalsNet,
  totalsSums
} from "@jinka/codec"

/** Totals of one business day. Amounts in minor units. */
export class DayTotals {
  private sums = noTotals()
  /** What was counted on this day, by key: a reversal takes it back, once. */
  private readonly counted = new Map<string, { readonly kind: TotalsKind; amount: number }>()

  /** A request or an advice was approved, with this amount. */
  approved({ dialect, layout }: Codec, index: MessageIndex, key: string, amount: number): void {
    const type = index.text(layout.roles.processingCode).slice(0, 2)
    const kind = dialect.reconciliation && totalsKindOf(dialect.reconciliation, index.mti, type)
    if (kind === undefined) return
    this.counted.set(key, { kind, amount })
    const sum = this.sums[kind]
    sum.number++
    sum.amount += amount
  }

  /** What has this key was taken back, all but `remains` of it. One of another day counts on that day. */
  reversed(key: string, remains: number): void {
    const counted = this.counted.get(key)
    if (counted === undefined) return
    const sum = this.sums[counted.kind]
    sum.reversals++
    sum.reversedAmount += counted.amount - remains
    counted.amount = remains
    if (remains === 0) this.counted.delete(key)
  }

  /** A new business day: all sums are zero. */
  startDay(): void {
    this.sums = noTotals()
    this.counted.clear()
  }

  /** For a status line: debits and credits, and of the others those that there were. */
  get text(): string {
    return totalsKinds
      .filter((kind) => kind === "debits" || kind === "credits" || this.sums[kind].number > 0)
      .toReversed()
      .map((kind) => {
        const { amount, number, reversals, reversedAmount } = this.sums[kind]
        return `${kind} ${number} of ${amount}, ${reversals} of ${reversedAmount} taken back`
      })
      .join("; ")
  }

  /** The sums by data element, for a message of ours. */
  fields({ dialect, layout }: Codec): { readonly [de: number]: string } {
    const rules = dialect.reconciliation
    if (rules === undefined) return {}
    const values: Record<number, string> = {}
    for (const [de, value] of this.places(rules)) {
      const field = layout.fields[de]
      if (field !== undefined) values[de] = String(value).padStart(field.units, "0")
    }
    const { net } = rules
    const field = net === undefined ? undefined : layout.fields[net.de]
    if (net !== undefined && field !== undefined) {
      const value = totalsNet(this.sums)
      const letter = value > 0 ? net.positive : net.negative
      values[net.de] = letter + String(Math.abs(value)).padStart(field.units - letter.length, "0")
    }
    return values
  }

  /** Whether a message of the far side has our sums, as far as it says any; and what an answer says of it. */
  compared(
    codec: Codec,
    index: MessageIndex
  ): { readonly isEqual: boolean; readonly code: string; readonly fields: object } {
    const isEqual = Object.entries(this.fields(codec)).every(
      ([de, ours]) => !index.has(Number(de)) || sameNumber(index.text(Number(de)), ours)
    )
    const { approved } = codec.layout.answers
    const outcome = codec.dialect.reconciliation?.outcome
    if (outcome === undefined) return { isEqual, code: approved, fields: {} }
    const said = isEqual ? outcome.inBalance : outcome.outOfBalance
    return outcome.field === undefined
      ? { isEqual, code: said, fields: {} }
      : { isEqual, code: approved, fields: { [outcome.field]: said } }
  }

  private places({ totals }: Reconciliation): ReadonlyArray<readonly [de: number, value: number]> {
    return totalsKinds.flatMap((kind) =>
      totalsSums.flatMap((sum) => {
        const de = totals[kind]?.[sum]
        return de === undefined ? [] : [[de, this.sums[kind][sum]] as const]
      })
    )
  }
}

/** A count or a sum, with or without a letter in front. */
const sameNumber = (one: string, other: string): boolean =>
  one.replace(/^([A-Z]?)0*/, "$1") === other.replace(/^([A-Z]?)0*/, "$1")
