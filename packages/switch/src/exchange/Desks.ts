/**
 * The desks of one switch, and what they share: routes, groups and limits, the journal and the
 * queue of what waits for it, and the time of the turn. Made once; used only on the switch's own thread.
 */
import { Effect, type Fiber } from "effect"
import { KeyRing } from "../guard/KeyRing.ts"
import { explainModuleError, type ModuleError } from "../guard/ModuleError.ts"
import type { Journal } from "../journal/Journal.ts"
import { Change } from "../link/Bell.ts"
import type { Link } from "../link/Link.ts"
import type { Severity } from "../link/LinkEnded.ts"
import type { Receipt } from "../link/Receipts.ts"
import type { Desk } from "./Desk.ts"
import { Approvals } from "./delivery/Approvals.ts"
import { Doubts } from "./delivery/Doubts.ts"
import { OURS } from "./delivery/Due.ts"
import { KeyHash } from "./entry/KeyHash.ts"
import { Questions } from "./entry/Questions.ts"
import { Groups } from "./Groups.ts"
import { Kin } from "./Kin.ts"
import { Recorder } from "./Recorder.ts"
import type { Router } from "./Router.ts"
import { AnswersUnderWay } from "./request/AnswersUnderWay.ts"
import { StanModes } from "./StanModes.ts"
import { Commits } from "./turns/Commits.ts"
import { FairShare } from "./turns/FairShare.ts"
import { Shares } from "./turns/Shares.ts"
import { Defects } from "./watch/Defects.ts"
import { Lag } from "./watch/Lag.ts"
import { type Stall, Stalls } from "./watch/Stalls.ts"
import { Codes } from "./watch/Traffic.ts"

/** Entries behind the last one that a restart reads for the keys of recent exchanges: some 10,000 transactions. */
const REMEMBERED = 30_000

/** How long a repeat is recognised where nothing else is said: a day, in milliseconds. */
export const REPEATS_MS = 86_400_000

/** Accepted requests that each link's memory holds at least: as many as its window, usually. */
const REMEMBERED_MIN = 2048

/** Limits of the exchanges. */
export interface Limits {
  /** From acceptance to the end of a request without an answer, in milliseconds. */
  readonly requestTimeoutMs: number
  /** Accepted requests that are remembered in memory, over all links; what memory forgets is looked up in the journal. */
  readonly recentKeys: number
  /** How long a repeat is recognised, in milliseconds. Left out: `REPEATS_MS`. */
  readonly repeatsMs?: number
  /** Messages that wait for one link that memory holds whole; the others are read from the journal. Left out: `WHOLE_MAX`. */
  readonly storedWhole?: number
  /** Bytes on their way to disk above which new requests are refused, and above which links are not read any more. */
  readonly unwrittenRefuse: number
  readonly unwrittenStop: number
}

/** Clocks and fibers, from the Effect runtime that the switch runs in. */
export interface Runtime {
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number
  /** A number of chance, 0 to below 1. */
  readonly chance: () => number
  /** Starts an effect beside the switch; used for rare work only. */
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
}

/**
 * What keeps the switch from taking new work: its disk has too little room left or is too far behind, or the journal's store is
 * away.
 */
export type FullBy = "disk" | "lag" | "away"

