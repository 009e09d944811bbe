/**
 * How two sides compare the totals of a business day, as data: what counts as what, where each count and sum is, and how an
 * answer says what came of it. Which transactions there were is not known here.
 *
 * Source of the fields: ISO 8583:1987 and 1993, DE 66 and 74 to 89; of the net amount a regional CUPS document of 2001, whose
 * signs others may read otherwise.
 */

/** What a transaction counts as. */
export const totalsKinds = ["credits", "debits", "transfers", "inquiries", "authorizations"] as const
/** One of them. */
export type TotalsKind = (typeof totalsKinds)[number]

/** What is said of one kind: how many, how many of them were taken back, and the amounts of both, in minor units. */
export const totalsSums = ["number", "reversals", "amount", "reversedAmount"] as const
/** One of them. */
export type TotalsSum = (typeof totalsSums)[number]

/** The data elements of one kind; what is left out is not said. */
export type TotalsPlaces = { readonly [Sum in TotalsSum]?: number }

/** The amount that one side owes the other: credits and credits taken back, less debits and debits taken back. */
export interface TotalsNet {
  readonly de: number
  /** The letter in front of an amount above zero, and of any other. */
  readonly positive: string
  readonly negative: string
}

/** The rules; see above. */
export interface Reconciliation {
  /**
   * What positions 1 and 2 of the processing code, or position 1 alone, count as. Authorizations (01xx) count as such, inquiries
   * aside.
   */
  readonly types: { readonly [code: string]: TotalsKind }
  readonly totals: { readonly [Kind in TotalsKind]?: TotalsPlaces }
  readonly net?: TotalsNet
  /** How an answer says it: in a field beside the code of an accepted message, or, without one, as the response code. */
  readonly outcome: {
    readonly field?: number
    readonly inBalance: string
    readonly outOfBalance: string
    /** Our totals of that day are not known, or cannot be compared. */
    readonly notKnown: string
  }
}

/**
 * What a transaction counts as, by the type of its first message and positions 1 and 2 of its processing code; `undefined`: the
 * dialect does not say.
 */
export const totalsKindOf = ({ types }: Reconciliation, mti: number, type: string): TotalsKind | undefined => {
  const kind = types[type] ?? types[type.slice(0, 1)]
  const isAuthorization = Math.floor(mti / 100) % 10 === 1
  return isAuthorization && kind !== "inquiries" ? "authorizations" : kind
}

/** Counts and amounts of each kind, amounts in minor units. */
export type Totals = { readonly [Kind in TotalsKind]: { [Sum in TotalsSum]: number } }

/** Totals of nothing, to be counted in. */
export const noTotals = (): Totals => {
  const nothing = () => ({ number: 0, reversals: 0, amount: 0, reversedAmount: 0 })
  return {
    credits: nothing(),
    debits: nothing(),
    transfers: nothing(),
    inquiries: nothing(),
    authorizations: nothing()
  }
}

/** The amount that one side owes the other; see `TotalsNet`. */
export const totalsNet = ({ credits, debits }: Pick<Totals, "credits" | "debits">): number =>
  credits.amount + credits.reversedAmount - debits.amount - debits.reversedAmount

/** Data elements that the rules name: those of the totals, and the one that an answer cannot do without. */
export const reconciliationFields = ({ net, outcome, totals }: Reconciliation): ReadonlyArray<number> => [
  ...Object.values(totals).flatMap((places) => Object.values(places)),
  ...(net === undefined ? [] : [net.de]),
  ...(outcome.field === undefined ? [] : [outcome.field])
]

/** The rules of a base that a derived dialect still has the fields for; `undefined`: an answer could not say what came of it. */
export const keptReconciliation = (
  { net, totals, ...rules }: Reconciliation,
  has: (de: number) => boolean
): Reconciliation | undefined => {
  if (rules.outcome.field !== undefined && !has(rules.outcome.field)) return undefined
  const kept = Object.entries(totals).map(([kind, places]) => [
    kind,
    Object.fromEntries(Object.entries(places).filter(([, de]) => has(de)))
  ])
  return { ...rules, totals: Object.fromEntries(kept), ...(net !== undefined && has(net.de) ? { net } : {}) }
}
