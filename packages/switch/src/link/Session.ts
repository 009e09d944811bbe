/**
 * One connection epoch of a link: a receiver fiber, a sender fiber and a keeper fiber on one connection.
 *
 * The receiver pulls, splits frames, indexes messages and hands them on; it never waits on disk or on another link. The sender
 * writes all that has gathered in one go. The keeper owns every clock of the connection: idle frames, watchdog, sign-on, frame
 * deadline, slow partner. Whichever fails first ends the epoch with a reason.
 */
import {
  Framer,
  type FrameSink,
  frameOverhead,
  idleFrame,
  isMessageError,
  isResponse,
  MessageIndex,
  writeFrame
} from "@jinka/codec"
import { Clock, Effect, Random } from "effect"
import type { Connection, ConnectionEnded } from "../transport/Transport.ts"
import { accepted } from "./Codes.ts"
import { endedBy, frameWrong, LinkEnded } from "./Ended.ts"
import { settled } from "./HalfClosed.ts"
import * as NetworkManagement from "./NetworkManagement.ts"
import { Outbox } from "./Outbox.ts"
import type { SessionOwner } from "./SessionOwner.ts"
import * as Watchdog from "./Watchdog.ts"

/** Longest sleep of the keeper, in milliseconds. */
const SLEEP_MAX_MS = 60_000

/** The state of one connection and what its fibers do. Made by `Link` for each connection, and thrown away with it. */
export class Session {
  private readonly link: SessionOwner
  readonly epoch: number
  readonly connection: Connection
  readonly outbox = new Outbox()
  readonly openedAt: number
  lastReceived: number
  lastSent: number
  private readonly clock: Clock.Clock
  private readonly chance: () => number
  private readonly framer: Framer
  private readonly index = new MessageIndex()
  private readonly before: number
  private readonly overhead: number
  /** Milliseconds after which an idle frame goes out; 0 also when the frame has none. */
  private readonly idleMs: number
  /** Longest sleep of the keeper: a write or frame that begins must never have to wake it for its own deadline. */
  private readonly sleepMaxMs: number
  private watchdog = Watchdog.initial
  private watchdogSetAt: number
  private watchdogMs: number
  private frameOpenAt = 0
  /** The switch has enough work and does not read: silence is ours then, and no clock of the partner runs. */
  private isHeld = false
  private writingSince = 0
  private signOnSince = 0
  /** STAN of our outstanding network management request and what it was; one at a time. */
  private asked: { readonly stan: number; readonly what: NetworkManagement.Meaning } | undefined
  private failure: LinkEnded | undefined
  /** The partner has closed its direction, and the connection lasts only until it has its answers. */
  isHalfClosed = false
  private wakeAt = 0
  private keeper: ((go: Effect.Effect<void>) => void) | undefined

  constructor(link: SessionOwner, epoch: number, connection: Connection, clock: Clock.Clock, chance: () => number) {
    this.link = link
    this.epoch = epoch
    this.connection = connection
    this.clock = clock
    this.chance = chance
    this.framer = new Framer(link.settings.frame)
    const { before, after } = frameOverhead(link.settings.frame)
    this.before = before
    this.overhead = before + after
    const { frame, frameTimeoutMs, idleMs, writeTimeoutMs } = link.settings
    this.idleMs = idleFrame(frame) === undefined ? 0 : idleMs
    this.sleepMaxMs = Math.min(SLEEP_MAX_MS, frameTimeoutMs, writeTimeoutMs)
    this.openedAt = this.lastReceived = this.lastSent = this.watchdogSetAt = this.now()
    this.watchdogMs = this.drawTimer()
  }

  /** Monotonic milliseconds. */
  now(): number {
    return Number(this.clock.monotonicTimeNanosUnsafe()) / 1e6
  }

  /** Room for a message of at most `length` bytes in the outbox; returns its offset in `outbox.buffer`. */
  begin(length: number): number {
    return this.outbox.begin(length + this.overhead) + this.before
  }

  /** The message begun last has `length` bytes: puts the length header before it. */
  end(at: number, length: number): void {
    const { frame, unsentMax } = this.link.settings
    this.outbox.end(writeFrame(frame, this.outbox.buffer, at - this.before, length))
    // Without a write under way the partner has taken everything so far: what a slow disk lets go at once is not its fault.
    if (this.outbox.waiting > unsentMax && this.writingSince > 0) {
      this.fail(new LinkEnded({ reason: "SlowPeer", why: `more than ${unsentMax} bytes are unsent` }))
    }
  }

