/**
 * One connection to a device: the commands under way on it, by the message header that the device gives back.
 *
 * A header is never used for another command before its answer has come: an answer that is late finds its place taken by nobody
 * and is dropped. Requests of one turn leave in one write, which is overwritten when the kernel has it. Which command goes to
 * which connection is not decided here.
 */
import { type FrameFormat, Framer } from "@jinka/codec"
import { Effect } from "effect"
import { Outbox } from "../../link/Outbox.ts"
import type { Connection } from "../../transport/Transport.ts"
import { bareLength } from "./CommandText.ts"
import type { DeviceFamily } from "./DeviceFamily.ts"
import type { Flight } from "./Flight.ts"

/** Two bytes of length, big-endian, not counting themselves. */
const lengthFrame: FrameFormat = { kind: "length", encoding: "binary", bytes: 2, lengthMax: 65_535, idle: "none" }

/** Commands under way on one connection at most: a device with more to do answers no faster. */
const UNDER_WAY_MAX = 256

/** A command that was given up keeps its header this long; a device that owes an answer longer is connected to again. */
const OWED_MS = 10_000

/** Headers are hexadecimal numbers. */
const RADIX = 16

/** A place for a command under way. */
interface Place {
  flight: Flight | undefined
  /** Monotonic milliseconds when its command was given up; 0: it was not, or the place is free. */
  givenUpAt: number
  /** How often the place was used: the upper part of the header. */
  round: number
}

/** What a connection tells of. */
interface DeviceConnectionOwner {
  readonly family: DeviceFamily
  readonly headerLength: number
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** The answer to a flight; it is off the connection already. */
  readonly answered: (flight: Flight, body: Buffer, from: number, to: number) => void
  /** All answers of one read have been told. */
  readonly turnDone: () => void
}

/** A connection in use. */
export class DeviceConnection {
  private readonly owner: DeviceConnectionOwner
  private readonly connection: Connection
  private readonly outbox = new Outbox()
  private readonly framer = new Framer(lengthFrame)
  private readonly places: Array<Place> = []
  private readonly free: Array<number> = []
  private readonly headers: number
  private partial: Buffer = Buffer.alloc(0)
  /** When the heartbeat under way was sent, monotonic milliseconds; 0: none is. */
  heartbeatAt = 0
  /** Commands under way, without those given up. */
  outstanding = 0
  /** It has answered a heartbeat, or its family has none. */
  isProved = false
  /** The device has answered several commands in one piece: it does not take them one after the other. */
  answersTogether = false
  private answers = 0

  constructor(owner: DeviceConnectionOwner, connection: Connection) {
    this.owner = owner
    this.connection = connection
    this.headers = RADIX ** Math.min(owner.headerLength, 8)
    const count = owner.family.frame === "bare" ? 1 : Math.min(UNDER_WAY_MAX, this.headers)
    for (let at = 0; at < count; at++) {
      this.places.push({ flight: undefined, givenUpAt: 0, round: 0 })
      this.free.push(count - 1 - at)
    }
  }

  /** Room for one more command. */
  get hasRoom(): boolean {
    return this.free.length > 0
  }

  /** Commands wait here to be written in this turn, and one more costs no write of its own. */
  get isGathering(): boolean {
    return this.answersTogether && this.hasRoom && this.outbox.waiting > 0
  }

  /** Puts a command behind the others. It must have room. */
  send(flight: Flight): void {
    const at = this.free.pop()!
    const place = this.places[at]!
    place.flight = flight
    this.outstanding++
    flight.sentAt = this.owner.now()
    const { headerLength, family } = this.owner
    const body = flight.isOther ? flight.other : flight.body
    const length = flight.isOther ? flight.otherLength : flight.length
    const before = family.frame === "bare" ? 0 : 2 + headerLength
    const from = this.outbox.begin(before + length)
    const { buffer } = this.outbox
    if (before > 0) {
      buffer.writeUInt16BE(headerLength + length, from)
      buffer.write(this.header(at), from + 2, "latin1")
    }
    body.copy(buffer, from + before, 0, length)
    this.outbox.end(before + length)
    this.outbox.flush()
  }

