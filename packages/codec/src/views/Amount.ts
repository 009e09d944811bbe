/**
 * Amounts as a number of minor units and a currency, beside the digits of the message: reading and writing give the same digits
 * again. No floating point anywhere. The currency is in another field (DE 49 for DE 4), so the caller gives it.
 */

/** An amount of money in minor units, with its currency. */
export interface Amount {
  /** Minor units (fen, cents); negative for a debit of an x+n field. */
  readonly minor: bigint
  /** ISO 4217 as in the message: three digits or letters. */
  readonly currency: string
  /** Whether an amount of zero is a debit (D00000000): the sign that -0 cannot hold. Any other amount has its own sign. */
  readonly isDebit?: boolean
  /** Digits behind the decimal point, where the message says them (2003); otherwise those of the currency. */
  readonly exponent?: number
}

type Row = readonly [numeric: string, alpha: string, exponent: 0 | 2 | 3 | 4]

/** ISO 4217: every currency whose exponent is not 2, and the usual ones with 2. */
const rows: ReadonlyArray<Row> = [
  ["036", "AUD", 2],
  ["048", "BHD", 3],
  ["108", "BIF", 0],
  ["124", "CAD", 2],
  ["152", "CLP", 0],
  ["156", "CNY", 2],
  ["174", "KMF", 0],
  ["262", "DJF", 0],
  ["324", "GNF", 0],
  ["344", "HKD", 2],
  ["352", "ISK", 0],
  ["356", "INR", 2],
  ["360", "IDR", 2],
  ["368", "IQD", 3],
  ["392", "JPY", 0],
  ["400", "JOD", 3],
  ["410", "KRW", 0],
  ["414", "KWD", 3],
  ["434", "LYD", 3],
  ["446", "MOP", 2],
  ["458", "MYR", 2],
  ["512", "OMR", 3],
  ["548", "VUV", 0],
  ["554", "NZD", 2],
  ["600", "PYG", 0],
  ["608", "PHP", 2],
  ["643", "RUB", 2],
  ["646", "RWD", 0],
  ["702", "SGD", 2],
  ["704", "VND", 0],
  ["756", "CHF", 2],
  ["764", "THB", 2],
  ["784", "AED", 2],
  ["788", "TND", 3],
  ["800", "UGX", 0],
  ["826", "GBP", 2],
  ["840", "USD", 2],
  ["901", "TWD", 2],
  ["927", "UYW", 4],
  ["940", "UYI", 0],
  ["950", "XAF", 0],
  ["952", "XOF", 0],
  ["953", "XPF", 0],
  ["978", "EUR", 2],
  ["990", "CLF", 4]
]

const byCode: ReadonlyMap<string, Row> = new Map(
  rows.flatMap((row) => [[row[0], row] as const, [row[1], row] as const])
)

/** Digits behind the decimal point of a currency (ISO 4217), by number or letters; 2 for one that is not in the table. */
export const currencyExponent = (currency: string): number => byCode.get(currency)?.[2] ?? 2

/** Letters of a currency's number, or what was given when it is not in the table. */
export const currencyLetters = (currency: string): string => byCode.get(currency)?.[1] ?? currency

/** The amount of an n field (DE 4) or an x+n field (DE 28: C is positive, D negative); `undefined` when the text is neither. */
export const readAmount = (text: string, currency: string): Amount | undefined => {
  const parts = /^([CD]?)(\d{1,18})$/.exec(text)
  if (parts === null) return undefined
  const minor = BigInt(parts[2]!)
  if (parts[1] !== "D") return { minor, currency }
  return minor === 0n ? { minor, currency, isDebit: true } : { minor: -minor, currency }
}

/** Digits of an amount for an n field of `digits`; `undefined` when it is negative or too large for them. */
export const writeAmount = ({ minor }: Amount, digits = 12): string | undefined => {
  const text = minor.toString().padStart(digits, "0")
  return minor < 0n || text.length > digits ? undefined : text
}

/** C or D and the digits of an amount for an x+n field of `digits`; `undefined` when it is too large for them. */
export const writeSignedAmount = ({ minor, currency, isDebit }: Amount, digits = 8): string | undefined => {
  const text = writeAmount({ minor: minor < 0n ? -minor : minor, currency }, digits)
  const sign = minor < 0n || (minor === 0n && isDebit === true) ? "D" : "C"
  return text === undefined ? undefined : sign + text
}

/**
 * An amount of the 2003 edition, which says its currency and exponent itself (DE 4, 5, 6: three digits, one, twelve; jPOS
 * 3ff2951, ISOAmount); `undefined` when the text is none.
 */
export const readAmount2003 = (text: string): Amount | undefined => {
  const parts = /^(\d{3})(\d)(\d{12})$/.exec(text)
  return parts === null ? undefined : { minor: BigInt(parts[3]!), currency: parts[1]!, exponent: Number(parts[2]) }
}

/** Most that an amount usually is: what is more may be a card number. */
const USUAL_MAX = 10_000_000_000n

/**
 * Whether 16 digits, which a card number may be by its check digit, are plainly such an amount: of a currency of ISO 4217, with
 * the exponent of that currency, and below ten thousand million minor units.
 */
export const isUsualAmount2003 = (text: string): boolean => {
  const amount = readAmount2003(text)
  return amount !== undefined && byCode.get(amount.currency)?.[2] === amount.exponent && amount.minor < USUAL_MAX
}

/** The text of such an amount; `undefined` when it is negative, too large, or its currency is not given by its number. */
export const writeAmount2003 = (amount: Amount): string | undefined => {
  const digits = writeAmount(amount)
  const exponent = amount.exponent ?? currencyExponent(amount.currency)
  return digits === undefined || !/^\d{3}$/.test(amount.currency) ? undefined : `${amount.currency}${exponent}${digits}`
}

/** For people: `-12.50 CNY`. */
export const amountText = ({ minor, currency, exponent = currencyExponent(currency) }: Amount): string => {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, "0")
  const whole = digits.slice(0, digits.length - exponent)
  const point = exponent === 0 ? "" : `.${digits.slice(digits.length - exponent)}`
  return `${minor < 0n ? "-" : ""}${whole}${point} ${currencyLetters(currency)}`
}