  /** Puts the first `length` bytes of `message`, a whole message, into the outbox. */
  put(message: Buffer, length = message.length): void {
    const at = this.begin(length)
    message.copy(this.outbox.buffer, at, 0, length)
    this.end(at, length)
  }

  /** Ends the connection with a reason, from any fiber or from the switch. */
  fail(ended: LinkEnded): void {
    this.failure ??= ended
    this.connection.close("reset")
    this.wake(0)
  }

  /** Ends the connection in order: what is in the outbox's last write still leaves. */
  close(ended: LinkEnded): void {
    this.failure ??= ended
    this.connection.close("fin")
    this.wake(0)
  }

  /** Runs until the connection ends; never fails otherwise. */
  readonly run: Effect.Effect<LinkEnded> = Effect.suspend(() => {
    this.opened()
    return Effect.raceFirst(Effect.raceFirst(this.receive, this.send), this.keep)
  }).pipe(
    Effect.catch((ended) => Effect.succeed(this.failure ?? ended)),
    Effect.ensuring(Effect.sync(() => this.connection.close("reset")))
  )

  private readonly sink: FrameSink = {
    frame: (buffer, start, end) => this.frame(buffer, start, end),
    idle: () => {}
  }

  private readonly receive: Effect.Effect<never, LinkEnded> = Effect.suspend(() => this.connection.pull).pipe(
    Effect.catch((ended) => this.endOfInput(ended)),
    Effect.flatMap((chunks) => this.received(chunks)),
    Effect.forever
  )

  /** The partner's direction has ended: inside a frame that is an error of its own. A FIN is answered with a FIN. */
  private endOfInput(ended: ConnectionEnded): Effect.Effect<never, LinkEnded> {
    if (ended.how !== "fin") return Effect.fail(endedBy(ended))
    const cut = this.framer.end(this.sink)
    this.link.turn()
    const why = cut === undefined ? endedBy(ended) : frameWrong(cut)
    return Effect.flatMap(cut === undefined ? this.answered(why) : Effect.void, () => {
      this.connection.close("fin")
      return Effect.fail(why)
    })
  }

  /** A partner that has only finished sending gets the answers that it waits for, as long as a write may take. */
  private answered(ended: LinkEnded): Effect.Effect<void> {
    const owing = this.link.owing()
    const isOwing = () => owing() || this.outbox.waiting > 0 || this.writingSince > 0
    if (!isOwing()) return Effect.void
    this.isHalfClosed = true
    this.watchdog = Watchdog.initial
    this.signOnSince = this.frameOpenAt = 0
    this.link.halfClosed(ended)
    return settled(isOwing, this.link.settings.writeTimeoutMs)
  }

  private received(chunks: ReadonlyArray<Buffer>): Effect.Effect<void, LinkEnded> {
    this.lastReceived = this.now()
    for (const chunk of chunks) {
      const wrong = this.framer.push(chunk, this.sink)
      if (wrong !== undefined) {
        this.link.turn()
        return Effect.fail(frameWrong(wrong))
      }
    }
    if (this.framer.open === 0) this.frameOpenAt = 0
    else if (this.frameOpenAt === 0) {
      this.frameOpenAt = this.lastReceived
      this.wake(this.frameOpenAt + this.link.settings.frameTimeoutMs)
    }
    if (this.watchdog.phase === "SUSPECT") this.watch({ _tag: "received" })
    // Without probes anything that comes is the answer to the silence.
    else if (this.watchdog.pending && !this.link.settings.watchdog.probe) this.watch({ _tag: "probeAnswered" })
    const room = this.link.turn()
    return room === undefined ? Effect.void : this.held(room)
  }

  private held(room: Effect.Effect<void>): Effect.Effect<void> {
    this.isHeld = true
    return Effect.map(room, () => {
      this.isHeld = false
      this.lastReceived = this.now()
      if (this.frameOpenAt > 0) this.frameOpenAt = this.lastReceived
    })
  }

  private frame(buffer: Buffer, start: number, end: number): void {
    const { settings } = this.link
    const wrong = settings.codec.index(buffer, start, end, this.index)
    if (wrong !== undefined) return this.link.unreadable(wrong, buffer, start, end)
    if (NetworkManagement.isManagement(this.index.mti)) this.managed(this.index)
    else this.link.message(this.index)
  }

