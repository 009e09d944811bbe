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
  type KeyMessage,
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
  /** Monotonic milliseconds. */
  readonly at: number
}

/** What an act says by a code of the dialect's network management. */
type CodedAct = Exclude<OwnAct, "totals" | "key change" | "key request">

const meanings: { readonly [A in CodedAct]: Meaning } = {
  "sign-on": "signOn",
  "sign-off": "signOff",
  echo: "echo",
  "cut-over": "cutoverStart"
}

const STAN_DIGITS = 6
const STAN_MAX = 999_999

/** Text of digits for a field: zeros in front as far as a fixed field needs them. */
export const sized = (codec: Codec, de: number, digits: string): string => {
  const field = codec.layout.fields[de]
  return field === undefined || field.fixed < 0 ? digits : digits.padStart(field.units, "0").slice(-field.units)
}

/** Whether a dialect knows how to say this. */
export const canSay = ({ network }: Codec["dialect"], act: CodedAct | "totals"): boolean =>
  act === "totals" || network?.codes[meanings[act]] !== undefined

/** Messages of one partner. */
export class OwnMessages {
  private readonly plan: PartnerPlan
  private stan = 0
  private readonly waiting = new Map<string, Asked>()

  constructor(plan: PartnerPlan) {
    this.plan = plan
  }

  /** A message of ours, and that we wait for its answer. Its bytes, or why it cannot be made. */
  make(
    act: CodedAct | "totals",
    wallMs: number,
    monotonicMs: number,
    more: { readonly [de: number]: string } = {}
  ): Buffer | string {
    const { dialect, layout } = this.plan.form.codec
    const { network } = dialect
    if (!canSay(dialect, act)) return `the dialect ${dialect.name} has no ${act}`
    const mti = act === "totals" ? dialect.version * 1000 + RECONCILIATION_ADVICE : network!.mti
    const code = act === "totals" ? {} : { [network!.field]: network!.codes[meanings[act]]! }
    const carried = [layout.roles.transmissionTime, layout.roles.stan, ...(network?.fields ?? [])]
    return this.compose(act, mti, carried, { ...code, ...more }, wallMs, monotonicMs)
  }

  /** A key message of ours with these fields, and its MAC by `seal`; else as {@link make}. */
  makeKey(
    act: "key change" | "key request",
    { fields, mti }: KeyMessage,
    said: { readonly [de: number]: FieldValue },
    wallMs: number,
    monotonicMs: number,
    seal: (message: Buffer) => Buffer
  ): Buffer | string {
    const { roles } = this.plan.form.codec.layout
    const bytes = this.compose(act, mti, [roles.stan, ...fields], said, wallMs, monotonicMs)
    return typeof bytes === "string" ? bytes : seal(bytes)
  }

  /** The number of the message made last. */
  get lastStan(): string {
    return sized(this.plan.form.codec, this.plan.form.codec.layout.roles.stan, this.stanText())
  }

  private stanText(): string {
    return String(this.stan).padStart(STAN_DIGITS, "0")
  }

  private compose(
    act: OwnAct,
    mti: number,
    carried: ReadonlyArray<number>,
    said: { readonly [de: number]: FieldValue },
    wallMs: number,
    monotonicMs: number
  ): Buffer | string {
    const { codec } = this.plan.form
    const { layout } = codec
    this.stan = (this.stan % STAN_MAX) + 1
    const known: Readonly<Record<number, string>> = {
      [layout.roles.transmissionTime]: dateTimeText(wallMs, this.plan.utcOffsetMs / 60_000),
      [layout.roles.stan]: this.lastStan,
      [layout.roles.acquirer]: this.plan.institution,
      [layout.roles.forwarder]: this.plan.institution,
      [layout.roles.receiver]: this.plan.farSide
    }
    const fields: Record<number, FieldValue> = {}
    for (const de of carried) if (layout.fields[de] !== undefined && known[de] !== undefined) fields[de] = known[de]
    const message: Message = { ...this.header(), mti: mtiText(mti), fields: { ...fields, ...said } }
    const bytes = codec.encode(message)
    if (isMessageError(bytes)) return `the ${act} cannot be made: ${bytes._tag}`
    this.waiting.set(this.lastStan, { act, stan: this.lastStan, mti, at: monotonicMs })
    return bytes
  }

  /** The own message that this answers; it waits no longer. */
  answered(index: MessageIndex): Asked | undefined {
    const asked = this.waiting.get(index.text(this.plan.form.codec.layout.roles.stan))
    if (asked === undefined || responseMti(asked.mti) !== index.mti) return undefined
    this.waiting.delete(asked.stan)
    return asked
  }

  /** Own messages that have waited longer than this; they wait no more. */
  overdue(before: number): ReadonlyArray<Asked> {
    const late = [...this.waiting.values()].filter(({ at }) => at < before)
    for (const { stan } of late) this.waiting.delete(stan)
    return late
  }

  private header(): Pick<Message, "header"> {
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

/** Class 5, advice: 0520, 1520, 2520. */
const RECONCILIATION_ADVICE = 520
