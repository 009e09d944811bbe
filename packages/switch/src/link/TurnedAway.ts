/** Connections that a link does not let in: closed at once, and noted at a bounded rate. */
import type { Connection } from "../transport/Transport.ts"
import { Tally } from "./Tally.ts"

/** What an operator sees of them. */
export interface TurnedAwayStatus {
  /** Since the start, or since the reload that made the link. */
  readonly count: number
  /** When the last one was, in monotonic milliseconds, and why. */
  readonly at: number
  readonly why: string
}

/** Why a link lets a connection not in. Each reason is noted for itself. */
export type TurnedAwayFor = "drained" | "full" | "second" | "waits" | "alive"

/** Turns connections away for one link, or for one leg. */
export class TurnedAway {
  private readonly tally = new Tally()
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
    const noted = this.tally.add(reason, text, this.now())
    if (noted !== undefined) this.noted(noted)
  }
}
