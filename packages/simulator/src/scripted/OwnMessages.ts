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
  /** Monotonic milliseconds. */
  readonly at: number
}

const meanings: { readonly [A in Exclude<OwnAct, "totals">]: Meaning } = {
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
export const canSay = ({ network }: Codec["dialect"], act: OwnAct): boolean =>
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
    act: OwnAct,
    wallMs: number,
    monotonicMs: number,
    more: { readonly [de: number]: string } = {}
  ): Buffer | string {
    const { codec } = this.plan.form
    const { dialect, layout } = codec
    const { network } = dialect
    if (!canSay(dialect, act)) return `the dialect ${dialect.name} has no ${act}`
    this.stan = (this.stan % STAN_MAX) + 1
    const stan = sized(codec, layout.roles.stan, String(this.stan).padStart(STAN_DIGITS, "0"))
    const known: Readonly<Record<number, string>> = {
      [layout.roles.transmissionTime]: dateTimeText(wallMs, this.plan.utcOffsetMs / 60_000),
      [layout.roles.stan]: stan,
      [layout.roles.acquirer]: this.plan.institution,
      [layout.roles.forwarder]: this.plan.institution,
      [layout.roles.receiver]: this.plan.farSide
    }
    const fields: Record<number, FieldValue> = {}
    const carried = new Set([layout.roles.transmissionTime, layout.roles.stan, ...(network?.fields ?? [])])
    for (const de of carried) if (layout.fields[de] !== undefined && known[de] !== undefined) fields[de] = known[de]
    if (act !== "totals") fields[network!.field] = network!.codes[meanings[act]]!
    const mti = act === "totals" ? dialect.version * 1000 + RECONCILIATION_ADVICE : network!.mti
    const message: Message = { ...this.header(), mti: mtiText(mti), fields: { ...fields, ...more } }
    const bytes = codec.encode(message)
    if (isMessageError(bytes)) return `the ${act} cannot be made: ${bytes._tag}`
    this.waiting.set(stan, { act, stan, mti, at: monotonicMs })
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
