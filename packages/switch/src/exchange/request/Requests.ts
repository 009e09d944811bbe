/**
 * The way of a request through the switch and of its answer back.
 *
 *     read -> admitted -> journal -> out on the target link -> answer -> journal -> back to the origin
 *
 * Nothing is sent, answered or acknowledged before its journal entry is on disk (guarantee G1): what has to wait for that is
 * in `Commits`. Everything here runs synchronously, once per batch of messages; there is no fiber, timer or promise per message.
 */
import { type MessageIndex, type ReversalReasons, responseMti } from "@jinka/codec"
import type { Receipt } from "../../link/Receipts.ts"
import { sentFieldsOf } from "../../message/Language.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { BusinessDays } from "../day/BusinessDays.ts"
import { Event, State } from "../Exchange.ts"
import type { Originals } from "../entry/Originals.ts"
import { Outcome } from "../entry/RecentKeys.ts"
import type { Refusal } from "../entry/Refusals.ts"
import type { Repeats } from "../entry/Repeats.ts"
import type { WayOut } from "../gate/WayOut.ts"
import type { HotActions } from "../turns/Commits.ts"
import { KEY_LENGTH_MAX, type Slot, TICK_MS } from "./Outstanding.ts"
import type { Reversals } from "./Reversals.ts"
import { SlotCrossing } from "./SlotCrossing.ts"
import { UnmatchedAnswers } from "./UnmatchedAnswers.ts"

/** What ends a request whose outcome nobody knows. */
export type Unknown = "timeout" | "connection lost" | "answer not translated"

/** The requests of one switch. */
export class Requests implements HotActions {
  private readonly desks: Desks
  private readonly wayOut: WayOut
  private readonly days: BusinessDays
  private readonly reversals: Reversals
  private readonly unmatched: UnmatchedAnswers
  private readonly messages: SlotCrossing
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  /** The desk whose line is being let go: the places that become free meanwhile are taken in the same turn. */
  private moving: Desk | undefined

  constructor(
    desks: Desks,
    wayOut: WayOut,
    repeats: Repeats,
    reversals: Reversals,
    originals: Originals,
    days: BusinessDays
  ) {
    this.desks = desks
    this.wayOut = wayOut
    this.days = days
    this.messages = new SlotCrossing(desks, wayOut, originals)
    this.reversals = reversals
    this.unmatched = new UnmatchedAnswers(desks, repeats, reversals)
  }

  /** The request in slot `id` is on disk: it goes out, or ends here when that cannot be any more. */
  forward(desk: number, id: number): void {
    const target = this.desks.at(desk)
    const { line } = target
    const slot = target.outstanding.at(id)
    if (slot.sealing?.isDone === false) return slot.hold()
    if (line === undefined || slot.hasPlace) return this.send(target, slot)
    if (!line.enter()) return line.wait(id, this.desks.groups.partner(slot.origin), this.desks.now, slot.deadline)
    slot.hasPlace = true
    this.send(target, slot)
  }

  /** The link may be used, or a request has left its place: those that wait go out as far as there are places. */
  next(target: Desk): void {
    const { line } = target
    // A request that cannot be sent frees its place at once: a long line of those must not become as deep a call.
    if (line === undefined || this.moving === target) return
    this.moving = target
    while (target.link.isReady) {
      const id = line.next()
      if (id === undefined) break
      const slot = target.outstanding.at(id)
      slot.hasPlace = true
      this.send(target, slot)
    }
    this.moving = undefined
  }

  /** Those that have waited long enough are refused. */
  waited(target: Desk): void {
    const { line } = target
    const { now } = this.desks
    if (line === undefined || line.length === 0) return
    for (let id = line.overdue(now); id !== undefined; id = line.overdue(now)) {
      const slot = target.outstanding.at(id)
      this.notSent(target, slot, slot.deadline <= now ? "noAnswer" : "malfunction")
    }
  }

  /** The request in `slot` has its end on the way: its place is the next one's. */
  private leave(target: Desk, slot: Slot): void {
    if (!slot.hasPlace) return
    slot.hasPlace = false
    target.line?.leave()
    this.next(target)
  }

  private send(target: Desk, slot: Slot): void {
    const { desks } = this
    const { link } = target
    const { session } = link
    if (!link.isReady) return this.notSent(target, slot, "issuerDown")
    if (slot.deadline <= desks.now) return this.notSent(target, slot, "noAnswer")
    if (slot.sealing !== undefined && this.wayOut.seals?.renews(slot.sealing) === true) return slot.hold()
    if (session === undefined) return this.dial(target, slot)
    const wrong = this.messages.write(target, session, slot)
    if (wrong !== undefined) return this.notSent(target, slot, wrong)
    slot.sentAt = session.outbox.promise()
    this.sent(target, slot, session.epoch)
    desks.touch(link)
    // The partner was too slow for one more message: the connection has ended under it.
    if (link.session !== session) this.end(target, slot, "connection lost")
  }

