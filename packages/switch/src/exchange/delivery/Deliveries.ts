/**
 * Advices, reversals and notices of partners: messages that are accepted once and delivered until they are acknowledged.
 *
 *     read -> admitted -> journal -> acknowledged to the partner, and into the target's queue -> StoreAndForward
 *
 * The switch acknowledges a partner's advice by itself, and from then on it is the switch's to deliver.
 */
import { isRepeat, type MessageIndex, mtiClass, repeatMti, responseMti } from "@jinka/codec"
import { sourceText } from "../../journal/Source.ts"
import { Crossing, mayCross } from "../../message/Crossing.ts"
import { stanOf } from "../../message/Stamp.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { Coming, Inquiry } from "../entry/Inquiry.ts"
import { anothers, type Originals } from "../entry/Originals.ts"
import type { Question } from "../entry/Questions.ts"
import { type Known, kindOf, Outcome } from "../entry/RecentKeys.ts"
import type { Refusals } from "../entry/Refusals.ts"
import { type Asked, notAsked, type Repeats } from "../entry/Repeats.ts"
import type { StoredAnswers } from "../entry/StoredAnswers.ts"
import type { WayOut } from "../gate/WayOut.ts"
import { KEY_LENGTH_MAX } from "../request/Outstanding.ts"
import type { Stored } from "./Stored.ts"

/**
 * Messages that wait for one partner, above which its advices are refused until some have ended (guarantee G8): some 250 MB.
 * Those that come from one partner are three quarters of them at most. Reversals of our own are always taken; the requests that
 * they come from are bounded themselves.
 */
const STORED_MAX = 2_000_000

/** Any MTI of a request. */
const REQUEST = 200

/** How a reversal ended whose request never came. */
export const noOriginal = "no original"

