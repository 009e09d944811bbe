/**
 * What an operator may do to the business day of a partner: the cut-over whose messages did not come, and a date put right that
 * is wrong. Each is in the journal with the operator's name and reason, and safe to repeat. No message goes to the partner.
 */
import { Effect } from "effect"
import { actText } from "./ActText.ts"
import type { Desks } from "./exchange/Desks.ts"
import { type BusinessDayStatus, type DayAct, dayStatus } from "./exchange/day/BusinessDay.ts"
import type { BusinessDays } from "./exchange/day/BusinessDays.ts"
import { noSuchLink, OperationRefused, type Operator, whyOf } from "./Operations.ts"

/** What came of it. */
export interface DayMoved {
  readonly link: string
  readonly act: DayAct
  readonly before: BusinessDayStatus
  readonly after: BusinessDayStatus
  /** One sentence. */
  readonly did: string
}

const refuse = (says: string) => Effect.fail(new OperationRefused({ reason: "NotNow", says }))

/** See above. */
export class DayOperations {
  private readonly desks: Desks
  private readonly days: BusinessDays

  constructor(desks: Desks, days: BusinessDays) {
    this.desks = desks
    this.days = days
  }

  /** Moves the day of a link to `to`, a date like `2026-11-28` that there is. */
  move(link: string, act: DayAct, to: string, by: Operator): Effect.Effect<DayMoved, OperationRefused> {
    return Effect.suspend(() => {
      const desk = this.desks.present.find(({ name }) => name === link)
      if (desk === undefined) return Effect.fail(noSuchLink(link, this.desks))
      const { day } = desk
      if (day === undefined)
        return refuse(`${link} keeps no business day: give it \`businessDay\` in the configuration.`)
      const before = dayStatus(day)!
      const who = actText({ user: by.user, what: `day ${act} to ${to}`, why: whyOf(by) })
      return Effect.flatMap(this.days.byHand(desk, day, act, to, who), (moved) => {
        if ("wrong" in moved) return refuse(`The business day of ${link} stays: ${moved.wrong}.`)
        const after = dayStatus(day)!
        const isSame = before.date === after.date && before.next === after.next
        const did = isSame
          ? `The business day of ${link} was ${to} already.`
          : `The business day of ${link} is ${to}. Answers without a settlement date, and what ends without an answer, count for it from now on.`
        return Effect.succeed({ link, act, before, after, did })
      })
    })
  }
}
