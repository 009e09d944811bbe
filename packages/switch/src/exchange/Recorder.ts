/**
 * Writes the exchanges' entries into the journal, each kind by its name.
 *
 * Card data is blanked by the codec before a byte reaches the journal's buffer. The card number goes into the sealed part,
 * because a reversal needs it, and with it what else a restart needs whole; track, card verification code and PIN block go
 * nowhere (docs/decisions/0006-no-sad-on-disk.md).
 */
import { MessageIndex } from "@jinka/codec"
import { EntryKind } from "../journal/EntryKind.ts"
import type { Journal } from "../journal/Journal.ts"
import type { JournalWriter } from "../journal/JournalWriter.ts"
import { SEALED_HEADS } from "../message/Language.ts"
import type { Desk } from "./Desk.ts"
import { doubtText, type InDoubt } from "./delivery/Doubts.ts"
import { type DeliveryEnd, type Stored, storedOf } from "./delivery/Stored.ts"
import { Spared, type SparedKind } from "./entry/Spared.ts"

/** Longest card number in digits: 19 (ISO 8583), and one more where a length counts bytes of two digits. */
export const PAN_LENGTH_MAX = 20

/** Longest card number, and the byte of its length. */
const PAN_ROOM = 1 + PAN_LENGTH_MAX

/** Acts of persons that are written while room is scarce: some 200 KiB of what is left. They are few; a program's may not be. */
const ACTS_WHILE_SCARCE = 1000

/** The journal as the exchanges see it. */
export class Recorder {
  private readonly writer: JournalWriter
  private readonly wallMs: () => number
  private readonly turnMs: () => number
  private readonly journal: Journal["Service"]
  private readonly heldMax: () => number
  private readonly index = new MessageIndex()
  /** What of the message being written is covered because of its shape. */
  private readonly found: Array<number> = []
  /** What was not written to keep the disk's reserve for the ends of open exchanges. */
  readonly spared = new Spared()
  /** Acts that were written since room became scarce. */
  private actsWritten = 0
  /** Entries written that open an exchange or move one on; whoever writes such an entry owes the exchange its next step. */
  steps = 0

  /**
   * `wallMs`: the time of day; `turnMs`: the same as of the present turn, for whatever comes as a message. `heldMax`: bytes that
   * may wait for a store that is away before what no open exchange needs is spared.
   */
  constructor(journal: Journal["Service"], wallMs: () => number, turnMs: () => number, heldMax: () => number) {
    this.heldMax = heldMax
    this.turnMs = turnMs
    this.journal = journal
    this.writer = journal.writer
    this.wallMs = wallMs
  }

  /** Entries of the desk's link carry its name and its form's from here on. */
  name(desk: Desk): void {
    desk.journalName = this.journal.nameId(desk.name, desk.language.name)
  }

  /** Sequence number of the entry written last. */
  get last(): number {
    return this.writer.next - 1
  }

  /** Bytes that are not on disk yet. */
  get pendingBytes(): number {
    return this.writer.pendingBytes
  }

  /** Hands over what was written since the last call, as one group. */
  flush(): void {
    this.writer.flush()
  }

  /** Oldest exchange that is still open: recovery reads from there on. */
  set floor(seq: number) {
    this.writer.floor = seq
  }

  /** Drops an entry that a throw has left unfinished. */
  abandon(): void {
    this.writer.abandon()
  }

  /** All entries that `write` makes become durable in one transaction, or none. */
  together(write: () => void): void {
    this.writer.beginTogether()
    write()
    this.writer.endTogether()
  }

  /** A request that goes to `target`. Opens an exchange; returns its number. */
  accepted(origin: Desk, epoch: number, target: Desk, index: MessageIndex): number {
    return this.step(this.message(EntryKind.accepted, 0, origin, epoch, target.name, index, true))
  }

