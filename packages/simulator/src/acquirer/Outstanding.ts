/**
 * The acquirer's requests that wait for their answer, a memory of how the ended ones ended, and what makes an answer a request's.
 *
 * Owns the one end of each request: a key is in exactly one of the two. All requests have the same timeout, so the map's
 * order of insertion is the order of deadlines and no timer is needed.
 */
import type { What } from "../history/History.ts"
import { answerMti, type PartnerMessage, textOf } from "../message/PartnerMessage.ts"
import type { Request } from "./Requests.ts"

/** A request on its way. Times in monotonic milliseconds. */
export interface Waiting {
  readonly request: Request
  /** Connection it was sent on. */
  readonly epoch: number
  /** When the schedule meant it to be sent. */
  readonly intendedAt: number
  readonly sentAt: number
}

/** How many ended requests are remembered, to tell a late or second answer from an unknown one. */
const ENDED_MAX = 200_000

/** Open requests by key. */
export class Outstanding {
  private readonly timeout: number
  private readonly open = new Map<string, Waiting>()
  private readonly ended = new Map<string, What>()

  /** `timeout` in milliseconds from sending. */
  constructor(timeout: number) {
    this.timeout = timeout
  }

  get size(): number {
    return this.open.size
  }

  add(waiting: Waiting): void {
    this.open.set(waiting.request.key, waiting)
  }

  find(key: string): Waiting | undefined {
    return this.open.get(key)
  }

  /** Moves a request to the ended ones. */
  end(key: string, what: What): void {
    this.open.delete(key)
    this.remember(key, what)
  }

  /** Remembers an end for telling later answers; also used for advices and reversals. */
  remember(key: string, what: What): void {
    this.ended.set(key, what)
    if (this.ended.size > ENDED_MAX) this.ended.delete(this.ended.keys().next().value!)
  }

  /** How a request ended; undefined when it is open, unknown or long ago. */
  endOf(key: string): What | undefined {
    return this.ended.get(key)
  }

  /** When the time of the first one is up; Infinity when there is none. */
  get nextDue(): number {
    const first = this.open.values().next().value
    return first === undefined ? Number.POSITIVE_INFINITY : first.sentAt + this.timeout
  }

  /** The first request whose time is up. */
  overdue(now: number): Waiting | undefined {
    return this.nextDue <= now ? this.open.values().next().value : undefined
  }

  /** Requests that were sent on a connection. */
  sentOn(epoch: number): ReadonlyArray<Waiting> {
    return [...this.open.values()].filter((waiting) => waiting.epoch === epoch)
  }
}

/** Fields that an answer must carry unchanged when both have them: PAN, processing code, amount, RRN, terminal, merchant. */
const echoed = [2, 3, 4, 37, 41, 42]

const AMOUNT = 4
const partialApprovals: ReadonlySet<string> = new Set(["10", "32"])

/** What an answer approves of the amount, in minor units, where that is only a part; `undefined`: all of it, or nothing. */
export const partApproved = (request: PartnerMessage, answer: PartnerMessage): number | undefined => {
  const given = textOf(answer, AMOUNT)
  const isPart = partialApprovals.has(textOf(answer, 39)) && given !== "" && given < textOf(request, AMOUNT)
  return isPart ? Number(given) : undefined
}

/**
 * What in an answer does not fit its request, by name ("MTI", "DE 37"); undefined when all fits. The key alone is not
 * enough: an answer mixed up on the way may carry the right key and another cardholder's result.
 */
export const mismatchOf = (request: PartnerMessage, answer: PartnerMessage): string | undefined => {
  if (answer.mti !== answerMti(request.mti)) return "MTI"
  const isPart = partApproved(request, answer) !== undefined
  const wrong = echoed.find((de) => {
    const given = textOf(answer, de)
    return given !== "" && given !== textOf(request, de) && !(isPart && de === AMOUNT)
  })
  return wrong === undefined ? undefined : `DE ${wrong}`
}
