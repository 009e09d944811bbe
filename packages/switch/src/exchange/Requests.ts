/**
 * The way of a request through the switch and of its answer back.
 *
 *     read -> admitted -> journal -> out on the target link -> answer -> journal -> back to the origin
 *
 * Nothing is sent, answered or acknowledged before its journal entry is on disk (guarantee G1): what has to wait for that stands
 * in `Commits`. Everything here runs synchronously, once per batch of messages; there is no fiber, timer or promise per message.
 */
import { isMessageError, isSuccess, MessageIndex, PatchList, responseMti } from "@jinka/codec"
import type { Link } from "../link/Link.ts"
import type { Session } from "../link/Session.ts"
import type { ShortLink } from "../link/ShortLink.ts"
import * as Answer from "./Answer.ts"
import type { Books } from "./Books.ts"
import { differingEcho } from "./Echo.ts"
import { Event, State } from "./Exchange.ts"
import { isIdentified } from "./Identity.ts"
import { KEY_LENGTH_MAX, type Slot, TICK_MS } from "./Outstanding.ts"
import { OwnStan, stanOf } from "./OwnStan.ts"
import { Fate, receivedOn, sentOn } from "./RecentKeys.ts"
import type { Refusal, Refusals } from "./Refusals.ts"
import type { Stored } from "./StoreAndForward.ts"
import { Strays } from "./Strays.ts"
import { translate } from "./Translate.ts"

/** DE 39; an answer without it says nothing. */
export const RESPONSE_CODE = 39

/** DE 11. */
const STAN = 11

/** What ends a request whose outcome nobody knows. */
export type Unknown = "timeout" | "connection lost" | "answer not translated"

/** What `Requests` needs of the deliveries: a reversal, journalled and to be stored. */
export type Reverse = (origin: Link, target: Link, request: MessageIndex, exchange: number) => Stored | undefined

/** The requests of one switch. */
export class Requests {
  private readonly books: Books
  private readonly reverse: Reverse
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private readonly originKey = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private readonly originIndex = new MessageIndex()
  private readonly patches = new PatchList()
  private readonly ownStan = new OwnStan()
  private readonly refusals: Refusals
  private readonly strays: Strays
  /** The link whose line is being let go: the places that become free meanwhile are taken in the same turn. */
  private moving: Link | undefined

  constructor(books: Books, reverse: Reverse, refusals: Refusals) {
    this.books = books
    this.refusals = refusals
    this.strays = new Strays(books)
    this.reverse = reverse
  }