  /** A request that the switch answers by itself; 0 when it is spared. */
  refused(origin: Desk, epoch: number, code: string, index: MessageIndex): number {
    if (this.isSparing("refused")) return 0
    return this.message(EntryKind.refused, 0, origin, epoch, code, index, true)
  }

  /**
   * A message that could not be read, and is answered as a format error: its bytes may hold a track, so none are kept. 0 when it
   * is spared.
   */
  unreadable(origin: Desk, epoch: number, code: string): number {
    if (this.isSparing("refused")) return 0
    return this.plain(EntryKind.refused, 0, origin.journalName, epoch, code)
  }

  /** The answer that ends `exchange`. */
  answered(exchange: number, target: Desk, epoch: number, code: string, index: MessageIndex): number {
    return this.step(this.message(EntryKind.answered, exchange, target, epoch, code, index, false))
  }

  /** A message that belongs to no open exchange; 0 when it is spared. */
  unmatched(
    kind: "late" | "unmatched" | "duplicateAnswer" | "duplicateRequest",
    exchange: number,
    desk: Desk,
    epoch: number,
    code: string,
    index: MessageIndex
  ): number {
    if (this.isSparing(kind)) return 0
    return this.message(EntryKind[kind], exchange, desk, epoch, code, index, true)
  }

  /** An end, or a step, that has no message of its own. */
  ended(
    kind: "timedOut" | "notSent" | "undelivered" | "sent" | DeliveryEnd,
    exchange: number,
    desk: Desk,
    epoch: number,
    code: string
  ): number {
    return this.step(this.plain(EntryKind[kind], exchange, desk.journalName, epoch, code))
  }

  /** The time in the entry that was written last, in ms since 1970. */
  get writtenAt(): number {
    return this.writer.now
  }

  /** The end of a request that the last run of the switch left open. `name` is the journal's number of its origin. */
  restarted(exchange: number, name: number): number {
    return this.plain(EntryKind.timedOut, exchange, name, 0, "restarted")
  }

  /** Money that nobody can reverse, or something in doubt once more; `name` is the journal's number of its link. */
  inDoubt(kind: "unreversed" | "inDoubt", one: InDoubt, name: number): number {
    this.writer.now = kind === "unreversed" ? one.at : this.wallMs()
    this.writer.begin(EntryKind[kind], doubtText(one), 0)
    this.writer.of(one.exchange)
    if (one.about !== 0) this.writer.about(one.about)
    this.writer.on(name, 0)
    return this.writer.end(0, 0)
  }

  /** The business day of the desk's partner, from here on. */
  day(desk: Desk, text: string): number {
    return this.plain(EntryKind.day, 0, desk.journalName, desk.link.epoch, text)
  }

  /** A person has ended what was in doubt. */
  closed(exchange: number, name: number, code: string): number {
    return this.plain(EntryKind.closed, exchange, name, 0, code)
  }

  /** A person holds a message back, or has let it go. */
  heldBack(isHeld: boolean, exchange: number, name: number, code: string): number {
    return this.plain(isHeld ? EntryKind.held : EntryKind.released, exchange, name, 0, code)
  }

  /** Something that happened to a link, in plain words; 0 while room is scarce. */
  event(desk: Desk, text: string, epoch = desk.link.epoch): number {
    if (this.isScarce) {
      this.spared.add("event")
      return 0
    }
    return this.plain(EntryKind.event, 0, desk.journalName, epoch, text)
  }

  /**
   * What a person did, to a link or to the switch (`undefined`), in plain words. Also while room is scarce: who helped then is
   * asked for afterwards. 0: after so many of them the log alone has it.
   */
  act(desk: Desk | undefined, text: string): number {
    if (!this.isScarce) this.actsWritten = 0
    else if (this.isHeldUp || ++this.actsWritten > ACTS_WHILE_SCARCE) {
      this.spared.add("event")
      return 0
    }
    return this.plain(EntryKind.event, 0, desk?.journalName ?? 0, desk?.link.epoch ?? 0, text)
  }

