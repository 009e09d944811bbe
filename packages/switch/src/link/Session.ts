/**
 * One connection epoch of a link: a receiver fiber, a sender fiber and a keeper fiber on one connection.
 *
 * The receiver hands on what comes (`Receiver`). The sender writes all that has gathered in one go. The keeper owns every clock
 * of the connection: idle frames, watchdog, sign-on, frame deadline, slow partner. Whichever fails first ends the epoch with a
 * reason.
 */
import { frameOverhead, idleFrame, type Message, wholeFrame, writeFrame } from "@jinka/codec"
import { Clock, Effect, Random } from "effect"
import type * as NetworkManagement from "../message/NetworkManagement.ts"
import { monotonicMs } from "../transport/Monotonic.ts"
import type { Connection, ConnectionEnded } from "../transport/Transport.ts"
import type { Asked } from "./Asked.ts"
import { Bell } from "./Bell.ts"
import { Deadlines } from "./Deadlines.ts"
import { endedBy, type LinkEnded } from "./LinkEnded.ts"
import type { SessionClocks } from "./LinkStatus.ts"
import { Management } from "./Management.ts"
import { Outbox } from "./Outbox.ts"
import { heard, type Receipt, Receipts } from "./Receipts.ts"
import { Receiver, type ReceivingSession } from "./Receiver.ts"
import type { SessionOwner } from "./SessionOwner.ts"
import { SessionWatchdog, type WatchedSession } from "./SessionWatchdog.ts"

/** How often bytes that may not leave are looked at again. */
const MAY_NOT_LEAVE_MS = 20

/** Longest sleep of the keeper, in milliseconds. */
const SLEEP_MAX_MS = 60_000

/** The state of one connection and what its fibers do. Made by its owner for each connection, and thrown away with it. */
export class Session implements ReceivingSession, WatchedSession {
  private readonly link: SessionOwner
  readonly epoch: number
  readonly connection: Connection
  readonly outbox: Outbox
  readonly openedAt: number
  lastReceived: number
  arrivedAt: number
  lastSent: number
  /** Bytes read and written on this connection. */
  bytesReceived = 0
  bytesSent = 0
  readonly management: Management
  private readonly clock: Clock.Clock
  private readonly before: number
  private readonly overhead: number
  /** Milliseconds after which an idle frame goes out; 0 also when the frame has none. */
  private readonly idleMs: number
  /** Longest sleep of the keeper: a write or frame that begins must never have to wake it for its own deadline. */
  private readonly sleepMaxMs: number
  readonly watchdog: SessionWatchdog
  readonly deadlines: Deadlines
  private readonly receiver: Receiver
  private readonly receipts = new Receipts()
  private isFinished = false
  private isHalf = false
  private failure: LinkEnded | undefined
  private isAnsweringOnly = false
  private wakeAt = 0
  private readonly keeper = new Bell<undefined>()

  constructor(link: SessionOwner, epoch: number, connection: Connection, clock: Clock.Clock, chance: () => number) {
    this.link = link
    this.epoch = epoch
    this.connection = connection
    this.clock = clock
    this.outbox = new Outbox(link.settings.short !== undefined)
    this.deadlines = new Deadlines(link.settings, connection)
    const { before, after } = frameOverhead(link.settings.frame)
    this.before = before
    this.overhead = before + after
    const { frame, frameTimeoutMs, idleMs, writeTimeoutMs } = link.settings
    this.idleMs = idleFrame(frame) === undefined ? 0 : idleMs
    this.sleepMaxMs = Math.min(SLEEP_MAX_MS, frameTimeoutMs, writeTimeoutMs)
    this.openedAt = this.lastReceived = this.arrivedAt = this.lastSent = this.now()
    this.management = new Management(
      link,
      {
        now: () => this.now(),
        wallMs: () => this.clock.currentTimeMillisUnsafe(),
        put: (message, isUrgent) =>
          link.events.leaving(message, (sealed) => {
            if (isUrgent) this.putUrgent(sealed)
            else this.put(sealed)
            this.outbox.flush()
          }),
        flush: () => this.outbox.flush(),
        fail: (ended) => this.fail(ended),
        wake: (at) => this.wake(at),
        signedOn: () => this.signedOnMaybe(),
        proved: (words) => this.watchdog.proved(words)
      },
      this.openedAt
    )
    this.watchdog = new SessionWatchdog(link.settings.watchdog, this, chance)
    this.receiver = new Receiver(link, this)
  }

