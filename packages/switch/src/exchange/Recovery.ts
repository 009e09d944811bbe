/**
 * After a start: brings every exchange that the last run left open to its end (guarantee G2).
 *
 * A request without an end may have left, so its outcome is unknown: it ends as timed out with the reason `restarted`, and money
 * is reversed, both in one journal transaction. It is never sent again. Store-and-forward messages go on where they were, with
 * their attempts counted. Keys of recent exchanges are learned again, so that repeats are recognised across the restart; what is
 * older than that the journal is asked for (`Repeats`).
 */
import { MessageIndex, mtiClass } from "@jinka/codec"
import { Effect } from "effect"
import { type Entry, secretRest } from "../journal/Entry.ts"
import { EntryKind, reversedByPartner, saysLoss } from "../journal/EntryKind.ts"
import type { JournalError } from "../journal/JournalError.ts"
import { sourceOf } from "../journal/Source.ts"
import type { Language } from "../message/Language.ts"
import type { Desk } from "./Desk.ts"
import type { Desks } from "./Desks.ts"
import { dayOf, movedBy } from "./day/BusinessDay.ts"
import type { BusinessDays } from "./day/BusinessDays.ts"
import { saysUnseen } from "./delivery/Approvals.ts"
import { noOriginal } from "./delivery/Deliveries.ts"
import type { DoubtEnd } from "./delivery/Doubts.ts"
import { OURS } from "./delivery/Due.ts"
import { type Stored, storedOf } from "./delivery/Stored.ts"
import type { Originals } from "./entry/Originals.ts"
import { type Known, Outcome } from "./entry/RecentKeys.ts"
import { RecoveredKeys } from "./entry/RecoveredKeys.ts"
import { LinksMissing } from "./LinksMissing.ts"
import { RecoveredApprovals } from "./request/RecoveredApprovals.ts"
import type { Reversals } from "./request/Reversals.ts"
import { Strangers } from "./Strangers.ts"
import { inSlices } from "./turns/Slices.ts"

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

/** Entries after which it is looked for requests of which nothing more will be said. */
const FORGOTTEN_EVERY = 10_000

/** Reads the journal's tail and ends or resumes what is open. */
export class Recovery {
  private readonly desks: Desks
  private readonly days: BusinessDays
  private readonly reversals: Reversals
  private readonly originals: Originals
  private readonly approvals: RecoveredApprovals
  /** Requests without an end: their `accepted` entries by exchange. */
  private readonly requests = new Map<number, Entry>()
  /** Reversals that are made now; the queues learn them when they are on disk. */
  private readonly made: Array<{ readonly desk: Desk; readonly stored: Stored }> = []
  /** The last message for store-and-forward that was read. */
  private last: { readonly language: Language; readonly stored: Stored; readonly origin: Desk | undefined } | undefined
  /** Requests without an end that their own partners have reversed. */
  private readonly takenBack = new Set<number>()
  private readonly strangers: Strangers
  /** Open exchanges of links that are not there, with the link's name. */
  private readonly homeless = new Map<number, string>()
  /** Desks by the names of their links. */
  private readonly byName: ReadonlyMap<string, Desk>
  /** When the first entry that was read was written, in seconds since the epoch. */
  private firstAt = 0
  private readonly keys: RecoveredKeys
  private readonly index = new MessageIndex()

  constructor(desks: Desks, reversals: Reversals, originals: Originals, days: BusinessDays) {
    this.desks = desks
    this.days = days
    this.reversals = reversals
    this.approvals = new RecoveredApprovals(desks, reversals)
    this.originals = originals
    this.strangers = new Strangers(desks)
    this.keys = new RecoveredKeys(desks)
    this.byName = new Map(desks.all.flatMap((desk) => desk.names.map((name) => [name, desk])))
  }

