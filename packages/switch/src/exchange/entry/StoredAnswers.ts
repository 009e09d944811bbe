/**
 * The answer that was given once, given again: for a partner that repeats a request which has ended, or an advice that was taken.
 *
 * The journal holds the answer without card data. What is missing comes from the repeated request itself, so the partner gets
 * the same response code, authorisation number and settlement date as the first time. A refusal is given again with its code. (An
 * approval that could not be delivered was taken back: nobody may hear of it, and memory knows it as timed out.)
 *
 * What has a used key and says something else is no repeat (G6), and gets nobody's answer. A request is told so with the code for
 * duplicates. For an advice that code says "taken" in most networks, so it is a format error: its sender keeps it.
 */
import { MessageIndex } from "@jinka/codec"
import { Effect } from "effect"
import { type Entry, secretRest } from "../../journal/Entry.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import { sourceOf } from "../../journal/Source.ts"
import type { Receipt } from "../../link/Receipts.ts"
import type { Language } from "../../message/Language.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { WayOut } from "../gate/WayOut.ts"
import { Shares } from "../turns/Shares.ts"
import { type Known, Outcome } from "./RecentKeys.ts"

/**
 * Answers being read at once; a partner has at most three quarters of them. Repeats above that get none and come again: reading
 * must not hold up the commits.
 */
const READS_MAX = 64

/**
 * Repeats of what was taken for delivery that wait for a read: a partner that comes back says all that it has not heard of at
 * once, and would wait for its next round with what got no answer.
 */
const WAITING_MAX = 4096

/** Answers that were read last and are kept: who repeats a request does so more than once. */
const KEPT_MAX = 1024

/** Reads answers back from the journal and sends them: two entries by their numbers, once for many repeats. */
export class StoredAnswers {
  private readonly desks: Desks
  private readonly wayOut: WayOut
  private readonly stored = new MessageIndex()
  private readonly repeated = new MessageIndex()
  private readonly covered = new MessageIndex()
  private readonly asked = new MessageIndex()
  private readonly shares = new Shares()
  private readonly waiting: Array<() => void> = []
  /** Entries that say how an exchange ended, by its number; those asked for last are the last. */
  private readonly kept = new Map<number, ReadonlyArray<Entry>>()

  constructor(desks: Desks, wayOut: WayOut) {
    this.desks = desks
    this.wayOut = wayOut
  }

  /**
   * Sends the answer of an exchange to `desk`, made for `request`; nothing where the journal cannot say what it was: another one
   * than the first would be a second one (G3). `receipt` hears whether the answer was delivered.
   */
  again(desk: Desk, epoch: number, known: Known, request: Buffer, receipt: Receipt | undefined): void {
    const { desks } = this
    const { exchange, end } = known
    const unread = (why: string) => {
      receipt?.settle(false)
      this.unread(desk, epoch, why)
    }
    const send = (entries: ReadonlyArray<Entry>) => {
      const again = this.from(entries, desk, epoch, request)
      if (again === undefined) unread("its entries do not say it")
      else if (!this.wayOut.send(desk, epoch, again, undefined, receipt)) receipt?.settle(false)
    }
    const kept = this.kept.get(exchange)
    if (kept !== undefined) {
      this.keep(exchange, kept)
      send(kept)
      return
    }
    const partner = desks.groups.partner(desk.id)
    if (!this.shares.may(partner, READS_MAX, true)) {
      if (known.outcome === Outcome.queued && this.waiting.length < WAITING_MAX) {
        this.waiting.push(() => this.again(desk, epoch, known, request, receipt))
        return
      }
      receipt?.settle(false)
      return desk.link.release(epoch)
    }
    this.shares.take(partner)
    // What was taken for delivery is held against the message that leaves: in its target's language, and whole.
    const secrets = known.outcome === Outcome.queued
    const found = desks.journal.entries(end === 0 ? [exchange] : [exchange, end], { secrets }).pipe(
      Effect.match({
        onFailure: (error) => {
          // A journal that has stopped has no answer, and nothing leaves any more (guarantee G9).
          if (desks.journal.stopped() === undefined) unread(error.message)
        },
        onSuccess: (entries) => {
          this.keep(exchange, entries)
          send(entries)
        }
      }),
      Effect.map(() => desks.flush())
    )
    desks.runtime.fork(
      Effect.ensuring(
        found,
        Effect.sync(() => {
          this.shares.leave(partner)
          this.waiting.shift()?.()
        })
      )
    )
  }

  /** What was answered cannot be read, as `why` says. */
  private unread({ link, perhapsRepeats }: Desk, epoch: number, why: string): void {
    const text = `a repeat was left unanswered, because its answer cannot be read: ${why}`
    const noted = perhapsRepeats.add("unread", text, this.desks.now)
    if (noted !== undefined) link.warned(noted, epoch)
    link.release(epoch)
  }