  /** A session for connection `epoch` of `link`, not running yet, with the clock and the chance of the fiber that opens it. */
  static open(link: SessionOwner, epoch: number, connection: Connection): Effect.Effect<Session> {
    return Effect.map(
      Effect.all([Clock.Clock, Random.Random]),
      ([clock, random]) => new Session(link, epoch, connection, clock, () => random.nextDoubleUnsafe())
    )
  }

  /** The partner has closed its direction, and the connection lasts only until it has its answers. */
  get isHalfClosed(): boolean {
    return this.isAnsweringOnly
  }

  /** What has ended it, where its fibers have not seen it yet. */
  get failed(): LinkEnded | undefined {
    return this.failure
  }

  /** Monotonic milliseconds. */
  now(): number {
    return monotonicMs(this.clock)
  }

  /** Room for a message of at most `length` bytes in the outbox; returns its offset in `outbox.buffer`. */
  begin(length: number): number {
    return this.outbox.begin(length + this.overhead) + this.before
  }

  /** The message begun last has `length` bytes: puts the length header before it. */
  end(at: number, length: number): void {
    this.outbox.end(writeFrame(this.link.settings.frame, this.outbox.buffer, at - this.before, length))
    this.cap()
  }

  /** Puts the first `length` bytes of `message`, a whole message, into the outbox. */
  put(message: Buffer, length = message.length): void {
    const at = this.begin(length)
    message.copy(this.outbox.buffer, at, 0, length)
    this.end(at, length)
  }

  /** Puts a whole message in front of everything that is not being written yet. */
  putUrgent(message: Buffer): void {
    this.outbox.putUrgent(wholeFrame(this.link.settings.frame, message))
    this.cap()
  }

  /** Asks to be told what becomes of the answer that was put last, and that the journal has. */
  receipt(receipt: Receipt): void {
    this.receipts.add(this.outbox.promise(), receipt)
  }

  private cap(): void {
    const ended = this.deadlines.overfull(this.outbox.waiting)
    if (ended !== undefined) this.fail(ended)
  }

  /** What is put into the outbox can leave: our FIN has not gone out, and nothing has broken the connection. */
  get canWrite(): boolean {
    return !this.isFinished && this.failure === undefined
  }

  /** Ends the connection with a reason, from any fiber or from the switch. */
  fail(ended: LinkEnded): void {
    this.failure ??= ended
    if (!this.isUndecided) {
      this.receipts.broken(this.outbox.handed(this.connection.unsent()))
      this.connection.close("reset")
    }
    this.wake(0)
  }

  /** The kernel has answers that were written since the partner's FIN, and all of them: nobody knows yet whether it heard. */
  private get isUndecided(): boolean {
    const isWriting = this.outbox.waiting > 0 || this.deadlines.writingSince > 0
    return this.isHalfClosed && !isWriting && this.connection.probe !== undefined && this.receipts.isHolding
  }

  /** Ends the connection in order: FIN goes out behind what is unsent, and the partner's is waited for a moment. */
  close(ended: LinkEnded): void {
    if (this.failure !== undefined || this.deadlines.finishing !== undefined) return
    // It ends by itself, once it is known whether the partner has heard.
    if (ended.reason === "Done" && this.isHalfClosed && this.receipts.size > 0) return
    if (this.connection.finish === undefined) {
      this.failure = ended
      this.connection.close("fin")
      return this.wake(0)
    }
    this.wake(this.deadlines.finish(ended, this.now()))
    if (this.outbox.waiting > 0 || this.deadlines.writingSince > 0) this.outbox.flush()
    else this.finish()
  }

  private finish(): void {
    this.isFinished = true
    // A short connection that has served its exchange waits for nothing.
    if (this.deadlines.finishing !== undefined && this.link.settings.short !== undefined) this.connection.close("fin")
    else this.connection.finish?.()
  }

  /** Closes our half as soon as everything is written, and goes on reading. */
  closeHalf(): void {
    this.isHalf = true
    if (this.outbox.waiting > 0 || this.deadlines.writingSince > 0) this.outbox.flush()
    else this.finish()
  }

  /** Ends the connection at `at` (monotonic milliseconds) with `ended`, unless another limit is set before. */
  limit(at: number, ended: LinkEnded): void {
    this.deadlines.limit(at, ended)
    this.wake(at)
  }

