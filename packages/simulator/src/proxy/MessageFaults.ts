/**
 * What befalls the messages of one direction of one connection: a stage in the flow of its bytes.
 *
 * Owns looking at each message, doing what the rules say, and the line in the history. Which rules are in force, and how often,
 * is asked of the rules (FaultRules). Without a rule about messages the bytes pass as they come, half frames too.
 */
import { MessageIndex, wholeFrame } from "@jinka/codec"
import { covered } from "../dialogue/Cover.ts"
import { told } from "../dialogue/Observed.ts"
import type { WireFormat } from "../dialogue/WireFormat.ts"
import type { Stage, StageOut } from "../link/FaultFlow.ts"
import type { OneWay } from "../link/FaultProxy.ts"
import type { MacSettings } from "../message/MessageMac.ts"
import { changed } from "./Change.ts"
import { type FaultLine, namesOf } from "./FaultHistory.ts"
import type { CutFault, MessageFault } from "./FaultRule.ts"
import { FrameStream } from "./FrameStream.ts"

/** A rule that a message has met. */
export interface Met {
  readonly text: string
  readonly fault: MessageFault | CutFault
  /** Milliseconds of a delay, drawn. */
  readonly ms: number
}

/** A message as the rules see it. */
export interface Seen {
  readonly connection: number
  readonly direction: OneWay
  /** `undefined`: the dialect cannot read it. */
  readonly index: MessageIndex | undefined
}

/** The rules as one direction asks them. */
export interface RuleBook {
  /** Whether any rule about messages or idle frames may act in this direction now. */
  readonly isWatching: (direction: OneWay) => boolean
  readonly messageMeets: (seen: Seen) => ReadonlyArray<Met>
  readonly idleMeets: (seen: Seen) => ReadonlyArray<Met>
  readonly note: (line: Omit<FaultLine, "at">) => void
  /** Told every message as it came, before anything befalls it. */
  readonly saw: (connection: number, direction: OneWay, message: Buffer) => void
  readonly cut: (fault: CutFault, connection: number, direction: OneWay) => void
}

/** Longest time that a message waits for another one to change places with, milliseconds. */
const REORDER_MAX = 1000

/** The stage of one direction. */
export class MessageFaults implements Stage {
  private readonly form: WireFormat
  private readonly mac: MacSettings | undefined
  private readonly rules: RuleBook
  private readonly connection: number
  private readonly direction: OneWay
  private readonly out: StageOut
  private readonly stream: FrameStream
  private readonly index = new MessageIndex()
  private held: { readonly frame: Buffer; until: number } | undefined
  private count = 0
  private isUnframed = false

  constructor(
    form: WireFormat,
    mac: MacSettings | undefined,
    rules: RuleBook,
    connection: number,
    direction: OneWay,
    out: StageOut
  ) {
    this.form = form
    this.mac = mac
    this.rules = rules
    this.connection = connection
    this.direction = direction
    this.out = out
    this.stream = new FrameStream(form.frame, {
      message: (frame, from, to, given) => this.message(frame, from, to, given),
      idle: (frame, given) => this.idle(frame, given),
      unframed: (rest, says) => this.unframed(rest, says)
    })
  }

  take(bytes: Buffer): void {
    this.stream.push(bytes)
    if (!this.rules.isWatching(this.direction)) this.pass(this.stream.early())
  }

  tick(now: number): void {
    const { held } = this
    if (held === undefined) return
    if (held.until < 0) held.until = now + REORDER_MAX
    else if (now >= held.until && this.stream.isAtBorder) this.release()
  }

  end(): void {
    this.release()
    this.pass(this.stream.early())
  }

  isBetweenFrames(): boolean {
    return this.stream.isAtBorder
  }

  private pass(bytes: Buffer): void {
    if (bytes.length > 0) this.out.pass(bytes)
  }

  private release(): void {
    const { held } = this
    this.held = undefined
    if (held !== undefined) this.pass(held.frame)
  }

  private idle(frame: Buffer, given: number): void {
    if (given > 0) return this.pass(frame.subarray(given))
    const met = this.rules.idleMeets({ connection: this.connection, direction: this.direction, index: undefined })[0]
    if (met === undefined) return this.pass(frame)
    this.note({ did: met.fault.kind, rule: met.text, says: "idle frame" })
  }

  private unframed(rest: Buffer, says: string): void {
    if (!this.isUnframed) {
      this.isUnframed = true
      this.release()
      this.note({ did: "unframed", says: `${says}; what follows passes as it is` })
    }
    this.pass(rest)
  }

  private message(frame: Buffer, from: number, to: number, given: number): void {
    this.count++
    this.rules.saw(this.connection, this.direction, frame.subarray(from, to))
    // Some of it has left already: nothing can befall it any more.
    if (given > 0) return this.pass(frame.subarray(given))
    const bytes = frame.subarray(from, to)
    const isRead = this.form.codec.index(bytes, 0, bytes.length, this.index) === undefined
    const index = isRead ? this.index : undefined
    const met = this.rules.messageMeets({ connection: this.connection, direction: this.direction, index })
    if (met.length === 0) return this.goOn(frame)
    this.suffer(frame, bytes, met)
  }

