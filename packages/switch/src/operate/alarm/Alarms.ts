/** Alarms: each said once when it comes, again from time to time while it lasts, and once when it is over. Pure. */
import { Schema } from "effect"
import type { AlarmKind, Condition } from "./Conditions.ts"

/** What is wrong now, as it travels. */
export const AlarmsReport = Schema.Struct({
  alarms: Schema.Array(
    Schema.Struct({
      kind: Schema.String,
      /** Empty: the whole switch. */
      link: Schema.String,
      says: Schema.String,
      /** Milliseconds since 1970. */
      since: Schema.Number
    })
  )
})
/** See the schema. */
export type AlarmsReport = typeof AlarmsReport.Type

/** What is told. */
export interface Notice extends Condition {
  readonly event: "raised" | "lasts" | "over"
  /** Since when it is so, milliseconds since 1970. */
  readonly since: number
}

interface Standing {
  readonly since: number
  says: string
  saidAt: number
  /** When it was last seen. */
  seenAt: number
}

/** How long something has to be gone before it is over, in milliseconds: a line that comes and goes is one alarm. */
const OVER_MS = 30_000

const keyOf = ({ kind, link }: Condition): string => `${kind} ${link}`

/** The alarms of one switch. Times are milliseconds since 1970. */
export class Alarms {
  private readonly remindMs: number
  private readonly standing = new Map<string, Standing>()

  /** `remindMs`: infinite for no reminders. */
  constructor(remindMs: number) {
    this.remindMs = remindMs
  }

  /** What is to be told after a look that found `conditions`. */
  look(conditions: ReadonlyArray<Condition>, now: number): ReadonlyArray<Notice> {
    const notices: Array<Notice> = []
    for (const condition of conditions) {
      const known = this.standing.get(keyOf(condition))
      if (known === undefined) {
        this.standing.set(keyOf(condition), { since: now, says: condition.says, saidAt: now, seenAt: now })
        notices.push({ ...condition, event: "raised", since: now })
        continue
      }
      known.seenAt = now
      known.says = condition.says
      if (now - known.saidAt < this.remindMs) continue
      known.saidAt = now
      notices.push({ ...condition, event: "lasts", since: known.since })
    }
    return [...notices, ...this.ended(now)]
  }

  /** All that stand now, the oldest first. */
  report(): AlarmsReport {
    const alarms = [...this.standing].map(([key, { says, since }]) => {
      const [kind = "", link = ""] = key.split(" ")
      return { kind, link, says, since }
    })
    return { alarms: alarms.sort((one, other) => one.since - other.since) }
  }

  private ended(now: number): ReadonlyArray<Notice> {
    return [...this.standing].flatMap(([key, { says, seenAt, since }]): ReadonlyArray<Notice> => {
      if (now - seenAt < OVER_MS) return []
      this.standing.delete(key)
      const [kind = "", link = ""] = key.split(" ")
      return [{ kind: kind as AlarmKind, link, says, event: "over", since }]
    })
  }
}
