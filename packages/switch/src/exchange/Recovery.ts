/**
 * After a start: brings every exchange that the last run left open to its end (guarantee G2).
 *
 * A request without an end may have left, so its outcome is unknown: it ends as timed out with the reason `restarted`, and money
 * is reversed, both in one journal transaction. It is never sent again. Store-and-forward messages go on where they were, with
 * their attempts counted. Keys of recent exchanges are learned again, so that repeats are recognised across the restart.
 */
import { MessageIndex } from "@jinka/codec"
import { Data, Effect } from "effect"
import { type Entry, secretPan, secretRest } from "../journal/Entry.ts"
import { EntryKind } from "../journal/EntryKind.ts"
import type { JournalError } from "../journal/JournalError.ts"
import { type Language, receivedFieldsOf, sentFieldsOf } from "../message/Language.ts"
import { stanOf } from "../message/Stamp.ts"
import type { Desk } from "./Desk.ts"
import type { Desks } from "./Desks.ts"
import type { DoubtEnd } from "./Doubts.ts"
import { KEY_LENGTH_MAX } from "./Outstanding.ts"
import { Fate, receivedOn, sentOn } from "./RecentKeys.ts"
import type { Reversals } from "./Reversals.ts"
import { sourceOf } from "./Source.ts"
import { type Stored, storedOf } from "./Stored.ts"

/** What a start found and did, for the log. */
export interface Recovered {
  /** Entries read. */
  readonly entries: number
  /** Requests that were open and are ended now. */
  readonly ended: number
  /** Reversals made for them. */
  readonly reversed: number
  /** Store-and-forward messages that go on. */
  readonly resumed: number
}

/**
 * The journal holds open exchanges of links that the configuration does not have, or has with another dialect. Nobody could end
 * or reverse them, so the switch does not start (guarantee G9).
 */
export class LinksMissing extends Data.TaggedError("LinksMissing")<{
  /** Names of the links that are missing. */
  readonly links: ReadonlyArray<string>
  /** Exchanges of theirs that have not ended. */
  readonly open: number
}> {
  override get message() {
    const names = this.links.join(", ")
    return `The journal holds ${this.open} open exchanges of links that the configuration does not have by this name and with this dialect (a dialect file that was changed is another one): ${names}. Put them back as they were until these are ended; only then rename or remove them.`
  }
}

