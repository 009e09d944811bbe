/**
 * Admission: whether a partner's request is taken, and where it goes. What is not taken is answered at once with the network's
 * code.
 *
 * The order of the checks is in docs/concepts/exchanges.md. What is taken is in the target's table of outstanding requests and
 * on its way to the journal; `Requests` goes on with it from there.
 */
import { isRepeat, type MessageIndex, mtiClass } from "@jinka/codec"
import { mayCross } from "../../message/Crossing.ts"
import { receivedFieldsOf, sentFieldsOf } from "../../message/Language.ts"
import { stanOf } from "../../message/Stamp.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { WayOut } from "../gate/WayOut.ts"
import { KEY_LENGTH_MAX, type Slot } from "../request/Outstanding.ts"
import type { Coming, Inquiry } from "./Inquiry.ts"
import { KeptDigest, SENT } from "./KeyHash.ts"
import { anothers, type Originals } from "./Originals.ts"
import type { Question } from "./Questions.ts"
import { type Known, kindOf, Outcome } from "./RecentKeys.ts"
import type { Refusal, Refusals } from "./Refusals.ts"
import { type Asked, notAsked, type Repeats } from "./Repeats.ts"

/** The admission of one switch. */
export class RequestAdmission {
  private readonly desks: Desks
  private readonly wayOut: WayOut
  private readonly inquiry: Inquiry
  private readonly refusals: Refusals
  private readonly repeats: Repeats
  private readonly originals: Originals
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  /** The key of the request that is being admitted, as its partner asked; and its digest. */
  private readonly originKey = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private originLength = 0
  private readonly asked = new KeptDigest()

  constructor(
    desks: Desks,
    wayOut: WayOut,
    refusals: Refusals,
    repeats: Repeats,
    originals: Originals,
    inquiry: Inquiry
  ) {
    this.desks = desks
    this.wayOut = wayOut
    this.inquiry = inquiry
    this.refusals = refusals
    this.repeats = repeats
    this.originals = originals
  }

  /**
   * A request of a partner that arrived at `arrivedAt` (monotonic milliseconds): admits it, or refuses it at once with the
   * network's code. `asked`: what the journal was asked about it already.
   */
  request(origin: Desk, epoch: number, index: MessageIndex, arrivedAt: number, asked = notAsked): void {
    const { desks, repeats } = this
    const { language, link } = origin
    const coming = { origin, epoch, index, arrivedAt, asked }
    if (asked === notAsked && mtiClass(index.mti) === "networkManagement") origin.traffic.requestsIn++
    if (!language.isIdentified(index)) return this.refuse(coming, "formatError")
    this.originLength = language.key(index, receivedFieldsOf(language, index.mti), this.originKey)
    this.asked.keep(desks.hash.hash(kindOf(index.mti), this.originKey, 0, this.originLength))
    const known = repeats.known(origin, this.asked, isRepeat(index.mti))
    if (known !== undefined) return this.refusals.repeated(origin, epoch, index, known)
    const question = asked.isNew ? undefined : repeats.question(origin, index)
    if (question !== undefined) return this.ask(coming, question, () => ({ ...asked, isNew: true }))
    if (!link.isSignedOn) return this.refuse(coming, "notSignedOn")
    if (link.isClosedForRequests) return this.refuse(coming, "issuerDown")
    const to = desks.router.route(language, index, origin.id)
    if (to === undefined) return this.refuse(coming, "noRoute")
    const target = desks.groups.target(to, origin, index)
    if (target === undefined) return this.refuse(coming, desks.groups.isReady(to) ? "malfunction" : "issuerDown")
    this.accept(coming, target)
  }

  /** Memory does not know what is asked for: the request goes on, as `told`, when the journal has said so. */
  private ask(coming: Coming, question: Question, told: (known: Known | undefined) => Asked): void {
    const { origin, epoch, arrivedAt } = coming
    this.inquiry.ask(coming, question, told, (again, asked) => this.request(origin, epoch, again, arrivedAt, asked))
  }

  private accept(coming: Coming, target: Desk): void {
    const { origin, epoch, index, arrivedAt, asked } = coming
    const { desks, originals } = this
    const { groups } = desks
    const { language } = origin
    const { outstanding } = target
    const partner = groups.partner(origin.id)
    const hasRoom = outstanding.hasRoomFor(partner, true) || (!outstanding.isFull && !groups.isShared(target.id))
    if (!hasRoom || desks.isFull) return this.refuse(coming, "malfunction")
    // A request that has waited for its time already is given up where it came from.
    const age = language.age(index, desks.wallMs)
    const deadline = arrivedAt - age + desks.limits.requestTimeoutMs
    if (deadline <= desks.now) return this.refuse(coming, "noAnswer")
    const { hasOwnStan } = target.language
    if (!hasOwnStan && originals.isAnothers(origin, target, index)) {
      return this.refusals.impostor(origin, epoch, index, anothers)
    }
    // Its own STAN is that of the exchange that it is about to be.
    const named = hasOwnStan ? originals.withStan(origin, index, stanOf(desks.record.last + 1), asked.original) : index
    if (named === undefined) {
      const question = asked.original === undefined ? originals.question(origin, index) : undefined
      if (question !== undefined) return this.ask(coming, question, (known) => ({ isNew: true, original: { known } }))
      return this.refuse(coming, "formatError")
    }
    if (!mayCross(language, target.language, index)) return this.refuse(coming, "formatError")
    const fields = sentFieldsOf(target.language, index.mti)
    const isAsAsked = named === index && fields === receivedFieldsOf(language, index.mti) && kindOf(index.mti) === SENT
    const key = isAsAsked ? this.originKey : this.key
    const length = isAsAsked ? this.originLength : language.key(named, fields, key)
    if (groups.isOutstanding(target, key, length)) return this.refuse(coming, "duplicate")
    const digest = isAsAsked ? this.asked : desks.hash.hash(SENT, key, 0, length)
    const slot = outstanding.take(key, 0, length, deadline, partner, origin.id, digest)
    if (slot === undefined) return this.refuse(coming, "duplicate")
    this.open(coming, target, slot, partner)
  }

  /** The request is taken: its exchange begins in `slot`, and it goes on once the journal has it. */
  private open({ origin, epoch, index }: Coming, target: Desk, slot: Slot, partner: number): void {
    const { desks } = this
    slot.exchange = desks.record.accepted(origin, epoch, target, index)
    slot.takenAt = desks.now
    slot.originEpoch = epoch
    slot.sentEpoch = 0
    slot.mti = index.mti
    slot.keepRequest(index.buffer, index.start, index.end)
    slot.isDue = false
    slot.isTakenBack = false
    this.wayOut.seals?.ahead(target, slot)
    const known = { exchange: slot.exchange, end: 0, outcome: Outcome.open }
    slot.asked.keep(this.asked)
    slot.askedTime = origin.language.keyTime(index)
    origin.recent.putHashed(slot.asked, known, desks.seconds, slot.askedTime)
    desks.commits.forward(partner, slot.exchange, target.id, slot.id)
  }

  private refuse({ origin, epoch, index }: Coming, refusal: Refusal): void {
    this.refusals.refuse(origin, epoch, index, refusal)
  }
}
