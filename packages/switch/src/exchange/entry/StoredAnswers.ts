/**
 * The answer that was given once, given again: for a partner that repeats a request which has ended.
 *
 * The journal holds the answer without card data. What is missing comes from the repeated request itself, so the partner gets
 * the same response code, authorisation number and settlement date as the first time. A refusal is given again with its code. (An
 * approval that could not be delivered was taken back: nobody may hear of it, and memory knows it as timed out.)
 */
import { MessageIndex } from "@jinka/codec"
import { Effect } from "effect"
import type { Entry } from "../../journal/Entry.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import type { Receipt } from "../../link/Receipts.ts"
import type { Language } from "../../message/Language.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import { Shares } from "../turns/Shares.ts"
import type { Known } from "./RecentKeys.ts"

/**
 * Answers being read at once; a partner has at most three quarters of them. Repeats above that get none and come again: reading
 * must not hold up the commits.
 */
const READS_MAX = 64

/** Answers that were read last and are kept: who repeats a request does so more than once. */
const KEPT_MAX = 1024

/** Reads answers back from the journal and sends them: two entries by their numbers, once for many repeats. */
export class StoredAnswers {
  private readonly desks: Desks
  private readonly stored = new MessageIndex()
  private readonly repeated = new MessageIndex()
  private readonly covered = new MessageIndex()
  private readonly asked = new MessageIndex()
  private readonly shares = new Shares()
  /** Entries that say how an exchange ended, by its number; those asked for last are the last. */
  private readonly kept = new Map<number, ReadonlyArray<Entry>>()

  constructor(desks: Desks) {
    this.desks = desks
  }

  /**
   * Sends the answer of an exchange to `desk`, made for `request`; nothing where the journal cannot say what it was: another one
   * than the first would be a second one (G3). `receipt` hears whether the answer was delivered.
   */
  again(desk: Desk, epoch: number, { exchange, end }: Known, request: Buffer, receipt: Receipt | undefined): void {
    const { desks } = this
    const unread = (why: string) => {
      receipt?.settle(false)
      this.unread(desk, epoch, why)
    }
    const send = (entries: ReadonlyArray<Entry>) => {
      const again = this.from(entries, desk, request)
      if (again === undefined) unread("its entries do not say it")
      else if (!desks.send(desk, epoch, again, undefined, receipt)) receipt?.settle(false)
    }
    const kept = this.kept.get(exchange)
    if (kept !== undefined) {
      this.keep(exchange, kept)
      send(kept)
      return
    }
    const partner = desks.groups.partner(desk.id)
    if (!this.shares.may(partner, READS_MAX, true)) {
      receipt?.settle(false)
      return desk.link.release(epoch)
    }
    this.shares.take(partner)
    const found = desks.journal.entries(end === 0 ? [exchange] : [exchange, end]).pipe(
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
        Effect.sync(() => this.shares.leave(partner))
      )
    )
  }

  /** What was answered cannot be read, as `why` says. */
  private unread({ link, perhapsRepeats }: Desk, epoch: number, why: string): void {
    const text = `a repeat was left unanswered, for its answer cannot be read: ${why}`
    const noted = perhapsRepeats.add("unread", text, this.desks.now)
    if (noted !== undefined) link.warned(noted, epoch)
    link.release(epoch)
  }

  private keep(exchange: number, entries: ReadonlyArray<Entry>): void {
    this.kept.delete(exchange)
    this.kept.set(exchange, entries)
    if (this.kept.size > KEPT_MAX) this.kept.delete(this.kept.keys().next().value!)
  }

  private from(entries: ReadonlyArray<Entry>, desk: Desk, request: Buffer): Buffer | undefined {
    try {
      return this.made(entries, desk, request)
    } catch (thrown) {
      this.desks.defects.met(desk, desk.link.epoch, "a stored answer could not be made again", thrown)
      return undefined
    }
  }

  /** What an exchange's entries say that its origin was told; `undefined` when they do not say it. */
  private made(entries: ReadonlyArray<Entry>, { language }: Desk, request: Buffer): Buffer | undefined {
    const has = (kind: EntryKind) => entries.find((entry) => entry.kind === kind)
    if (language.index(request, 0, request.length, this.repeated) !== undefined) return undefined
    const refused = has(EntryKind.refused) ?? has(EntryKind.notSent)
    if (refused !== undefined) return language.answer(this.repeated, refused.code)
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

  /**
   * Whether the request says the same as the one that was answered, as its own entry has it: a used key with another amount or
   * card is no repeat (G6). The answer need not have said what it was about.
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
    return language.difference(asked, this.asked, this.covered) === undefined
  }
}
