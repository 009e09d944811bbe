/**
 * Transactions of a partner's own in any dialect: requests, advices and reversals, by the roles of its data elements and its
 * recipe for reversals. What else a network wants in them its file says (`fields`).
 */
import {
  type Codec,
  dateTimeText,
  explain,
  isMessageError,
  isReversible,
  type Message,
  type MessageIndex,
  messageFromJson,
  mtiText,
  originalData,
  repeatMti,
  responseMti,
  reversalSets
} from "@jinka/codec"
import { type Observed, told } from "../../dialogue/Observed.ts"
import { type Kind, kinds } from "../../message/Transaction.ts"
import { amountOf, keyOf, partApproved } from "../Facts.ts"
import type { OwnMessages } from "../OwnMessages.ts"
import type { PartnerPlan } from "../PartnerPlan.ts"

/** A request or advice of our own, with what is needed later. */
export interface Sent {
  readonly kind: Kind
  readonly message: Message
  readonly index: MessageIndex
  readonly key: string
  readonly rrn: string
  readonly amount: number
  readonly card: string
  /** The key of the purchase that a void gives back. */
  readonly original: string | undefined
  readonly isReversible: boolean
}

/** What is to be sent. */
export interface Wanted {
  readonly kind: Kind
  readonly card: string
  readonly amount: number
  readonly terminal: number
  readonly rrn: string
  readonly original: Sent | undefined
}

const processingCodes: { readonly [K in Kind]: string } = {
  purchase: "000000",
  preAuthorisation: "000000",
  balanceInquiry: "300000",
  void: "200000",
  refund: "200000"
}

/** Local times by the digits of their data element: hhmmss, with the date before it in the later editions. */
const localTime = (date: string, units: number): string => date.slice(-units)

/** Data elements without a role that purchases have in all editions: local time and date, entry mode, terminal, merchant. */
const others = ({ layout }: Codec, { terminal }: Wanted, localMs: number): Readonly<Record<number, string>> => {
  const date = new Date(localMs).toISOString().replaceAll(/\D/g, "").slice(0, 14)
  const units = (de: number): number => layout.fields[de]?.units ?? 0
  const isFirst = layout.dialect.version === 0
  return {
    12: localTime(date, units(12)),
    ...(units(13) === 4 ? { 13: date.slice(4, 8) } : {}),
    ...(isFirst ? { 18: "5411", 22: "012", 25: "00" } : { 24: "200" }),
    41: `T${String(terminal).padStart(7, "0")}`,
    42: `JINKA${String(terminal % 10).padStart(10, "0")}`
  }
}

const amountText = ({ layout }: Codec, amount: number): string => {
  const digits = String(amount).padStart(12, "0")
  // The 2003 edition writes currency and exponent before the digits.
  return (layout.fields[layout.roles.amount]?.units ?? 12) > 12 ? `1562${digits}` : digits
}

const encoded = (codec: Codec, message: Message): Buffer | string => {
  const bytes = codec.encode(message)
  return isMessageError(bytes) ? explain(bytes) : bytes
}

/** Makes and remakes the messages of one partner. */
export class SendMessages {
  private plan: PartnerPlan
  private readonly own: OwnMessages

  constructor(plan: PartnerPlan, own: OwnMessages) {
    this.plan = plan
    this.own = own
  }

  replan(plan: PartnerPlan): void {
    this.plan = plan
  }