  private readonly send: Effect.Effect<never> = Effect.suspend(() => {
    const bytes = this.outbox.take()
    if (bytes === undefined) return this.outbox.wait
    this.lastSent = this.writingSince = this.now()
    this.wake(this.lastSent + this.link.settings.writeTimeoutMs)
    return this.connection.write(bytes).pipe(
      Effect.map(() => {
        this.writingSince = 0
        this.outbox.written(bytes)
      }),
      // The receiver tells of the end, behind the last bytes that came before it: an answer may be among them.
      Effect.catch((ended) => {
        if (this.isHalfClosed) this.fail(endedBy(ended))
        return Effect.never
      })
    )
  }).pipe(Effect.forever)

  private opened(): void {
    const { signOn } = this.link.settings
    this.link.change({
      _tag: "opened",
      ours: signOn.send ? "missing" : "none",
      partners: signOn.expect ? "missing" : "none"
    })
    if (signOn.send) this.ask("signOn")
    if (signOn.send || signOn.expect) this.signOnSince = this.openedAt
    this.signedOnMaybe()
    this.outbox.flush()
  }

  /** Once both sign-ons are there the watchdog starts: at once on a first connection, by proofs on a reopened one. */
  private signedOnMaybe(): void {
    if (!this.link.isSignedOn) return
    this.signOnSince = 0
    if (this.watchdog.phase !== "DOWN") return
    const { watchdog } = this.link.settings
    this.watch({ _tag: "connected", proofs: this.epoch > 1 && watchdog.probe ? watchdog.proofs : 0 })
  }

  /** Puts a network management request of ours into the outbox. */
  ask(what: NetworkManagement.Meaning): void {
    const { settings } = this.link
    const stan = this.link.nextStan()
    const message = settings.codec.encode(
      NetworkManagement.request(settings, what, stan, this.clock.currentTimeMillisUnsafe())
    )
    if (isMessageError(message))
      throw new Error(`${settings.name}: the dialect cannot encode its own ${what}: ${message._tag}`)
    this.asked = { stan, what }
    this.put(message)
  }

  /** Signs off if we had signed on: the last thing before a link is closed in order. */
  signOff(): void {
    if (!this.link.settings.signOn.send || !this.link.isSignedOn) return
    this.ask("signOff")
    this.outbox.flush()
  }

  private managed(index: MessageIndex): void {
    if (isResponse(index.mti) || index.rejectCode !== 0) this.managementAnswer(index)
    else this.managementRequest(index)
  }

  private managementRequest(index: MessageIndex): void {
    const { settings } = this.link
    const what = NetworkManagement.meaning(settings, index)
    if (what === "signOn") this.link.change({ _tag: "signedOn", side: "partners" })
    if (what === "signOff") this.link.change({ _tag: "signedOff", side: "partners" })
    const code = this.codeFor(what)
    const patches = NetworkManagement.answer(index, code)
    const at = this.begin(settings.codec.patchedLength(index, patches))
    this.end(at, settings.codec.patch(index, patches, this.outbox.buffer, at))
    this.link.managed(`${what ?? "unknown network management code"} from the partner, answered ${code}`)
    this.signedOnMaybe()
    // Nothing else may have to leave in this turn.
    this.outbox.flush()
  }

  /** What is understood and done is accepted. A new key is not taken: there is nothing here that would use it. */
  private codeFor(what: NetworkManagement.Meaning | undefined): string {
    const { dialect } = this.link.settings
    if (what === undefined) return dialect.refusal.formatError
    return what === "keyReset" || what === "keyResetRequest" ? dialect.refusal.malfunction : accepted(dialect)
  }

  private managementAnswer(index: MessageIndex): void {
    const asked = this.asked
    if (asked === undefined || !index.has(11) || index.number(11) !== asked.stan) return
    this.asked = undefined
    const code = index.text(39)
    const isGood = code === accepted(this.link.settings.dialect)
    this.link.noted(`${asked.what} of ours answered ${code}`)
    if (asked.what === "signOn") {
      if (!isGood) return this.fail(new LinkEnded({ reason: "SignOnRefused", why: `our sign-on was answered ${code}` }))
      this.link.change({ _tag: "signedOn", side: "ours" })
      this.signedOnMaybe()
    } else if (asked.what === "signOff") this.link.change({ _tag: "signedOff", side: "ours" })
    else this.watch({ _tag: "probeAnswered" })
  }

