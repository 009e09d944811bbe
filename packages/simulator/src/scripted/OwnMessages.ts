/**
 * Messages that a partner begins by itself, in its dialect: sign-on, sign-off, echo, cut-over, totals. Owns their numbers and
 * which of them is waiting for an answer.
 */
import {
  type Codec,
  dateTimeText,
  type FieldValue,
  headerLayout,
  isMessageError,
  type Message,
  type MessageIndex,
  mtiText,
  responseMti
} from "@jinka/codec"
import type { Meaning } from "./Facts.ts"
import type { OwnAct, PartnerPlan } from "./PartnerPlan.ts"

/** An own message that waits for its answer. */
export interface Asked {
  readonly act: OwnAct
  readonly stan: string
  readonly mti: number
  /** Until when an answer is waited for; monotonic milliseconds. */
  readonly until: number
}

/** What a message of ours is, besides its values. */
export interface OwnForm {
  readonly act: OwnAct
  readonly mti: number
  /** Fields of times, numbers and names that it carries. */
  readonly carried: ReadonlyArray<number>
  /** How long its answer may take. */
  readonly waitMs: number
}

const meanings: { readonly [A in Exclude<OwnAct, "totals" | "key">]: Meaning } = {
  "sign-on": "signOn",
  "sign-off": "signOff",
  echo: "echo",
  "cut-over": "cutoverStart",
  "cut-over end": "cutoverEnd"
}

const STAN_DIGITS = 6
const STAN_MAX = 999_999

/** Text of digits for a field: zeros in front as far as a fixed field needs them. */
export const sized = (codec: Codec, de: number, digits: string): string => {
  const field = codec.layout.fields[de]
  return field === undefined || field.fixed < 0 ? digits : digits.padStart(field.units, "0").slice(-field.units)
}

/** Whether a dialect knows how to say this. */
export const canSay = ({ network }: Codec["dialect"], act: OwnAct): boolean =>
  act === "totals" || act === "key" || network?.codes[meanings[act]] !== undefined

/** Messages of one partner. */
export class OwnMessages {
  private plan: PartnerPlan
  private stan = 0
  private readonly waiting = new Map<string, Asked>()

  constructor(plan: PartnerPlan) {
    this.plan = plan
  }

  /** Another plan; numbers go on, and what waits for its answer still does. */
  replan(plan: PartnerPlan): void {
    this.plan = plan
  }

  /** The next number that a message of ours has. */
  nextStan(): string {
    const { codec } = this.plan.form
    this.stan = (this.stan % STAN_MAX) + 1
    return sized(codec, codec.layout.roles.stan, String(this.stan).padStart(STAN_DIGITS, "0"))
  }

  /** Network management or totals, and that we wait for its answer. Its bytes and number, or why it cannot be made. */
  make(
    act: Exclude<OwnAct, "key">,
    wallMs: number,
    monotonicMs: number,
    more: { readonly [de: number]: FieldValue } = {}
  ): { readonly message: Buffer; readonly stan: string } | string {
    const { dialect } = this.plan.form.codec
    const { network } = dialect
    if (!canSay(dialect, act)) return `the dialect ${dialect.name} has no ${act}`
    const mti = act === "totals" ? dialect.version * 1000 + ISSUERS_TOTALS : network!.mti
    const code = act === "totals" ? {} : { [network!.field]: network!.codes[meanings[act]]! }
    const form = { act, mti, carried: network?.fields ?? [], waitMs: this.plan.signOn.timeoutMs }
    return this.carry(form, { ...code, ...more }, wallMs, monotonicMs)
  }

  /** Any message of ours with its time, number and names, and with these values. Its bytes, or why it cannot be made. */
  carry(
    { act, carried, mti, waitMs }: OwnForm,
    values: { readonly [de: number]: FieldValue },
    wallMs: number,
    monotonicMs: number
  ): { readonly message: Buffer; readonly stan: string } | string {
    const { codec } = this.plan.form
    const { layout } = codec
    const stan = this.nextStan()
    const known: Readonly<Record<number, string>> = {
      [layout.roles.transmissionTime]: dateTimeText(wallMs, this.plan.utcOffsetMs / 60_000),
      [layout.roles.stan]: stan,
      [layout.roles.acquirer]: this.plan.institution,
      [layout.roles.forwarder]: this.plan.institution,
      [layout.roles.receiver]: this.plan.farSide
    }
    const fields: Record<number, FieldValue> = {}
    for (const de of new Set([layout.roles.transmissionTime, layout.roles.stan, ...carried])) {
      if (layout.fields[de] !== undefined && known[de] !== undefined) fields[de] = known[de]
    }
    const message: Message = { ...this.header(), mti: mtiText(mti), fields: { ...fields, ...values } }
    const bytes = codec.encode(message)
    if (isMessageError(bytes)) return `the ${act} cannot be made: ${bytes._tag}`
    this.waiting.set(stan, { act, stan, mti, until: monotonicMs + waitMs })
    return { message: bytes, stan }
  }

  /** The own message that this answers; it waits no longer. */
  answered(index: MessageIndex): Asked | undefined {
    const asked = this.waiting.get(index.text(this.plan.form.codec.layout.roles.stan))
    if (asked === undefined || responseMti(asked.mti) !== index.mti) return undefined
    this.waiting.delete(asked.stan)
    return asked
  }

  /** Nobody will answer the message of this number: its connection has fallen. */
  forget(stan: string): void {
    this.waiting.delete(stan)
  }

  /** When one has waited too long; Infinity: none waits. */
  get nextDue(): number {
    return Math.min(...[...this.waiting.values()].map(({ until }) => until))
  }

  /** Own messages that have waited too long; they wait no more. */
  overdue(now: number): ReadonlyArray<Asked> {
    const late = [...this.waiting.values()].filter(({ until }) => until < now)
    for (const { stan } of late) this.waiting.delete(stan)
    return late
  }

  /** The header of a message of ours, where the dialect has one. */
  header(): Pick<Message, "header"> {
    const { header } = this.plan.form.codec.dialect
    if (header === undefined) return {}
    const { destination, source } = headerLayout(header)
    return {
      header: {
        ...(destination === undefined ? {} : { [destination.name]: this.plan.farSide }),
        ...(source === undefined ? {} : { [source.name]: this.plan.institution })
      }
    }
  }
}

/** Class 5, advice of an issuer: 0522, 1522, 2522. Whoever keeps accounts is one. */
const ISSUERS_TOTALS = 522