  /** Something that concerns the switch and not one link, in plain words; 0 while room is scarce: the log has it. */
  switchEvent(text: string): number {
    return this.isScarce ? 0 : this.lasting(text)
  }

  /** What a start has to find, in plain words; written while room is scarce, too. */
  lasting(text: string): number {
    return this.plain(EntryKind.event, 0, 0, 0, text)
  }

  /**
   * A message for store-and-forward to `target`. Its bytes are sealed whole, so that it can be sent after a restart: `bytes`
   * must not hold sensitive authentication data. `source` says where it comes from, and `origin` is that partner's number. Opens
   * an exchange; returns the message as the target's queue will hold it.
   */
  queued(target: Desk, about: number, source: string, bytes: Buffer, origin: number): Stored {
    const { index, writer } = this
    const { language } = target
    const wrong = language.index(bytes, 0, bytes.length, index)
    if (wrong !== undefined) throw new Error(`${target.name}: a message of our own is wrong: ${wrong._tag}`)
    const now = this.wallMs()
    writer.now = now
    const room = 2 * bytes.length + PAN_ROOM
    const at = writer.begin(EntryKind.queued, source, room)
    writer.about(about)
    writer.on(target.journalName)
    const length = language.redact(index, writer.buffer, at)
    let secret = this.pan(index, target, at + length)
    secret += bytes.copy(writer.buffer, at + length + secret)
    const exchange = this.step(writer.end(length, secret))
    return storedOf(language, index, { exchange, about, origin, bytes, at: now })
  }

  /** Whether an entry that no open exchange needs is counted in place of being written. */
  private isSparing(kind: SparedKind): boolean {
    if (this.journal.refuses() !== "space" && !this.isHeldUp) return false
    this.spared.add(kind)
    return true
  }

  /** Whether nothing may be written but what open exchanges need. */
  private get isScarce(): boolean {
    return this.journal.scarce() || this.isHeldUp
  }

  /** The store is away, and as much waits for it as may. */
  private get isHeldUp(): boolean {
    return this.journal.refuses() === "away" && this.writer.pendingBytes > this.heldMax()
  }

  private step(seq: number): number {
    this.steps++
    return seq
  }

  /** An entry without a message; `name` is the journal's number of its link. */
  private plain(kind: EntryKind, exchange: number, name: number, epoch: number, code: string): number {
    const { writer } = this
    writer.now = this.wallMs()
    writer.begin(kind, code, 0)
    if (exchange !== 0) writer.of(exchange)
    writer.on(name, epoch)
    return writer.end(0, 0)
  }

  private message(
    kind: EntryKind,
    exchange: number,
    desk: Desk,
    epoch: number,
    code: string,
    index: MessageIndex,
    withPan: boolean
  ): number {
    const { writer } = this
    writer.now = this.turnMs()
    const { found } = this
    const { language } = desk
    const at = writer.begin(kind, code, 2 * (index.end - index.start) + PAN_ROOM + SEALED_HEADS)
    if (exchange !== 0) writer.of(exchange)
    writer.on(desk.journalName, epoch)
    const length = language.redact(index, writer.buffer, at, found)
    const secret = withPan ? this.pan(index, desk, at + length) : this.noPan(at + length)
    const sealed = language.seal(index, found, writer.buffer, at + length + secret)
    // The length byte alone says nothing.
    return writer.end(length, secret + sealed > 1 ? secret + sealed : 0)
  }

  /** Writes that there is no card number; returns the bytes written. */
  private noPan(at: number): number {
    this.writer.buffer[at] = 0
    return 1
  }

  /** Writes the card number with its length byte; returns the bytes written. */
  private pan(index: MessageIndex, { language }: Desk, at: number): number {
    const { buffer } = this.writer
    const length = language.cardNumber(index, buffer, at + 1)
    buffer[at] = length
    return 1 + length
  }
}
