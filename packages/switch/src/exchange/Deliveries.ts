/**
 * Advices, reversals and notices: messages that are accepted once and delivered until they are acknowledged.
 *
 * A partner's advice is journalled, acknowledged to the partner by the switch, and from then on the switch's to deliver.
 * Reversals of our own come from requests whose outcome is unknown. Both wait in the store-and-forward queue of their link.
 */
import {
  isMessageError,
  isRepeat,
  isReversible,
  isSuccess,
  MessageIndex,
  PatchList,
  repeatMti,
  responseClass,
  responseMti
} from "@jinka/codec"
import { approved } from "../link/Codes.ts"
import type { Link } from "../link/Link.ts"
import type { Books } from "./Books.ts"
import { isIdentified } from "./Identity.ts"
import { KEY_LENGTH_MAX, TICK_MS } from "./Outstanding.ts"
import { OwnStan, STAN, stanOf } from "./OwnStan.ts"
import { Fate, receivedOn } from "./RecentKeys.ts"
import type { Refusals } from "./Refusals.ts"
import { RESPONSE_CODE } from "./Requests.ts"
import * as Reversal from "./Reversal.ts"
import { sourceText } from "./Source.ts"
import { type Settings, StoreAndForward, type Stored } from "./StoreAndForward.ts"
import { translate } from "./Translate.ts"

/** Classes of response codes after which a message is tried again: the far side could not say what became of it. */
const notFinal = new Set(["R", "T", "X", "K"])

/**
 * Messages that wait for one partner, above which its advices are refused until some have ended (guarantee G8): some 200 MB.
 * Reversals of our own are always taken; the requests that they come from are bounded themselves.
 */
const STORED_MAX = 100_000

/** Any MTI of a request. */
const REQUEST = 200

/** The deliveries of one switch. */
export class Deliveries {
  private readonly books: Books
  private readonly refusals: Refusals
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private readonly originKey = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private readonly index = new MessageIndex()
  private readonly translated = new MessageIndex()
  private readonly patches = new PatchList()
  private readonly ownStan = new OwnStan()

  constructor(books: Books, refusals: Refusals) {
    this.books = books
    this.refusals = refusals
  }

  /** The queue of a link's place: it outlives a change of the link's settings. Another link of its group may carry for it. */
  queue({ id }: Link, settings: Settings): StoreAndForward {
    const { links, record, commits, groups, outstanding } = this.books
    const queue: StoreAndForward = new StoreAndForward(settings, {
      own: id,
      carrier: (stored) => (this.isUnderWay(links[id]!, stored.key) ? undefined : groups.carrier(id, this.books.now)),
      recordAttempt: (stored, carrier, then) => {
        const link = links[carrier]!
        const attempt = (epoch: number) => {
          const seq = record.ended("sent", stored.exchange, link, epoch, String(stored.attempts))
          commits.after(seq, () => then(this.books.now, epoch))
        }
        if (link.short === undefined) return attempt(link.epoch)
        link.short.open(Number.POSITIVE_INFINITY, (session) => {
          this.books.tick()
          if (session === undefined) then(this.books.now, 0)
          else attempt(session.epoch)
          this.books.flush()
        })
      },
      recordEnd: (stored, end, code) => {
        const link = links[id]!
        record.ended(end, stored.exchange, link, link.epoch, code)
      },
      write: (stored, again, carrier, epoch) => this.write(links[carrier]!, stored, again, epoch, queue.timeoutMs),
      isEarly: ({ original }) =>
        original !== undefined && outstanding[original.link]!.holds(original.slot, original.exchange),
      isSuccess: (code) => isSuccess(links[id]!.settings.dialect, code),
      isFinal: (code) => !notFinal.has(responseClass(links[id]!.settings.dialect, code))
    })
    return queue
  }

  /** Whether another queue of the link's family has a message with this key under way: an answer would fit both (G6). */
  private isUnderWay(link: Link, key: string): boolean {
    return this.books.groups.others(link).some(({ id }) => this.books.queues[id]!.waiting(key) !== undefined)
  }

  /** The queue of the link's family that waits for an answer with this key: its own first. */
  private waitingFor(link: Link, key: string): StoreAndForward | undefined {
    const { queues, groups } = this.books
    if (queues[link.id]!.waiting(key) !== undefined) return queues[link.id]
    return groups
      .others(link)
      .map(({ id }) => queues[id]!)
      .find((queue) => queue.waiting(key) !== undefined)
  }