  /** A short link opens a connection for the request in `slot`, which stays `accepting` until there is one. */
  private dial(target: Desk, slot: Slot): void {
    const { desks } = this
    const { short } = target.link
    if (short === undefined) return this.notSent(target, slot, "issuerDown")
    short.open(slot.deadline, (session) => {
      desks.tick()
      // Its own tick may have come before its connection, and comes no more.
      const isLate = slot.deadline <= desks.now
      const wrong = session === undefined || isLate ? undefined : this.messages.write(target, session, slot)
      if (session === undefined || isLate || wrong !== undefined) {
        this.notSent(target, slot, wrong ?? (isLate ? "noAnswer" : "issuerDown"))
        if (session !== undefined) short.release(session.epoch)
      } else {
        this.sent(target, slot, session.epoch)
        session.outbox.promise()
        // The deadline's own tick comes first: the request has ended when its connection does.
        short.sent(session, slot.deadline + 2 * TICK_MS)
      }
      desks.flush()
    })
  }

  private sent(target: Desk, slot: Slot, epoch: number): void {
    slot.sentEpoch = epoch
    slot.sentMs = this.desks.now
    target.traffic.requestsOut++
    target.outstanding.step(slot.id, Event.sent)
  }

  /** No byte of the request has left: the origin may try again, and nothing has to be reversed. */
  private notSent(target: Desk, slot: Slot, refusal: Refusal): void {
    const { desks } = this
    target.outstanding.step(slot.id, Event.notSent)
    const origin = this.origin(slot)
    const code = origin.language.refusal[refusal]
    const seq = desks.record.ended("notSent", slot.exchange, target, 0, code)
    this.unsealed(slot)
    this.tellAhead(slot, code)
    origin.traffic.refuse(refusal)
    this.became(origin, slot, seq, Outcome.refused)
    desks.commits.after(desks.partnerOf(origin), seq, () => this.refuseOrigin(target, slot, code))
    this.leave(target, slot)
  }

  private unsealed(slot: Slot): void {
    if (slot.sealing !== undefined) this.wayOut.seals!.drop(slot.sealing)
    slot.sealing = undefined
  }

  /** An answer that was not proved to be the partner's: it is kept and ends nothing. */
  unproved(target: Desk, epoch: number, heard: MessageIndex, why: string): void {
    const { desks, unmatched } = this
    const length = target.language.key(heard, sentFieldsOf(target.language, heard.mti), this.key)
    const slot = desks.groups.holder(target, this.key, length).outstanding.find(this.key, 0, length)
    unmatched.unproved(target, epoch, heard, slot?.exchange ?? 0, why)
  }

  /** Whether an answer belongs to a request that went out on this link and is open, or has ended: our own management has none. */
  isKnown(target: Desk, index: MessageIndex): boolean {
    const length = target.language.key(index, sentFieldsOf(target.language, index.mti), this.key)
    const { outstanding } = this.desks.groups.holder(target, this.key, length)
    return outstanding.find(this.key, 0, length) !== undefined || this.unmatched.hasEnded(target, this.key, length)
  }