  /** The frame goes on, and one that waited for it after it. */
  private goOn(frame: Buffer): void {
    this.pass(frame)
    this.release()
  }

  /** Changes first, then what becomes of the message; of several that end it the first counts. */
  private suffer(frame: Buffer, bytes: Buffer, met: ReadonlyArray<Met>): void {
    let message = bytes
    let whole = frame
    for (const one of met) {
      const { fault } = one
      if (fault.kind !== "change" && fault.kind !== "remove") continue
      const result = this.change(message, fault)
      this.noteMessage(one, message, result.bytes, result.says)
      message = result.bytes
      whole = this.framed(message, frame)
    }
    for (const one of met) {
      const { fault } = one
      if (fault.kind !== "lie") continue
      const lied = this.lie(whole, fault)
      this.noteMessage(one, message, undefined, lied.says)
      whole = lied.frame
    }
    const end = met.find(({ fault }) => fault.kind !== "change" && fault.kind !== "remove" && fault.kind !== "lie")
    if (end === undefined) return this.goOn(whole)
    this.noteMessage(end, message, undefined, undefined)
    this.becomes(end, whole)
  }

  private becomes({ fault, ms }: Met, frame: Buffer): void {
    switch (fault.kind) {
      case "duplicate":
        this.pass(frame)
        for (let at = 0; at < fault.times; at++) this.pass(frame)
        return this.release()
      case "reorder":
        this.release()
        this.held = { frame, until: -1 }
        return
      case "delay":
        return this.out.later(frame, ms)
      case "reset":
      case "close":
      case "half-close":
        return this.rules.cut(fault, this.connection, this.direction)
      default:
        return
    }
  }

  private change(
    bytes: Buffer,
    fault: Extract<MessageFault, { readonly kind: "change" | "remove" }>
  ): { readonly bytes: Buffer; readonly says: string | undefined } {
    const index = new MessageIndex()
    if (this.form.codec.index(bytes, 0, bytes.length, index) !== undefined)
      return { bytes, says: "the message cannot be read any more" }
    if (index.rejectCode !== 0) return { bytes, says: "a reject is not changed" }
    return changed(this.form, index, fault, this.mac)
  }

  /** The changed message in its frame; where the frame cannot hold it, the old one. */
  private framed(message: Buffer, frame: Buffer): Buffer {
    try {
      return wholeFrame(this.form.frame, message)
    } catch {
      return frame
    }
  }

  private lie(
    frame: Buffer,
    fault: Extract<MessageFault, { readonly kind: "lie" }>
  ): { readonly frame: Buffer; readonly says: string } {
    const { frame: format } = this.form
    if (format.kind !== "length") return { frame, says: "this frame has no length header" }
    const at = (format.before?.length ?? 0) / 2
    return liedLength(frame, format.encoding, at, format.bytes, fault)
  }

  private noteMessage({ fault, ms, text }: Met, before: Buffer, after: Buffer | undefined, says: string | undefined) {
    const seen = told(this.form, before, 0)
    const isRead = seen.wrong === undefined
    this.note({
      did: fault.kind,
      rule: text,
      ...(isRead ? namesOf(this.form.codec, seen.index) : {}),
      message: this.count,
      ...(ms > 0 ? { ms } : {}),
      before: covered(seen).toString("hex").toUpperCase(),
      ...(after === undefined
        ? {}
        : {
            after: covered(told(this.form, after, 0))
              .toString("hex")
              .toUpperCase()
          }),
      ...(says === undefined ? {} : { says })
    })
  }

  private note(line: Omit<FaultLine, "at" | "connection" | "direction">): void {
    this.rules.note({ connection: this.connection, direction: this.direction, ...line })
  }
}

/** A copy of the frame whose length says something else. */
const liedLength = (
  frame: Buffer,
  encoding: "ascii" | "bcd" | "binary" | "binary-le" | "hex",
  at: number,
  bytes: number,
  { by, to }: { readonly by: number; readonly to: number | undefined }
): { readonly frame: Buffer; readonly says: string } => {
  const copy = Buffer.from(frame)
  const place = copy.subarray(at, at + bytes)
  const read = (): number => {
    if (encoding === "ascii") return Number(place.toString("latin1"))
    if (encoding === "hex") return Number.parseInt(place.toString("latin1"), 16)
    if (encoding === "bcd") return Number(place.toString("hex"))
    return encoding === "binary" ? place.readUIntBE(0, bytes) : place.readUIntLE(0, bytes)
  }
  const was = read()
  const most =
    encoding === "ascii"
      ? 10 ** bytes
      : encoding === "bcd"
        ? 100 ** bytes
        : encoding === "hex"
          ? 16 ** bytes
          : 256 ** bytes
  const is = Math.min(most - 1, Math.max(0, to ?? was + by))
  if (encoding === "ascii") place.write(String(is).padStart(bytes, "0"), "latin1")
  else if (encoding === "hex") place.write(is.toString(16).toUpperCase().padStart(bytes, "0"), "latin1")
  else if (encoding === "bcd") place.write(String(is).padStart(2 * bytes, "0"), "hex")
  else if (encoding === "binary") place.writeUIntBE(is, 0, bytes)
  else place.writeUIntLE(is, 0, bytes)
  return { frame: copy, says: `the length says ${is} instead of ${was}` }
}
