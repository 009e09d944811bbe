/**
 * What a link does not take: connections that it does not let in, and messages in which its partner speaks for another one. Each
 * is counted for the status, and noted at a bounded rate.
 */
import { mtiText } from "@jinka/codec"
import type { Connection } from "../transport/Transport.ts"
import { counted, Notices, oneByOne } from "./Notices.ts"

/** What an operator sees of either. */
export interface NotTakenStatus {
  /** Since the start, or since the reload that made the link. */
  readonly count: number
  /** When the last one was, in monotonic milliseconds, and why it was not taken. */
  readonly at: number
  readonly why: string
}

/** Why a link lets a connection not in. Each reason is noted for itself. */
export type TurnedAwayFor = "drained" | "full" | "second" | "waits" | "alive"

/** Turns connections away for one link, or for one leg. */
export class TurnedAway {
  private readonly notices = new Notices(counted)
  private readonly noted: (text: string) => void
  private readonly now: () => number
  private readonly told: (why: string) => void

  /** `now` gives monotonic milliseconds. `told` hears of every one, `noted` what goes into journal and log. */
  constructor(noted: (text: string) => void, now: () => number, told: (why: string) => void = () => {}) {
    this.noted = noted
    this.now = now
    this.told = told
  }

  /** Closes one; `text` says why. */
  add(connection: Connection, reason: TurnedAwayFor, text: string): void {
    connection.close("reset")
    this.told(text)
    const noted = this.notices.add(reason, text, this.now())
    if (noted !== undefined) this.noted(noted)
  }
}

/** Messages of one partner that spoke for another, and were refused. */
export class Lies {
  private readonly notices = new Notices(oneByOne)
  private readonly warned: (text: string, epoch?: number) => void
  private last: NotTakenStatus | undefined

  constructor(warned: (text: string, epoch?: number) => void) {
    this.warned = warned
  }

  /** One more, of type `mti`, at `now` in monotonic milliseconds. `why`: what the message does, as the language says it. */
  add(mti: number, why: string, now: number, epoch?: number): void {
    const text = `a ${mtiText(mti)} of the partner ${why}: refused`
    this.last = { count: (this.last?.count ?? 0) + 1, at: now, why: text }
    const noted = this.notices.add("lie", text, now)
    if (noted !== undefined) this.warned(noted, epoch)
  }

  /** What an operator sees of them; `undefined`: there were none. */
  get status(): NotTakenStatus | undefined {
    return this.last
  }
}