/** Reads the journal's tail and ends or resumes what is open. */
export class Recovery {
  private readonly desks: Desks
  private readonly reversals: Reversals
  /** Requests without an end: their `accepted` entries by exchange. */
  private readonly requests = new Map<number, Entry>()
  private readonly deliver = new Map<number, { readonly desk: Desk; readonly stored: Stored }>()
  /** Open exchanges of links that are not there, with the link's name. */
  private readonly homeless = new Map<number, string>()
  /** Desks by the journal's number and by the name of their link. */
  private readonly byNumber: ReadonlyMap<number, Desk>
  private readonly byName: ReadonlyMap<string, Desk>
  private readonly index = new MessageIndex()
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)

  constructor(desks: Desks, reversals: Reversals) {
    this.desks = desks
    this.reversals = reversals
    this.byNumber = new Map(desks.all.map((desk) => [desk.journalName, desk]))
    this.byName = new Map(desks.all.map((desk) => [desk.name, desk]))
  }

  /** Runs before the first connection is made. Done when everything it wrote is on disk. */
  readonly run: Effect.Effect<Recovered, JournalError | LinksMissing> = Effect.gen({ self: this }, function* () {
    const { desks } = this
    const entries = yield* desks.journal.recover((entry) => this.read(entry))
    if (this.homeless.size > 0) {
      return yield* new LinksMissing({ links: [...new Set(this.homeless.values())].sort(), open: this.homeless.size })
    }
    const ended = this.requests.size
    let reversed = 0
    for (const entry of this.requests.values()) if (this.end(entry)) reversed++
    desks.flush()
    yield* desks.journal.drained
    for (const { desk, stored } of this.deliver.values()) desk.stored.add(stored)
    desks.record.floor = desks.floor()
    return { entries, ended, reversed, resumed: this.deliver.size - reversed }
  })

  private read(entry: Entry): void {
    switch (entry.kind) {
      case EntryKind.accepted:
        this.requests.set(entry.exchange, entry)
        this.needs(entry, this.byName.has(entry.code) ? undefined : entry.code)
        if (!this.learn(entry, this.byNumber.get(entry.link), entry.exchange, Fate.open)) this.unreadable(entry)
        return
      case EntryKind.refused:
        // What spoke for another partner left no trace in the tables, either.
        if (entry.code === this.byNumber.get(entry.link)?.language.refusal.identity) return
        this.learn(entry, this.byNumber.get(entry.link), entry.exchange, Fate.refused)
        return
      case EntryKind.answered:
        this.endRequest(entry, Fate.answered)
        return this.learnSent(entry, this.byNumber.get(entry.link), entry.exchange, Fate.answered)
      case EntryKind.timedOut:
        return this.endRequest(entry, Fate.timedOut)
      case EntryKind.notSent:
        return this.endRequest(entry, Fate.refused)
      case EntryKind.queued:
        return this.queued(entry)
      case EntryKind.sent:
        return this.attempted(entry)
      case EntryKind.acknowledged:
        this.deliver.delete(entry.exchange)
        return this.ended(entry.exchange)
      case EntryKind.abandoned:
        return this.doubted(entry, "abandoned")
      case EntryKind.declined:
        return this.doubted(entry, "declined")
      default:
        return this.desks.doubts.read(entry, this.nameOf(entry))
    }
  }

  /** Notes an exchange whose own link is not there, or whose other link is `missing`. */
  private needs(entry: Entry, missing: string | undefined): void {
    const name = this.byNumber.has(entry.link) ? missing : this.nameOf(entry)
    if (name !== undefined) this.homeless.set(entry.exchange, name)
  }

  /** Notes an exchange whose message today's dialect cannot read: it was changed since. */
  private unreadable(entry: Entry): void {
    this.homeless.set(entry.exchange, this.nameOf(entry))
  }

  private nameOf({ link }: Entry): string {
    return this.desks.journal.names().find(({ id }) => id === link)?.name ?? `number ${link}`
  }

  /** The exchange needs nothing any more. */
  private ended(exchange: number): void {
    this.homeless.delete(exchange)
  }

  private endRequest(end: Entry, fate: Fate): void {
    const accepted = this.requests.get(end.exchange)
    if (accepted === undefined) return
    this.requests.delete(end.exchange)
    this.ended(end.exchange)
    this.learnBoth(accepted, fate)
  }

  /** Remembers an accepted request's key on its origin's link, and on its target's when an answer would be late now. */
  private learnBoth(accepted: Entry, fate: Fate): void {
    this.learn(accepted, this.byNumber.get(accepted.link), accepted.exchange, fate)
    const target = fate === Fate.timedOut ? this.byName.get(accepted.code) : undefined
    this.learnSent(accepted, target, accepted.exchange, fate)
  }

  /**
   * Remembers the key of a message that came to the desk `on`, there with the STAN `stan` when one is given. False when the
   * message cannot be read.
   */
  private learn(entry: Entry, on: Desk | undefined, exchange: number, fate: Fate, stan?: string): boolean {
    const index = this.message(entry, stan)
    if (on === undefined || index === undefined) return false
    const length = this.byNumber
      .get(entry.link)!
      .language.key(index, receivedFieldsOf(on.language, index.mti), this.key)
    this.desks.recent.put(receivedOn(on.id, index.mti), this.key, 0, length, exchange, fate)
    return true
  }

  /** Remembers the key of a request that was sent on the link of the desk `on`. */
  private learnSent(entry: Entry, on: Desk | undefined, exchange: number, fate: Fate): void {
    if (on === undefined) return
    // An answer has the STAN that its request had on its own link; the request itself has its caller's.
    const isOwn = on.language.hasOwnStan && entry.kind === EntryKind.accepted
    const index = this.message(entry, isOwn ? stanOf(exchange) : undefined)
    if (index === undefined) return
    const length = this.byNumber.get(entry.link)!.language.key(index, sentFieldsOf(on.language, index.mti), this.key)
    this.desks.recent.put(sentOn(on.id), this.key, 0, length, exchange, fate)
  }

  /** The entry's message, with another STAN when one is given; `undefined` when it cannot be read in its own link's language. */
  private message(entry: Entry, stan?: string): MessageIndex | undefined {
    const language = this.byNumber.get(entry.link)?.language
    if (language === undefined) return undefined
    // What a key needs and the open copy covers is sealed with the message.
    const isSealed = entry.kind !== EntryKind.queued && secretRest(entry.secret).length > 0
    const isRead = isSealed
      ? this.restore(language, entry)
      : language.index(entry.message, 0, entry.message.length, this.index) === undefined
    if (!isRead) return undefined
    return stan === undefined ? this.index : language.withStan(this.index, stan)
  }

  private queued(entry: Entry): void {
    this.needs(entry, undefined)
    const desk = this.byNumber.get(entry.link)
    if (desk === undefined) return
    const { language } = desk
    // A copy: the entry's own bytes keep all that was read with it in memory, some 256 KiB for each message that waits.
    const bytes = Buffer.from(secretRest(entry.secret))
    if (language.index(bytes, 0, bytes.length, this.index) !== undefined) return this.unreadable(entry)
    const { about, at, exchange } = entry
    const stored = storedOf(language, this.index, { exchange, about, bytes, at })
    this.deliver.set(exchange, { desk, stored })
    const source = sourceOf(entry.code)
    // The stored message is whole; the open copy may have its key covered.
    if (source !== undefined)
      this.learn({ ...entry, message: bytes }, this.byName.get(source.link), exchange, Fate.queued, source.stan)
  }

  /** A message was given up or declined: it is in doubt until a later entry says that a person has ended it. */
  private doubted(entry: Entry, end: DoubtEnd): void {
    const { exchange, code, at } = entry
    const waiting = this.deliver.get(exchange)
    this.deliver.delete(exchange)
    this.ended(exchange)
    // One that began before what is read here is said again in an entry of its own.
    if (waiting === undefined) return
    const { about, mti, stan } = waiting.stored
    this.desks.doubts.add({ exchange, about, end, code, link: waiting.desk.name, mti, stan, at })
  }

  private attempted(entry: Entry): void {
    const waiting = this.deliver.get(entry.exchange)
    if (waiting !== undefined) waiting.stored.attempts = Number(entry.code)
  }

  /** Ends an open request as unknown; true when that made a reversal. */
  private end(entry: Entry): boolean {
    const { record } = this.desks
    const origin = this.byNumber.get(entry.link)
    const target = this.byName.get(entry.code)
    this.learnBoth(entry, Fate.timedOut)
    let stored: Stored | undefined
    record.together(() => {
      record.restarted(entry.exchange, entry.link)
      if (origin === undefined || target === undefined) return
      if (!this.restore(origin.language, entry)) return this.reversals.impossible(target, entry.exchange)
      stored = this.reversals.make(origin, target, this.index, entry.exchange)
      if (stored !== undefined) this.deliver.set(stored.exchange, { desk: target, stored })
    })
    return stored !== undefined
  }

  /** Indexes the entry's message whole, without what stays covered. False when that cannot be read with today's dialect. */
  private restore(language: Language, { message, secret }: Entry): boolean {
    return language.restore(message, secretPan(secret), secretRest(secret), this.index)
  }
}