  /** An advice, a reversal or a notice of a partner. */
  advice(origin: Link, epoch: number, index: MessageIndex): void {
    const { books, refusals } = this
    const { codec, dialect } = origin.settings
    const length = codec.matchKey(index, origin.receivedKey, this.originKey, 0)
    if (!isIdentified(origin.settings, index)) return refusals.refuse(origin, epoch, index, "formatError")
    // A refused advice is taken when it comes again.
    const isKnown = books.groups.isRecent(books.recent, origin, index.mti, this.originKey, length)
    if (isKnown && books.recent.fate === Fate.queued) {
      return this.repeated(origin, epoch, index)
    }
    if (!origin.isSignedOn) return refusals.refuse(origin, epoch, index, "notSignedOn")
    if (books.isFull) return refusals.refuse(origin, epoch, index, "malfunction")
    const to = books.router.route(index)
    if (to === undefined) return refusals.refuse(origin, epoch, index, "noRoute")
    const home = books.groups.home(to, origin, index)
    const original = this.underWay(home, origin, index)
    const target = original === undefined ? this.home(home, origin, index) : books.links[original.link]!
    // A reload is about to remove it, or to give it another dialect: what it still took would have no place.
    if (target.isLeaving) return refusals.refuse(origin, epoch, index, "issuerDown")
    if (books.queues[target.id]!.size >= STORED_MAX) return refusals.refuse(origin, epoch, index, "malfunction")
    const isRenamed = target.settings.stan === "own"
    const source = { link: origin.settings.name, stan: isRenamed && index.has(STAN) ? index.text(STAN) : undefined }
    const named = isRenamed ? this.named(origin, index) : index
    if (named === undefined) return refusals.refuse(origin, epoch, index, "formatError")
    const bytes = this.outgoing(origin, target, named)
    if (bytes === undefined || !target.takes(bytes)) return refusals.refuse(origin, epoch, index, "formatError")
    const stored = this.enter(target, 0, sourceText(source), bytes)
    if (original !== undefined) stored.original = original
    books.recent.put(receivedOn(origin.id, index.mti), this.originKey, 0, length, stored.exchange, Fate.queued)
    const answer = refusals.makeAnswer(origin, index, approved(dialect))
    books.commits.after(stored.exchange, () => {
      books.send(origin, epoch, answer)
      books.store(target, stored)
    })
  }

  /**
   * Journals our own reversal of `request` of `exchange`; it has to be stored when that is on disk. `undefined` when
   * neither dialect has a reversal for such a request: inquiries move no money.
   */
  reverse(origin: Link, target: Link, request: MessageIndex, exchange: number): Stored | undefined {
    const { codec } = origin.settings
    // The target knows the request by the STAN that it had there.
    const original = target.settings.stan === "own" ? this.ownStan.with(codec, request, stanOf(exchange)) : request
    const isMoney = [origin, target].some(({ settings }) =>
      isReversible(settings.dialect, original.mti, original.text(3))
    )
    if (!isMoney) return undefined
    const bytes = target.settings.dialect.reversal === undefined ? undefined : this.reversal(origin, target, original)
    if (bytes !== undefined && target.takes(bytes)) return this.enter(target, exchange, "reversal", bytes)
    this.notReversible(target, exchange)
    return undefined
  }

  /** Says in the journal that money was left to a person. */
  notReversible(target: Link, exchange: number): void {
    this.books.record.event(target, `exchange ${exchange} cannot be reversed: a person has to do it`)
  }

  /** The link whose queue gets a message: of `home`'s family the one that holds its transaction already, or else `home`. */
  private home(home: Link, origin: Link, index: MessageIndex): Link {
    const { groups, queues } = this.books
    const others = groups.others(home)
    if (others.length === 0 || origin.settings.dialect !== home.settings.dialect) return home
    const transaction = Reversal.transactionOf(home.settings.dialect, index)
    return others.find(({ id }) => queues[id]!.holds(transaction)) ?? home
  }

  /** Where the request is that the message is about, while it has not ended; only of those that went to `home`'s family. */
  private underWay(home: Link, origin: Link, index: MessageIndex): Stored["original"] {
    const { groups, outstanding, recent } = this.books
    const original = originalIn(origin, index)?.original
    // Without original data a message has the key of what it is about.
    const length =
      original === undefined
        ? origin.settings.codec.matchKey(index, origin.receivedKey, this.key, 0)
        : this.originalKey(origin, index, original)
    if (!groups.isRecent(recent, origin, original?.mti ?? REQUEST, this.key, length)) return undefined
    if (recent.fate !== Fate.open && recent.fate !== Fate.timedOut) return undefined
    const { exchange } = recent
    for (const { id: link } of [home, ...groups.others(home)]) {
      const slot = outstanding[link]!.slotOf(exchange)
      if (slot !== undefined) return { link, slot: slot.id, exchange }
    }
    return undefined
  }

