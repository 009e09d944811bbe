/**
 * The acquirer's messages: requests, advices and reversals in CUPS fields.
 *
 * Owns which fields each carries (one acquirer's production table: field matrix of the domain notes). Numbers and dates
 * come from Numbering, what is asked for from the workload. No DE 128: the partners share no MAC key.
 */
import type { Card } from "../chance/Cards.ts"
import { type Fields, notRejected, type PartnerMessage, pickFields, requestHeader } from "../message/PartnerMessage.ts"
import { type Kind, kinds, originalData, transactionKey } from "../message/Transaction.ts"
import type { Identity } from "../partner/Management.ts"
import type { Numbering } from "../partner/Numbering.ts"
import type { Intent } from "./Workload.ts"

/** A transaction that was approved and may be voided or refunded. */
export interface Original {
  readonly mti: string
  readonly key: string
  readonly card: number
  readonly amount: number
  /** DE 38 of the approval. */
  readonly authorisation: string
}

/** A request or advice of our own, with what is needed later. */
export interface Request {
  readonly message: PartnerMessage
  readonly kind: Kind
  readonly key: string
  readonly rrn: string
  readonly amount: number
  readonly card: number
  /** DE 90's key of a void or refund. */
  readonly original: string | undefined
}

/** DE 60: reason 0000, no owner known, terminal reads chip and stripe (5), type 03 POS, the rest zeros. */
const additional = "000005000300000"

/** DE 43, 40 characters. */
const place = "JINKA SIMULATED MERCHANT        SHANGHAI".slice(0, 40).padEnd(40)

/** Fields that only some kinds carry. */
const presence = (intent: Intent, card: Card): Fields => ({
  22: `${intent.hasTrack2 ? "02" : "01"}${intent.hasPin ? "1" : "2"}`,
  ...(intent.hasTrack2 ? { 35: card.track2 } : {}),
  ...(intent.hasPin ? { 26: "12", 52: card.pinBlock, 53: "2600000000000000" } : {})
})

/** Builds the request of an intent. `original` is the purchase that a void or refund refers to. */
export const makeRequest = (
  identity: Identity,
  numbering: Numbering,
  at: number,
  intent: Intent,
  kind: Kind,
  card: Card,
  original: Original | undefined
): Request => {
  const { mti, processingCode, condition } = kinds[kind]
  const transmitted = numbering.transmitted(at)
  const stan = numbering.nextStan()
  const rrn = numbering.nextReference()
  const amount = original?.amount ?? (kind === "balanceInquiry" ? 0 : intent.amount)
  const fields: Fields = {
    2: card.pan,
    3: processingCode,
    ...(kind === "balanceInquiry" ? {} : { 4: String(amount).padStart(12, "0") }),
    7: transmitted,
    11: stan,
    12: transmitted.slice(4),
    13: transmitted.slice(0, 4),
    14: card.expiry,
    18: "5411",
    25: condition,
    32: identity.institution,
    33: identity.institution,
    37: rrn,
    41: `T${String(intent.terminal).padStart(7, "0")}`,
    42: `JINKA${String(intent.terminal % 10).padStart(10, "0")}`,
    43: place,
    49: "156",
    60: additional,
    ...presence(intent, card),
    ...(original === undefined ? {} : { 38: original.authorisation, 90: originalData(original.mti, original.key) })
  }
  return {
    message: { header: requestHeader(identity.institution, identity.centre), mti, fields, reject: notRejected },
    kind,
    key: keyOf(identity, transmitted, stan),
    rrn,
    amount,
    card: intent.card,
    original: original?.key
  }
}

/** Fields that a reversal repeats of its original (CUPS: 0420). */
const reversed = [2, 3, 4, 12, 13, 18, 22, 25, 32, 33, 37, 38, 41, 42, 43, 49, 53, 60]

/** The reversal of a request: own DE 7 and 11, the original in DE 90, no track and no PIN block. */
export const makeReversal = (
  identity: Identity,
  numbering: Numbering,
  at: number,
  request: Request
): { readonly message: PartnerMessage; readonly key: string } => {
  const transmitted = numbering.transmitted(at)
  const stan = numbering.nextStan()
  const fields = pickFields(request.message.fields, reversed)
  return {
    message: {
      header: request.message.header,
      mti: "0420",
      fields: { ...fields, 7: transmitted, 11: stan, 90: originalData(request.message.mti, request.key) },
      reject: notRejected
    },
    key: keyOf(identity, transmitted, stan)
  }
}

const keyOf = (identity: Identity, transmitted: string, stan: string): string =>
  transactionKey({ stan, transmitted, acquirer: identity.institution, forwarder: identity.institution })
