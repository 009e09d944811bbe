/** Messages of one partner that spoke for another, and were refused: each is counted, a flood is not noted one by one. */
import { mtiText } from "@jinka/codec"
import type { LiesStatus } from "./LinkStatus.ts"
import { Notices } from "./Notices.ts"

/** The lies that came on one link. */
export class Lies {
  private readonly notices = new Notices()
  private readonly warned: (text: string, epoch?: number) => void
  private last: LiesStatus | undefined

  constructor(warned: (text: string, epoch?: number) => void) {
    this.warned = warned
  }

  /** One more, of type `mti`, at `now` in monotonic milliseconds. `why`: what the message does, as the language says it. */
  add(mti: number, why: string, now: number, epoch?: number): void {
    const text = `a ${mtiText(mti)} of the partner ${why}: refused`
    this.last = { count: (this.last?.count ?? 0) + 1, at: now, why: text }
    const noted = this.notices.take(now, text)
    if (noted !== undefined) this.warned(noted, epoch)
  }

  /** What an operator sees of them; `undefined`: there were none. */
  get status(): LiesStatus | undefined {
    return this.last
  }
}
