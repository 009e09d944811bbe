/**
 * What comes above a link's rate limit. Neither it nor its answer is written down, or the limit would protect nothing: it is
 * counted, and noted every ten seconds.
 */
import { type MessageIndex, mtiClass } from "@jinka/codec"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { WayOut } from "../gate/WayOut.ts"
import { type Known, Outcome } from "./RecentKeys.ts"
import { type Refusals, sparedRefusal } from "./Refusals.ts"
import type { Repeats } from "./Repeats.ts"

/** The rate limits of one switch. */
export class OverRate {
  private readonly desks: Desks
  private readonly wayOut: WayOut
  private readonly refusals: Refusals
  private readonly repeats: Repeats

  constructor(desks: Desks, wayOut: WayOut, refusals: Refusals, repeats: Repeats) {
    this.desks = desks
    this.wayOut = wayOut
    this.refusals = refusals
    this.repeats = repeats
  }

  /** Whether the message is within its link's limit. */
  isWithin({ rate }: Desk, at: number): boolean {
    return rate === undefined || rate.take(at)
  }

  /**
   * Answers one that is not at once, and a request with the same answer whenever it comes again. One that has come before, or may
   * have, gets no answer: it could be another one than the first (G3). It gets that when it comes again within the limit.
   */
  refuse(desk: Desk, epoch: number, index: MessageIndex): void {
    const { language } = desk
    const known = this.repeats.knownOf(desk, index)
    const isNew = this.isNew(desk, index, known)
    const refusal = known === undefined ? "malfunction" : sparedRefusal(known)
    const code = language.refusal[refusal]
    // Advices and reversals are taken when they come again.
    if (isNew && mtiClass(index.mti) === "request") this.refusals.refused(desk, index, refusal, 0)
    this.answer(desk, epoch, isNew ? language.answer(index, code) : undefined, code)
  }

  /** The same for one that speaks for another partner, as `why` says: counted as such, too, and not remembered. */
  impostor(desk: Desk, epoch: number, index: MessageIndex, why: string): void {
    const { language, link } = desk
    const { identity } = language.refusal
    link.lies.add(index.mti, why, this.desks.now, epoch)
    this.answer(desk, epoch, language.answer(index, identity), identity)
  }

  /** The same for one that cannot be read; `answer` says that. */
  unreadable(desk: Desk, epoch: number, answer: Buffer): void {
    this.answer(desk, epoch, answer, desk.language.refusal.formatError)
  }

  /** Gives the answer, if there is one, and tells of it from time to time. */
  private answer(desk: Desk, epoch: number, answer: Buffer | undefined, code: string): void {
    const { desks } = this
    const { link } = desk
    const text = `more than ${link.settings.rateLimit} requests a second: `
    const what = answer === undefined ? "left unanswered, because it may have come before" : `refused ${code}`
    const noted = desk.overRate.add(answer === undefined ? "unanswered" : "refused", text + what, desks.now)
    if (noted !== undefined) link.warned(noted, epoch)
    if (answer === undefined) link.release(epoch)
    else this.wayOut.send(desk, epoch, answer)
  }

  private isNew(desk: Desk, index: MessageIndex, known: Known | undefined): boolean {
    if (known === undefined) return !this.repeats.isForgotten(desk, index)
    return known.outcome === Outcome.refused && known.exchange === 0
  }
}