/** The deliveries of one switch. */
export class Deliveries {
  private readonly desks: Desks
  private readonly wayOut: WayOut
  private readonly inquiry: Inquiry
  private readonly refusals: Refusals
  private readonly answers: StoredAnswers
  private readonly repeats: Repeats
  private readonly originals: Originals
  private readonly crossing = new Crossing()
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private readonly originKey = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)

  constructor(
    desks: Desks,
    wayOut: WayOut,
    refusals: Refusals,
    answers: StoredAnswers,
    repeats: Repeats,
    originals: Originals,
    inquiry: Inquiry
  ) {
    this.desks = desks
    this.wayOut = wayOut
    this.inquiry = inquiry
    this.answers = answers
    this.originals = originals
    this.refusals = refusals
    this.repeats = repeats
  }

  /**
   * An advice, a reversal or a notice of a partner that arrived at `arrivedAt` (monotonic milliseconds). `asked`: what the
   * journal was asked about it already.
   */
  advice(origin: Desk, epoch: number, index: MessageIndex, arrivedAt: number, asked = notAsked): void {
    const { desks, refusals, repeats } = this
    const { language, link } = origin
    if (!language.isIdentified(index)) return refusals.refuse(origin, epoch, index, "formatError")
    const length = language.key(index, language.receivedFields, this.originKey)
    // A refused advice is taken when it comes again.
    const known = repeats.known(
      origin,
      desks.hash.hash(kindOf(index.mti), this.originKey, 0, length),
      isRepeat(index.mti)
    )
    if (known?.outcome === Outcome.queued) return this.repeated(origin, epoch, index, known)
    // Its reversal came before it, and was taken.
    if (known?.outcome === Outcome.unseen) return refusals.repeated(origin, epoch, index, known)
    const question = known !== undefined || asked.isNew ? undefined : repeats.question(origin, index)
    const coming = { origin, epoch, index, arrivedAt, asked }
    if (question !== undefined) return this.ask(coming, question, () => ({ ...asked, isNew: true }))
    if (!link.isSignedOn) return refusals.refuse(origin, epoch, index, "notSignedOn")
    if (desks.isFull) return refusals.refuse(origin, epoch, index, "malfunction")
    const routed = this.routed(origin, index)
    const about = asked.original === undefined ? this.originals.question(origin, index, routed) : undefined
    if (about !== undefined) return this.ask(coming, about, (known) => ({ isNew: true, original: { known } }))
    const meant = this.originals.meant(origin, index, asked.original)
    // To whom its original went, whatever the routes are now.
    const home = this.originals.wentTo(origin, index, meant, routed) ?? routed
    if (home === undefined || home.link.isGone) return refusals.refuse(origin, epoch, index, "noRoute")
    const original = this.underWay(home, origin, index)
    const target = original === undefined ? this.home(home, origin, index) : desks.at(original.desk)
    // A reload is about to remove it, or to give it another dialect: what it still took would have no place.
    if (target.link.isLeaving) return refusals.refuse(origin, epoch, index, "issuerDown")
    const partner = desks.groups.partner(origin.id)
    if (!target.stored.hasRoomFor(partner, STORED_MAX)) return refusals.refuse(origin, epoch, index, "malfunction")
    const { hasOwnStan } = target.language
    if (!hasOwnStan && this.originals.isAnothers(origin, target, index)) {
      return refusals.impostor(origin, epoch, index, anothers)
    }
    const named = this.originals.named(origin, target, index, meant, stanOf(desks.record.last + 1))
    if (named === undefined) return this.unseen(origin, epoch, index, target)
    this.take(coming, target, named, meant, original)
  }

  /** Where a message goes as the routes say. */
  private routed(origin: Desk, index: MessageIndex): Desk | undefined {
    const { groups, router } = this.desks
    const to = router.route(origin.language, index, origin.id)
    return to === undefined ? undefined : groups.home(to, origin, index)
  }

  /** Takes the message over, as `named` for the target; the partner is told when that is on disk. */
  private take(
    { origin, epoch, index }: Coming,
    target: Desk,
    named: MessageIndex,
    meant: Known | undefined,
    original: Stored["original"]
  ): void {
    const { commits, groups, record } = this.desks
    if (!mayCross(origin.language, target.language, index))
      return this.refusals.refuse(origin, epoch, index, "formatError")
    // Its MAC is its partner's, and of this one transmission.
    const bare = origin.guard === undefined ? named : this.wayOut.seals!.bare(origin.guard, named)
    const bytes = this.crossing.keep(origin.language, target.language, bare)
    if (bytes === undefined) return this.refusals.refuse(origin, epoch, index, "formatError")
    const partner = groups.partner(origin.id)
    const stored = record.queued(target, 0, this.source(origin, target, index), bytes, partner)
    if (original !== undefined) stored.original = original
    commits.after(partner, stored.exchange, () => target.stored.add(stored))
    if (mtiClass(index.mti) === "reversal") {
      this.originals.undoneBy(origin, target, index, meant, stored.exchange)
      if (original !== undefined && origin.language.remains(index) === "")
        this.desks.at(original.desk).outstanding.at(original.slot).isTakenBack = true
    }
    this.taken(origin, epoch, index, target, stored.exchange)
  }

  /** The message is the switch's from here on: it is remembered, and acknowledged when that is on disk. */
  private taken(origin: Desk, epoch: number, index: MessageIndex, { id }: Desk, exchange: number): void {
    const { language } = origin
    this.refusals.remember(origin, index, { exchange, end: 0, outcome: Outcome.queued, to: id })
    const answer = language.answer(index, language.approved)
    const { desks } = this
    desks.commits.after(desks.partnerOf(origin), exchange, () => this.wayOut.send(origin, epoch, answer))
  }

  /** Memory does not know what is asked for: the message goes on, as `told`, when the journal has said so. */
  private ask(coming: Coming, question: Question, told: (known: Known | undefined) => Asked): void {
    const { origin, epoch, arrivedAt } = coming
    this.inquiry.ask(coming, question, told, (again, asked) => this.advice(origin, epoch, again, arrivedAt, asked))
  }

  /**
   * A reversal of a request that never came, to a link where requests have STANs of ours: the target knows nothing of it
   * either, and has nothing to undo. The partner is told that it is undone, as we ask of partners; it would repeat it for ever
   * otherwise. Should the request come after all, it is refused.
   */
  private unseen(origin: Desk, epoch: number, index: MessageIndex, target: Desk): void {
    const { refusals } = this
    const { record } = this.desks
    const { language } = origin
    // Anything else about an unknown exchange could hit another one's transaction (G6). And where reversals have a field that
    // names what they take back, one without it has named nothing: it may mean what was approved, and must not hear that this
    // is undone.
    const isNaming = language.reversed === undefined || language.original(index) !== undefined
    if (mtiClass(index.mti) !== "reversal" || !isNaming) return refusals.refuse(origin, epoch, index, "formatError")
    const named = language.withStan(index, stanOf(record.last + 1))
    const bare =
      named === undefined || origin.guard === undefined ? named : this.wayOut.seals!.bare(origin.guard, named)
    const bytes = bare === undefined ? undefined : this.crossing.keep(language, target.language, bare)
    if (bytes === undefined) return refusals.refuse(origin, epoch, index, "formatError")
    let exchange = 0
    record.together(() => {
      exchange = record.queued(target, 0, this.source(origin, target, index), bytes, origin.id).exchange
      record.ended("acknowledged", exchange, target, 0, noOriginal)
    })
    this.originals.unseen(origin, index, exchange)
    this.taken(origin, epoch, index, target, exchange)
  }

  /** A response to a message of a queue. False when no message waits for it. */
  answer(desk: Desk, epoch: number, index: MessageIndex): boolean {
    const { language, link } = desk
    const isReject = index.rejectCode !== 0
    const code = isReject ? language.refusal.formatError : language.code(index)
    if (code === undefined) return false
    const key = this.key.toString("latin1", 0, language.key(index, language.sentFields, this.key))
    const queue = this.waitingFor(desk, key)?.stored
    const stored = queue?.waiting(key)
    if (queue === undefined || stored === undefined) return false
    const mti = isReject ? stored.mti : responseMti(stored.mti)
    if (index.mti !== mti && !(isReject && index.mti === repeatMti(mti))) return false
    const isAnswered = queue.answered(key, code, this.desks.now)
    // Behind it: a short connection ends with its release, and what is under way on a connection that ends has had no answer.
    link.release(epoch)
    return isAnswered
  }

  /** The desk of the partner whose queue waits for an answer with this key: its own first. */
  private waitingFor(desk: Desk, key: string): Desk | undefined {
    if (desk.stored.waiting(key) !== undefined) return desk
    return this.desks.groups.others(desk.id).find(({ stored }) => stored.waiting(key) !== undefined)
  }

  /** The desk whose queue gets a message: of the partner's desks the one that holds its transaction already, otherwise `home`. */
  private home(home: Desk, origin: Desk, index: MessageIndex): Desk {
    const others = this.desks.groups.others(home.id)
    if (others.length === 0 || origin.language.form !== home.language.form) return home
    const transaction = home.language.transaction(index)
    return others.find(({ stored }) => stored.holds(transaction)) ?? home
  }

  /** Where the request is that the message is about, while it has not ended; only of those that went to the same partner. */
  private underWay(home: Desk, origin: Desk, index: MessageIndex): Stored["original"] {
    const { groups } = this.desks
    const { language } = origin
    const original = language.original(index)
    const mti = original?.mti ?? REQUEST
    // Without original data a message has the key of what it is about.
    const length =
      original === undefined
        ? language.key(index, language.receivedFields, this.key)
        : language.originalKey(index, original, language.receivedFields, this.key)
    const known = this.repeats.known(origin, this.desks.hash.hash(kindOf(mti), this.key, 0, length), false)
    if (known?.outcome !== Outcome.open && known?.outcome !== Outcome.timedOut) return undefined
    const { exchange } = known
    for (const { id, outstanding } of [home, ...groups.others(home.id)]) {
      const slot = outstanding.slotOf(exchange)
      if (slot !== undefined) return { desk: id, slot: slot.id, exchange }
    }
    return undefined
  }

  /** What the journal says of where the message comes from. */
  private source(origin: Desk, target: Desk, index: MessageIndex): string {
    const stan = target.language.hasOwnStan ? origin.language.stan(index) : ""
    return sourceText({ link: origin.name, stan: stan === "" ? undefined : stan })
  }

  /**
   * The partner says it again: acknowledged again, delivered once. What it says is held against the first one in the journal: a
   * used key with another amount is another message. While the store is away only what is marked as a repeat is believed.
   */
  private repeated(origin: Desk, epoch: number, index: MessageIndex, known: Known): void {
    const { answers, desks, refusals } = this
    const { exchange } = known
    const seq = desks.record.unmatched("duplicateRequest", exchange, origin, epoch, "", index)
    const needed = Math.max(seq, exchange)
    if (desks.isAway && exchange <= desks.journal.writer.committedSeq) {
      // The message itself is on disk: its partner need not wait for a store that is away.
      if (!isRepeat(index.mti)) return refusals.unsure(origin, epoch)
      const { language } = origin
      return void this.wayOut.send(origin, epoch, language.answer(index, language.approved))
    }
    const bytes = Buffer.from(index.buffer.subarray(index.start, index.end))
    desks.after(origin, needed, () => answers.again(origin, epoch, known, bytes, undefined))
  }
}
