/** Checkers over the business days of partners: G1 for their cut-overs, and both sides on the same day in the end. Pure. */
import { dayOf } from "../../../packages/switch/src/exchange/day/BusinessDay.ts"
import type { Entry } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import type { DaysKnown } from "../partner/DayKeeper.ts"
import type { DayAnswered } from "./History.ts"

/** A day entry of a link. */
interface Said {
  readonly seq: number
  /** MMDD of the day, and of the one that comes; "" for none. */
  readonly date: string
  readonly next: string
}

const digits = (date: string): string => date.slice(5).replace("-", "")

/** The day entries of each link, by its name. */
const daysOf = (entries: ReadonlyArray<Entry>): ReadonlyMap<string, ReadonlyArray<Said>> => {
  const names = new Map<number, string>()
  const days = new Map<string, Array<Said>>()
  for (const { code, kind, link, message, seq } of entries) {
    if (kind === EntryKind.named) names.set(link, message.toString().split("\n")[0]!)
    if (kind !== EntryKind.day) continue
    const day = dayOf(code)
    const name = names.get(link) ?? ""
    const said = { seq, date: digits(day?.date ?? ""), next: digits(day?.next ?? "") }
    days.set(name, [...(days.get(name) ?? []), said])
  }
  return days
}

/** G1: a cut-over is in the journal before its answer leaves. */
export const daysDurable = (
  entries: ReadonlyArray<Entry>,
  answered: ReadonlyArray<DayAnswered>
): ReadonlyArray<string> => {
  const days = daysOf(entries)
  return answered
    .filter(({ date, durable, isBegun, link }) => {
      const said = (days.get(link) ?? []).filter(({ seq }) => durable === undefined || seq <= durable)
      return !said.some((day) => day.date === date || (isBegun && day.next === date))
    })
    .map(
      ({ date, durable, link }) =>
        `G1: a cut-over of ${link} to ${date} was answered with ${durable} entries on disk, none of it`
    )
}

/** The switch ends on the day that a partner was answered for, or on the one that it has said and not heard of. */
export const commonDays = (
  entries: ReadonlyArray<Entry>,
  known: ReadonlyArray<readonly [string, DaysKnown]>
): ReadonlyArray<string> => {
  const days = daysOf(entries)
  return known.flatMap(([link, { date, next }]) => {
    const last = days.get(link)?.at(-1) ?? { date: "", next: "" }
    const isCommon = last.date === date || (next !== "" && last.date === next)
    return isCommon ? [] : [`days: ${link} ends on ${last.date || "no day"}, its partner on ${date || "none"}`]
  })
}