  /**
   * Runs before the first connection is made. Done when everything it wrote is on disk. In slices: whoever owns the switch has to
   * say so all the while, or another node takes it over in the middle of this.
   */
  readonly run: Effect.Effect<Recovered, JournalError | LinksMissing> = Effect.gen({ self: this }, function* () {
    const { desks } = this
    const entries = yield* desks.journal.recover((entry) => {
      if (this.firstAt === 0) this.firstAt = Math.floor(entry.at / 1000)
      this.read(entry)
      if (entry.seq % FORGOTTEN_EVERY === 0) this.keys.forget(entry, this.requests)
    })
    if (this.homeless.size > 0) {
      return yield* new LinksMissing({ links: [...new Set(this.homeless.values())].sort(), open: this.homeless.size })
    }
    const ended = this.requests.size
    const resumed = desks.all.reduce((sum, { stored }) => sum + stored.size, 0)
    let reversed = 0
    const end = (entry: Entry) => {
      if (this.end(entry)) reversed++
    }
    yield* inSlices(this.requests.values(), end, () => desks.flush())
    desks.stans.say()
    desks.flush()
    yield* desks.journal.drained
    yield* inSlices(this.made, ({ desk, stored }) => desk.stored.learn(stored))
    yield* inSlices(this.beginnings(), () => undefined)
    desks.record.floor = desks.floor()
    this.keys.clear()
    this.approvals.lookAgain()
    this.strangers.tell()
    this.older()
    return { entries, ended, reversed, resumed }
  })

  /** All queues begin, a message at a time. */
  private *beginnings(): Generator<void> {
    for (const { stored } of this.desks.all) yield* stored.begin()
  }

  /** What was not read may be repeated, too: until the journal has said how new it is, by what was read. */
  private older(): void {
    const { desks } = this
    const { floor } = desks.journal.recovered
    if (floor <= 1) return
    const upTo = floor - 1
    for (const { recent } of desks.all) recent.before = { upTo, at: this.firstAt, time: recent.newest }
    const asked = desks.journal.newest(upTo, this.strangers.since).pipe(
      Effect.map((links) => {
        for (const { link } of links) if (!this.byName.has(link)) this.strangers.came(link, this.strangers.since)
        this.strangers.tell()
        for (const { names, recent } of desks.all) {
          const times = links.filter(({ link }) => names.includes(link)).map(({ time }) => time)
          recent.before = times.length === 0 ? undefined : { upTo, at: this.firstAt, time: Math.max(...times) }
        }
      }),
      // A journal that has stopped ends the switch.
      Effect.catch(() => Effect.void)
    )
    desks.runtime.fork(asked)
  }

  private read(entry: Entry): void {
    switch (entry.kind) {
      case EntryKind.accepted:
        if (this.desks.named(entry.link) === undefined) this.strangers.came(this.nameOf(entry), entry.at)
        this.requests.set(entry.exchange, entry)
        this.needs(entry, this.byName.has(entry.code) ? undefined : entry.code)
        if (!this.keys.learn(entry, this.desks.named(entry.link), { end: 0, outcome: Outcome.open }))
          this.unreadable(entry)
        return
      case EntryKind.refused:
        if (this.leftNoTrace(entry)) return
        this.keys.learn(entry, this.desks.named(entry.link), { end: entry.seq, outcome: Outcome.refused })
        return
      case EntryKind.answered:
        return this.answered(entry)
      case EntryKind.timedOut:
        return this.endRequest(entry, Outcome.timedOut)
      case EntryKind.notSent:
        return this.endRequest(entry, Outcome.refused)
      case EntryKind.undelivered:
        return this.undelivered(entry)
      case EntryKind.late:
        return this.approvals.cameLate(entry)
      case EntryKind.duplicateAnswer:
        return this.approvals.again(entry)
      case EntryKind.queued:
        return this.queued(entry)
      case EntryKind.sent:
        return this.attempted(entry)
      case EntryKind.acknowledged:
        if (entry.code === noOriginal) this.unseen(entry.exchange)
        return this.acknowledged(entry)
      case EntryKind.held:
        return this.queueOf(entry)?.stored.hold(entry.exchange)
      case EntryKind.released:
        return this.queueOf(entry)?.stored.release(entry.exchange)
      case EntryKind.abandoned:
        return this.doubted(entry, "abandoned")
      case EntryKind.declined:
        return this.doubted(entry, "declined")
      case EntryKind.day:
        return this.day(entry)
      default:
        if (saysLoss(entry.code)) return this.desks.learnLost()
        this.desks.stans.learn(entry)
        return this.desks.doubts.read(entry, this.nameOf(entry))
    }
  }

