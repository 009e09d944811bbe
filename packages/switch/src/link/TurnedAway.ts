/** Connections that a link does not let in: closed at once, and noted at a bounded rate. */
import type { Connection } from "../transport/Transport.ts"
import { Tally } from "./Tally.ts"

/** Why a link lets a connection not in. Each reason is noted for itself. */
export type TurnedAwayFor = "drained" | "full" | "second" | "waits" | "alive"

/** Turns connections away for one link, or for one leg. */
export class TurnedAway {
  private readonly tally = new Tally()
  private readonly noted: (text: string) => void
  private readonly now: () => number

  /** `now` gives monotonic milliseconds. */
  constructor(noted: (text: string) => void, now: () => number) {
    this.noted = noted
    this.now = now
  }

  /** Closes one; `text` says why. */
  add(connection: Connection, reason: TurnedAwayFor, text: string): void {
    connection.close("reset")
    const noted = this.tally.add(reason, text, this.now())
    if (noted !== undefined) this.noted(noted)
  }
}
