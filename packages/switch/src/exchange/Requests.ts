/**
 * The way of a request through the switch and of its answer back.
 *
 *     read -> admitted -> journal -> out on the target link -> answer -> journal -> back to the origin
 *
 * Nothing is sent, answered or acknowledged before its journal entry is on disk (guarantee G1): what has to wait for that stands
 * in `Commits`. Everything here runs synchronously, once per batch of messages; there is no fiber, timer or promise per message.
 */
import {
  type Codec,
  isMessageError,
  isSuccess,
  MessageIndex,
  PatchList,
  type RefusalCodes,
  responseMti
} from "@jinka/codec"
import type { Link } from "../link/Link.ts"
import type { Session } from "../link/Session.ts"
import * as Answer from "./Answer.ts"
import type { Books } from "./Books.ts"
import { differingEcho } from "./Echo.ts"
import { Event, State } from "./Exchange.ts"
import { KEY_LENGTH_MAX, type Outstanding, type Slot, TICK_MS } from "./Outstanding.ts"
import { Fate, receivedOn, sentOn } from "./RecentKeys.ts"
import type { Stored } from "./StoreAndForward.ts"
import { translate } from "./Translate.ts"

/** DE 39; an answer without it says nothing. */
export const RESPONSE_CODE = 39

/** Why a request is answered by the switch itself; the code comes from the origin's dialect. */
export type Refusal = keyof RefusalCodes

/** What ends a request whose outcome nobody knows. */
export type Unknown = "timeout" | "connection lost" | "answer not translated"

/** What `Requests` needs of the deliveries: a reversal, journalled and to be stored. */
export type Reverse = (origin: Link, target: Link, request: MessageIndex, exchange: number) => Stored | undefined

/** What `Requests` needs of the stored answers: the answer of `exchange` once more, or `otherwise` when there is none. */
export type Again = (link: Link, epoch: number, exchange: number, request: Buffer, otherwise: Buffer) => void

/** Whether the message carries the field, and only digits in it where the dialect has digits. */
const isGood = ({ layout }: Codec, index: MessageIndex, de: number): boolean =>
  index.has(de) && (layout.fields[de]?.content !== "n" || !Number.isNaN(index.number(de)))

/** The requests of one switch. */
export class Requests {
  private readonly books: Books
  private readonly reverse: Reverse
  private readonly again: Again
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private readonly originKey = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private readonly originIndex = new MessageIndex()
  private readonly patches = new PatchList()

  constructor(books: Books, reverse: Reverse, again: Again) {
    this.books = books
    this.reverse = reverse
    this.again = again
  }

  /** A request of a partner: admits it, or refuses it at once with the network's code. */
  request(origin: Link, epoch: number, index: MessageIndex): void {
    const { books } = this
    const { dialect, codec } = origin.settings
    if (!this.isIdentified(origin, index)) return this.refuse(origin, epoch, index, "formatError")
    const length = codec.matchKey(index, dialect.match.transaction, this.originKey, 0)
    if (books.groups.isRecent(books.recent, origin, index.mti, this.originKey, length)) {
      return this.repeated(origin, epoch, index)
    }
    if (!origin.isSignedOn) return this.refuse(origin, epoch, index, "notSignedOn")
    if (origin.isClosedForRequests) return this.refuse(origin, epoch, index, "issuerDown")
    const to = books.router.route(index)
    if (to === undefined) return this.refuse(origin, epoch, index, "noRoute")
    const target = books.groups.target(to, origin, index)
    if (target === undefined) {
      return this.refuse(origin, epoch, index, books.groups.isReady(to) ? "malfunction" : "issuerDown")
    }
    this.accept(origin, epoch, index, length, target)
  }

  /**
   * Whether the message has every data element of its key (without one, two messages could be taken for each other, G6), and in
   * digits what a reversal has to name it by: the index has not looked into the fields.
   */
  isIdentified({ settings }: Link, index: MessageIndex): boolean {
    const { codec, dialect } = settings
    const { transaction } = dialect.match
    for (let i = 0; i < transaction.length; i++) if (!isGood(codec, index, transaction[i]!)) return false
    const parts = dialect.reversal?.originalData.parts
    if (parts === undefined) return true
    for (let i = 0; i < parts.length; i++) {
      const { de } = parts[i]!
      if (index.has(de) && !isGood(codec, index, de)) return false
    }
    return true
  }

