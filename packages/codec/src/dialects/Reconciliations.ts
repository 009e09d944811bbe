/** How the shipped dialects compare the totals of a day: ISO 8583:1987 and 1993, data elements 66 and 74 to 89. */
import type { Reconciliation } from "../iso8583/Reconciliation.ts"

const rules: Omit<Reconciliation, "outcome"> = {
  types: { "0": "debits", "1": "debits", "2": "credits", "3": "inquiries", "4": "transfers" },
  totals: {
    credits: { number: 74, reversals: 75, amount: 86, reversedAmount: 87 },
    debits: { number: 76, reversals: 77, amount: 88, reversedAmount: 89 },
    transfers: { number: 78, reversals: 79 },
    inquiries: { number: 80 },
    authorizations: { number: 81 }
  }
}

/** ISO 8583:1987: the settlement code says it. */
export const totals1987: Reconciliation = {
  ...rules,
  outcome: { field: 66, inBalance: "1", outOfBalance: "2", notKnown: "3" }
}

/** CUPS: the same, with the net amount. */
export const totalsCups: Reconciliation = { ...totals1987, net: { de: 97, positive: "D", negative: "C" } }

/** ISO 8583:1993: the action code says it. */
export const totals1993: Reconciliation = {
  ...rules,
  outcome: { inBalance: "500", outOfBalance: "501", notKnown: "503" }
}