  /** A response to a message of a queue. False when no message waits for it. */
  answer(link: Link, epoch: number, index: MessageIndex): boolean {
    const { books } = this
    const { codec, dialect } = link.settings
    if (index.rejectCode === 0 && !index.has(RESPONSE_CODE)) return false
    const length = codec.matchKey(index, dialect.match.transaction, this.key, 0)
    const key = this.key.toString("latin1", 0, length)
    const queue = this.waitingFor(link, key)
    const stored = queue?.waiting(key)
    if (queue === undefined || stored === undefined) return false
    const isReject = index.rejectCode !== 0
    const mti = isReject ? stored.mti : responseMti(stored.mti)
    if (index.mti !== mti && !(isReject && index.mti === repeatMti(mti))) return false
    link.settled(epoch)
    return queue.answered(key, isReject ? dialect.refusal.formatError : index.text(39), books.now)
  }

  /** The message with these bytes as its queue holds it; `exchange` is its `queued` entry, made at `at`. */
  stored(target: Link, exchange: number, about: number, bytes: Buffer, at: number): Stored {
    const { codec, dialect } = target.settings
    const { index } = this
    codec.index(bytes, 0, bytes.length, index)
    const length = codec.matchKey(index, dialect.match.transaction, this.key, 0)
    return {
      exchange,
      about,
      mti: index.mti,
      bytes,
      key: this.key.toString("latin1", 0, length),
      transaction: Reversal.transactionOf(dialect, index),
      at,
      attempts: 0
    }
  }

  private enter(target: Link, about: number, source: string, bytes: Buffer): Stored {
    const exchange = this.books.record.queued(target, about, source, bytes)
    return this.stored(target, exchange, about, bytes, this.books.runtime.wallMs())
  }

  /**
   * The partner's advice or reversal with a STAN of our own, and with its original named as the target knows it. `undefined` when
   * it is about an exchange that is not known here: with the caller's STAN it could hit another one's transaction (G6).
   */
  private named(origin: Link, index: MessageIndex): MessageIndex | undefined {
    const { books, patches } = this
    const { codec } = origin.settings
    const named = this.ownStan.with(codec, index, stanOf(books.record.last + 1))
    const about = originalIn(origin, index)
    if (about === undefined) return named
    const { original, recipe, said } = about
    const key = this.originalKey(origin, index, original)
    if (!books.groups.isRecent(books.recent, origin, original.mti, this.key, key)) return undefined
    patches.clear()
    patches.set(recipe.field, Reversal.withStan(recipe, said, stanOf(books.recent.exchange)))
    const bytes = Buffer.allocUnsafe(codec.patchedLength(named, patches))
    const wrong = codec.index(bytes, 0, codec.patch(named, patches, bytes, 0), this.translated)
    return wrong === undefined ? this.translated : undefined
  }

  /** Puts the key of the request that a message names as its original into `key`; its callers' own fields are the message's. */
  private originalKey(origin: Link, index: MessageIndex, { stan, time }: Reversal.Original): number {
    const { codec } = origin.settings
    const { patches } = this
    patches.clear()
    patches.set(STAN, stan)
    if (time !== "") patches.set(7, time)
    const bytes = Buffer.allocUnsafe(codec.patchedLength(index, patches))
    if (codec.index(bytes, 0, codec.patch(index, patches, bytes, 0), this.index) !== undefined) return 0
    return codec.matchKey(this.index, origin.receivedKey, this.key, 0)
  }

  /** The partner says it again: acknowledged again, delivered once. */
  private repeated(link: Link, epoch: number, index: MessageIndex): void {
    const { books } = this
    const code = approved(link.settings.dialect)
    const seq = books.record.stray("duplicateRequest", books.recent.exchange, link, epoch, code, index)
    const answer = this.refusals.makeAnswer(link, index, code)
    books.commits.after(seq, () => books.send(link, epoch, answer))
  }

