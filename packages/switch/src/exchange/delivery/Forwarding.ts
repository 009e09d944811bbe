/**
 * How the stored messages of one desk leave: over which link, each attempt on disk before it is written, a repeat marked as one.
 *
 * `StoreAndForward` says when; this says how.
 */
import { MessageIndex, mtiClass, mtiText } from "@jinka/codec"
import { Deferred, Effect } from "effect"
import type { Sealing } from "../../guard/Sealing.ts"
import { type Entry, secretRest } from "../../journal/Entry.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import { Inconsistent } from "../../journal/Inconsistent.ts"
import type { JournalError } from "../../journal/JournalError.ts"
import { Notices, patient } from "../../link/Notices.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import { Outcome } from "../entry/RecentKeys.ts"
import type { WayOut } from "../gate/WayOut.ts"
import { KEY_LENGTH_MAX, TICK_MS } from "../request/Outstanding.ts"
import type { Load } from "./Ahead.ts"
import { saysUnseen } from "./Approvals.ts"
import type { Effects } from "./StoreAndForward.ts"
import { type DeliveryEnd, type Kept, type Stored, storedOf } from "./Stored.ts"

/**
 * Numbers among those of the partners, one for each desk's queue, from here down: attempts leave in the order that the queue has
 * chosen, whomever they come from.
 */
const ATTEMPTS = -2

/** The space of the hashed keys of transactions. */
const TRANSACTIONS = 9

/** The way out of one desk's queue. */
export class Forwarding implements Effects {
  /** The desk's number. */
  readonly own: number
  private readonly desks: Desks
  private readonly wayOut: WayOut
  private readonly index = new MessageIndex()
  /** Messages that were sealed a moment ago, to be written now. */
  private readonly sealings = new Map<Stored, Sealing>()