  private accept(origin: Link, epoch: number, index: MessageIndex, originKeyLength: number, target: Link): void {
    const { books } = this
    const outstanding = books.outstanding[target.id]!
    if (outstanding.isFull || books.isFull) return this.refuse(origin, epoch, index, "malfunction")
    const { transaction } = target.settings.dialect.match
    const length = origin.settings.codec.matchKey(index, transaction, this.key, 0)
    if (books.groups.isOutstanding(target, this.key, length)) return this.refuse(origin, epoch, index, "duplicate")
    const slot = outstanding.take(this.key, 0, length, books.now + books.limits.requestTimeoutMs)
    if (slot === undefined) return this.refuse(origin, epoch, index, "duplicate")
    slot.exchange = books.record.accepted(origin, epoch, target, index)
    slot.takenAt = books.now
    slot.originLink = origin.id
    slot.originEpoch = epoch
    slot.sentEpoch = 0
    slot.mti = index.mti
    slot.keepRequest(index.buffer, index.start, index.end)
    const space = receivedOn(origin.id, index.mti)
    books.recent.put(space, this.originKey, 0, originKeyLength, slot.exchange, Fate.open)
    books.commits.forward(slot.exchange, target.id, slot.id)
  }

  /** The request in slot `id` is on disk: it goes out, or ends here when that cannot be any more. */
  forward(link: number, id: number): void {
    const { books } = this
    const outstanding = books.outstanding[link]!
    const slot = outstanding.at(id)
    const target = books.links[link]!
    const { session } = target
    if (!target.isReady) return this.notSent(target, slot, "issuerDown")
    if (slot.deadline <= books.now) return this.notSent(target, slot, "noAnswer")
    if (session === undefined) return this.dial(target, slot)
    if (!this.write(target, session, slot)) return this.notSent(target, slot, "formatError")
    slot.sentEpoch = session.epoch
    outstanding.step(id, Event.sent)
    books.touch(target)
    // The partner was too slow for one more message: the connection has ended under it.
    if (target.session !== session) this.end(target, slot, "connection lost")
  }

  /** A short link opens a connection for the request in `slot`, which stays `accepting` until there is one. */
  private dial(target: Link, slot: Slot): void {
    const { books } = this
    const { short } = target
    if (short === undefined) return this.notSent(target, slot, "issuerDown")
    short.open(slot.deadline, (session) => {
      books.tick()
      if (session === undefined) this.notSent(target, slot, slot.deadline <= books.now ? "noAnswer" : "issuerDown")
      else if (!this.write(target, session, slot)) {
        this.notSent(target, slot, "formatError")
        short.settled(session.epoch)
      } else {
        slot.sentEpoch = session.epoch
        books.outstanding[target.id]!.step(slot.id, Event.sent)
        // The deadline's own tick comes first: the request has ended when its connection does.
        short.sent(session, slot.deadline + 2 * TICK_MS)
      }
      books.flush()
    })
  }

  private write(target: Link, session: Session, slot: Slot): boolean {
    const origin = this.books.links[slot.originLink]!
    const index = this.original(slot)
    if (origin.settings.dialect === target.settings.dialect) {
      const { codec } = target.settings
      if (!target.fits(index.end - index.start)) return false
      const at = session.begin(codec.patchedLength(index, target.addressing))
      session.end(at, codec.patch(index, target.addressing, session.outbox.buffer, at))
      return true
    }
    const message = translate(origin.settings, target.settings, index)
    if (isMessageError(message) || !target.fits(message.length)) return false
    session.put(message)
    return true
  }

  /** No byte of the request has left: the origin may try again, and nothing has to be reversed. */
  private notSent(target: Link, slot: Slot, refusal: Refusal): void {
    const { books } = this
    const outstanding = books.outstanding[target.id]!
    outstanding.step(slot.id, Event.notSent)
    const origin = books.links[slot.originLink]!
    const code = origin.settings.dialect.refusal[refusal]
    const seq = books.record.ended("notSent", slot.exchange, target, 0, code)
    this.remember(origin, this.original(slot), slot.exchange, Fate.refused)
    books.commits.after(seq, () => {
      this.answerOrigin(slot, code)
      outstanding.step(slot.id, Event.endCommitted)
    })
  }

