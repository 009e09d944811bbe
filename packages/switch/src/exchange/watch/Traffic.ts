/** What has passed over one link since the start: counts of its requests and answers both ways, and how long they took. */
import { mtiClass } from "@jinka/codec"
import { Times, type TimesStatus } from "./Times.ts"

/** Response codes that are counted each by itself; networks have about a hundred. */
const CODES_MAX = 300

/** What others are counted as. */
const others = "other"

/** Answers by response code. */
export class Codes {
  private readonly counts = new Map<string, { count: number }>()
  /** The code that came last, as it was; most are the same. */
  private lastCode: string | undefined
  private last = { count: 0 }

  /** One more. What a partner makes up beyond the usual number of codes is counted together. */
  add(answered: string): void {
    if (answered !== this.lastCode) {
      this.last = this.countOf(answered)
      this.lastCode = answered
    }
    this.last.count++
  }

  private countOf(answered: string): { count: number } {
    const known = this.counts.get(answered)
    if (known !== undefined) return known
    if (this.counts.size >= CODES_MAX && answered !== others) return this.countOf(others)
    const made = { count: 0 }
    this.counts.set(answered, made)
    return made
  }

  /** Counts by code. */
  get all(): { readonly [code: string]: number } {
    return Object.fromEntries(Array.from(this.counts, ([code, { count }]) => [code, count]))
  }
}

/** What an operator sees of it. Requests and answers as the exchanges count them; advices and reversals only as `othersIn`. */
export interface TrafficStatus {
  /** Requests of the partner; what else it asked or told, also what cannot be read; those of both that we refused, unsent. */
  readonly requestsIn: number
  readonly othersIn: number
  readonly refused: number
  /** The same by why, in the words of `RefusalCodes`. */
  readonly refusals: { readonly [why: string]: number }
  /** Our answers to them, by code; what was not handed over before its connection ended. */
  readonly answersOut: { readonly [code: string]: number }
  readonly undelivered: number
  /** Requests sent to the partner, and its answers by code. */
  readonly requestsOut: number
  readonly answersIn: { readonly [code: string]: number }
  /** Those of them that approve: how many, and by which codes. */
  readonly approved: number
  readonly approving: ReadonlyArray<string>
  /** Requests that had no answer in time, or whose connection ended before. */
  readonly timeouts: number
  readonly lost: number
  /** Answers that came after the end of their request, a second time, or to no request. */
  readonly late: number
  readonly duplicates: number
  readonly unmatched: number
  /** From the sending of a request to its answer; and what we took of a request of this partner, without the other's time. */
  readonly partnerTime: TimesStatus
  readonly ourTime: TimesStatus
}

/** One link's traffic. */
export class Traffic {
  requestsIn = 0
  othersIn = 0
  private refused = 0
  undelivered = 0
  requestsOut = 0
  timeouts = 0
  lost = 0
  late = 0
  duplicates = 0
  unmatched = 0
  private readonly refusals = new Codes()
  readonly answersIn = new Codes()
  readonly answersOut = new Codes()
  readonly partnerTime = new Times()
  readonly ourTime = new Times()

  /** The partner asks or tells, whatever becomes of it. Management counts where it passes on: most of it ends at its link. */
  asks(mti: number): void {
    const kind = mtiClass(mti)
    if (kind === "request") this.requestsIn++
    else if (kind !== "networkManagement") this.othersIn++
  }

  /** A request of the partner was refused by us. */
  refuse(why: string): void {
    this.refused++
    this.refusals.add(why)
  }

  /**
   * See `TrafficStatus`; `now` in monotonic milliseconds; `isSuccess`: which codes of the partner approve. The percentiles are
   * worked out when they are read: whoever counts alone (alarms every few seconds, metrics) does not pay for them on a thousand
   * links.
   */
  status(now: number, isSuccess: (code: string) => boolean): TrafficStatus {
    const { othersIn, requestsIn, refused, undelivered, requestsOut, timeouts, lost, late, duplicates, unmatched } =
      this
    const { ourTime, partnerTime } = this
    const answersIn = this.answersIn.all
    const approving = Object.keys(answersIn).filter(isSuccess)
    return {
      requestsIn,
      othersIn,
      refused,
      refusals: this.refusals.all,
      answersOut: this.answersOut.all,
      undelivered,
      requestsOut,
      answersIn,
      approved: approving.reduce((sum, code) => sum + answersIn[code]!, 0),
      approving,
      timeouts,
      lost,
      late,
      duplicates,
      unmatched,
      get partnerTime() {
        return partnerTime.status(now)
      },
      get ourTime() {
        return ourTime.status(now)
      }
    }
  }
}
