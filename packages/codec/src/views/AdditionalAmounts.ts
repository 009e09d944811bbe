/**
 * DE 54: balances and other amounts, 20 characters each (ISO 8583:1987, CUPS: at most two). Reading and writing give the same
 * text.
 */
import { type Amount, writeSignedAmount } from "./Amount.ts"

/** One entry of DE 54. */
export interface AdditionalAmount extends Amount {
  /** 2 digits: 30 credit card, 10 savings ... (positions 1-2 of a processing code's account type). */
  readonly accountType: string
  /** 2 digits: 01 ledger balance, 02 available balance ... */
  readonly amountType: string
  readonly isDebit: boolean
}

const entry = /^(\w{2})(\w{2})(\w{3})([CD])(\d{12})$/

/** The entries; `undefined` when the text is not whole entries. */
export const readAdditionalAmounts = (text: string): ReadonlyArray<AdditionalAmount> | undefined => {
  if (text.length === 0 || text.length % 20 !== 0) return undefined
  const amounts: Array<AdditionalAmount> = []
  for (let at = 0; at < text.length; at += 20) {
    const parts = entry.exec(text.slice(at, at + 20))
    if (parts === null) return undefined
    const [, accountType, amountType, currency, sign, digits] = parts as unknown as ReadonlyArray<string>
    const isDebit = sign === "D"
    const minor = isDebit ? -BigInt(digits!) : BigInt(digits!)
    amounts.push({ accountType: accountType!, amountType: amountType!, currency: currency!, isDebit, minor })
  }
  return amounts
}

/** The text of entries; `undefined` when a part has not its length or an amount has more than 12 digits. */
export const writeAdditionalAmounts = (amounts: ReadonlyArray<AdditionalAmount>): string | undefined => {
  let text = ""
  for (const amount of amounts) {
    const one = amount.accountType + amount.amountType + amount.currency + writeSignedAmount(amount, 12)
    if (!entry.test(one)) return undefined
    text += one
  }
  return text
}