/** See above. */
export class Desks {
  /** By number. A removed link keeps its desk, because exchanges and the journal name desks by number. */
  readonly all: Array<Desk> = []
  /** Replaced as a whole by a reload, in one turn with the limits and the links. */
  router: Router
  limits: Limits
  readonly journal: Journal["Service"]
  readonly runtime: Runtime
  readonly record: Recorder
  readonly commits = new Commits()
  /** The hash of match keys: another one at each start. */
  readonly hash: KeyHash
  /** The open requests of all desks, by the number of the desk that they come from. */
  readonly open = new Shares()
  /** What the journal is being asked about messages of partners. */
  readonly questions: Questions = new Questions(this)
  /**
   * Requests whose answers are on their way to their origins and not known to be delivered, by exchange. They are nobody's at any
   * desk: a reload may change the target's meanwhile.
   */
  readonly telling = new AnswersUnderWay()
  /** By which STANs partners know what was sent to them. */
  readonly stans: StanModes = new StanModes(this)
  /** What waits for a person. */
  readonly doubts = new Doubts()
  /** Requests that were approved and have to be taken back. */
  readonly approvals = new Approvals()
  /** Links used as one destination. */
  readonly groups: Groups = new Groups(this.all)
  /** Links of one partner. */
  readonly kin: Kin = new Kin(this.all, this.groups)
  /** What was thrown while a message was handled, and given up. */
  readonly defects: Defects = new Defects(this)
  /** The keys of all links, by the numbers of their desks. */
  readonly keys = new KeyRing()
  /** When the switch stood still. */
  readonly stalls: Stalls
  /** How long the journal takes. */
  readonly lag: Lag
  /** Happens when the journal's store is away from now on. */
  readonly leftAlone = new Change()
  /** Happens at the end of each turn. */
  readonly turned = new Change()
  /** Answers since the start, by response code. */
  readonly answers = new Codes()
  /** Monotonic milliseconds as of the current turn: one reading of the clock for a whole batch. */
  now = 0
  /** What makes it the time of day. */
  private wallAhead = 0
  /** The same as of the start. */
  private readonly wallAheadAtStart: number
  private readonly touched = new Set<Link>()
  /** Desks by the journal's numbers of their links' names. */
  private journalNames: ReadonlyMap<number, Desk> = new Map()
  /** Shares of the way to disk, by the partners' numbers. */
  private readonly ways: Array<FairShare | undefined> = []

  constructor(router: Router, journal: Journal["Service"], limits: Limits, runtime: Runtime) {
    this.router = router
    this.journal = journal
    this.limits = limits
    this.runtime = runtime
    const turnMs = () => Math.trunc(this.wallMs)
    this.record = new Recorder(journal, runtime.wallMs, turnMs, () => this.limits.unwrittenRefuse)
    this.hash = KeyHash.drawn(runtime.chance)
    this.tick()
    this.wallAheadAtStart = this.wallAhead
    // What passes before the first tick is the start's own work, and no stall.
    this.stalls = new Stalls(Number.POSITIVE_INFINITY)
    this.lag = new Lag(this.now)
  }

  /** Puts a new desk behind the others. Its memory is given to it by `share`. */
  add(desk: Desk): void {
    this.all[desk.id] = desk
    this.record.name(desk)
  }

  /** Takes the links as they are now: who belongs together, and how much memory each has under the limits as they are. */
  share(): void {
    this.kin.change()
    this.journalNames = new Map([...this.formerNames(), ...this.all.map((desk) => [desk.journalName, desk] as const)])
    const capacity = Math.max(REMEMBERED_MIN, Math.floor(this.limits.recentKeys / this.present.length))
    for (const { recent } of this.all) {
      recent.capacity = capacity
      recent.seconds = this.repeatSeconds
    }
  }

  /** Desks by the journal's numbers of the names that their links had before, with the same dialect. */
  private *formerNames(): Iterable<readonly [number, Desk]> {
    const isFormer = this.present.filter(({ names }) => names.length > 1)
    for (const { dialect, id, name } of isFormer.length === 0 ? [] : this.journal.names()) {
      const desk = isFormer.find(({ language, names }) => language.name === dialect && names.includes(name))
      if (desk !== undefined) yield [id, desk]
    }
  }

  /** The desk whose link has this name, or had it before. */
  called(link: string): Desk | undefined {
    return this.present.find(({ name }) => name === link) ?? this.present.find(({ names }) => names.includes(link))
  }

  /** How long a repeat is recognised, in seconds. */
  get repeatSeconds(): number {
    return Math.ceil((this.limits.repeatsMs ?? REPEATS_MS) / 1000)
  }

  /** Milliseconds since the epoch as of the current turn. */
  get wallMs(): number {
    return this.now + this.wallAhead
  }

  /**
   * By what memory ages: seconds since the epoch at the start, and then those of the monotonic clock. Whoever sets the machine's
   * clock ahead makes the switch forget no repeat.
   */
  get seconds(): number {
    return Math.trunc((this.now + this.wallAheadAtStart) / 1000)
  }

  /** The desk with this number. */
  at(id: number): Desk {
    return this.all[id]!
  }