  /** A request or advice; a text where it cannot be made. */
  request(wanted: Wanted, wallMs: number): Sent | string {
    const { form, institution, sends, utcOffsetMs } = this.plan
    const { codec } = form
    const { layout } = codec
    const { dialect, roles } = layout
    const { amount, card, kind, original, rrn } = wanted
    const { isAdvice } = kinds[kind]
    const isAuthorisation = kind === "preAuthorisation"
    const processing = isAuthorisation && dialect.name.startsWith("cups") ? "030000" : processingCodes[kind]
    const values: Record<number, string> = {
      ...others(codec, wanted, wallMs + utcOffsetMs),
      [roles.pan]: card,
      [roles.processingCode]: processing,
      ...(kind === "balanceInquiry" ? {} : { [roles.amount]: amountText(codec, amount) }),
      [roles.transmissionTime]: dateTimeText(wallMs, utcOffsetMs / 60_000),
      [roles.stan]: this.own.nextStan(),
      [roles.acquirer]: institution,
      [roles.forwarder]: institution,
      [roles.rrn]: rrn,
      ...(dialect.version < 2 ? { [roles.currency]: "156" } : {}),
      ...(original === undefined ? {} : this.pointer(original))
    }
    const there = Object.entries(values).filter(([de]) => layout.fields[Number(de)] !== undefined)
    const mti = dialect.version * 1000 + (isAuthorisation ? 100 : isAdvice ? 220 : 200)
    const more = messageFromJson(codec, { mti: mtiText(mti), fields: sends?.fields ?? {} })
    if (isMessageError(more)) return explain(more)
    const message: Message = {
      ...this.own.header(),
      mti: mtiText(mti),
      fields: { ...Object.fromEntries(there), ...more.fields }
    }
    const bytes = encoded(codec, message)
    if (typeof bytes === "string") return bytes
    const { index } = told(form, bytes, 0)
    return {
      ...{ kind, message, index, rrn, card, original: original?.key },
      amount: kind === "balanceInquiry" ? 0 : amount,
      key: keyOf(layout, index),
      isReversible: !isAdvice && isReversible(dialect, mti, index.text(roles.processingCode))
    }
  }

  /** The reversal of a request, and its key; a text where it cannot be made. */
  reversal(sent: Sent, wallMs: number): { readonly message: Message; readonly key: string } | string {
    const { form, institution, utcOffsetMs } = this.plan
    const { codec } = form
    const { roles } = codec.layout
    const recipe = codec.dialect.reversal!
    const { copies, mti, renews } = recipe
    const renewed: Readonly<Record<number, string>> = {
      [roles.transmissionTime]: dateTimeText(wallMs, utcOffsetMs / 60_000),
      [roles.stan]: this.own.nextStan(),
      [roles.forwarder]: institution
    }
    const fields: Record<number, Message["fields"][number]> = { ...reversalSets(recipe, "noAnswer") }
    for (const de of copies) if (sent.message.fields[de] !== undefined) fields[de] = sent.message.fields[de]
    for (const de of renews)
      if (renewed[de] !== undefined && codec.layout.fields[de] !== undefined) fields[de] = renewed[de]
    const message: Message = {
      ...this.own.header(),
      mti: mtiText(mti),
      fields: { ...fields, ...this.pointer(sent) }
    }
    const bytes = encoded(codec, message)
    return typeof bytes === "string" ? bytes : { message, key: keyOf(codec.layout, told(form, bytes, 0).index) }
  }

  /** The bytes of a message that was made before. */
  bytes(message: Message): Buffer {
    return encoded(this.plan.form.codec, message) as Buffer
  }

  /** The field that names an original. */
  private pointer({ index }: Sent): Readonly<Record<number, string>> {
    const { dialect } = this.plan.form.codec
    const pointer = originalData(dialect, index)
    return pointer === undefined ? {} : { [dialect.reversal!.originalData.field]: pointer }
  }
}

/** The same message, said again. */
export const asRepeat = (message: Message): Message => ({ ...message, mti: mtiText(repeatMti(Number(message.mti))) })

/** The first field in which an answer does not fit its request, by the dialect's echo list; `undefined`: it fits. */
export const mismatchOf = (layout: Codec["layout"], sent: Sent, { index }: Observed): string | undefined => {
  const { dialect, roles } = layout
  if (responseMti(sent.index.mti) !== index.mti) return "MTI"
  // Of an amount a part may be approved, and never more.
  const isPart = partApproved(layout, index, amountOf(layout, sent.index)) !== undefined
  const wrong = [...dialect.echo, roles.amount].find(
    (de) =>
      !(isPart && de === roles.amount) && index.has(de) && sent.index.has(de) && index.text(de) !== sent.index.text(de)
  )
  return wrong === undefined ? undefined : `DE ${wrong}`
}