  /** Tells of every command whose time is over. True when an answer has been owed for too long: the connection is no good. */
  expire(now: number, expired: (flight: Flight) => void): boolean {
    let isOwedTooLong = false
    for (const place of this.places) {
      const { flight } = place
      if (flight !== undefined && now >= flight.attemptUntil) {
        place.flight = undefined
        place.givenUpAt = now
        this.outstanding--
        expired(flight)
      }
      if (place.givenUpAt > 0 && now - place.givenUpAt >= OWED_MS) isOwedTooLong = true
    }
    return isOwedTooLong
  }

  /** Takes all commands off the connection, which has ended. */
  drop(each: (flight: Flight) => void): void {
    for (const place of this.places) {
      const { flight } = place
      place.flight = undefined
      if (flight !== undefined) each(flight)
    }
    this.outstanding = 0
    this.free.length = 0
  }

  /** Breaks the connection; `run` ends. */
  close(): void {
    this.connection.close("reset")
  }

  /** Sends and receives until the connection ends. */
  readonly run: Effect.Effect<string> = Effect.suspend(() =>
    Effect.raceFirst(this.receive, this.write).pipe(Effect.ensuring(Effect.sync(() => this.connection.close("reset"))))
  )

  private readonly write: Effect.Effect<string> = Effect.suspend(() => {
    const bytes = this.outbox.take()
    if (bytes === undefined) return this.outbox.wait
    return Effect.tap(this.connection.write(bytes), () =>
      Effect.sync(() => {
        bytes.fill(0)
        this.outbox.written(bytes)
      })
    )
  }).pipe(
    Effect.forever,
    Effect.catch((ended) => Effect.succeed(ended.cause))
  )

  private readonly receive: Effect.Effect<string> = Effect.gen({ self: this }, function* () {
    const isBare = this.owner.family.frame === "bare"
    for (;;) {
      let wrong: string | undefined
      const { answers } = this
      for (const chunk of yield* this.connection.pull) wrong ??= isBare ? this.bare(chunk) : this.framed(chunk)
      this.answersTogether ||= this.answers > answers + 1
      this.owner.turnDone()
      if (wrong !== undefined) return wrong
    }
  }).pipe(Effect.catch((ended) => Effect.succeed(ended.cause)))

  private framed(chunk: Buffer): string | undefined {
    const error = this.framer.push(chunk, this)
    return error === undefined ? undefined : "what it sends is no frame of two bytes of length"
  }

  /** A whole answer: see `FrameSink`. */
  frame(buffer: Buffer, start: number, end: number): void {
    const from = start + this.owner.headerLength
    const number = Number.parseInt(buffer.toString("latin1", start, from) || "0", RADIX)
    const at = number % this.places.length
    const place = this.places[at]
    // Another header than the one that was sent: the answer of no command of ours.
    if (place === undefined || from > end || buffer.toString("latin1", start, from) !== this.header(at)) return
    this.take(at, buffer, from, end)
  }

  /** No frame is idle. */
  idle(): void {}

  private bare(chunk: Buffer): string | undefined {
    const { flight, givenUpAt } = this.places[0]!
    // Without a header nothing tells a late answer from the next one: the connection is no good any more.
    if (flight === undefined) return givenUpAt > 0 ? "an answer came late" : "bytes came that were not asked for"
    this.partial = this.partial.length === 0 ? chunk : Buffer.concat([this.partial, chunk])
    const length = bareLength(flight.command, this.partial, 0, this.partial.length)
    if (length === 0 || this.partial.length < length) return undefined
    const body = this.partial
    this.partial = Buffer.alloc(0)
    this.take(0, body, 0, body.length)
    return undefined
  }

  private take(at: number, body: Buffer, from: number, to: number): void {
    const place = this.places[at]!
    const { flight } = place
    if (flight === undefined && place.givenUpAt === 0) return
    place.flight = undefined
    place.givenUpAt = 0
    place.round++
    this.free.push(at)
    this.answers++
    if (flight === undefined) return
    this.outstanding--
    this.owner.answered(flight, body, from, to)
  }

  /** The header of a place, as often as it has been used: no two commands in a row have the same. */
  private header(at: number): string {
    const { headerLength } = this.owner
    if (headerLength === 0) return ""
    const number = (this.places[at]!.round * this.places.length + at) % this.headers
    return number.toString(RADIX).toUpperCase().padStart(headerLength, "0")
  }
}