  /** How much of the way to disk the partner of the desk fills. */
  wayOf({ id }: Desk): FairShare {
    const partner = this.groups.partner(id)
    this.ways[partner] ??= new FairShare()
    return this.ways[partner]
  }

  /** The desk of a link. */
  of({ id }: Link): Desk {
    return this.all[id]!
  }

  /** The journal's number of a link's name, also of one that the configuration does not have any more; 0: it is not known. */
  nameOf(link: string): number {
    const desk = this.all.find(({ name }) => name === link)
    return desk?.journalName ?? this.journal.names().find(({ name }) => name === link)?.id ?? 0
  }

  /** The desk whose link's name has this number in the journal. */
  named(journalName: number): Desk | undefined {
    return this.journalNames.get(journalName)
  }

  /** The desks whose links the configuration has. */
  get present(): ReadonlyArray<Desk> {
    return this.all.filter(({ link }) => !link.isGone)
  }

  /** Reads the clock: at the beginning of each turn. */
  tick(): void {
    this.now = this.runtime.monotonicMs()
    this.wallAhead = this.runtime.wallMs() - this.now
  }

  /** Follows what is on its way to disk; gives a stall that has just ended. */
  watchJournal(): Stall | undefined {
    const { committedSeq, pendingEntries } = this.journal.writer
    // A store that is away says so itself.
    const pending = this.isAway ? 0 : pendingEntries
    this.lag.tick(this.now, committedSeq, pending)
    return this.stalls.tick(this.now, committedSeq, pending)
  }

  /** Whether the journal's store does not answer: whatever waits for it waits until it does. */
  get isAway(): boolean {
    return this.journal.refuses() === "away"
  }

  /** Whether the journal lags too far behind, or its disk is too full, for new work. */
  get isFull(): boolean {
    return this.fullBy !== undefined
  }

  /** Why no new work is taken; `undefined`: it is. */
  get fullBy(): FullBy | undefined {
    const refuses = this.journal.refuses()
    if (refuses !== undefined) return refuses === "away" ? "away" : "disk"
    return this.record.pendingBytes > this.limits.unwrittenRefuse ? "lag" : undefined
  }

  /** What room the journal takes, and what may be dropped, in words, as of the last look; "": nobody has looked yet. */
  room = ""

  /** The module cannot use a key: somebody has to look at it. */
  keyUnusable(desk: number, error: ModuleError): void {
    const at = this.at(desk)
    const noted = at.keyAlarms.add("key", explainModuleError(error), this.now)
    if (noted !== undefined) this.alarm(at, at.link.epoch, noted)
  }

  /**
   * Calls `run` once entry `seq` is on disk: now, when it is, or when it was spared (0). `desk`: whose partner it is for; left
   * out: the switch itself.
   */
  after(desk: Desk | undefined, seq: number, run: () => void): void {
    if (seq <= this.journal.writer.committedSeq) run()
    else this.commits.after(desk === undefined ? OURS : this.partnerOf(desk), seq, run)
  }

  /** The same for what promises nothing, a refusal: while the store is away it does not wait. */
  afterRefusal(desk: Desk, seq: number, run: () => void): void {
    if (this.isAway) run()
    else this.after(desk, seq, run)
  }

  /** The number of the partner whose link is at the desk. */
  partnerOf({ id }: Desk): number {
    return this.groups.partner(id)
  }

  /** Whether everything up to entry `seq` is on disk, and what waited for that is done. */
  isDone(seq: number): boolean {
    return this.journal.writer.committedSeq >= seq && this.commits.first > seq
  }

  /** Notes what somebody has to look at now, in journal and log. */
  alarm(desk: Desk, epoch: number, text: string): void {
    this.record.event(desk, text, epoch)
    this.runtime.fork(Effect.annotateLogs(Effect.logError(text), { link: desk.name, epoch }))
  }

  /** The link has something to write at the end of this turn. */
  touch(link: Link): void {
    this.touched.add(link)
  }

  /** Ends a turn: what was recorded goes to the journal, what was built goes to the partners. */
  flush(): void {
    this.record.flush()
    this.questions.flush()
    for (const link of this.touched) link.flush()
    this.touched.clear()
    this.turned.happened()
  }