  /** A response to a request: finds its request, checks that it belongs to it, and sends it on its way back. */
  answer(target: Desk, epoch: number, heard: MessageIndex): void {
    const { desks, unmatched } = this
    const { language, link } = target
    const length = language.key(heard, sentFieldsOf(language, heard.mti), this.key)
    // The partner may answer on another link of the group than we asked on; its request is where it was sent.
    const holder = desks.groups.holder(target, this.key, length)
    const { outstanding } = holder
    const slot = outstanding.find(this.key, 0, length)
    if (slot === undefined || outstanding.state(slot.id) !== State.open) {
      return unmatched.unexpected(target, epoch, heard, this.key, length, slot, outstanding)
    }
    if ((slot.sentEpoch !== epoch || holder !== target) && link.short?.isSync === true) {
      return unmatched.foreign(target, epoch, heard, slot, "another connection")
    }
    const origin = this.origin(slot)
    const request = this.messages.original(slot)
    const index = holder.language.hasOwnStan ? language.withStan(heard, origin.language.stan(request)) : heard
    if (index === undefined) return unmatched.foreign(target, epoch, heard, slot, "STAN does not fit")
    // A reject of the centre carries our own message back: what it says inside is not the issuer's word.
    const isReject = index.rejectCode !== 0
    const code = isReject ? language.refusal.formatError : language.code(index)
    const why = isReject ? rejected(slot, index) : this.foreign(origin, target, slot, request, index, code)
    if (why !== undefined || code === undefined) return unmatched.foreign(target, epoch, heard, slot, why ?? noCode)
    if (isReject) this.messages.ownAnswer(origin, request, slot, origin.language.refusal.formatError)
    else if (!this.messages.keepAnswer(origin, target, request, index, slot)) {
      // Nobody hears of it: what it approved has to be taken back.
      unmatched.untranslated(target, epoch, heard, slot)
      return this.end(holder, slot, "answer not translated")
    }
    this.took(holder, slot, code)
    const seq = desks.record.answered(slot.exchange, target, epoch, code, heard)
    outstanding.step(slot.id, Event.answered)
    slot.endCode = code
    const outcome = language.isSuccess(code) ? Outcome.answered : Outcome.refused
    const sent = { exchange: slot.exchange, outcome, origin: origin.id }
    holder.recent.putSentHashed(slot.key, sent, desks.seconds)
    // A repeat of what its partner has taken back is not told that it is approved.
    if (slot.isTakenBack && outcome === Outcome.answered) this.became(origin, slot, 0, Outcome.timedOut)
    else this.became(origin, slot, seq, Outcome.answered)
    slot.telling(holder.id, this.delivered)
    desks.telling.add(slot)
    link.release(epoch)
    if (!isReject) this.days.settled(target, heard)
    this.wayOut.seals?.answer(origin, holder.id, slot)
    desks.commits.deliver(desks.partnerOf(origin), seq, holder.id, slot.id)
    this.leave(holder, slot)
  }

  /** The partner has answered: counts it, with the time that it took. */
  private took(holder: Desk, slot: Slot, code: string): void {
    const { answers, now } = this.desks
    slot.partnerMs = now - slot.sentMs
    answers.add(code)
    holder.traffic.answersIn.add(code)
    holder.traffic.partnerTime.record(slot.partnerMs, now)
    holder.link.doubt.answered(slot.sentEpoch)
  }

  /** Why the message with the request's key is not its answer; `undefined`: it is. */
  private foreign(
    origin: Desk,
    { language }: Desk,
    { mti }: Slot,
    request: MessageIndex,
    index: MessageIndex,
    code: string | undefined
  ): string | undefined {
    if (index.mti !== responseMti(mti)) return "MTI differs"
    if (code === undefined) return noCode
    return language.difference(origin.language, request, index)
  }

  /** The answer in slot `id` is on disk: it goes to the origin, and the exchange is over. */
  deliver(desk: number, id: number): void {
    const { outstanding } = this.desks.at(desk)
    const { sealing } = outstanding.at(id)
    const isWaiting = sealing !== undefined && (!sealing.isDone || this.wayOut.seals?.renews(sealing) === true)
    if (isWaiting) return outstanding.at(id).hold()
    const slot = outstanding.detach(id)
    const { traffic } = this.origin(slot)
    traffic.answersOut.add(slot.endCode)
    traffic.ourTime.record(this.desks.now - slot.takenAt - slot.partnerMs, this.desks.now)
    if (!this.sendAnswer(slot, slot)) slot.settle(false)
  }

  /** The answer in the slot was handed to the origin's kernel, or the connection that was to carry it has ended before. */
  private readonly delivered = (slot: Slot, isDelivered: boolean): void => {
    if (isDelivered) slot.isHeard = true
    // A repeat was given the same answer, and what becomes of that is not known yet.
    if (slot.copies-- > 0) return
    if (!slot.isHeard) {
      this.desks.tick()
      this.undelivered(this.desks.at(slot.target), slot)
    }
    this.desks.telling.delete(slot)
    this.desks.at(slot.target).outstanding.giveBack(slot)
  }

  /** The answer could not be handed to its origin: an approval that nobody heard of is taken back. */
  private undelivered(target: Desk, slot: Slot): void {
    const { record } = this.desks
    const origin = this.origin(slot)
    origin.traffic.undelivered++
    record.together(() => {
      record.ended("undelivered", slot.exchange, origin, slot.originEpoch, slot.endCode)
      if (!target.language.isSuccess(slot.endCode)) return
      this.desks.approvals.add(slot.exchange)
      // Nobody may hear of the approval any more.
      this.became(origin, slot, 0, Outcome.timedOut)
      this.reverse(origin, target, slot, "undelivered")
    })
  }