  private readonly unreadNotices = new Notices(patient)
  private readonly broken: Deferred.Deferred<never>
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)

  /** `broken` dies when the journal does not have what was stored: nothing is done after that (guarantee G9). */
  constructor(desks: Desks, wayOut: WayOut, own: number, broken: Deferred.Deferred<never>) {
    this.desks = desks
    this.wayOut = wayOut
    this.own = own
    this.broken = broken
  }

  private get desk(): Desk {
    return this.desks.at(this.own)
  }

  /** See `Effects`. */
  carrier({ key }: Stored): number | undefined {
    const { groups, now } = this.desks
    // A message with this key under way for another of the same partner: an answer would fit both (G6).
    if (groups.others(this.own).some(({ stored }) => stored.waiting(key) !== undefined)) return undefined
    return groups.carrier(this.desk, now)?.id
  }

  /** See `Effects`. */
  recordAttempt(stored: Stored, carrier: number, then: (nowMs: number, epoch: number) => void): void {
    const { desks } = this
    const by = desks.at(carrier)
    const attempt = (epoch: number) => {
      const seq = desks.record.ended("sent", stored.exchange, by, epoch, String(stored.attempts))
      desks.commits.after(ATTEMPTS - this.own, seq, () => this.seal(stored, by, () => then(desks.now, epoch)))
    }
    if (by.link.short === undefined) return attempt(by.link.epoch)
    by.link.short.open(Number.POSITIVE_INFINITY, (session) => {
      desks.tick()
      if (session === undefined) then(desks.now, 0)
      else attempt(session.epoch)
      desks.flush()
    })
  }

  /**
   * Seals the message for the link that carries it, and then does what comes next: at once where nothing has to be waited for.
   */
  private seal(stored: Stored, by: Desk, then: () => void): void {
    const { seals } = this.wayOut
    const { guard, language } = by
    if (seals === undefined || guard === undefined || !guard.seals(stored.mti)) return then()
    language.index(stored.bytes, 0, stored.bytes.length, this.index)
    const length = language.resentLength(this.index)
    const again = stored.attempts > 1
    const write = (out: Buffer) => language.resend(this.index, again, out, 0)
    seals.rare(guard, length, write, (sealing) => {
      this.forget(stored)
      this.sealings.set(stored, sealing)
      then()
      this.forget(stored)
    })
  }

  /** What was sealed and has left, or will not. */
  private forget(stored: Stored): void {
    const sealing = this.sealings.get(stored)
    if (sealing === undefined) return
    this.sealings.delete(stored)
    this.wayOut.seals!.give(sealing)
  }

  /** The message as it was sealed for the carrier; `undefined`: it could not be. */
  private sealed(stored: Stored, carrier: number): Buffer | undefined {
    const sealing = this.sealings.get(stored)
    if (sealing?.guard !== this.desks.at(carrier).guard || sealing?.refusal !== undefined) return undefined
    return Buffer.from(sealing!.bytes.subarray(0, sealing!.length))
  }

  /** See `Effects`. */
  recordEnd(stored: Stored, end: DeliveryEnd, code: string): void {
    const { desk, desks } = this
    desks.record.ended(end, stored.exchange, desk, desk.link.epoch, code)
    // One that was given up before, and that a person has sent once more.
    if (end === "acknowledged") {
      desks.approvals.over(stored.exchange)
      const reversed = this.approved(stored)
      if (reversed !== 0 && this.isOfAll(stored)) desks.approvals.ended(reversed, saysUnseen(desk.language, code))
      desks.doubts.close(stored.exchange)
      return
    }
    const { about, attempts, exchange, mti, stan } = stored
    desks.doubts.add({ exchange, about, end, code, link: desk.name, mti, stan, at: desks.record.writtenAt })
    const what = `${mtiText(mti)} of exchange ${exchange}${about === 0 ? "" : `, reversal of exchange ${about}`}`
    const how = end === "declined" ? `declined with ${code}` : `abandoned after ${attempts} attempts, ${code}`
    desks.note(
      desk,
      desk.link.epoch,
      `${what}: ${how}. It is in doubt until a person ends it: jinka pending`,
      "warning"
    )
  }

  /** See `Effects`. */
  isEarly({ desk, exchange, slot }: NonNullable<Stored["original"]>): boolean {
    return this.desks.at(desk).outstanding.holds(slot, exchange)
  }

  /** See `Effects`. */
  readonly load: Load = (messages, then) => {
    const { broken, desks } = this
    const ready = (found: ReadonlyArray<Stored> | undefined) => {
      desks.tick()
      then(found)
      desks.flush()
    }
    // One after the other in the journal, whoever they come from.
    const seqs = messages.map(({ exchange }) => exchange).sort((one, other) => one - other)
    const loading = desks.journal.entries(seqs, { secrets: true }).pipe(
      Effect.map((entries) => ready(this.wholeOf(messages, entries))),
      Effect.catch((error) =>
        Effect.sync(() => {
          this.unread(error)
          ready(undefined)
        })
      ),
      Effect.catchCause((cause) => Effect.sync(() => Deferred.doneUnsafe(broken, Effect.failCause(cause))))
    )
    desks.runtime.fork(Effect.asVoid(loading))
  }

  /** A journal that has stopped ends the switch; any other is asked again, and until it answers nothing of the queue leaves. */
  private unread({ message }: JournalError): void {
    const { desk, desks } = this
    if (desks.journal.stopped() !== undefined) return
    const text = `messages that wait for it cannot be read, and none leaves: ${message}`
    const noted = this.unreadNotices.add("unread", text, desks.now)
    if (noted !== undefined) desks.alarm(desk, desk.link.epoch, noted)
  }

  private wholeOf(messages: ReadonlyArray<Kept>, entries: ReadonlyArray<Entry>): ReadonlyArray<Stored> {
    const { language } = this.desk
    const byExchange = new Map(entries.map((entry) => [entry.seq, entry]))
    return messages.map((kept) => {
      const entry = byExchange.get(kept.exchange)
      // A copy: the entry's own bytes keep all that was read with it in memory.
      const bytes = entry?.kind === EntryKind.queued ? Buffer.from(secretRest(entry.secret)) : Buffer.alloc(0)
      if (bytes.length === 0 || language.index(bytes, 0, bytes.length, this.index) !== undefined)
        throw new Inconsistent(`journal: the message of exchange ${kept.exchange} cannot be read back`)
      return storedOf(language, this.index, { ...kept, bytes })
    })
  }

  /** See `Effects`. */
  number(transaction: string): number {
    const length = this.key.write(transaction, "latin1")
    const { first, second } = this.desks.hash.hash(TRANSACTIONS, this.key, 0, length)
    return (first >>> 0) * 2 ** 21 + (second >>> 11)
  }

  /**
   * See `Effects`. "No original" over another link than the original's own says only that it has not come yet: what that link's
   * host had not read when its connection ended may be read still. And it is not believed where the partner itself has approved
   * the original. So it is asked again, to the last attempt.
   */
  endOf(stored: Stored, code: string, carrier: number, isLast: boolean): DeliveryEnd | undefined {
    const { language } = this.desk
    const { attempts, exchange, mti } = stored
    if (!language.isFinal(code)) return undefined
    const isAcknowledged = language.isAcknowledged(mti, code)
    if (language.isSuccess(code)) return isAcknowledged ? "acknowledged" : "declined"
    const isUnseen = isAcknowledged && saysUnseen(language, code)
    // Told over any link: what the first attempt was told is remembered of each.
    const isContradicted = isUnseen && this.desks.approvals.contradicts(this.approved(stored), exchange, attempts)
    if (!isLast && (carrier !== this.own || isContradicted)) return undefined
    return isAcknowledged && !isContradicted ? "acknowledged" : "declined"
  }

  /** Whether the reversal takes all back, as ours do; behind one of a part the rest remains. */
  private isOfAll({ about, bytes }: Stored): boolean {
    if (about !== 0) return true
    const { language } = this.desk
    language.index(bytes, 0, bytes.length, this.index)
    return language.remains(this.index) === ""
  }

  /** The exchange that the reversal is about: of our own as it says, of a partner's where the original was approved; 0: none. */
  private approved({ about, bytes, mti }: Stored): number {
    if (about !== 0 || mtiClass(mti) !== "reversal") return about
    const { approvals, groups, seconds } = this.desks
    const { index, key } = this
    const { language } = this.desk
    language.index(bytes, 0, bytes.length, index)
    const original = language.original(index)
    const fields = language.sentFields
    // A reversal without original data has the key of what it takes back.
    const length =
      original === undefined ? language.key(index, fields, key) : language.originalKey(index, original, fields, key)
    for (const { recent } of length === 0 ? [] : [this.desk, ...groups.others(this.own)]) {
      const sent = recent.findSent(key, 0, length, seconds)
      if (sent?.outcome !== Outcome.answered) continue
      approvals.add(sent.exchange)
      return sent.exchange
    }
    return 0
  }

  /** See `Effects`. A message that cannot be written has had an attempt: it is abandoned after the last. */
  write(stored: Stored, again: boolean, carrier: number, epoch: number): boolean {
    try {
      return this.written(stored, again, carrier, epoch)
    } catch (thrown) {
      const what = `exchange ${stored.exchange} could not be written`
      this.desks.defects.met(this.desks.at(carrier), epoch, what, thrown)
      return true
    }
  }

  private written(stored: Stored, again: boolean, carrier: number, epoch: number): boolean {
    const { behind, bytes } = stored
    const { desks, index } = this
    const by = desks.at(carrier)
    const { language, link } = by
    const session = link.session ?? link.short?.sessionOf(epoch)
    if (session === undefined || !link.isReady) return false
    language.index(bytes, 0, bytes.length, index)
    const isSealed = by.guard?.seals(index.mti) === true
    const message = isSealed ? this.sealed(stored, carrier) : undefined
    // No byte of it leaves without its MAC: the attempt was none.
    if (isSealed && message === undefined) return false
    const isBehind = behind?.desk === carrier && behind.epoch === session.epoch && !session.outbox.hasTaken(behind.at)
    const isUrgent = behind !== undefined && !isBehind
    if (isUrgent) session.putUrgent(message ?? this.resent(by, again))
    else if (message !== undefined) session.put(message)
    else {
      const at = session.begin(language.resentLength(index))
      session.end(at, language.resend(index, again, session.outbox.buffer, at))
    }
    if (isUrgent) session.outbox.promiseUrgent()
    else session.outbox.promise()
    desks.touch(link)
    link.short?.sent(session, desks.now + this.desk.stored.timeoutMs + 2 * TICK_MS)
    return true
  }

  private resent({ language }: Desk, again: boolean): Buffer {
    const message = Buffer.allocUnsafe(language.resentLength(this.index))
    return message.subarray(0, language.resend(this.index, again, message, 0))
  }
}
