/**
 * What the switch answers by itself: a request that is not taken, and one that was seen before.
 */
import { isRequest, MessageIndex, mtiClass, type RefusalCodes } from "@jinka/codec"
import { receivedFieldsOf, sentFieldsOf } from "../../message/Language.ts"
import { stanOf } from "../../message/Stamp.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { WayOut } from "../gate/WayOut.ts"
import { KEY_LENGTH_MAX, type Slot } from "../request/Outstanding.ts"
import { type Known, kindOf, Outcome } from "./RecentKeys.ts"
import { isSame, type StoredAnswers } from "./StoredAnswers.ts"

/** Why a request is answered by the switch itself; the code comes from the origin's dialect. */
export type Refusal = keyof RefusalCodes

/** Refusals by their numbers in memory. */
const spared: ReadonlyArray<Refusal> = [
  "malfunction",
  ...(["formatError", "issuerDown", "noRoute", "duplicate", "noAnswer", "notSignedOn", "macFailed"] as const),
  ...(["pinFailed", "keyFailed", "cutOver", "identity"] as const)
]

/** Whether its sender waits for one answer, and asks again where there is none: a request, and management that passed through. */
const asksOnce = (mti: number): boolean => mtiClass(mti) === "request" || mtiClass(mti) === "networkManagement"

/** What a message was refused with of which no entry tells. */
export const sparedRefusal = ({ end }: Known): Refusal => spared[end - 1] ?? "malfunction"

/** The refusals of one switch. */
export class Refusals {
  private readonly desks: Desks
  private readonly wayOut: WayOut
  private readonly answers: StoredAnswers
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private readonly open = new MessageIndex()
  /** Refusals that were told ahead of a store that is away, by their entries: as many as may wait for it. */
  private readonly held = new Map<number, Refusal>()

  constructor(desks: Desks, wayOut: WayOut, answers: StoredAnswers) {
    this.desks = desks
    this.wayOut = wayOut
    this.answers = answers
  }

  /** The partner sends a request again: it is answered with what is known of it. */
  repeated(desk: Desk, epoch: number, index: MessageIndex, known: Known): void {
    const { desks } = this
    const { exchange, outcome } = known
    // It was refused while room was scarce or above its rate, and no entry tells of it: it stays refused, or it would have
    // two answers (G3).
    if (exchange === 0) return void this.answer(desk, epoch, index, sparedRefusal(known))
    const held = this.heldRefusal(exchange)
    if (held !== undefined) return void this.answer(desk, epoch, index, held)
    const isOpen = outcome === Outcome.open
    const { duplicate, noAnswer } = desk.language.refusal
    const isOther = isOpen && this.isOther(desk, index, exchange)
    const seq = desks.record.unmatched("duplicateRequest", exchange, desk, epoch, isOther ? duplicate : "", index)
    if (isOpen && !isOther) return desk.link.release(epoch)
    if (outcome !== Outcome.answered && outcome !== Outcome.refused) {
      // To an advice that is undone already "no answer" would say: try again.
      const isDuplicate = isOther || !asksOnce(index.mti)
      const answer = desk.language.answer(index, isDuplicate ? duplicate : noAnswer)
      return desks.afterRefusal(desk, seq, () => this.wayOut.send(desk, epoch, answer))
    }
    const bytes = Buffer.from(index.buffer.subarray(index.start, index.end))
    const receipt = desks.alsoTelling(exchange)
    // Where the repeat's own entry is spared, what the answer is made of may not be on disk yet.
    const needed = Math.max(seq, known.end)
    desks.after(desk, needed, () => this.answers.again(desk, epoch, known, bytes, receipt))
  }

  /**
   * A message that speaks for another partner, as `why` says: refused, or kept as nobody's answer. Its key is not remembered and
   * nothing waits for it: whoever it names is not to feel it.
   */
  impostor(desk: Desk, epoch: number, index: MessageIndex, why: string): void {
    const { desks } = this
    const isAsked = index.rejectCode === 0 && isRequest(index.mti)
    // What is no institution's code at all is a mistake, and no lie.
    if (isAsked && !desk.language.isIdentified(index)) return void this.answer(desk, epoch, index, "formatError")
    desk.link.lies.add(index.mti, why, desks.now, epoch)
    if (isAsked) return void this.answer(desk, epoch, index, "identity")
    desk.traffic.unmatched++
    desks.record.unmatched("unmatched", 0, desk, epoch, why, index)
  }

