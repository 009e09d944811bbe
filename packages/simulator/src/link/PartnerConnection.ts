/**
 * One socket of a partner: frames in, frames out, idle frames, silence.
 *
 * Owns the framing of one connection and its end, which is told exactly once. Does not dial or listen (PartnerLink),
 * and shares no code with the switch's links.
 */
import { explain, Framer, idleFrame, isMessageError } from "@jinka/codec"
import { framed, type MessageForm } from "../message/CupsMessage.ts"
import type { PartnerMessage } from "../message/PartnerMessage.ts"
import type { Connection, Session, Timepiece } from "../partner/Session.ts"
import { Outbox } from "./Outbox.ts"
import type { PartnerEnd, PartnerSocket } from "./Sockets.ts"

/** Form and timing of a connection; times in milliseconds. */
export interface ConnectionSettings<In extends object = PartnerMessage, Out = In> {
  readonly form: MessageForm<In, Out>
  /** Send an idle frame after this long without sending anything. */
  readonly idleInterval: number
  /** Close the connection after this long without receiving anything. */
  readonly silenceLimit: number
  /** The partner's FIN does not end it: an answer may still be due (short links). */
  readonly isHalfOpen?: boolean
}

/** Bytes that may wait for a partner that does not read, before the connection is closed. */
const UNSENT_MAX = 16 * 1024 * 1024

/** A connection that is up. */
export class PartnerConnection<In extends object = PartnerMessage, Out = In> implements Connection<Out> {
  readonly epoch: number
  private readonly socket: PartnerSocket
  private readonly raw: PartnerSocket
  private readonly session: Session<In, Out>
  private readonly settings: ConnectionSettings<In, Out>
  private readonly time: Timepiece
  private readonly outbox: Outbox
  private readonly framer: Framer
  private readonly onDown: (connection: PartnerConnection<In, Out>) => void
  private lastReceived: number
  private lastSent: number
  private reason = "closed by partner"
  /** Messages that came and were not answered yet. */
  private owed = 0
  private isClosing = false
  private isDown = false

  constructor(
    { atTurnEnd, raw, socket }: PartnerEnd,
    epoch: number,
    session: Session<In, Out>,
    settings: ConnectionSettings<In, Out>,
    time: Timepiece,
    onDown: (connection: PartnerConnection<In, Out>) => void
  ) {
    this.socket = socket
    this.raw = raw
    this.epoch = epoch
    this.session = session
    this.settings = settings
    this.time = time
    this.onDown = onDown
    this.framer = new Framer(settings.form.frame)
    const sent = () => {
      this.lastSent = this.time.monotonic()
    }
    this.outbox = new Outbox(socket, sent, atTurnEnd)
    this.lastReceived = this.lastSent = time.monotonic()
    raw.setNoDelay(true)
    socket.on("end", () => this.ended())
    socket.on("data", (chunk: Buffer) => this.take(chunk))
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (this.isClosing) return
      this.reason = error.code === "ECONNRESET" ? "reset by partner" : `socket error ${error.code ?? error.message}`
    })
    socket.on("close", () => this.down())
    session.linkUp(this)
  }

  send(message: Out): void {
    if (this.isClosing) return
    this.outbox.add(framed(this.settings.form, message))
    this.owed = Math.max(0, this.owed - 1)
    if (this.socket.writableLength > UNSENT_MAX) this.reset("partner does not read")
  }

  close(reason: string, how: "fin" | "reset" = "fin"): void {
    if (how === "reset") {
      this.outbox.flush()
      return this.reset(reason)
    }
    this.leave(reason)
    this.outbox.flush()
    // Not end(): a partner that answers FIN with nothing would keep the socket half open for ever.
    this.socket.destroySoon()
  }

  /** Closes with RST. */
  reset(reason: string): void {
    this.leave(reason)
    this.raw.resetAndDestroy()
  }

  /** Closes our direction with FIN behind what was sent; what the partner still says is read. */
  finishSending(): void {
    this.outbox.flush()
    this.socket.end()
  }

  /** Idle frame and silence. */
  tick(now: number): void {
    if (this.isClosing) return
    if (now - this.lastReceived >= this.settings.silenceLimit) return this.reset("partner is silent")
    if (now - this.lastSent < this.settings.idleInterval) return
    const idle = idleFrame(this.settings.form.frame)
    if (idle !== undefined) this.outbox.add(idle)
  }

  private take(chunk: Buffer): void {
    this.lastReceived = this.time.monotonic()
    const error = this.framer.push(chunk, this)
    if (error !== undefined) this.reset(`frame refused: ${error._tag}`)
  }

  /** The partner sends nothing more: where a message ends with its direction, that was the message. */
  private ended(): void {
    this.framer.end(this)
    if ((this.settings.isHalfOpen === true && this.owed > 0) || this.isClosing) return
    this.outbox.flush()
    this.socket.end()
  }

  /** Called by the framer for every whole message. */
  frame(buffer: Buffer, start: number, end: number): void {
    // A session may close in the middle of a chunk: what follows is not read any more.
    if (this.isClosing) return
    const message = this.settings.form.read(buffer, start, end)
    if (isMessageError(message)) return this.reset(`message cannot be read: ${explain(message)}`)
    this.owed++
    this.session.received(this, message)
  }

  /** Called by the framer for an idle frame: having received it is all there is to do. */
  idle(): void {}

  private leave(reason: string): void {
    if (this.isClosing) return
    this.isClosing = true
    this.reason = reason
  }

  private down(): void {
    if (this.isDown) return
    this.isDown = this.isClosing = true
    this.onDown(this)
    this.session.linkDown(this, this.reason)
  }
}
