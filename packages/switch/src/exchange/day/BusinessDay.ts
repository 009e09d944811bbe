/**
 * The business day of one partner, as far as its own messages say. Pure.
 *
 *     open -> (cut-over begins) closing -> (cut-over ends, or an answer has a later date) open, on the new date
 *
 * An operator moves it where those messages did not come, or said a wrong date.
 *
 * Dates are `2026-11-28`. A network without a message for the end of a cut-over has one step in place of two.
 */
import { daysTo } from "../../message/SettlementDate.ts"

/** Most days that a new date may lie ahead of the one before: holidays are not longer, and a wrong date would stay. */
export const AHEAD_MAX = 10

/** What moved it. */
export type DayCause = "cutoverStart" | "cutoverEnd" | "answer" | "operator"

/** A business day; "" for a date that is not known. */
export interface BusinessDay {
  readonly date: string
  /** The date that comes, while this one is being closed; "": it is open. */
  readonly next: string
  readonly cause: DayCause
}

/** Before anything was heard of it. */
export const unknownDay: BusinessDay = { date: "", next: "", cause: "answer" }

/** What a message does to a day: the day after it, which is the same where nothing changes, or why it cannot be. */
export type Moved = { readonly day: BusinessDay } | { readonly wrong: string }

/** Why a date cannot come after the business day; `undefined`: it can, or is the same. */
const wrongDate = ({ date }: BusinessDay, to: string): string | undefined => {
  if (date === "") return undefined
  const days = daysTo(date, to)
  if (days < 0) return `its date ${to} is before the business day ${date}`
  return days > AHEAD_MAX ? `its date ${to} is more than ${AHEAD_MAX} days after the business day ${date}` : undefined
}

/** A cut-over begins, to the date `to`; `hasEnd`: another message will say that it is done. */
export const begun = (day: BusinessDay, to: string, hasEnd: boolean): Moved => {
  const wrong = wrongDate(day, to)
  if (wrong !== undefined) return { wrong }
  if (to === day.date || to === day.next) return { day }
  return { day: hasEnd ? { ...day, next: to, cause: "cutoverStart" } : { date: to, next: "", cause: "cutoverStart" } }
}

/** A cut-over has ended; `to`: its date, "" where the message has none. */
export const ended = (day: BusinessDay, to: string): Moved => {
  const date = to === "" ? day.next : to
  if (date === "") return { wrong: "it has no date, and no cut-over has begun" }
  const wrong = wrongDate(day, date)
  if (wrong !== undefined) return { wrong }
  return date === day.date && day.next === "" ? { day } : { day: { date, next: "", cause: "cutoverEnd" } }
}

/** An answer is settled on `date`: a later one than is known moves the day, where no cut-over message has come. */
export const answered = (day: BusinessDay, date: string): Moved => {
  if (day.date !== "" && (day.next === "" ? date <= day.date : date <= day.next)) return { day }
  const wrong = wrongDate(day, date)
  return wrong === undefined ? { day: { date, next: "", cause: "answer" } } : { wrong }
}

/** What an operator does to a day: the cut-over that did not come, or a date put right that is wrong. */
export const dayActs = ["cut-over", "correct"] as const
/** One of them. */
export type DayAct = (typeof dayActs)[number]

/** An operator moves the day to `to`, forward only, or, to put it right, in either direction; `today`: the date of the clock. */
export const byHand = (day: BusinessDay, act: DayAct, to: string, today: string): Moved => {
  const isSame = to === day.date && day.next === ""
  if (Math.abs(daysTo(today, to)) > AHEAD_MAX)
    return { wrong: `${to} is more than ${AHEAD_MAX} days from today, ${today}: is it a slip?` }
  if (act === "cut-over") {
    if (day.next !== "" && to !== day.next)
      return { wrong: `its partner has begun a cut-over to ${day.next}: give that date, or \`jinka day correct\`` }
    const wrong = wrongDate(day, to)
    if (wrong !== undefined)
      return { wrong: `${wrong.replace("its date ", "")}; \`jinka day correct\` puts a wrong day right` }
  }
  return isSame ? { day } : { day: { date: to, next: "", cause: "operator" } }
}

/**
 * A day as the journal keeps it: `closing 2026-11-27 2026-11-28 cutoverStart`. `since`: the entry that moved it to its date, if
 * that is another one than the entry of this text; 0: none has.
 */
export const dayText = ({ date, next, cause }: BusinessDay, since?: number): string => {
  const day = next === "" ? `open ${date} ${cause}` : `closing ${date || "-"} ${next} ${cause}`
  return since === undefined ? day : `${day} since ${since}`
}

const form = /^(?:open (\S+)|closing (\S+) (\S+)) (cutoverStart|cutoverEnd|answer|operator)(?: since (\d+))?$/

/** What such a text says; `undefined`: it is none. */
export const dayOf = (text: string): BusinessDay | undefined => {
  const [, open, closing, next, cause] = form.exec(text) ?? []
  if (cause === undefined) return undefined
  const date = open ?? (closing === "-" ? "" : closing!)
  return { date, next: next ?? "", cause: cause as DayCause }
}

/** Which entry moved the day to its date, as such a text says; `undefined`: it does not. */
export const movedBy = (text: string): number | undefined => {
  const since = form.exec(text)?.[5]
  return since === undefined ? undefined : Number(since)
}

/** Whether the day has moved from one to the other: keys of before are free again. To learn which day it is moves nothing. */
export const isMoved = (before: BusinessDay, now: BusinessDay): boolean =>
  now.date !== before.date && !(before.date === "" && now.cause === "answer")

/** What a link says of its partner's business days. */
export interface BusinessDaySettings {
  /** `refuse`: cut-over messages are answered with the network's code for "in progress", and move nothing. */
  readonly cutOver: "accept" | "refuse"
  /** The partner's STANs begin anew with each day: a request has not come before only because one of another day has its key. */
  readonly stan: "goes-on" | "begins-anew"
  /** `answer`: totals of the partner are held against ours; `pass`: messages about totals go where a route says. */
  readonly reconcile: "pass" | "answer"
}

/** What is kept of one link's day. */
export class LinkDay {
  readonly settings: BusinessDaySettings
  now: BusinessDay = unknownDay
  /** Entry that moved the date last, and the one that said it last; 0: none has. */
  movedBy = 0
  saidBy = 0
  /** Digits of the date of the last answer: most have the same. */
  lastDigits = ""

  constructor(settings: BusinessDaySettings) {
    this.settings = settings
  }

  /** Whether the exchange lies before the day, and its key is free again with it. */
  forgets(exchange: number): boolean {
    return this.settings.stan === "begins-anew" && exchange < this.movedBy
  }
}

/** What an operator sees of a business day. Dates are `2026-11-28`; "": not known. */
export interface BusinessDayStatus {
  readonly date: string
  /** The date that comes, while this one is being closed. */
  readonly next: string
  readonly state: "unknown" | "open" | "closing"
}

/** What is known of a link's day; `undefined`: none is kept. */
export const dayStatus = (day: LinkDay | undefined): BusinessDayStatus | undefined => {
  if (day === undefined) return undefined
  const { date, next } = day.now
  return { date, next, state: next !== "" ? "closing" : date === "" ? "unknown" : "open" }
}