  private day({ code, link, seq }: Entry): void {
    const [desk, now] = [this.desks.named(link), dayOf(code)]
    if (desk !== undefined && now !== undefined) this.days.learn(desk, seq, now, movedBy(code))
  }

  /** Notes an exchange whose own link is not there, or whose other link is `missing`. */
  private needs(entry: Entry, missing: string | undefined): void {
    const name = this.desks.named(entry.link) === undefined ? this.nameOf(entry) : missing
    if (name !== undefined) this.homeless.set(entry.exchange, name)
  }

  /** Notes an exchange whose message today's dialect cannot read: it was changed since. */
  private unreadable(entry: Entry): void {
    this.homeless.set(entry.exchange, this.nameOf(entry))
  }

  private nameOf({ link }: Entry): string {
    const named = this.desks.named(link) ?? this.desks.journal.names().find(({ id }) => id === link)
    return named?.name ?? `number ${link}`
  }

  /** The exchange needs nothing any more. */
  private ended(exchange: number): void {
    this.homeless.delete(exchange)
  }

  private endRequest(end: Entry, outcome: Outcome): void {
    const accepted = this.requests.get(end.exchange)
    if (accepted === undefined) return
    this.requests.delete(end.exchange)
    this.ended(end.exchange)
    this.endKnown(accepted, { end: outcome === Outcome.timedOut ? 0 : end.seq, outcome })
  }

  /** Remembers how an accepted request ended, and its key on its target's link when an answer would be late now. */
  private endKnown(accepted: Entry, known: Pick<Known, "end" | "outcome">): void {
    this.keys.change(accepted.exchange, known)
    const target = known.outcome === Outcome.timedOut ? this.byName.get(accepted.code) : undefined
    this.keys.learnSent(accepted, target, accepted.exchange, known.outcome)
  }

  /** An approval that nobody heard of was taken back: it is not given again. */
  private undelivered({ exchange, code }: Entry): void {
    if (code === reversedByPartner) return this.reversed(exchange)
    const target = this.byName.get(this.keys.targetOf(exchange))
    if (target?.language.isSuccess(code) !== true) return
    this.desks.approvals.add(exchange)
    this.keys.change(exchange, { end: 0, outcome: Outcome.timedOut })
  }

  /** Its own partner has reversed it, before its answer or behind it: an approval of it is not given again. */
  private reversed(exchange: number): void {
    if (this.approvals.isDeclined(exchange)) return
    if (this.requests.has(exchange)) this.takenBack.add(exchange)
    else this.keys.change(exchange, { end: 0, outcome: Outcome.timedOut })
  }

  private answered(entry: Entry): void {
    this.endRequest(entry, Outcome.answered)
    const outcome = this.approvals.answered(entry) ? Outcome.answered : Outcome.refused
    if (this.takenBack.delete(entry.exchange) && outcome === Outcome.answered) this.reversed(entry.exchange)
    this.keys.learnSent(entry, this.desks.named(entry.link), entry.exchange, outcome)
  }

  /** What spoke for another partner, or had a wrong MAC, is not remembered while the switch runs, either. */
  private leftNoTrace({ code, link }: Entry): boolean {
    const refusal = this.desks.named(link)?.language.refusal
    return code === refusal?.identity || code === refusal?.macFailed
  }

  /** A reversal was acknowledged whose request had never come: should it come after all, it is refused. */
  private unseen(exchange: number): void {
    const { last } = this
    // Both entries were written together.
    if (last?.stored.exchange !== exchange || last.origin === undefined) return
    const { language, origin, stored } = last
    const wrong = language.index(stored.bytes, 0, stored.bytes.length, this.index)
    if (wrong === undefined) this.originals.unseen(origin, this.index, exchange, language)
  }

  /** A reversal of something that had not come: should that come after all, it is refused. */
  private unseenBefore({ language, origin, stored }: NonNullable<Recovery["last"]>): void {
    if (origin === undefined || mtiClass(stored.mti) !== "reversal") return
    language.index(stored.bytes, 0, stored.bytes.length, this.index)
    if (this.originals.known(origin, this.index, language) === undefined)
      this.originals.unseen(origin, this.index, stored.exchange, language)
  }

