/**
 * How an issuer behaves: which share of messages it declines, delays, drops or ignores.
 *
 * Owns the draw. A message's answer depends on the seed, its RRN, its MTI and how often it came, never on the order of
 * arrival: the same seed treats the same transaction in the same way. Does not decide on money (Ledger).
 */
import { type Chance, chanceOf } from "../chance/Chance.ts"

/** Shares in percent, drawn one after the other: ignore, drop, delay. What is left is answered at once. */
export interface Shares {
  /** Never processed, never answered: as if lost before the issuer's program. */
  readonly ignore: number
  /** Processed in the ledger, never answered. */
  readonly drop: number
  /** Answered after a delay. */
  readonly delay: number
}

/** All settings of the mix. */
export interface BehaviourSettings {
  readonly seed: number
  /** Percent of requests declined by a rule of the card (not of the ledger). */
  readonly decline: number
  readonly requests: Shares
  /** The same for advices and reversals. */
  readonly advices: Shares
  /** A delayed answer waits between these, in milliseconds. */
  readonly delayFrom: number
  readonly delayTo: number
}

/** Everything is approved and answered at once. */
export const plainBehaviour: BehaviourSettings = {
  seed: 1,
  decline: 0,
  requests: { ignore: 0, drop: 0, delay: 0 },
  advices: { ignore: 0, drop: 0, delay: 0 },
  delayFrom: 0,
  delayTo: 0
}

/** What the issuer does with one message. */
export interface Reaction {
  readonly answer: "sent" | "delayed" | "dropped" | "ignored"
  /** Milliseconds, for a delayed answer. */
  readonly delay: number
  /** Response code of a refusal that has nothing to do with the ledger; undefined: the ledger decides. */
  readonly decline: string | undefined
}

/** Do not honour, pick up, expired, wrong PIN, not permitted, limit, restricted, frequency, PIN tries. */
const declineCodes = ["05", "04", "54", "55", "57", "61", "62", "65", "75"] as const

const answerOf = (shares: Shares, chance: Chance): Reaction["answer"] => {
  const drawn = chance.next() * 100
  if (drawn < shares.ignore) return "ignored"
  if (drawn < shares.ignore + shares.drop) return "dropped"
  return drawn < shares.ignore + shares.drop + shares.delay ? "delayed" : "sent"
}

/** What is done at the `arrival`-th arrival (1, 2, ...) of a request. */
export const requestReaction = (settings: BehaviourSettings, rrn: string, mti: string, arrival: number): Reaction => {
  const chance = chanceOf(settings.seed, "request", rrn, mti, arrival)
  const answer = answerOf(settings.requests, chance)
  const decline = chance.percent(settings.decline) ? chance.pick(declineCodes) : undefined
  return { answer, delay: delayOf(settings, chance), decline }
}

/** What is done at the `arrival`-th arrival of an advice or reversal; those are never declined by chance. */
export const adviceReaction = (settings: BehaviourSettings, rrn: string, mti: string, arrival: number): Reaction => {
  const chance = chanceOf(settings.seed, "advice", rrn, mti, arrival)
  return { answer: answerOf(settings.advices, chance), delay: delayOf(settings, chance), decline: undefined }
}

const delayOf = (settings: BehaviourSettings, chance: Chance): number =>
  chance.between(settings.delayFrom, Math.max(settings.delayFrom, settings.delayTo))
