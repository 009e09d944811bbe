/**
 * The open-loop workload: what is asked for in which slot, and when.
 *
 * Owns the seeded choice of kind, card, amount and terminal, one independent draw per slot: slot 1,000 is the same
 * transaction whether or not slot 999 was ever sent. When a slot is due depends on the rate alone, never on the answers
 * (no coordinated omission). Which earlier purchase a void refers to is decided when it is sent.
 */
import { chanceOf } from "../chance/Chance.ts"
import { type Kind, kindNames } from "../message/Transaction.ts"

/** Weights of the kinds; they need not add up to 100. */
export type Mix = { readonly [K in Kind]: number }

/** Everything that a workload is made of. */
export interface WorkloadSettings {
  readonly seed: number
  readonly mix: Mix
  readonly cards: number
  readonly terminals: number
  /** Amounts are drawn between these, minor units. */
  readonly amountFrom: number
  readonly amountTo: number
  /** Percent of requests that carry track 2. */
  readonly track2: number
  /** Percent of requests that carry a PIN block. */
  readonly pin: number
}

/** Mostly purchases, as in a day of a card centre. */
export const usualMix: Mix = { purchase: 62, preAuthorisation: 10, balanceInquiry: 14, void: 9, refund: 5 }

/** Defaults that the command line starts from. */
export const usualWorkload: WorkloadSettings = {
  seed: 1,
  mix: usualMix,
  cards: 500,
  terminals: 100,
  amountFrom: 100,
  amountTo: 500_00,
  track2: 50,
  pin: 60
}

/** What one slot asks for. */
export interface Intent {
  readonly slot: number
  readonly kind: Kind
  /** Index of the card. */
  readonly card: number
  /** Index of the terminal. */
  readonly terminal: number
  readonly amount: number
  readonly hasTrack2: boolean
  readonly hasPin: boolean
  /** In [0, 1): which of the purchases that can still be voided or refunded. */
  readonly choice: number
}

/** The intent of a slot (0, 1, 2, ...). */
export const intentAt = (settings: WorkloadSettings, slot: number): Intent => {
  const chance = chanceOf(settings.seed, "slot", slot)
  return {
    slot,
    kind: kindAt(settings.mix, chance.next()),
    card: chance.below(settings.cards),
    terminal: chance.below(settings.terminals),
    amount: chance.between(settings.amountFrom, settings.amountTo),
    hasTrack2: chance.percent(settings.track2),
    hasPin: chance.percent(settings.pin),
    choice: chance.next()
  }
}

const kindAt = (mix: Mix, drawn: number): Kind => {
  let left = drawn * kindNames.reduce((sum, kind) => sum + mix[kind], 0)
  for (const kind of kindNames) {
    left -= mix[kind]
    if (left < 0) return kind
  }
  return "purchase"
}

/** Says which slots are due. Times in milliseconds on one monotonic clock. */
export class Schedule {
  private readonly rate: number
  private readonly begins: number
  private readonly slots: number
  private next = 0

  /** `rate` per second; `duration` in milliseconds and `count` in slots bound it (Infinity: no bound). */
  constructor(rate: number, begins: number, duration: number, count: number) {
    this.rate = rate
    this.begins = begins
    this.slots = Math.min(count, Math.floor((rate * duration) / 1000))
  }

  /** True when every slot was taken. */
  get isOver(): boolean {
    return this.next >= this.slots
  }

  /** Instant at which a slot is meant to be sent. */
  dueAt(slot: number): number {
    return this.begins + (slot * 1000) / this.rate
  }

  /** When the next slot is due; Infinity when there is none. */
  get nextDue(): number {
    return this.isOver ? Number.POSITIVE_INFINITY : this.dueAt(this.next)
  }

  /** The next slot when it is due, otherwise undefined. */
  take(now: number): number | undefined {
    if (this.isOver || this.dueAt(this.next) > now) return undefined
    return this.next++
  }
}
