/** Alarms: each said once when it comes, again from time to time while it lasts, and once when it is over. Pure. */
import { Schema } from "effect"
import { Reason } from "../control/Reason.ts"
import type { AlarmKind, Condition } from "./Conditions.ts"

/** One alarm, as it travels. */
export const AlarmReport = Schema.Struct({
  kind: Schema.String,
  /** Empty: the whole switch. */
  link: Schema.String,
  says: Schema.String,
  /** Milliseconds since 1970. */
  since: Schema.Number,
  /** A person has silenced it. */
  silenced: Schema.Boolean
})

/** What is wrong now, as it travels. */
export const AlarmsReport = Schema.Struct({
  alarms: Schema.Array(AlarmReport),
  silences: Schema.Array(
    Schema.Struct({
      kind: Schema.String,
      /** Empty: of every link, and of the whole switch. */
      link: Schema.String,
      /** Milliseconds since 1970. */
      until: Schema.Number,
      user: Schema.String,
      reason: Schema.String
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

/** What is not told of an alarm until `until`, milliseconds since 1970. */
export type Silence = AlarmsReport["silences"][number] & { readonly kind: AlarmKind }

/** Which alarm is silenced: of a link, or of every one (""). */
export type SilenceOf = Pick<Silence, "kind" | "link">

/** How an alarm is silenced, as it travels. A week at most: who wants more changes the configuration. */
export const SilenceRequest = Schema.Struct({
  link: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[A-Za-z0-9._-]{1,64}$/))),
  minutes: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_080 })),
  reason: Reason
})

/** How it is told again. */
export const UnsilenceRequest = Schema.Struct({
  link: SilenceRequest.fields.link,
  reason: SilenceRequest.fields.reason
})

interface Standing {
  /** Milliseconds since 1970. */
  readonly since: number
  /** Somebody was told of it: its end is told, too. */
  isTold: boolean
  says: string
  /** When that was said, and when it was last seen: monotonic milliseconds. */
  saidAt: number
  seenAt: number
}

/** How long something has to be gone before it is over, in milliseconds: a line that comes and goes is one alarm. */
const OVER_MS = 30_000

const keyOf = ({ kind, link }: Condition): string => `${kind} ${link}`

/** What is said of an alarm that was not there at the last look. */
const gone = " (not so any more: over in half a minute, unless it comes back)"

/** The alarms of one switch. */
export class Alarms {
  private readonly remindMs: number
  private readonly standing = new Map<string, Standing>()
  private silences: ReadonlyArray<Silence> = []
  /** When it was looked last, monotonic milliseconds. */
  private lookedAt = 0

  /** `remindMs`: infinite for no reminders. */
  constructor(remindMs: number) {
    this.remindMs = remindMs
  }

  /** An alarm is not told until then; another silence of the same takes this one's place. A restart forgets it. */
  silence(silence: Silence): void {
    this.silences = [...this.others(silence), silence]
  }

  /** It is told again. False: it was not silenced. */
  unsilence(of: SilenceOf): boolean {
    const before = this.silences.length
    this.silences = this.others(of)
    return this.silences.length < before
  }

  private others({ kind, link }: SilenceOf): ReadonlyArray<Silence> {
    return this.silences.filter((one) => one.kind !== kind || one.link !== link)
  }

  private isSilenced(kind: string, link: string): boolean {
    return this.silences.some((one) => one.kind === kind && (one.link === "" || one.link === link))
  }

  /**
   * What is to be told after a look that found `conditions`. `wallMs`: milliseconds since 1970; `now`: monotonic ones, which
   * nobody sets.
   */
  look(conditions: ReadonlyArray<Condition>, wallMs: number, now: number): ReadonlyArray<Notice> {
    this.lookedAt = now
    this.silences = this.silences.filter(({ until }) => until > wallMs)
    const notices: Array<Notice> = []
    for (const condition of conditions) {
      const known = this.standing.get(keyOf(condition))
      const isTold = !this.isSilenced(condition.kind, condition.link)
      if (known === undefined) {
        this.standing.set(keyOf(condition), { since: wallMs, isTold, says: condition.says, saidAt: now, seenAt: now })
        if (isTold) notices.push({ ...condition, event: "raised", since: wallMs })
        continue
      }
      known.seenAt = now
      known.says = condition.says
      // What a silence has kept back is told when it ends.
      if (!isTold || (known.isTold && now - known.saidAt < this.remindMs)) continue
      known.saidAt = now
      notices.push({ ...condition, event: known.isTold ? "lasts" : "raised", since: known.since })
      known.isTold = true
    }
    return [...notices, ...this.ended(now)]
  }

  /** All that there are now, the oldest first. */
  report(): AlarmsReport {
    const alarms = [...this.standing].map(([key, { says, seenAt, since }]) => {
      const [kind = "", link = ""] = key.split(" ")
      const now = `${says}${seenAt < this.lookedAt ? gone : ""}`
      return { kind, link, says: now, since, silenced: this.isSilenced(kind, link) }
    })
    return { alarms: alarms.sort((one, other) => one.since - other.since), silences: this.silences }
  }

  private ended(now: number): ReadonlyArray<Notice> {
    return [...this.standing].flatMap(([key, { isTold, says, seenAt, since }]): ReadonlyArray<Notice> => {
      if (now - seenAt < OVER_MS) return []
      this.standing.delete(key)
      const [kind = "", link = ""] = key.split(" ")
      if (!isTold || this.isSilenced(kind, link)) return []
      return [{ kind: kind as AlarmKind, link, says, event: "over", since }]
    })
  }
}
