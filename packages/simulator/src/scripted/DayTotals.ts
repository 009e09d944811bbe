/**
 * What a partner's ledger took and gave in a business day, and the reconciliation messages that compare it. The fields are found
 * by their names in the dialect; an edition without them says only that it has reconciled.
 */
import type { Codec, MessageIndex } from "@jinka/codec"
import type { Posting } from "../issuer/Ledger.ts"

/** Sums of one direction. */
interface Sum {
  count: number
  amount: number
  reversedCount: number
  reversedAmount: number
}

const zero = (): Sum => ({ count: 0, amount: 0, reversedCount: 0, reversedAmount: 0 })

/** Names of the fields of a reconciliation (ISO 8583:1987 and 1993, data element tables), by what they hold. */
const fieldNames = {
  credits: { count: "credits, number", amount: "credits, amount" },
  creditsReversed: { count: "credits, reversal number", amount: "credits, reversal amount" },
  debits: { count: "debits, number", amount: "debits, amount" },
  debitsReversed: { count: "debits, reversal number", amount: "debits, reversal amount" }
} as const

/** Names of what says how the comparison came out: a field, or a response code. */
const outcome = {
  field: "settlement code",
  inBalance: "1",
  outOfBalance: "2",
  codes: { inBalance: "reconciled, in balance", outOfBalance: "reconciled, out of balance" }
} as const

const fieldNamed = ({ layout }: Codec, name: string): number | undefined =>
  layout.defined.find((field) => field.name.toLowerCase() === name)?.de

/** Totals of one business day. Amounts in minor units; a hold is a debit. */
export class DayTotals {
  private credits = zero()
  private debits = zero()

  /** Counts a posting of the ledger. */
  add({ amount, rule }: Posting): void {
    const isUndo = rule === "undo"
    // What is undone took when undoing gives.
    const sum = amount < 0 !== isUndo ? this.debits : this.credits
    if (isUndo) {
      sum.reversedCount++
      sum.reversedAmount += Math.abs(amount)
    } else {
      sum.count++
      sum.amount += Math.abs(amount)
    }
  }

  /** A new business day: all sums are zero. */
  startDay(): void {
    this.credits = zero()
    this.debits = zero()
  }

  /** For a status line. */
  get text(): string {
    const of = (sum: Sum): string =>
      `${sum.count} of ${sum.amount}, ${sum.reversedCount} of ${sum.reversedAmount} taken back`
    return `debits ${of(this.debits)}; credits ${of(this.credits)}`
  }

  /** The sums by data element, for a message of ours. */
  fields(codec: Codec): { readonly [de: number]: string } {
    const values: Record<number, string> = {}
    for (const [name, value] of this.sums()) {
      const de = fieldNamed(codec, name)
      const field = de === undefined ? undefined : codec.layout.fields[de]
      // In the 2003 edition the same numbers hold something else, under other names.
      if (field !== undefined && field.content === "n") values[field.de] = String(value).padStart(field.units, "0")
    }
    return values
  }

  /** Whether a message of the far side has our sums, as far as it says any; and what an answer says of it. */
  compared(
    codec: Codec,
    index: MessageIndex
  ): { readonly isEqual: boolean; readonly code: string; readonly fields: object } {
    const ours = this.fields(codec)
    const isEqual = Object.entries(ours).every(
      ([de, value]) => !index.has(Number(de)) || Number(index.text(Number(de))) === Number(value)
    )
    const { dialect, layout } = codec
    const field = fieldNamed(codec, outcome.field)
    const name = isEqual ? outcome.codes.inBalance : outcome.codes.outOfBalance
    const code = Object.entries(dialect.responseCodes).find(([, response]) => response.name === name)?.[0]
    return {
      isEqual,
      code: code ?? layout.answers.approved,
      fields: field === undefined ? {} : { [field]: isEqual ? outcome.inBalance : outcome.outOfBalance }
    }
  }

  private sums(): ReadonlyArray<readonly [string, number]> {
    const { credits, debits } = this
    return [
      [fieldNames.credits.count, credits.count],
      [fieldNames.credits.amount, credits.amount],
      [fieldNames.creditsReversed.count, credits.reversedCount],
      [fieldNames.creditsReversed.amount, credits.reversedAmount],
      [fieldNames.debits.count, debits.count],
      [fieldNames.debits.amount, debits.amount],
      [fieldNames.debitsReversed.count, debits.reversedCount],
      [fieldNames.debitsReversed.amount, debits.reversedAmount]
    ]
  }
}