  /** A response to a request: finds its request, checks that it belongs to it, and sends it on its way back. */
  answer(target: Link, epoch: number, index: MessageIndex): void {
    const { books } = this
    const { codec, dialect } = target.settings
    const length = codec.matchKey(index, dialect.match.transaction, this.key, 0)
    // The partner may answer on another link of the group than we asked on; its request stands where it was sent.
    const holder = books.groups.holder(target, this.key, length)
    const outstanding = books.outstanding[holder.id]!
    const slot = outstanding.find(this.key, 0, length)
    if (slot === undefined || outstanding.state(slot.id) !== State.open) {
      return this.unexpected(target, epoch, index, length, slot, outstanding)
    }
    if ((slot.sentEpoch !== epoch || holder !== target) && target.short?.isSync === true) {
      return this.foreign(target, epoch, index, slot, "another connection")
    }
    const origin = books.links[slot.originLink]!
    const request = this.original(slot)
    // A reject of the centre carries our own message back: what it says inside is not the issuer's word.
    const isReject = index.rejectCode !== 0
    const mti = isReject ? slot.mti : responseMti(slot.mti)
    if (mti !== index.mti) return this.foreign(target, epoch, index, slot, "MTI differs")
    if (!isReject && !index.has(RESPONSE_CODE)) return this.foreign(target, epoch, index, slot, "DE 39 is missing")
    const differing = isReject ? -1 : differingEcho(origin.settings, request, target.settings, index)
    if (differing >= 0) return this.foreign(target, epoch, index, slot, `DE ${differing} differs`)
    const code = isReject ? dialect.refusal.formatError : index.text(39)
    if (isReject) this.ownAnswer(origin, request, slot, origin.settings.dialect.refusal.formatError)
    else if (!this.keepAnswer(origin, target, index, slot)) {
      // Nobody hears of it: what it approved has to be taken back.
      this.foreign(target, epoch, index, slot, "not translated")
      return this.end(holder, slot, "answer not translated")
    }
    const seq = books.record.answered(slot.exchange, target, epoch, code, index)
    outstanding.step(slot.id, Event.answered)
    slot.endCode = code
    books.recent.put(sentOn(holder.id), this.key, 0, length, slot.exchange, Fate.answered)
    this.remember(origin, request, slot.exchange, Fate.answered)
    books.countAnswer(code)
    target.settled(epoch)
    books.commits.deliver(seq, holder.id, slot.id)
  }

  /** Puts the partner's answer into the slot as the origin will get it. False when its dialect or frame cannot hold it. */
  private keepAnswer(origin: Link, target: Link, index: MessageIndex, slot: Slot): boolean {
    if (origin.settings.dialect === target.settings.dialect) {
      const { codec } = origin.settings
      if (!origin.fits(index.end - index.start)) return false
      const room = slot.answerRoom(codec.patchedLength(index, origin.addressing))
      slot.answerLength = codec.patch(index, origin.addressing, room, 0)
      return true
    }
    const message = translate(target.settings, origin.settings, index)
    if (isMessageError(message) || !origin.fits(message.length)) return false
    slot.answerLength = message.copy(slot.answerRoom(message.length))
    return true
  }

  /** Puts an answer of our own into the slot. */
  private ownAnswer(origin: Link, request: MessageIndex, slot: Slot, code: string): void {
    const { codec } = origin.settings
    const patches = Answer.patch(request, code, this.patches)
    const room = slot.answerRoom(codec.patchedLength(request, patches))
    slot.answerLength = codec.patch(request, patches, room, 0)
  }

  /** The answer in slot `id` is on disk: it goes to the origin, and the exchange is over. */
  deliver(link: number, id: number): void {
    const { books } = this
    const outstanding = books.outstanding[link]!
    const slot = outstanding.at(id)
    if (!this.sendAnswer(slot)) this.undelivered(books.links[link]!, slot)
    outstanding.step(id, Event.endCommitted)
  }

  /** The answer could not be handed to its origin: an approval that nobody heard of is taken back. */
  private undelivered(target: Link, slot: Slot): void {
    const { books } = this
    const origin = books.links[slot.originLink]!
    books.record.together(() => {
      books.record.ended("undelivered", slot.exchange, origin, slot.originEpoch, slot.endCode)
      if (isSuccess(target.settings.dialect, slot.endCode)) this.reverseLater(origin, target, slot)
    })
  }

  /** Journals the reversal of the request in `slot`, if it is money, and queues it once that is on disk. */
  private reverseLater(origin: Link, target: Link, slot: Slot): void {
    const { books } = this
    const stored = this.reverse(origin, target, this.original(slot), slot.exchange)
    if (stored !== undefined) books.commits.after(stored.exchange, () => books.store(target, stored))
  }

  /** The deadline of a request has passed: it ends if it is still waiting for its answer. */
  expired(target: Link, slot: Slot): void {
    if (this.books.outstanding[target.id]!.state(slot.id) === State.open) this.end(target, slot, "timeout")
  }

  /** The connection that requests were sent on has ended: their outcome is unknown, now and not after their timeout. */
  connectionLost(target: Link, epoch: number): void {
    const outstanding = this.books.outstanding[target.id]!
    outstanding.forEach((slot) => {
      if (outstanding.state(slot.id) === State.open && slot.sentEpoch === epoch)
        this.end(target, slot, "connection lost")
    })
  }