  private keep(exchange: number, entries: ReadonlyArray<Entry>): void {
    this.kept.delete(exchange)
    this.kept.set(exchange, entries)
    if (this.kept.size > KEPT_MAX) this.kept.delete(this.kept.keys().next().value!)
  }

  private from(entries: ReadonlyArray<Entry>, desk: Desk, epoch: number, request: Buffer): Buffer | undefined {
    try {
      return this.made(entries, desk, epoch, request)
    } catch (thrown) {
      this.desks.defects.met(desk, desk.link.epoch, "a stored answer could not be made again", thrown)
      return undefined
    }
  }

  /** What an exchange's entries say that its origin was told; `undefined` when they do not say it. */
  private made(entries: ReadonlyArray<Entry>, desk: Desk, epoch: number, request: Buffer): Buffer | undefined {
    const { language } = desk
    const has = (kind: EntryKind) => entries.find((entry) => entry.kind === kind)
    if (language.index(request, 0, request.length, this.repeated) !== undefined) return undefined
    const refused = has(EntryKind.refused) ?? has(EntryKind.notSent)
    if (refused !== undefined) return language.answer(this.repeated, refused.code)
    const queued = has(EntryKind.queued)
    if (queued !== undefined) return this.taken(queued, desk, epoch)
    const answered = has(EntryKind.answered)
    if (answered === undefined) return undefined
    const source = this.desks.named(answered.link)?.language
    const wrong = source?.index(answered.message, 0, answered.message.length, this.stored)
    if (source === undefined || wrong !== undefined) return undefined
    if (!this.isRepeat(language, has(EntryKind.accepted))) {
      return language.answer(this.repeated, language.refusal.duplicate)
    }
    return language.answerAgain(this.repeated, this.stored)
  }

  /** The answer to the message in `repeated`, which has the key of one that was taken for delivery. */
  private taken(queued: Entry, desk: Desk, epoch: number): Buffer | undefined {
    const { link, language, usedKeys } = desk
    const first = this.isTaken(queued, language)
    if (first === undefined) return undefined
    if (first) return language.answer(this.repeated, language.approved)
    const { now } = this.desks
    const code = language.refusal.formatError
    const text = `a message for delivery was refused (${code}): its key is that of another one that was taken as exchange ${queued.seq}`
    const noted = usedKeys.add("used", text, now)
    if (noted !== undefined) link.warned(noted, epoch)
    desk.traffic.refuse("formatError")
    return language.answer(this.repeated, code)
  }

  /** Whether the message in `repeated` says what was taken for delivery; `undefined`: the entry cannot be read. */
  private isTaken(queued: Entry, language: Language): boolean | undefined {
    const target = this.desks.named(queued.link)?.language
    const bytes = secretRest(queued.secret)
    if (target === undefined || bytes.length === 0) return undefined
    if (target.index(bytes, 0, bytes.length, this.asked) !== undefined) return undefined
    const stan = sourceOf(queued.code)?.stan
    if (target.form === language.form && !isAboutSame(target, this.asked, this.repeated)) return false
    const first = stan === undefined ? this.asked : target.withStan(this.asked, stan)
    return first === undefined ? undefined : isSame(target, first, language, this.repeated)
  }

  /**
   * Whether the request says the same as the one that was answered, as its own entry has it: a used key with another amount or
   * card is no repeat. The answer need not have said what it was about.
   */
  private isRepeat(language: Language, accepted: Entry | undefined): boolean {
    if (accepted === undefined) return false
    const { end, start } = this.repeated
    // The journal has card data covered, so it is compared covered.
    const bytes = Buffer.allocUnsafe(end - start)
    language.redact(this.repeated, bytes, 0)
    if (language.index(bytes, 0, bytes.length, this.covered) !== undefined) return false
    const asked = this.desks.named(accepted.link)?.language
    if (asked === undefined) return false
    if (asked.index(accepted.message, 0, accepted.message.length, this.asked) !== undefined) return false
    return isSame(asked, this.asked, language, this.covered)
  }
}

/** Class of a message type: its first two digits. */
const classOf = ({ mti }: MessageIndex): number => Math.trunc(mti / 100)

/** Whether two messages say the same, whichever is marked as a repeat; of reversals also that they take back as much. */
export const isSame = (asked: Language, first: MessageIndex, language: Language, again: MessageIndex): boolean =>
  classOf(first) === classOf(again) &&
  asked.remains(first) === language.remains(again) &&
  language.difference(asked, first, again) === undefined

/** Whether two messages of one form name the same original; where messages have STANs of ours, its STAN is not compared. */
const isAboutSame = (target: Language, first: MessageIndex, again: MessageIndex): boolean => {
  const text = (index: MessageIndex) => {
    const named = target.hasOwnStan ? target.withStan(index, noStan, noStan) : index
    return named === undefined ? "" : target.transaction(named)
  }
  return text(first) === text(again)
}

const noStan = "000000"
