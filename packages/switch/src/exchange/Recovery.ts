/**
 * After a start: brings every exchange that the last run left open to its end (guarantee G2).
 *
 * A request without an end may have left, so its outcome is unknown: it ends as timed out with the reason `restarted`, and money
 * is reversed, both in one journal transaction. It is never sent again. Store-and-forward messages go on where they were, with
 * their attempts counted. Keys of recent exchanges are learned again, so that repeats are recognised across the restart.
 */
import { MessageIndex, PatchList } from "@jinka/codec"
import { Data, Effect } from "effect"
import { type Entry, secretPan, secretRest } from "../journal/Entry.ts"
import { EntryKind } from "../journal/EntryKind.ts"
import { JournalError } from "../journal/JournalError.ts"
import type { Link } from "../link/Link.ts"
import type { Books } from "./Books.ts"
import type { Deliveries } from "./Deliveries.ts"
import { KEY_LENGTH_MAX } from "./Outstanding.ts"
import { OwnStan, stanOf } from "./OwnStan.ts"
import { Fate, receivedOn, sentOn } from "./RecentKeys.ts"
import { sourceOf } from "./Source.ts"
import type { Stored } from "./StoreAndForward.ts"

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

const PAN = 2

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
  private readonly books: Books
  private readonly deliveries: Deliveries
  /** Requests without an end: their `accepted` entries by exchange. */
  private readonly requests = new Map<number, Entry>()
  private readonly deliver = new Map<number, { readonly link: Link; readonly stored: Stored }>()
  /** Open exchanges of links that are not there, with the link's name. */
  private readonly homeless = new Map<number, string>()
  /** Open exchanges whose sealed part cannot be opened with the keys given. */
  private readonly sealed = new Set<number>()
  private readonly linkByName = new Map<number, Link>()
  private readonly linkByText = new Map<string, Link>()
  private readonly index = new MessageIndex()
  private readonly patches = new PatchList()
  private readonly ownStan = new OwnStan()
  private readonly key = Buffer.allocUnsafeSlow(KEY_LENGTH_MAX)

  constructor(books: Books, deliveries: Deliveries) {
    this.books = books
    this.deliveries = deliveries
    for (const link of books.links) {
      this.linkByName.set(books.record.nameOf(link), link)
      this.linkByText.set(link.settings.name, link)
    }
  }

  /** Runs before the first connection is made. Done when everything it wrote is on disk. */
  readonly run: Effect.Effect<Recovered, JournalError | LinksMissing> = Effect.gen({ self: this }, function* () {
    const { books } = this
    const entries = yield* books.journal.recover((entry) => this.read(entry))
    if (this.sealed.size > 0) return yield* this.keyWrong()
    if (this.homeless.size > 0) {
      return yield* new LinksMissing({ links: [...new Set(this.homeless.values())].sort(), open: this.homeless.size })
    }
    const ended = this.requests.size
    let reversed = 0
    for (const entry of this.requests.values()) if (this.end(entry)) reversed++
    books.flush()
    yield* books.journal.drained
    for (const { link, stored } of this.deliver.values()) books.store(link, stored)
    books.record.floor = books.floor()
    return { entries, ended, reversed, resumed: this.deliver.size - reversed }
  })

  private read(entry: Entry): void {
    switch (entry.kind) {
      case EntryKind.accepted:
        this.requests.set(entry.exchange, entry)
        this.needs(entry, this.linkByText.has(entry.code) ? undefined : entry.code)
        if (!this.learn(entry, this.linkByName.get(entry.link), entry.exchange, Fate.open)) this.unreadable(entry)
        return
      case EntryKind.refused:
        this.learn(entry, this.linkByName.get(entry.link), entry.exchange, Fate.refused)
        return
      case EntryKind.answered:
        this.endRequest(entry, Fate.answered)
        return this.learnSent(entry, this.linkByName.get(entry.link), entry.exchange, Fate.answered)
      case EntryKind.timedOut:
        return this.endRequest(entry, Fate.timedOut)
      case EntryKind.notSent:
        return this.endRequest(entry, Fate.refused)
      case EntryKind.queued:
        return this.queued(entry)
      case EntryKind.sent:
        return this.attempted(entry)
      case EntryKind.acknowledged:
      case EntryKind.abandoned:
        this.deliver.delete(entry.exchange)
        return this.ended(entry.exchange)
      default:
        return
    }
  }

  /** Notes an exchange whose own link is not there, whose other link is `missing`, or whose sealed part stays sealed. */
  private needs(entry: Entry, missing: string | undefined): void {
    const name = this.linkByName.has(entry.link) ? missing : this.nameOf(entry)
    if (name !== undefined) this.homeless.set(entry.exchange, name)
    if (entry.secretLength > 0 && entry.secret.length === 0) this.sealed.add(entry.exchange)
  }

  /** Notes an exchange whose message today's dialect cannot read: it was changed since. */
  private unreadable(entry: Entry): void {
    this.homeless.set(entry.exchange, this.nameOf(entry))
  }

  private nameOf({ link }: Entry): string {
    return this.books.journal.names().find(({ id }) => id === link)?.name ?? `number ${link}`
  }

  private keyWrong(): JournalError {
    const problem = `${this.sealed.size} exchanges that are still open were sealed with a key that was not given.`
    return JournalError.of("KeyWrong", "the journal", problem)
  }

  /** The exchange needs nothing any more. */
  private ended(exchange: number): void {
    this.homeless.delete(exchange)
    this.sealed.delete(exchange)
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
    this.learn(accepted, this.linkByName.get(accepted.link), accepted.exchange, fate)
    const target = fate === Fate.timedOut ? this.linkByText.get(accepted.code) : undefined
    this.learnSent(accepted, target, accepted.exchange, fate)
  }

  /**
   * Remembers the key of a message that came on the link `on`, there with the STAN `stan` when one is given. False when the
   * message cannot be read.
   */
  private learn(entry: Entry, on: Link | undefined, exchange: number, fate: Fate, stan?: string): boolean {
    const length = on === undefined ? 0 : this.keyOf(entry, on.receivedKey, stan)
    if (on === undefined || length === 0) return false
    this.books.recent.put(receivedOn(on.id, this.index.mti), this.key, 0, length, exchange, fate)
    return true
  }

  /** Remembers the key of a request that was sent on the link `on`. */
  private learnSent(entry: Entry, on: Link | undefined, exchange: number, fate: Fate): void {
    if (on === undefined) return
    // An answer has the STAN that its request had on its own link; the request itself has its caller's.
    const isOwn = on.settings.stan === "own" && entry.kind === EntryKind.accepted
    const length = this.keyOf(entry, on.settings.dialect.match.transaction, isOwn ? stanOf(exchange) : undefined)
    if (length > 0) this.books.recent.put(sentOn(on.id), this.key, 0, length, exchange, fate)
  }

  /**
   * Puts the key of the entry's message into `key`, with another STAN when one is given; 0 when it cannot be read. The message
   * itself stands in the dialect of the entry's own link.
   */
  private keyOf(entry: Entry, fields: ReadonlyArray<number>, stan?: string): number {
    const link = this.linkByName.get(entry.link)
    if (link === undefined) return 0
    const { codec } = link.settings
    if (codec.index(entry.message, 0, entry.message.length, this.index) !== undefined) return 0
    const index = stan === undefined ? this.index : this.ownStan.with(codec, this.index, stan)
    return codec.matchKey(index, fields, this.key, 0)
  }

  private queued(entry: Entry): void {
    this.needs(entry, undefined)
    const link = this.linkByName.get(entry.link)
    if (link === undefined) return
    // A copy: the entry's own bytes keep all that was read with it in memory, some 256 KiB for each message that waits.
    const bytes = Buffer.from(secretRest(entry.secret))
    if (link.settings.codec.index(bytes, 0, bytes.length, this.index) !== undefined) return this.unreadable(entry)
    const stored = this.deliveries.stored(link, entry.exchange, entry.about, bytes, entry.at)
    this.deliver.set(entry.exchange, { link, stored })
    const source = sourceOf(entry.code)
    if (source !== undefined)
      this.learn(entry, this.linkByText.get(source.link), entry.exchange, Fate.queued, source.stan)
  }

  private attempted(entry: Entry): void {
    const waiting = this.deliver.get(entry.exchange)
    if (waiting !== undefined) waiting.stored.attempts = Number(entry.code)
  }

  /** Ends an open request as unknown; true when that made a reversal. */
  private end(entry: Entry): boolean {
    const { books } = this
    const origin = this.linkByName.get(entry.link)
    const target = this.linkByText.get(entry.code)
    this.learnBoth(entry, Fate.timedOut)
    let stored: Stored | undefined
    books.record.together(() => {
      books.record.restarted(entry.exchange, entry.link)
      if (origin === undefined || target === undefined) return
      if (!this.restore(origin, entry)) return this.deliveries.notReversible(target, entry.exchange)
      stored = this.deliveries.reverse(origin, target, this.index, entry.exchange)
      if (stored !== undefined) this.deliver.set(stored.exchange, { link: target, stored })
    })
    return stored !== undefined
  }

  /** Indexes the entry's message with its card number put back. False when that cannot be read with today's dialect. */
  private restore(origin: Link, entry: Entry): boolean {
    const { codec } = origin.settings
    const { index, patches } = this
    if (codec.index(entry.message, 0, entry.message.length, index) !== undefined) return false
    const pan = secretPan(entry.secret)
    if (pan === "" || !index.has(PAN)) return true
    patches.clear()
    patches.set(PAN, pan)
    const whole = Buffer.allocUnsafe(codec.patchedLength(index, patches))
    return codec.index(whole, 0, codec.patch(index, patches, whole, 0), index) === undefined
  }
}
