/**
 * Which rule applies to a message: the first one whose conditions hold. Owns the counts of `nth` and `every`; draws shares from
 * the seed, so that the same message meets the same rule in every run.
 */
import { chanceOf } from "../chance/Chance.ts"
import type { Facts } from "./Facts.ts"
import type { Conditions, PlannedRule } from "./PartnerPlan.ts"

const isType = (types: ReadonlyArray<string>, { mti, names }: Facts): boolean =>
  types.some(
    (type) =>
      names.includes(type) || (type.length === 4 && [...type].every((digit, at) => digit === "x" || digit === mti[at]))
  )

const isWithin = ({ from, to }: { readonly from: number; readonly to: number }, minute: number): boolean =>
  from <= to ? minute >= from && minute < to : minute >= from || minute < to

const DAY_MINUTES = 1440

/** Minute of the day of a local time. */
export const minuteOf = (localMs: number): number => Math.floor(localMs / 60_000) % DAY_MINUTES

/** Whether everything holds that has nothing to do with counting. */
const holds = (when: Conditions, facts: Facts, localMs: number): boolean => {
  const { amount, cards, fields, isRepeat, time, types } = when
  if (cards !== undefined && (facts.card === "" || !cards.some(({ fits }) => fits(facts.card)))) return false
  if (amount !== undefined && (!facts.hasAmount || !amount(facts.amount))) return false
  if (types !== undefined && !isType(types, facts)) return false
  if (isRepeat !== undefined && isRepeat !== facts.isRepeat) return false
  if (time !== undefined && !isWithin(time, minuteOf(localMs))) return false
  return fields.every(
    ({ de, patterns }) => facts.index.has(de) && patterns.some(({ fits }) => fits(facts.index.text(de)))
  )
}

/** Finds each of some items once by its text: what is as before in a changed file goes on. */
export const carriedBy = <A>(
  items: ReadonlyArray<A>,
  textOf: (item: A) => string
): ((text: string) => A | undefined) => {
  const left = [...items]
  return (text) => {
    const at = left.findIndex((item) => textOf(item) === text)
    return at < 0 ? undefined : left.splice(at, 1)[0]
  }
}

interface Counted {
  readonly rule: PlannedRule
  count: number
}

/** The rules of a partner at work. */
export class Rules {
  private counted: ReadonlyArray<Counted> = []

  constructor(rules: ReadonlyArray<PlannedRule>) {
    this.replan(rules)
  }

  /** Other rules; one that is as before goes on counting. */
  replan(rules: ReadonlyArray<PlannedRule>): void {
    const before = carriedBy(this.counted, ({ rule }) => rule.text)
    this.counted = rules.map((rule) => ({ rule, count: before(rule.text)?.count ?? 0 }))
  }

  /** The first rule that applies; every rule that is asked counts the message. `key` is what shares are drawn by. */
  find(facts: Facts, key: string, localMs: number, seed: number): PlannedRule | undefined {
    return this.counted.find((counted, place) => {
      const { when } = counted.rule
      if (!holds(when, facts, localMs)) return false
      const count = ++counted.count
      if (when.nth?.some(({ from, to }) => count >= from && count <= to) === false) return false
      if (when.every !== undefined && count % when.every !== 0) return false
      return when.share === undefined || chanceOf(seed, "share", place, key, count).percent(when.share)
    })?.rule
  }
}