  private queued(entry: Entry): void {
    this.needs(entry, undefined)
    const desk = this.desks.named(entry.link)
    if (desk === undefined) return
    const { language } = desk
    // A copy: the entry's own bytes keep all that was read with it in memory, some 256 KiB for each message that waits.
    const bytes = Buffer.from(secretRest(entry.secret))
    if (language.index(bytes, 0, bytes.length, this.index) !== undefined) return this.unreadable(entry)
    const { about, at, exchange } = entry
    const source = sourceOf(entry.code)
    const from = source === undefined ? undefined : this.byName.get(source.link)
    if (source !== undefined && from === undefined) this.strangers.came(source.link, at)
    const origin = from === undefined ? OURS : this.desks.groups.partner(from.id)
    const stored = storedOf(language, this.index, { exchange, about, origin, bytes, at })
    desk.stored.learn(stored)
    this.last = { language, stored, origin: from }
    // Under a STAN of ours it names its original by another one; there one that never came is acknowledged at once.
    if (source?.stan === undefined) this.unseenBefore(this.last)
    language.index(bytes, 0, bytes.length, this.index)
    if (from !== undefined && mtiClass(stored.mti) === "reversal") {
      const undone = this.originals.takenBackFrom(desk, from, this.index)
      this.keys.change(undone, { end: 0, outcome: Outcome.timedOut })
    }
    // The stored message is whole; the open copy may have its key covered.
    if (source !== undefined)
      this.keys.learn({ ...entry, message: bytes }, from, { end: 0, outcome: Outcome.queued, to: desk.id }, source.stan)
  }

  private acknowledged(entry: Entry): void {
    const { code, exchange } = entry
    const { approvals, doubts } = this.desks
    const desk = this.queueOf(entry)
    const about = desk?.stored.learnEnd(exchange)?.about ?? 0
    approvals.over(exchange)
    if (desk !== undefined && about !== 0) approvals.ended(about, saysUnseen(desk.language, code))
    doubts.close(exchange)
    this.ended(exchange)
  }

  /** A message was given up or declined: it is in doubt until a later entry says that a person has ended it. */
  private doubted(entry: Entry, end: DoubtEnd): void {
    const { exchange, code, at } = entry
    const desk = this.queueOf(entry)
    const kept = desk?.stored.learnEnd(exchange)
    this.ended(exchange)
    // One that began before what is read here is said again in an entry of its own.
    if (desk === undefined || kept === undefined) return
    const { about, mti, stan } = kept
    this.desks.doubts.add({ exchange, about, end, code, link: desk.name, mti, stan, at })
  }

  private attempted(entry: Entry): void {
    const queue = this.queueOf(entry)
    queue?.stored.learnAttempts(entry.exchange, Number(entry.code))
    // The journal has attempts, and not what they were told.
    if (queue !== undefined) this.desks.approvals.begun(entry.exchange)
  }

  /** The desk whose queue has the message of the entry's exchange: the link's own, nearly always. */
  private queueOf({ exchange, link }: Entry): Desk | undefined {
    const isThere = ({ stored }: Desk) => stored.has(exchange)
    const own = this.desks.named(link)
    return own !== undefined && isThere(own) ? own : this.desks.all.find(isThere)
  }

  /** Ends an open request as unknown; true when that made a reversal. */
  private end(entry: Entry): boolean {
    const { record } = this.desks
    const origin = this.desks.named(entry.link)
    const target = this.byName.get(entry.code)
    this.endKnown(entry, { end: 0, outcome: Outcome.timedOut })
    let stored: Stored | undefined
    record.together(() => {
      record.restarted(entry.exchange, entry.link)
      if (origin === undefined || target === undefined) return
      const request = this.keys.restored(entry, target.language.reversed)
      if (request === undefined) return this.reversals.impossible(target, entry.exchange)
      stored = this.reversals.make(origin, target, request, entry.exchange, "noAnswer")
      if (stored !== undefined) this.made.push({ desk: target, stored })
    })
    return stored !== undefined
  }
}