  /**
   * Answers a message that was not proved to be the partner's, or could not be looked at. Its key is not remembered: the same
   * message with a right MAC is taken.
   */
  unproved(desk: Desk, epoch: number, index: MessageIndex, refusal: Refusal): void {
    // A restart would take any other refusal for the end of the exchange with this key, which may be another partner's.
    const isWrong = refusal === "macFailed"
    this.answer(desk, epoch, index, refusal, isWrong ? undefined : "the MAC could not be checked: answered")
  }

  /**
   * Answers a message without taking it; the refusal is on disk before the answer leaves, unless it is spared, or the store is
   * away: then it is written behind the answer, and promises nothing.
   */
  refuse(desk: Desk, epoch: number, index: MessageIndex, refusal: Refusal): void {
    const seq = this.answer(desk, epoch, index, refusal)
    if (this.desks.isAway) this.held.set(seq, refusal)
    this.refused(desk, index, refusal, seq)
  }

  /** Whether the message says something else than the open request that has its key: a used key is no repeat (G6). */
  private isOther(desk: Desk, index: MessageIndex, exchange: number): boolean {
    const slot = this.routed(desk, index, exchange) ?? this.anywhere(exchange)
    if (slot === undefined) return false
    const asked = this.desks.at(slot.origin).language
    asked.index(slot.request, 0, slot.requestLength, this.open)
    return !isSame(asked, this.open, desk.language, index)
  }

  /** The open request where the message would go: its own repeat is found there. */
  private routed({ id, language }: Desk, index: MessageIndex, exchange: number): Slot | undefined {
    const { groups, router } = this.desks
    const to = router.route(language, index, id)
    for (const { language: asked, outstanding } of to === undefined ? [] : groups.members(to)) {
      const named = asked.hasOwnStan ? language.withStan(index, stanOf(exchange)) : index
      if (named === undefined) continue
      const length = language.key(named, sentFieldsOf(asked, index.mti), this.key)
      const slot = outstanding.find(this.key, 0, length)
      if (slot?.exchange === exchange) return slot
    }
    return undefined
  }

  /** The same wherever it went: a message with another card has another route, and a reload may have changed it. */
  private anywhere(exchange: number): Slot | undefined {
    for (const { outstanding } of this.desks.all) {
      const slot = outstanding.size === 0 ? undefined : outstanding.slotOf(exchange)
      if (slot !== undefined) return slot
    }
    return undefined
  }

  /** What a request was refused with while the store is away: the entry that says so cannot be read yet. */
  private heldRefusal(exchange: number): Refusal | undefined {
    if (!this.desks.isAway) this.held.clear()
    return this.held.get(exchange)
  }

  /** Keeps that a message was refused, as entry `seq` tells; 0: none does, and memory has to know with what. */
  refused(desk: Desk, index: MessageIndex, refusal: Refusal, seq: number): void {
    const end = seq === 0 ? 1 + spared.indexOf(refusal) : seq
    this.remember(desk, index, { exchange: seq, end, outcome: Outcome.refused })
  }

  /**
   * Returns the number of the refusal's entry; 0: it is spared. `unmatched`: it is no refusal of what has the message's key, and
   * says this.
   */
  private answer(desk: Desk, epoch: number, index: MessageIndex, refusal: Refusal, unmatched?: string): number {
    const { desks } = this
    const code = desk.language.refusal[refusal]
    const seq =
      unmatched === undefined
        ? desks.record.refused(desk, epoch, code, index)
        : desks.record.unmatched("unmatched", 0, desk, epoch, `${unmatched} ${code}`, index)
    desk.traffic.refuse(refusal)
    desk.traffic.answersOut.add(code)
    const answer = desk.language.answer(index, code)
    desks.afterRefusal(desk, seq, () => this.wayOut.send(desk, epoch, answer))
    return seq
  }

  /** A message that may have been answered before, and nobody can say how: another answer could be a second one (G3). */
  unsure({ link, perhapsRepeats }: Desk, epoch: number): void {
    const text = "left unanswered, because it may have come before: the journal did not say in time"
    const noted = perhapsRepeats.add("unsure", text, this.desks.now)
    if (noted !== undefined) link.warned(noted, epoch)
    link.release(epoch)
  }

  /** Keeps under the origin's key what became of a request. */
  remember({ language, recent }: Desk, request: MessageIndex, known: Known): void {
    const length = language.key(request, receivedFieldsOf(language, request.mti), this.key)
    const time = language.keyTime(request)
    recent.put(kindOf(request.mti), this.key, 0, length, known, this.desks.seconds, time)
  }
}