  private watch(event: Watchdog.Event): void {
    const { next, commands } = Watchdog.step(this.watchdog, event)
    this.watchdog = next
    this.watchdogSetAt = this.now()
    this.watchdogMs = this.drawTimer()
    this.link.change({ _tag: "watchdog", phase: next.phase })
    for (const command of commands) {
      if (command === "probe" && this.link.settings.watchdog.probe) this.ask("echo")
      if (command === "close") {
        this.fail(new LinkEnded({ reason: "PeerSilent", why: "nothing was received for three watchdog intervals" }))
      }
    }
    this.outbox.flush()
    this.wake(this.watchdogSetAt + this.watchdogMs)
  }

  private drawTimer(): number {
    return Watchdog.timerMs(this.link.settings.watchdog.intervalMs, this.chance())
  }

  /** Every clock of the connection: what is due is done, then it sleeps until the next one is. */
  private readonly keep: Effect.Effect<never, LinkEnded> = Effect.suspend(() => {
    const now = this.now()
    const ended = this.failure ?? this.overdue(now)
    if (ended !== undefined) return Effect.fail(ended)
    this.idle(now)
    this.wakeAt = Math.min(this.nextDue(), now + this.sleepMaxMs)
    const woken = Effect.callback<void>((resume) => {
      this.keeper = resume
    })
    return Effect.raceFirst(Effect.sleep(Math.max(1, this.wakeAt - now)), woken)
  }).pipe(Effect.forever)

  /** Makes the keeper look again at `at` at the latest. */
  private wake(at: number): void {
    const keeper = this.keeper
    if (keeper === undefined || at >= this.wakeAt) return
    this.keeper = undefined
    keeper(Effect.void)
  }

  private watchdogDue(): number {
    const since = this.watchdog.phase === "OKAY" ? Math.max(this.watchdogSetAt, this.lastReceived) : this.watchdogSetAt
    return since + this.watchdogMs
  }

  private nextDue(): number {
    const { settings } = this.link
    let due = Number.POSITIVE_INFINITY
    if (this.idleMs > 0) due = Math.min(due, this.lastSent + this.idleMs)
    if (this.watchdog.phase !== "DOWN" && !this.isHeld) due = Math.min(due, this.watchdogDue())
    if (this.frameOpenAt > 0 && !this.isHeld) due = Math.min(due, this.frameOpenAt + settings.frameTimeoutMs)
    if (this.writingSince > 0) due = Math.min(due, this.writingSince + settings.writeTimeoutMs)
    if (this.signOnSince > 0) due = Math.min(due, this.signOnSince + settings.signOn.timeoutMs)
    return due
  }

  private overdue(now: number): LinkEnded | undefined {
    const { settings } = this.link
    if (this.frameOpenAt > 0 && !this.isHeld && now >= this.frameOpenAt + settings.frameTimeoutMs) {
      return new LinkEnded({ reason: "FrameTimeout", why: `a frame was open for ${settings.frameTimeoutMs} ms` })
    }
    if (this.writingSince > 0 && now >= this.writingSince + settings.writeTimeoutMs) {
      return new LinkEnded({ reason: "SlowPeer", why: `a write made no progress for ${settings.writeTimeoutMs} ms` })
    }
    if (this.signOnSince > 0 && now >= this.signOnSince + settings.signOn.timeoutMs) {
      return new LinkEnded({ reason: "SignOnTimeout", why: `not signed on after ${settings.signOn.timeoutMs} ms` })
    }
    if (this.watchdog.phase !== "DOWN" && !this.isHeld && now >= this.watchdogDue()) this.watch({ _tag: "expired" })
    return this.failure
  }

  private idle(now: number): void {
    const { settings } = this.link
    if (this.idleMs === 0 || now < this.lastSent + this.idleMs) return
    const frame = idleFrame(settings.frame)
    if (frame === undefined) return
    const at = this.outbox.begin(frame.length)
    frame.copy(this.outbox.buffer, at)
    this.outbox.end(frame.length)
    this.lastSent = now
    this.outbox.flush()
  }
}

/** A session for a new connection of `link`. */
export const make = (link: SessionOwner, epoch: number, connection: Connection): Effect.Effect<Session> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const random = yield* Random.Random
    return new Session(link, epoch, connection, clock, () => random.nextDoubleUnsafe())
  })