  /** Ends a request whose outcome is unknown: its end and its reversal in one journal transaction, then the origin is told. */
  private end(target: Link, slot: Slot, reason: Unknown): void {
    const { books } = this
    const outstanding = books.outstanding[target.id]!
    const origin = books.links[slot.originLink]!
    outstanding.step(slot.id, reason === "timeout" ? Event.deadline : Event.connectionLost)
    const key = outstanding.key(slot.id)
    books.recent.put(sentOn(target.id), key, 0, key.length, slot.exchange, Fate.timedOut)
    this.remember(origin, this.original(slot), slot.exchange, Fate.timedOut)
    books.record.together(() => {
      const seq = books.record.ended("timedOut", slot.exchange, target, slot.sentEpoch, reason)
      books.commits.after(seq, () => {
        this.answerOrigin(slot, origin.settings.dialect.refusal.noAnswer)
        outstanding.step(slot.id, Event.endCommitted)
      })
      this.reverseLater(origin, target, slot)
    })
  }

  /** An answer that no open request waits for: late, a duplicate, or nobody's. It is kept, counted, and never delivered. */
  private unexpected(
    target: Link,
    epoch: number,
    index: MessageIndex,
    keyLength: number,
    slot: Slot | undefined,
    outstanding: Outstanding
  ): void {
    const { books } = this
    const code = index.text(39)
    if (slot !== undefined) {
      const kind = outstanding.state(slot.id) === State.answering ? "duplicateAnswer" : "late"
      books.record.stray(kind, slot.exchange, target, epoch, code, index)
    } else if (books.groups.wasSent(books.recent, target, this.key, keyLength)) {
      const kind = books.recent.fate === Fate.answered ? "duplicateAnswer" : "late"
      books.record.stray(kind, books.recent.exchange, target, epoch, code, index)
    } else books.record.stray("unmatched", 0, target, epoch, code, index)
  }

  /** The key fits and the message does not: it is nobody's answer, and the request goes on waiting for its own. */
  private foreign(target: Link, epoch: number, index: MessageIndex, slot: Slot, why: string): void {
    this.books.record.stray("unmatched", slot.exchange, target, epoch, why, index)
  }

  /** The partner sends a request again: it is forwarded once, and answered with what is known of it. */
  private repeated(link: Link, epoch: number, index: MessageIndex): void {
    const { books } = this
    const { exchange, fate } = books.recent
    const seq = books.record.stray("duplicateRequest", exchange, link, epoch, "", index)
    if (fate === Fate.open) return link.settled(epoch)
    const { duplicate, noAnswer } = link.settings.dialect.refusal
    const otherwise = this.makeAnswer(link, index, fate === Fate.queued ? duplicate : noAnswer)
    const bytes = Buffer.from(index.buffer.subarray(index.start, index.end))
    books.commits.after(seq, () => {
      if (fate === Fate.answered || fate === Fate.refused) this.again(link, epoch, exchange, bytes, otherwise)
      else books.send(link, epoch, otherwise)
    })
  }

  /** Answers a message without taking it; the refusal is on disk before the answer leaves. */
  refuse(link: Link, epoch: number, index: MessageIndex, refusal: Refusal): void {
    const { books } = this
    const code = link.settings.dialect.refusal[refusal]
    const seq = books.record.refused(link, epoch, code, index)
    this.remember(link, index, seq, Fate.refused)
    const answer = this.makeAnswer(link, index, code)
    books.commits.after(seq, () => books.send(link, epoch, answer))
  }

  /** An answer of our own to the message of `index`, in bytes of its own. */
  makeAnswer(link: Link, index: MessageIndex, code: string): Buffer {
    const { codec } = link.settings
    const patches = Answer.patch(index, code, this.patches)
    const out = Buffer.allocUnsafe(codec.patchedLength(index, patches))
    return out.subarray(0, codec.patch(index, patches, out, 0))
  }

  private answerOrigin(slot: Slot, code: string): void {
    this.ownAnswer(this.books.links[slot.originLink]!, this.original(slot), slot, code)
    this.sendAnswer(slot)
  }

  private sendAnswer({ originLink, originEpoch, answer, answerLength }: Slot): boolean {
    return this.books.send(this.books.links[originLink]!, originEpoch, answer, answerLength)
  }

  /** Keeps under the origin's key what became of a request. */
  private remember(origin: Link, request: MessageIndex, exchange: number, fate: Fate): void {
    const { codec, dialect } = origin.settings
    const length = codec.matchKey(request, dialect.match.transaction, this.originKey, 0)
    const space = receivedOn(origin.id, request.mti)
    this.books.recent.put(space, this.originKey, 0, length, exchange, fate)
  }

  /** An index of the request in `slot`; the same object at every call. */
  private original(slot: Slot): MessageIndex {
    const { codec } = this.books.links[slot.originLink]!.settings
    codec.index(slot.request, 0, slot.requestLength, this.originIndex)
    return this.originIndex
  }
}