  /** Every clock of the connection as it is. */
  get clocks(): SessionClocks {
    const { now, isOn, due } = this.watchdog
    return {
      watchdog: now.phase,
      isProbing: now.pending,
      proofsMissing: now.proofsMissing,
      watchdogDue: isOn ? due : 0,
      unheardSince: this.lastSent > this.lastReceived ? this.lastReceived : 0,
      ...this.deadlines.clocks
    }
  }

  /** Runs until the connection ends; never fails otherwise. */
  readonly run: Effect.Effect<LinkEnded> = Effect.suspend(() => {
    this.management.opened()
    this.signedOnMaybe()
    this.outbox.flush()
    return Effect.raceAllFirst<Effect.Effect<never, LinkEnded>>([this.receiver.run, this.send, this.keep])
  }).pipe(
    Effect.catch((ended) =>
      Effect.sync(() => {
        if (ended.reason === "PeerReset") this.breakOff()
        return this.failure ?? this.deadlines.finishing?.ended ?? ended
      })
    ),
    // It makes room for the next connection at once, and goes on waiting for the reset of a partner that was gone.
    Effect.tap(() => (this.isUndecided ? Effect.forkDetach(this.hear) : Effect.sync(() => this.over()))),
    Effect.onInterrupt(() => Effect.sync(() => this.over()))
  )

  /** Given up before it was known whether the partner, which had closed its direction, heard the last answers. */
  private readonly hear: Effect.Effect<void> = Effect.suspend(() => this.resetCame).pipe(
    Effect.catch(() => Effect.sync(() => this.receipts.unheard())),
    Effect.ensuring(Effect.sync(() => this.over()))
  )

  private get resetCame(): Effect.Effect<void, ConnectionEnded> {
    const isFinAwaited = this.link.settings.frame.kind === "until-close"
    return Effect.map(heard(this.connection, this.receipts, isFinAwaited), () => this.receipts.heard())
  }

  private over(): void {
    if (this.deadlines.finishing === undefined) this.breakOff()
    else this.hangUp()
    if (this.receipts.end()) this.link.events.turn(this)
  }

  /** See `ReceivingSession`: what a write has taken leaves before the FIN, and may be heard. */
  hangUp(): void {
    if (this.deadlines.writingSince > 0) this.receipts.broken(this.outbox.handed(0))
    this.connection.close("fin")
  }

  /** Of a write under way the partner may have heard what the kernel has, and of that alone. */
  private breakOff(): void {
    this.receipts.broken(this.writtenTo)
    this.connection.close("reset")
  }

  /** How far the kernel has what was written, where a write is under way; `undefined`: as far as it was known to have it. */
  private get writtenTo(): number | undefined {
    return this.deadlines.writingSince > 0 ? this.outbox.handed(this.connection.unsent()) : undefined
  }

  /** A partner that has only finished sending gets the answers that it waits for, as long as a write may take. */
  answered(ended: LinkEnded): Effect.Effect<void> {
    const { events } = this.link
    const owing = events.owing(this)
    const isOwing = () => owing() || this.outbox.waiting > 0 || this.deadlines.writingSince > 0
    if (!isOwing()) return Effect.void
    this.isAnsweringOnly = true
    this.receipts.hold(this.writtenTo)
    this.watchdog.stop()
    this.management.satisfied()
    this.deadlines.frameSince = 0
    // Ours may have been the first FIN.
    this.link.halfClosed(this, this.deadlines.finishing?.ended ?? ended)
    const { short, writeTimeoutMs } = this.link.settings
    return events
      .turned(this)
      .until(() => !isOwing(), short?.idleMs ?? writeTimeoutMs)
      .pipe(
        Effect.andThen(Effect.suspend(() => this.resetCame)),
        Effect.catch((gone) => Effect.sync(() => this.foundNobody(gone)))
      )
  }

  /** The partner that had closed its direction was gone altogether: nothing that was written since has been heard. */
  private foundNobody(gone: ConnectionEnded): void {
    this.receipts.unheard()
    this.fail(endedBy(gone))
  }