  /** A request of a partner: admits it, or refuses it at once with the network's code. */
  request(origin: Link, epoch: number, index: MessageIndex): void {
    const { books } = this
    const { codec } = origin.settings
    if (!isIdentified(origin.settings, index)) return this.refuse(origin, epoch, index, "formatError")
    const length = codec.matchKey(index, origin.receivedKey, this.originKey, 0)
    if (books.groups.isRecent(books.recent, origin, index.mti, this.originKey, length)) {
      return this.refusals.repeated(origin, epoch, index)
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

  private accept(origin: Link, epoch: number, index: MessageIndex, originKeyLength: number, target: Link): void {
    const { books } = this
    const outstanding = books.outstanding[target.id]!
    if (outstanding.isFull || books.isFull) return this.refuse(origin, epoch, index, "malfunction")
    const { transaction } = target.settings.dialect.match
    const { codec } = origin.settings
    // The number that the exchange is about to get.
    const stan = target.settings.stan === "own" ? stanOf(books.record.last + 1) : undefined
    const named = stan === undefined ? index : this.ownStan.with(codec, index, stan)
    const length = codec.matchKey(named, transaction, this.key, 0)
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
    const slot = books.outstanding[link]!.at(id)
    const line = books.lines[link]
    if (line === undefined) return this.send(books.links[link]!, slot)
    if (!line.enter()) return line.wait(id, books.now, slot.deadline)
    slot.hasPlace = true
    this.send(books.links[link]!, slot)
  }

  /** The link may be used, or a request has left its place: those that wait go out as far as there are places. */
  next(target: Link): void {
    const { books } = this
    const line = books.lines[target.id]
    // Whoever cannot be sent leaves his place at once: a long line of those must not become as deep a call.
    if (line === undefined || this.moving === target) return
    this.moving = target
    while (target.isReady) {
      const id = line.next()
      if (id === undefined) break
      const slot = books.outstanding[target.id]!.at(id)
      slot.hasPlace = true
      this.send(target, slot)
    }
    this.moving = undefined
  }

  /** Those that have waited long enough are refused. */
  waited(target: Link): void {
    const { books } = this
    const line = books.lines[target.id]
    if (line === undefined || line.length === 0) return
    for (let id = line.overdue(books.now); id !== undefined; id = line.overdue(books.now)) {
      const slot = books.outstanding[target.id]!.at(id)
      this.notSent(target, slot, slot.deadline <= books.now ? "noAnswer" : "malfunction")
    }
  }

  /** The request in `slot` has its end on the way: its place is the next one's. */
  private leave(target: Link, slot: Slot): void {
    if (!slot.hasPlace) return
    slot.hasPlace = false
    this.books.lines[target.id]?.leave()
    this.next(target)
  }

  private send(target: Link, slot: Slot): void {
    const { books } = this
    const { session } = target
    if (!target.isReady) return this.notSent(target, slot, "issuerDown")
    if (slot.deadline <= books.now) return this.notSent(target, slot, "noAnswer")
    if (session === undefined) return this.dial(target, slot)
    if (!this.write(target, session, slot)) return this.notSent(target, slot, "formatError")
    slot.sentEpoch = session.epoch
    slot.sentAt = session.outbox.position
    books.outstanding[target.id]!.step(slot.id, Event.sent)
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
    const original = this.original(slot)
    const index =
      target.settings.stan === "own"
        ? this.ownStan.with(origin.settings.codec, original, stanOf(slot.exchange))
        : original
    if (origin.settings.dialect === target.settings.dialect) {
      const { codec } = target.settings
      if (!target.takes(index.buffer, index.start, index.end)) return false
      const at = session.begin(codec.patchedLength(index, target.addressing))
      session.end(at, codec.patch(index, target.addressing, session.outbox.buffer, at))
      return true
    }
    const message = translate(origin.settings, target.settings, index)
    if (isMessageError(message) || !target.takes(message)) return false
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
    this.refusals.remember(origin, this.original(slot), slot.exchange, Fate.refused)
    books.commits.after(seq, () => {
      this.answerOrigin(slot, code)
      outstanding.step(slot.id, Event.endCommitted)
    })
    this.leave(target, slot)
  }

  /** A response to a request: finds its request, checks that it belongs to it, and sends it on its way back. */
  answer(target: Link, epoch: number, heard: MessageIndex): void {
    const { books } = this
    const { codec, dialect } = target.settings
    const length = codec.matchKey(heard, dialect.match.transaction, this.key, 0)
    // The partner may answer on another link of the group than we asked on; its request stands where it was sent.
    const holder = books.groups.holder(target, this.key, length)
    const outstanding = books.outstanding[holder.id]!
    const slot = outstanding.find(this.key, 0, length)
    if (slot === undefined || outstanding.state(slot.id) !== State.open) {
      return this.strays.unexpected(target, epoch, heard, this.key, length, slot, outstanding)
    }
    if ((slot.sentEpoch !== epoch || holder !== target) && target.short?.isSync === true) {
      return this.strays.foreign(target, epoch, heard, slot, "another connection")
    }
    const origin = books.links[slot.originLink]!
    const request = this.original(slot)
    const index = holder.settings.stan === "own" ? this.ownStan.with(codec, heard, request.text(STAN)) : heard
    // A reject of the centre carries our own message back: what it says inside is not the issuer's word.
    const isReject = index.rejectCode !== 0
    const mti = isReject ? slot.mti : responseMti(slot.mti)
    if (mti !== index.mti) return this.strays.foreign(target, epoch, heard, slot, "MTI differs")
    if (!isReject && !index.has(RESPONSE_CODE))
      return this.strays.foreign(target, epoch, heard, slot, "DE 39 is missing")
    const differing = isReject ? -1 : differingEcho(origin.settings, request, target.settings, index)
    if (differing >= 0) return this.strays.foreign(target, epoch, heard, slot, `DE ${differing} differs`)
    const code = isReject ? dialect.refusal.formatError : index.text(39)
    if (isReject) this.ownAnswer(origin, request, slot, origin.settings.dialect.refusal.formatError)
    else if (!this.keepAnswer(origin, target, index, slot)) {
      // Nobody hears of it: what it approved has to be taken back.
      this.strays.foreign(target, epoch, heard, slot, "not translated")
      return this.end(holder, slot, "answer not translated")
    }
    const seq = books.record.answered(slot.exchange, target, epoch, code, heard)
    outstanding.step(slot.id, Event.answered)
    slot.endCode = code
    books.recent.put(sentOn(holder.id), this.key, 0, length, slot.exchange, Fate.answered)
    this.refusals.remember(origin, request, slot.exchange, Fate.answered)
    books.countAnswer(code)
    holder.doubt.answered(slot.sentEpoch)
    target.settled(epoch)
    books.commits.deliver(seq, holder.id, slot.id)
    this.leave(holder, slot)
  }

  /** Puts the partner's answer into the slot as the origin will get it. False when its dialect or frame cannot hold it. */
  private keepAnswer(origin: Link, target: Link, index: MessageIndex, slot: Slot): boolean {
    if (origin.settings.dialect === target.settings.dialect) {
      const { codec } = origin.settings
      if (!origin.takes(index.buffer, index.start, index.end)) return false
      const room = slot.answerRoom(codec.patchedLength(index, origin.addressing))
      slot.answerLength = codec.patch(index, origin.addressing, room, 0)
      return true
    }
    const message = translate(target.settings, origin.settings, index, this.original(slot))
    if (isMessageError(message) || !origin.takes(message)) return false
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
    const { short } = books.links[slot.originLink]!
    if (short?.isSync === false) return this.deliverApart(books.links[link]!, slot, short)
    if (!this.sendAnswer(slot)) this.undelivered(books.links[link]!, slot)
    outstanding.step(id, Event.endCommitted)
  }

  /** The answer goes out on a connection of its own, and the exchange is over when there was one. */
  private deliverApart(target: Link, slot: Slot, short: ShortLink): void {
    const { books } = this
    short.answer(slot.originEpoch, slot.answer, slot.answerLength, (isSent) => {
      books.tick()
      if (!isSent) this.undelivered(target, slot)
      books.outstanding[target.id]!.step(slot.id, Event.endCommitted)
      books.flush()
    })
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
    if (stored === undefined) return
    stored.behind = { link: target.id, epoch: slot.sentEpoch, at: slot.sentAt }
    books.commits.after(stored.exchange, () => books.store(target, stored))
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
    this.refusals.remember(origin, this.original(slot), slot.exchange, Fate.timedOut)
    books.record.together(() => {
      const seq = books.record.ended("timedOut", slot.exchange, target, slot.sentEpoch, reason)
      books.commits.after(seq, () => {
        this.answerOrigin(slot, origin.settings.dialect.refusal.noAnswer)
        outstanding.step(slot.id, Event.endCommitted)
      })
      this.reverseLater(origin, target, slot)
    })
    if (reason === "timeout") {
      target.doubt.unanswered(slot.sentEpoch, books.now)
      target.overdue(slot.sentEpoch)
    }
    this.leave(target, slot)
  }

  /** See `Refusals`. */
  refuse(link: Link, epoch: number, index: MessageIndex, refusal: Refusal): void {
    this.refusals.refuse(link, epoch, index, refusal)
  }

  private answerOrigin(slot: Slot, code: string): void {
    this.ownAnswer(this.books.links[slot.originLink]!, this.original(slot), slot, code)
    this.sendAnswer(slot)
  }

  private sendAnswer({ originLink, originEpoch, answer, answerLength }: Slot): boolean {
    return this.books.send(this.books.links[originLink]!, originEpoch, answer, answerLength)
  }

  /** An index of the request in `slot`; the same object at every call. */
  private original(slot: Slot): MessageIndex {
    const { codec } = this.books.links[slot.originLink]!.settings
    codec.index(slot.request, 0, slot.requestLength, this.originIndex)
    return this.originIndex
  }
}
