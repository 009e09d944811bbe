/**
 * Advices, reversals and notices of partners: messages that are accepted once and delivered until they are acknowledged.
 *
 *     read -> admitted -> journal -> acknowledged to the partner, and into the target's queue -> StoreAndForward
 *
 * The switch acknowledges a partner's advice by itself, and from then on it is the switch's to deliver.
 */
import { type MessageIndex, repeatMti, responseMti } from "@jinka/codec"
import { Crossing } from "../message/Crossing.ts"
import { stanOf } from "../message/Stamp.ts"
import type { Desk } from "./Desk.ts"
import type { Desks } from "./Desks.ts"
import { anothers, type Originals } from "./Originals.ts"
import { KEY_LENGTH_MAX } from "./Outstanding.ts"
import { Fate, receivedOn } from "./RecentKeys.ts"
import type { Refusals } from "./Refusals.ts"
import { sourceText } from "./Source.ts"
import type { Stored } from "./Stored.ts"

/**
 * Messages that wait for one partner, above which its advices are refused until some have ended (guarantee G8): some 200 MB.
 * Reversals of our own are always taken; the requests that they come from are bounded themselves.
 */
const STORED_MAX = 100_000

/** Any MTI of a request. */
const REQUEST = 200

/** The deliveries of one switch. */
export class Deliveries {
  private readonly desks: Desks
  private readonly refusals: Refusals
  private readonly originals: Originals
  private readonly crossing = new Crossing()
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)
  private readonly originKey = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)

  constructor(desks: Desks, refusals: Refusals, originals: Originals) {
    this.desks = desks
    this.originals = originals
    this.refusals = refusals
  }

  /** An advice, a reversal or a notice of a partner. */
  advice(origin: Desk, epoch: number, index: MessageIndex): void {
    const { desks, refusals } = this
    const { language, link } = origin
    if (!language.isIdentified(index)) return refusals.refuse(origin, epoch, index, "formatError")
    const length = language.key(index, language.receivedFields, this.originKey)
    // A refused advice is taken when it comes again.
    const isKnown = desks.groups.isRecent(desks.recent, origin, index.mti, this.originKey, length)
    if (isKnown && desks.recent.fate === Fate.queued) return this.repeated(origin, epoch, index)
    if (!link.isSignedOn) return refusals.refuse(origin, epoch, index, "notSignedOn")
    if (desks.isFull) return refusals.refuse(origin, epoch, index, "malfunction")
    const to = desks.router.route(language, index, origin.id)
    if (to === undefined) return refusals.refuse(origin, epoch, index, "noRoute")
    const home = desks.groups.home(to, origin, index)
    const original = this.underWay(home, origin, index)
    const target = original === undefined ? this.home(home, origin, index) : desks.at(original.desk)
    // A reload is about to remove it, or to give it another dialect: what it still took would have no place.
    if (target.link.isLeaving) return refusals.refuse(origin, epoch, index, "issuerDown")
    if (target.stored.size >= STORED_MAX) return refusals.refuse(origin, epoch, index, "malfunction")
    const { hasOwnStan } = target.language
    if (!hasOwnStan && this.originals.isAnothers(origin, target, index)) {
      return refusals.impostor(origin, epoch, index, anothers)
    }
    const named = hasOwnStan ? this.originals.withStan(origin, index, stanOf(desks.record.last + 1)) : index
    const bytes = named === undefined ? undefined : this.crossing.keep(language, target.language, named)
    if (bytes === undefined) return refusals.refuse(origin, epoch, index, "formatError")
    const stored = desks.record.queued(target, 0, this.source(origin, target, index), bytes)
    if (original !== undefined) stored.original = original
    desks.recent.put(receivedOn(origin.id, index.mti), this.originKey, 0, length, stored.exchange, Fate.queued)
    const answer = language.answer(index, language.approved)
    desks.commits.after(stored.exchange, () => {
      target.stored.add(stored)
      desks.send(origin, epoch, answer)
    })
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
    link.settled(epoch)
    return queue.answered(key, code, this.desks.now)
  }

  /** The desk of the family whose queue waits for an answer with this key: its own first. */
  private waitingFor(desk: Desk, key: string): Desk | undefined {
    if (desk.stored.waiting(key) !== undefined) return desk
    return this.desks.groups.others(desk.id).find(({ stored }) => stored.waiting(key) !== undefined)
  }

  /** The desk whose queue gets a message: of `home`'s family the one that holds its transaction already, or else `home`. */
  private home(home: Desk, origin: Desk, index: MessageIndex): Desk {
    const others = this.desks.groups.others(home.id)
    if (others.length === 0 || origin.language.form !== home.language.form) return home
    const transaction = home.language.transaction(index)
    return others.find(({ stored }) => stored.holds(transaction)) ?? home
  }

  /** Where the request is that the message is about, while it has not ended; only of those that went to `home`'s family. */
  private underWay(home: Desk, origin: Desk, index: MessageIndex): Stored["original"] {
    const { groups, recent } = this.desks
    const { language } = origin
    const original = language.original(index)
    // Without original data a message has the key of what it is about.
    const length =
      original === undefined
        ? language.key(index, language.receivedFields, this.key)
        : language.originalKey(index, original, language.receivedFields, this.key)
    if (!groups.isRecent(recent, origin, original?.mti ?? REQUEST, this.key, length)) return undefined
    if (recent.fate !== Fate.open && recent.fate !== Fate.timedOut) return undefined
    const { exchange } = recent
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

  /** The partner says it again: acknowledged again, delivered once. */
  private repeated(origin: Desk, epoch: number, index: MessageIndex): void {
    const { commits, recent, record } = this.desks
    const { language } = origin
    const seq = record.stray("duplicateRequest", recent.exchange, origin, epoch, language.approved, index)
    const answer = language.answer(index, language.approved)
    commits.after(seq, () => this.desks.send(origin, epoch, answer))
  }
}