  /** Journals the reversal of the request in `slot`, if it is money, and queues it once that is on disk. */
  private reverse(origin: Desk, target: Desk, slot: Slot, why: keyof ReversalReasons): void {
    const stored = this.reversals.make(origin, target, this.messages.original(slot), slot.exchange, why)
    if (stored === undefined) return
    stored.behind = { desk: target.id, epoch: slot.sentEpoch, at: slot.sentAt }
    this.desks.commits.after(this.desks.partnerOf(origin), stored.exchange, () => target.stored.add(stored))
  }

  /**
   * The deadline of a request has passed: it ends if it is still waiting for its answer. One that waits for a store that is
   * away is never sent any more, and its origin hears so now.
   */
  expired(target: Desk, slot: Slot): void {
    const state = target.outstanding.state(slot.id)
    if (state === State.open) this.end(target, slot, "timeout")
    else if (state === State.accepting) this.tellAhead(slot, this.origin(slot).language.refusal.noAnswer)
  }

  /** The connection that requests were sent on has ended: their outcome is unknown, now and not after their timeout. */
  connectionLost(target: Desk, epoch: number): void {
    const { outstanding } = target
    outstanding.forEach((slot) => {
      if (outstanding.state(slot.id) === State.open && slot.sentEpoch === epoch)
        this.end(target, slot, "connection lost")
    })
  }

  /** Ends a request whose outcome is unknown: its end and its reversal in one journal transaction, then the origin is told. */
  private end(target: Desk, slot: Slot, reason: Unknown): void {
    const { commits, record, seconds } = this.desks
    const { outstanding } = target
    const origin = this.origin(slot)
    outstanding.step(slot.id, reason === "timeout" ? Event.deadline : Event.connectionLost)
    const sent = { exchange: slot.exchange, outcome: Outcome.timedOut, origin: origin.id }
    target.recent.putSentHashed(slot.key, sent, seconds)
    this.became(origin, slot, 0, Outcome.timedOut)
    const { noAnswer } = origin.language.refusal
    this.tellAhead(slot, noAnswer)
    record.together(() => {
      const seq = record.ended("timedOut", slot.exchange, target, slot.sentEpoch, reason)
      commits.after(this.desks.partnerOf(origin), seq, () => this.refuseOrigin(target, slot, noAnswer))
      this.reverse(origin, target, slot, "noAnswer")
    })
    if (reason !== "timeout") target.traffic.lost++
    else {
      target.traffic.timeouts++
      target.link.doubt.unanswered(slot.sentEpoch, this.desks.now)
      target.link.overdue(slot.sentEpoch)
    }
    this.leave(target, slot)
  }

  /** Keeps under the origin's key what became of the request in `slot`; `end`: the entry that says it, 0: none does. */
  private became({ recent }: Desk, slot: Slot, end: number, outcome: Outcome): void {
    recent.putHashed(slot.asked, { exchange: slot.exchange, end, outcome }, this.desks.seconds, slot.askedTime)
  }

  /** The end of a request without an answer is on disk: the origin is told with a code of our own, and the exchange is over. */
  private refuseOrigin(target: Desk, slot: Slot, code: string): void {
    if (!slot.isTold) this.tellOrigin(slot, code)
    slot.isTold = false
    target.outstanding.step(slot.id, Event.endCommitted)
  }

  /**
   * The store is away, and the end of a request without an answer cannot be on disk in time. The origin is told all the same:
   * that promises nothing, and should the end be lost, the next start ends the request in the same way.
   */
  private tellAhead(slot: Slot, code: string): void {
    if (slot.isTold || !this.desks.isAway) return
    slot.isTold = true
    this.tellOrigin(slot, code)
  }

  private tellOrigin(slot: Slot, code: string): void {
    const origin = this.origin(slot)
    // What is sealed is the request, and what leaves now is an answer.
    this.unsealed(slot)
    this.messages.ownAnswer(origin, this.messages.original(slot), slot, code)
    origin.traffic.answersOut.add(code)
    this.sendAnswer(slot)
  }

  private sendAnswer(slot: Slot, receipt?: Receipt): boolean {
    const answer = slot.answerLength === 0 ? undefined : slot.answer
    const { sealing } = slot
    if (sealing !== undefined && answer !== undefined) {
      slot.sealing = undefined
      return this.wayOut.seals!.send(this.origin(slot), slot.originEpoch, answer, slot.answerLength, receipt, sealing)
    }
    return this.wayOut.send(this.origin(slot), slot.originEpoch, answer, slot.answerLength, receipt)
  }

  private origin({ origin }: Slot): Desk {
    return this.desks.at(origin)
  }
}

/** Why a message without a response code is no answer. */
const noCode = "the response code is missing, or is no code"

/** Why a reject is not of our request; `undefined`: it is. */
const rejected = ({ mti }: Slot, index: MessageIndex): string | undefined =>
  index.mti === mti ? undefined : "MTI differs"