  private readonly send: Effect.Effect<never> = Effect.suspend(() => {
    if (this.isFinished) return Effect.never
    if (this.outbox.holdsPromise && !this.link.events.mayLeave()) return Effect.sleep(MAY_NOT_LEAVE_MS)
    const bytes = this.outbox.take()
    if (bytes === undefined && (this.deadlines.finishing !== undefined || this.isHalf)) this.finish()
    if (bytes === undefined) return this.outbox.wait
    this.lastSent = this.deadlines.writingSince = this.now()
    this.bytesSent += bytes.length
    this.wake(this.lastSent + this.link.settings.writeTimeoutMs)
    return this.connection.write(bytes).pipe(
      // The receiver tells of the end, behind the last bytes that came before it: an answer may be among them. Until then what
      // cannot be written is dropped: it is no slow partner's.
      Effect.match({
        onFailure: (ended) => {
          if (this.isHalfClosed) return this.foundNobody(ended)
          // Nothing of a write that was not begun is left behind.
          const unsent = this.connection.unsent()
          this.receipts.broken(unsent === 0 ? undefined : this.outbox.handed(unsent))
        },
        onSuccess: () => this.receipts.handed(this.outbox.handed(0))
      }),
      Effect.map(() => {
        this.deadlines.writingSince = 0
        this.outbox.written(bytes)
        // Somebody may wait for the last answer to have left.
        if (this.isAnsweringOnly) this.link.events.turned(this).happened()
      })
    )
  }).pipe(Effect.forever({ disableYield: true }))

  /** Once both sign-ons are there the watchdog starts: at once on a first connection, by proofs on a reopened one. */
  private signedOnMaybe(): void {
    if (!this.link.isSignedOn) return
    this.management.satisfied()
    this.watchdog.begin(this.epoch <= 1)
  }

  /** Puts a network management request of ours into the outbox; `told` hears of its answer. */
  ask(what: NetworkManagement.Meaning, told?: Asked["told"]): void {
    this.management.ask(what, told)
    this.outbox.flush()
  }

  /** See `ReceivingSession`. */
  came(bytes: number, at: number, arrivedAt: number): void {
    this.lastReceived = at
    this.arrivedAt = arrivedAt
    this.bytesReceived += bytes
  }

  /** See `ReceivingSession`. */
  readsAgain(at: number): void {
    this.lastReceived = at
    this.deadlines.goOn(at)
    this.wake(this.nextDue())
  }

  /**
   * Asks the partner for a sign of life, by an echo where the link has one; `told` hears of its answer. Returns what tells
   * whether anything was received since. A connection that this side does not read now is not to blame for its silence.
   */
  challenge(told: () => void): () => boolean {
    const since = this.lastReceived
    if (this.link.settings.watchdog.probe) this.ask("echo", told)
    this.outbox.flush()
    return () => this.lastReceived > since || this.deadlines.isHeld
  }

  /** Puts a whole request of ours, which `message` says decoded, in front; `told` hears of its answer. */
  request(what: NetworkManagement.Meaning, message: Message, bytes: Buffer, told: Asked["told"]): void {
    this.management.sent(what, message, told)
    this.putUrgent(bytes)
    this.outbox.flush()
  }

  /** See `WatchedSession`. */
  changed(phase: SessionClocks["watchdog"]): void {
    this.link.change({ _tag: "watchdog", phase })
  }

  /** Every clock of the connection: what is due is done, then it sleeps until the next one is. */
  private readonly keep: Effect.Effect<never, LinkEnded> = Effect.suspend(() => {
    const now = this.now()
    const ended = this.failure ?? this.overdue(now)
    if (ended !== undefined) return Effect.fail(ended)
    this.idle(now)
    this.wakeAt = Math.min(this.nextDue(), now + this.sleepMaxMs)
    return Effect.raceFirst(Effect.sleep(Math.max(1, this.wakeAt - now)), this.keeper.rung)
  }).pipe(Effect.forever)

  /** Makes the keeper look again at `at` at the latest, and writes what was put. */
  wake(at: number): void {
    this.outbox.flush()
    if (at < this.wakeAt) this.keeper.ring(undefined)
  }

  private nextDue(): number {
    let due = Math.min(this.deadlines.next(), this.management.due)
    if (this.idleMs > 0) due = Math.min(due, this.lastSent + this.idleMs)
    if (this.watchdog.isOn && !this.deadlines.isHeld) due = Math.min(due, this.watchdog.due)
    return due
  }

  private overdue(now: number): LinkEnded | undefined {
    const ended = this.deadlines.overdue(now)
    if (ended !== undefined) return ended
    this.management.tick(now)
    this.outbox.flush()
    if (this.watchdog.isOn && !this.deadlines.isHeld && now >= this.watchdog.due) this.watchdog.expired()
    return this.failure
  }

  private idle(now: number): void {
    if (this.idleMs === 0 || now < this.lastSent + this.idleMs) return
    this.outbox.put(idleFrame(this.link.settings.frame)!)
    this.lastSent = now
    this.outbox.flush()
  }
}
