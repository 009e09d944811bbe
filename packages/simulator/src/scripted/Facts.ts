/**
 * What a message is, read by the roles of its dialect: card, amount, key, kind of transaction, and the names by which rules call
 * it. Pure; no data element is known by number here.
 */
import {
  coverCardText,
  coverRuns,
  coverValueText,
  type Dialect,
  isRead,
  isRepeat,
  isUsualAmount2003,
  type Layout,
  type MessageIndex,
  mtiClass,
  mtiText,
  type NetworkCodes,
  originalData,
  partialReversal,
  readOriginalData,
  shownField,
  writeOriginalData
} from "@jinka/codec"
import type { Observed } from "../dialogue/Observed.ts"
import { plainOriginal } from "../message/PlainOriginal.ts"
import type { Kind } from "../message/Transaction.ts"
import type { About } from "./PartnerRecord.ts"

/** What a network management code means. */
export type Meaning = keyof NetworkCodes["codes"]

/** The meaning of a management message; `undefined` when the dialect's table does not have its code. */
export const meaningOf = ({ network }: Dialect, index: MessageIndex): Meaning | undefined => {
  if (network === undefined) return undefined
  const code = index.text(network.field)
  return (Object.keys(network.codes) as Array<Meaning>).find((name) => network.codes[name] === code)
}

/** Names of management messages in rules. */
const meaningNames: { readonly [M in Meaning]: string } = {
  signOn: "sign-on",
  signOff: "sign-off",
  cutoverStart: "cut-over",
  cutoverEnd: "cut-over",
  echo: "echo",
  keyReset: "key change",
  keyResetRequest: "key change"
}

/** Names of message classes in rules. */
const classNames: Readonly<Record<string, string>> = {
  request: "request",
  advice: "advice",
  reversal: "reversal",
  notice: "notice",
  networkManagement: "management"
}

/** Names of kinds of transactions in rules. */
const kindNames: { readonly [K in Kind]: string } = {
  purchase: "purchase",
  preAuthorisation: "pre-authorisation",
  balanceInquiry: "inquiry",
  void: "void",
  refund: "refund"
}

/** All names that `type` of a rule knows, besides MTIs. */
export const typeNames: ReadonlyArray<string> = [
  ...new Set([...Object.values(classNames), ...Object.values(kindNames), ...Object.values(meaningNames), "totals"])
]

/** Class digit of reconciliation: 05xx, 15xx, 25xx. */
const RECONCILIATION = 5

/** Whether messages of this type carry a MAC: their requests do, by the dialect's list, and so repeats and answers. */
export const carriesMac = ({ security }: Dialect, mti: number): boolean => {
  const isAnswer = Math.floor(mti / 10) % 2 === 1
  const asked = (isAnswer ? mti - 10 : mti) & ~1
  return security?.mac?.messages.includes(asked) === true
}

/** Whether the message compares totals. */
export const isReconciliation = (mti: number): boolean => Math.floor(mti / 100) % 10 === RECONCILIATION

/** The card number: its own field, or what is in a track before the separator; "" when there is none. */
export const cardOf = ({ defined, roles }: Layout, index: MessageIndex): string => {
  if (index.has(roles.pan)) return index.text(roles.pan)
  for (const { content, de } of defined) {
    if (content !== "z" || !index.has(de)) continue
    const track = /^;?(\d{12,19})[=D]/i.exec(index.text(de))
    if (track !== null) return track[1]!
  }
  return ""
}

/** Digits of an amount; what the 2003 edition writes before them is currency and exponent. */
const AMOUNT_DIGITS = 12

/** The amount in minor units; 0 when there is none. Of a card number in its place no digits are an amount. */
export const amountOf = ({ roles }: Layout, index: MessageIndex): number => {
  const whole = index.text(roles.amount)
  const text = whole.slice(-AMOUNT_DIGITS)
  if (!/^\d+$/.test(text)) return 0
  return whole.length === text.length || isUsualAmount2003(whole) || coverValueText(whole) === whole ? Number(text) : 0
}

/** What an answer with this code approves of an amount, where that is only a part; `undefined`: all of it, or nothing. */
export const partApproved = (layout: Layout, index: MessageIndex, asked: number): number | undefined => {
  if (!layout.answers.partialApproval.includes(index.text(layout.roles.responseCode))) return undefined
  const amount = amountOf(layout, index)
  return index.has(layout.roles.amount) && amount < asked ? amount : undefined
}

