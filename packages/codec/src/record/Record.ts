/**
 * Messages without a dialect: fixed-length records of a core system, or opaque bytes (XML, SWIFT text) of which only some byte
 * ranges mean anything to a switch. Nothing else of the message is looked at or changed.
 */

/** A range of bytes, counted from the message's start, or from its end when `offset` is negative. */
export interface ByteRange {
  readonly offset: number
  readonly bytes: number
}

/** What the bytes at the kind range mean. */
export interface RecordKind {
  /** The bytes as text (Latin-1), compared exactly. */
  readonly text: string
  /** Class of the message: what may be done with it after a cut. */
  readonly class: "request" | "response" | "advice" | "adviceResponse" | "networkManagement"
}

/** A record or opaque message, as data. */
export interface RecordFormat {
  readonly name: string
  /** Fixed size of every message; left out: any size that holds all ranges. */
  readonly bytes?: number
  /** Ranges that identify a transaction in request and answer, in order. */
  readonly key: ReadonlyArray<ByteRange>
  /** Range that tells requests from answers, and its meanings; left out: the link's direction tells. */
  readonly kind?: ByteRange & { readonly kinds: ReadonlyArray<RecordKind> }
  /** Range of the response code. */
  readonly responseCode?: ByteRange
  /** Flag that the partner agreed on for repeats: the bytes written there when a message is sent again. */
  readonly repeat?: ByteRange & { readonly text: string }
  /** Ranges with card data: covered with asterisks in a redacted copy. */
  readonly covered?: ReadonlyArray<ByteRange>
}

/** The message has not the record's size, or is too short for a range. */
export interface RecordInvalid {
  readonly _tag: "RecordInvalid"
  readonly rule: "size" | "range" | "kind"
  /** Of the range that the message does not hold; -1 for the size. */
  readonly offset: number
}

const invalid = (rule: RecordInvalid["rule"], offset: number): RecordInvalid => ({
  _tag: "RecordInvalid",
  rule,
  offset
})

const ranges = (format: RecordFormat): ReadonlyArray<ByteRange> =>
  [...format.key, format.kind, format.responseCode, format.repeat, ...(format.covered ?? [])].filter(
    (range) => range !== undefined
  )

const place = (range: ByteRange, start: number, end: number): number =>
  range.offset >= 0 ? start + range.offset : end + range.offset

/** What is done with the messages of one record format; `buffer[start, end)` is always a whole message. */
export class RecordCodec {
  readonly format: RecordFormat
  private readonly ranges: ReadonlyArray<ByteRange>
  private readonly kinds: ReadonlyMap<string, RecordKind>

  /** Throws a `TypeError` when a range cannot be in a message of the format. */
  constructor(format: RecordFormat) {
    this.format = format
    this.ranges = ranges(format)
    this.kinds = new Map(format.kind?.kinds.map((kind) => [kind.text, kind]))
    for (const { offset, bytes } of this.ranges) {
      const inside = offset >= 0 ? offset + bytes <= (format.bytes ?? Number.MAX_SAFE_INTEGER) : bytes <= -offset
      if (!Number.isInteger(offset) || !(bytes > 0) || !inside)
        throw new TypeError(`record ${format.name}: the range at ${offset} does not fit`)
    }
    if (format.repeat !== undefined && format.repeat.text.length !== format.repeat.bytes)
      throw new TypeError(`record ${format.name}: the repeat flag must be as long as its range`)
  }

  /** Whether the message has the right size, holds all ranges and is of a known kind. */
  check(buffer: Buffer, start: number, end: number): RecordInvalid | undefined {
    if (this.format.bytes !== undefined && end - start !== this.format.bytes) return invalid("size", -1)
    for (const range of this.ranges) {
      const from = place(range, start, end)
      if (from < start || from + range.bytes > end) return invalid("range", range.offset)
    }
    const { kind } = this.format
    return kind !== undefined && this.kind(buffer, start, end) === undefined ? invalid("kind", kind.offset) : undefined
  }

  /** Kind of a checked message; `undefined` when the format tells none or the bytes are unknown. */
  kind(buffer: Buffer, start: number, end: number): RecordKind | undefined {
    return this.format.kind === undefined ? undefined : this.kinds.get(this.text(this.format.kind, buffer, start, end))
  }

  /** Response code of a checked message, "" when the format has none. */
  responseCode(buffer: Buffer, start: number, end: number): string {
    return this.format.responseCode === undefined ? "" : this.text(this.format.responseCode, buffer, start, end)
  }

  /** Writes the key of a checked message, "|" between its ranges; returns the bytes written. */
  matchKey(buffer: Buffer, start: number, end: number, out: Buffer, at: number): number {
    let to = at
    for (const range of this.format.key) {
      if (to > at) out[to++] = 0x7c
      const from = place(range, start, end)
      to += buffer.copy(out, to, from, from + range.bytes)
    }
    return to - at
  }

  /** Copies a checked message, with the agreed repeat flag when `repeat`; returns the bytes written. */
  copy(buffer: Buffer, start: number, end: number, repeat: boolean, out: Buffer, at: number): number {
    const length = buffer.copy(out, at, start, end)
    const flag = this.format.repeat
    if (repeat && flag !== undefined) out.write(flag.text, place(flag, at, at + length), "latin1")
    return length
  }

  /** Copies a checked message with its card data covered; returns the bytes written. */
  redact(buffer: Buffer, start: number, end: number, out: Buffer, at: number): number {
    const length = buffer.copy(out, at, start, end)
    for (const range of this.format.covered ?? []) {
      const from = place(range, at, at + length)
      out.fill(0x2a, from, from + range.bytes)
    }
    return length
  }

  private text(range: ByteRange, buffer: Buffer, start: number, end: number): string {
    const from = place(range, start, end)
    return buffer.toString("latin1", from, from + range.bytes)
  }
}
