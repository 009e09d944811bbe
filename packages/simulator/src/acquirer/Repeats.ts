/**
 * The acquirer's own store-and-forward: advices and reversals that are sent until they are acknowledged.
 *
 * Owns when which message goes out and with which MTI: the first time as it is, every further time with the repeat
 * mark and unchanged keys (0420 then 0421), also on another connection. Keeps them in memory: a killed simulator loses
 * them, as the history then shows.
 */
import type { PartnerMessage } from "../message/PartnerMessage.ts"
import type { Request } from "./Requests.ts"

/** One message that has to arrive. */
export interface Repeated<Asked = Request, Out = PartnerMessage> {
  readonly purpose: "reversal" | "advice"
  readonly key: string
  /** The advice itself, or the request that is reversed. */
  readonly request: Asked
  readonly first: Out
  readonly repeat: Out
  /** How often it was sent. */
  attempts: number
  /** Once sent: not again before this instant (monotonic milliseconds). */
  due: number
}

/** At most this many go out per call, so that a long queue does not block the loop after a reconnect. */
const BURST = 500

/** All messages that wait for their acknowledgement. */
export class Repeats<Asked = Request, Out = PartnerMessage> {
  private readonly interval: number
  /** Due at once: new ones, and after a reconnect all. */
  private readonly ready = new Map<string, Repeated<Asked, Out>>()
  /** Sent; in the order of `due`, because the interval is the same for all. */
  private readonly waiting = new Map<string, Repeated<Asked, Out>>()

  /** `interval`: milliseconds between two sendings of the same message. */
  constructor(interval: number) {
    this.interval = interval
  }

  get size(): number {
    return this.ready.size + this.waiting.size
  }

  /** Adds a message that was never sent, and how it is said again; it is due at once. */
  add(purpose: Repeated["purpose"], key: string, request: Asked, first: Out, repeat: Out): void {
    this.ready.set(key, { purpose, key, request, first, repeat, attempts: 0, due: 0 })
  }

  /** A message by its key, without removing it. */
  find(key: string): Repeated<Asked, Out> | undefined {
    return this.waiting.get(key) ?? this.ready.get(key)
  }

  /** It was acknowledged. */
  remove(key: string): void {
    this.waiting.delete(key)
    this.ready.delete(key)
  }

  /** A new connection: everything is due at once. */
  restart(): void {
    for (const repeated of this.waiting.values()) {
      repeated.due = 0
      this.ready.set(repeated.key, repeated)
    }
    this.waiting.clear()
  }

  /** Gives every due message with its attempt number counted up. */
  send(now: number, write: (repeated: Repeated<Asked, Out>, message: Out) => void): void {
    for (let sent = 0; sent < BURST; sent++) {
      const next = this.first
      if (next === undefined || next.due > now) return
      this.remove(next.key)
      this.waiting.set(next.key, next)
      next.due = now + this.interval
      next.attempts++
      write(next, next.attempts === 1 ? next.first : next.repeat)
    }
  }

  /** What is left, for the end of a run. */
  left(): ReadonlyArray<Repeated<Asked, Out>> {
    return [...this.ready.values(), ...this.waiting.values()]
  }

  /** When the first one is due; Infinity when there is none. */
  get nextDue(): number {
    return this.first?.due ?? Number.POSITIVE_INFINITY
  }

  private get first(): Repeated<Asked, Out> | undefined {
    return this.ready.values().next().value ?? this.waiting.values().next().value
  }
}