  /**
   * Somebody is given the answer of this exchange again: who has to hear what becomes of that, because the first time is still on
   * its way. An approval is taken back only when nobody can have heard it.
   */
  alsoTelling(exchange: number): Receipt | undefined {
    const slot = this.telling.of(exchange)
    if (slot !== undefined) slot.copies++
    return slot
  }

  /** The link that carries an answer of ours to a message that came on connection `epoch` of `link`. */
  wayBackOn(link: Link, epoch: number): Link | undefined {
    // The connection that it came on, or none: another one has another caller at its end.
    if (link.short !== undefined) return link
    const isSame = link.epoch === epoch
    // On a new one it would be taken for the answer to what is asked there.
    if (link.settings.mode === "sync-long") return isSame && link.canSend ? link : undefined
    const isOwn = link.canSend && (isSame || link.isSignedOn)
    return isOwn ? link : this.groups.wayBack(link.id)
  }

  /** Puts an answer of ours, as it is to leave, on the link that `wayBackOn` gave. */
  put(way: Link, epoch: number, message: Buffer, length: number, receipt?: Receipt): boolean {
    if (way.short !== undefined) return way.short.answer(epoch, message, length, receipt, !this.isAway)
    if (!way.language.takes(message, 0, length)) return false
    const session = way.session!
    session.put(message, length)
    if (receipt !== undefined) session.receipt(receipt)
    // What leaves while the store is away are refusals, which promise nothing; an acknowledgement says what is on disk.
    else if (!this.isAway) session.outbox.promise()
    this.touch(way)
    return true
  }

  /** At the start: the journal has lost entries, so whatever waits may have been sent. It goes out as a repeat. */
  learnLost(): void {
    for (const { stored } of this.all) for (const exchange of stored.learnLost()) this.approvals.begun(exchange)
  }

  /** A line about a link, in the journal and in the log. */
  note(desk: Desk, epoch: number, text: string, severity: Severity): void {
    this.record.event(desk, text, epoch)
    const line = severity === "info" ? Effect.logInfo(text) : Effect.logWarning(text)
    this.runtime.fork(Effect.annotateLogs(line, { link: desk.name, epoch }))
  }

  /** Notes what a person did, to a link or to the switch (`undefined`), in journal and log. */
  acted(desk: Desk | undefined, text: string): void {
    this.record.act(desk, text)
    this.flush()
    const line = Effect.logInfo(text)
    this.runtime.fork(
      desk === undefined ? line : Effect.annotateLogs(line, { link: desk.name, epoch: desk.link.epoch })
    )
  }

  /** The link is ready: what is stored at its own desk, or at another of the same partner, may go out. */
  carriesAgain(desk: Desk): void {
    desk.stored.linkReady()
    for (const other of this.groups.others(desk.id)) other.stored.linkReady()
  }

  /**
   * A connection of the link has ended: what it carried for itself or for another of its partner is not under way. `epoch`:
   * which of a short link's; left out: all that it has.
   */
  carriedLost(desk: Desk, epoch?: number): void {
    const one = epoch === undefined ? undefined : { epoch, nowMs: this.now }
    desk.stored.linkLost(desk.id, one)
    for (const other of this.groups.others(desk.id)) other.stored.linkLost(desk.id, one)
  }

  /**
   * From where a restart has to read: the oldest exchange that has not ended, and some way back for the keys of recent ones.
   * Never past what is on disk and done: an entry on its way there may open a delivery that no queue knows yet.
   */
  floor(): number {
    return Math.min(Math.max(1, this.done + 1 - REMEMBERED), this.oldestOpen())
  }

  /** The last entry that is on disk and done. */
  private get done(): number {
    return Math.min(this.journal.writer.committedSeq, this.commits.first - 1)
  }

  /** The first entry of all that has not ended, or is in doubt; the one behind the last where there is nothing. */
  oldestOpen(): number {
    let oldest = Math.min(this.done + 1, this.doubts.floor)
    for (const { outstanding, stored } of this.all) {
      outstanding.forEach(({ exchange }) => {
        oldest = Math.min(oldest, exchange)
      })
      oldest = Math.min(oldest, stored.oldest)
    }
    return oldest
  }
}