  /** A partner's message as it will be sent to the target: without what may not be kept, in the target's dialect. */
  private outgoing(origin: Link, target: Link, index: MessageIndex): Buffer | undefined {
    const { patches } = this
    if (origin.settings.dialect !== target.settings.dialect) {
      const message = translate(origin.settings, target.settings, index)
      if (isMessageError(message)) return undefined
      const wrong = target.settings.codec.index(message, 0, message.length, this.index)
      return wrong === undefined ? target.settings.codec.withoutSad(this.index) : undefined
    }
    const { codec } = target.settings
    const kept = codec.withoutSad(index)
    codec.index(kept, 0, kept.length, this.index)
    patches.clear()
    if (isRepeat(index.mti)) patches.mti(index.mti - 1)
    for (let part = 0; part < target.addressing.partCount; part++) {
      patches.header(target.addressing.parts[part]!, target.addressing.partValues[part]!)
    }
    const out = Buffer.allocUnsafe(codec.patchedLength(this.index, patches))
    return out.subarray(0, codec.patch(this.index, patches, out, 0))
  }

  /**
   * The reversal in the target's own words, because it is the target's recipe that says what a reversal carries. `undefined` when
   * the original does not hold what that takes.
   */
  private reversal(origin: Link, target: Link, request: MessageIndex): Buffer | undefined {
    const { books } = this
    const { codec, dialect } = target.settings
    const original = origin.settings.dialect === dialect ? request : this.inWordsOf(origin, target, request)
    if (original === undefined) return undefined
    const stan = Reversal.stanOf(books.record.last + 1)
    const localMs = books.runtime.wallMs() + target.settings.utcOffsetMs
    const institution = target.settings.ourInstitution
    const patches = Reversal.patch(dialect, original, { stan, localMs, institution }, this.patches)
    if (codec.checkPatches(patches) !== undefined) return undefined
    const bytes = Buffer.allocUnsafe(codec.patchedLength(original, patches))
    if (codec.index(bytes, 0, codec.patch(original, patches, bytes, 0), this.index) !== undefined) return undefined
    return this.outgoing(target, target, this.index)
  }

  /** An index of the request in the target's dialect, with no more than a reversal takes over: the rest may be covered. */
  private inWordsOf(origin: Link, target: Link, request: MessageIndex): MessageIndex | undefined {
    const { patches, translated } = this
    const { codec } = origin.settings
    const recipe = target.settings.dialect.reversal!
    const taken = new Set([...recipe.copies, ...recipe.originalData.parts.map(({ de }) => de)])
    patches.clear()
    for (let de = 2; de <= 128; de++) if (request.has(de) && !taken.has(de)) patches.remove(de)
    const bytes = Buffer.allocUnsafe(codec.patchedLength(request, patches))
    if (codec.index(bytes, 0, codec.patch(request, patches, bytes, 0), this.index) !== undefined) return undefined
    const message = translate(origin.settings, target.settings, this.index)
    if (isMessageError(message)) return undefined
    return target.settings.codec.index(message, 0, message.length, translated) === undefined ? translated : undefined
  }

  private write(link: Link, stored: Stored, again: boolean, epoch: number, timeoutMs: number): boolean {
    const session = link.session ?? link.short?.sessionOf(epoch)
    if (session === undefined || !link.isReady) return false
    const { codec } = link.settings
    const { index, patches } = this
    codec.index(stored.bytes, 0, stored.bytes.length, index)
    patches.clear()
    if (again) patches.mti(repeatMti(stored.mti))
    const { behind } = stored
    const isBehind = behind?.link === link.id && behind.epoch === session.epoch && !session.outbox.hasTaken(behind.at)
    if (behind !== undefined && !isBehind) {
      const message = Buffer.allocUnsafe(codec.patchedLength(index, patches))
      session.putUrgent(message.subarray(0, codec.patch(index, patches, message, 0)))
    } else {
      const at = session.begin(codec.patchedLength(index, patches))
      session.end(at, codec.patch(index, patches, session.outbox.buffer, at))
    }
    this.books.touch(link)
    link.short?.sent(session, this.books.now + timeoutMs + 2 * TICK_MS)
    return true
  }
}

/** The request that a message names in its original data, and those data as they stand; `undefined` when it names none. */
const originalIn = ({ settings }: Link, index: MessageIndex) => {
  const recipe = settings.dialect.reversal?.originalData
  if (recipe === undefined || !index.has(recipe.field)) return undefined
  const said = index.text(recipe.field)
  return { recipe, said, original: Reversal.originalOf(recipe, said) }
}