/** What a reversal leaves of the amount of its original, in minor units; 0: it takes all back. */
export const remainsOf = (layout: Layout, index: MessageIndex): number => {
  const part = partialReversal(layout, index)
  return typeof part === "object" ? Number(part.remains.slice(-AMOUNT_DIGITS)) : 0
}

/** Another amount, written as the message writes its own. */
export const amountText = ({ roles }: Layout, index: MessageIndex, amount: number): string => {
  const text = index.text(roles.amount)
  return text.slice(0, -AMOUNT_DIGITS) + String(amount).padStart(Math.min(text.length, AMOUNT_DIGITS), "0")
}

/**
 * The key of a transaction: the values by which a reversal names its original, without the message type. Where the dialect has no
 * original data, the fields that an answer is matched by, card numbers covered: histories and ledgers say keys.
 */
export const keyOf = ({ dialect }: Layout, index: MessageIndex): string =>
  originalData(dialect, index)?.slice(4) ??
  dialect.match.transaction.map((de) => coverCardText(index.text(de))).join("|")

/** The key that a message names as its original; `undefined` when it names none. */
export const originalKeyOf = (layout: Layout, index: MessageIndex): string | undefined => {
  const { dialect } = layout
  const field = dialect.reversal?.originalData.field
  if (field === undefined) return mtiClass(index.mti) === "reversal" ? keyOf(layout, index) : undefined
  const original = index.has(field) ? readOriginalData(dialect, index.text(field)) : undefined
  return original === undefined ? undefined : writeOriginalData(dialect, original)?.slice(4)
}

/** Positions 1-2 of the processing code. */
const transactionOf = ({ roles }: Layout, index: MessageIndex): string => index.text(roles.processingCode).slice(0, 2)

/**
 * What a message does to an account, by the first digit of its processing code (ISO 8583: 0 and 1 debit, 2 credit, 3 inquiry,
 * 4 transfer, 5 payment, 6 load) and its class; `undefined`: nothing that a ledger knows.
 */
export const kindOf = (layout: Layout, index: MessageIndex): Kind | undefined => {
  const isAuthorisation = Math.floor(index.mti / 100) % 10 === 1
  const taking = isAuthorisation ? "preAuthorisation" : "purchase"
  switch (transactionOf(layout, index)[0]) {
    case undefined:
    case "0":
    case "1":
    case "4":
    case "5":
    case "6":
      return taking
    case "2":
      return mtiClass(index.mti) === "request" && originalKeyOf(layout, index) !== undefined ? "void" : "refund"
    case "3":
      return "balanceInquiry"
    default:
      return undefined
  }
}

/** What rules ask of a message. */
export interface Facts {
  readonly mti: string
  readonly isRepeat: boolean
  readonly card: string
  /** Minor units; 0 when the message has no amount. */
  readonly amount: number
  readonly hasAmount: boolean
  readonly names: ReadonlyArray<string>
  readonly index: MessageIndex
}

/** The facts of a message that can be read. */
export const factsOf = (layout: Layout, { index }: Observed): Facts => {
  const kindOfClass = mtiClass(index.mti)
  const isMoney = kindOfClass === "request" || kindOfClass === "advice"
  const kind = isMoney ? kindOf(layout, index) : undefined
  const meaning = kindOfClass === "networkManagement" ? meaningOf(layout.dialect, index) : undefined
  return {
    mti: mtiText(index.mti),
    isRepeat: isRepeat(index.mti),
    card: cardOf(layout, index),
    amount: amountOf(layout, index),
    hasAmount: index.has(layout.roles.amount),
    names: [
      classNames[kindOfClass] ?? "",
      kind === undefined ? "" : kindNames[kind],
      meaning === undefined ? "" : meaningNames[meaning],
      isReconciliation(index.mti) ? "totals" : ""
    ],
    index
  }
}

/** The same as a history may say it: without its digits where it is more than what names an original. */
const shownOriginalOf = (layout: Layout, index: MessageIndex): string | undefined => {
  const key = originalKeyOf(layout, index)
  return key === undefined || plainOriginal(layout, index, true) !== undefined ? key : coverRuns(key)
}

/** What a history says of a message. */
export const aboutOf = (layout: Layout, index: MessageIndex, { amount, card, mti }: Facts, key: string): About => ({
  mti,
  key: isRead(layout, index) ? key : coverRuns(key),
  rrn: shownField(layout, index, layout.roles.rrn),
  amount,
  card,
  kind: mtiClass(index.mti) === "reversal" ? undefined : kindOf(layout, index),
  original: shownOriginalOf(layout, index),
  remains: remainsOf(layout, index)
})
