/**
 * The receiving half of one connection: pulls, splits frames, indexes messages and hands them on. It never waits on disk or on
 * another link.
 *
 * What was read in one go is worked on in pieces. Each is one turn of its partner, and between two of them the others have
 * theirs.
 */
import { Framer, type FrameSink, MessageIndex, mtiClass } from "@jinka/codec"
import { Effect } from "effect"
import type { Connection, ConnectionEnded } from "../transport/Transport.ts"
import { waitedMs } from "../transport/Waited.ts"
import type { Deadlines } from "./Deadlines.ts"
import { endedBy, frameWrong, type LinkEnded } from "./LinkEnded.ts"
import type { SessionEpoch } from "./LinkEvents.ts"
import type { SessionOwner } from "./SessionOwner.ts"

/** Bytes that are worked on in one turn: some hundred messages. */
const PIECE_BYTES = 32_768

/** What the receiver needs of its session. Times are monotonic milliseconds. */
export interface ReceivingSession extends SessionEpoch {
  readonly connection: Connection
  readonly deadlines: Deadlines
  readonly management: { readonly received: (index: MessageIndex) => boolean }
  readonly watchdog: { readonly received: () => void }
  readonly now: () => number
  /** Bytes came at this time. */
  readonly came: (bytes: number, at: number, arrivedAt: number) => void
  /** We read again, after we have not read for a while. */
  readonly readsAgain: (at: number) => void
  /** Makes the keeper look at `at` at the latest. */
  readonly wake: (at: number) => void
  /** The partner sends no more: gives it the answers that it waits for. */
  readonly answered: (ended: LinkEnded) => Effect.Effect<void>
  /** Closes the connection behind what a write has begun. */
  readonly hangUp: () => void
}

/** The receiver of one session. */
export class Receiver {
  private readonly link: SessionOwner
  private readonly session: ReceivingSession
  private readonly framer: Framer
  private readonly index = new MessageIndex()

  constructor(link: SessionOwner, session: ReceivingSession) {
    this.link = link
    this.session = session
    this.framer = new Framer(link.settings.frame)
  }

  /** Receives until the connection ends. Turns part its work (`nextTurn`): a pause after each read would only cost time. */
  readonly run: Effect.Effect<never, LinkEnded> = Effect.suspend(() => this.session.connection.pull).pipe(
    Effect.catch((ended) => this.endOfInput(ended)),
    Effect.flatMap((chunks) => this.inPieces(chunks, 0, 0)),
    Effect.forever({ disableYield: true })
  )

  private readonly sink: FrameSink = {
    frame: (buffer, start, end) => this.frame(buffer, start, end),
    idle: () => {}
  }

  /** The partner's direction has ended: inside a frame that is an error of its own. A FIN is answered with a FIN. */
  private endOfInput(ended: ConnectionEnded): Effect.Effect<never, LinkEnded> {
    // Without its sending leg a pair can give no answers, whatever the partner waits for.
    if (ended.how !== "fin" || ended.leg === "send") return Effect.fail(endedBy(ended))
    const cut = this.framer.end(this.sink)
    this.link.events.turn(this.session)
    const why = cut === undefined ? endedBy(ended) : frameWrong(cut)
    return Effect.flatMap(cut === undefined ? this.session.answered(why) : Effect.void, () => {
      this.session.hangUp()
      return Effect.fail(why)
    })
  }

  /** Works on the chunks from byte `from` of chunk `n` on. */
  private inPieces(chunks: ReadonlyArray<Buffer>, n: number, from: number): Effect.Effect<void, LinkEnded> {
    const chunk = chunks[n]
    if (chunk === undefined) return Effect.void
    const to = Math.min(chunk.length, from + PIECE_BYTES)
    const isWhole = to === chunk.length
    const one = () => this.piece(chunk.subarray(from, to), chunk, isWhole && n === chunks.length - 1)
    const rest = () => (isWhole ? this.inPieces(chunks, n + 1, 0) : this.inPieces(chunks, n, to))
    const wait = this.room(this.link.events.nextTurn(to - from))
    if (wait !== undefined) return Effect.flatMap(Effect.flatMap(wait, one), rest)
    const done = one()
    return done === Effect.void ? rest() : Effect.flatMap(done, rest)
  }

  /** One turn: `bytes` of `chunk`, the last of what was read or not. Waits when the switch has enough of this partner's work. */
  private piece(bytes: Buffer, chunk: Buffer, isLast: boolean): Effect.Effect<void, LinkEnded> {
    const { session } = this
    const now = session.now()
    session.came(bytes.length, now, now - waitedMs(chunk))
    const wrong = this.framer.push(bytes, this.sink)
    if (wrong !== undefined) {
      this.link.events.turn(session)
      return Effect.fail(frameWrong(wrong))
    }
    // The rest of a frame that we have cut ourselves is here already.
    session.wake(session.deadlines.framed(isLast && this.framer.open > 0, now))
    session.watchdog.received()
    return this.room(this.link.events.turn(session)) ?? Effect.void
  }

  /** What we wait for before we go on reading. */
  private room(wait: Effect.Effect<void> | undefined): Effect.Effect<void> | undefined {
    return wait === undefined ? undefined : Effect.map(this.session.deadlines.held(wait), this.goOn)
  }

  private readonly goOn = (): void => this.session.readsAgain(this.session.now())

  /** One frame, whatever it holds: what is thrown for it costs this message, and no other. */
  private frame(buffer: Buffer, start: number, end: number): void {
    this.session.deadlines.frameSince = 0
    try {
      this.message(buffer, start, end)
    } catch (thrown) {
      this.link.events.defect(this.session, "a message was given up", thrown)
    }
  }

  private message(buffer: Buffer, start: number, end: number): void {
    const { link, session } = this
    const wrong = link.language.index(buffer, start, end, this.index)
    if (wrong !== undefined) return link.events.unreadable(session, wrong, buffer, start, end)
    const kind = mtiClass(this.index.mti)
    const isManagement = kind === "networkManagement" || kind === "networkManagementResponse"
    const isOurs = isManagement && !link.events.guards(this.index)
    if (!isOurs || !session.management.received(this.index)) link.events.message(session, this.index)
  }
}
