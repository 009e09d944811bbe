/**
 * Cuts a stream of chunks into frames, whatever the chunks' borders. It keeps at most one partial frame, of a length that was
 * checked before room for it was made; time is linear in the bytes. A framer serves one connection and is finished after its
 * first error.
 */
import { hex } from "../encoding/Hex.ts"
import type { FrameError } from "./FrameError.ts"
import type { FrameFormat } from "./FrameFormat.ts"
import { DelimiterReader, FixedReader, SingleReadReader, UntilCloseReader } from "./FrameReaders.ts"
import type { FrameReader, FrameSink } from "./FrameSink.ts"
import { LengthReader } from "./LengthReader.ts"

const readerOf = (format: FrameFormat): FrameReader => {
  const limit = format.kind === "fixed" ? format.bytes : format.lengthMax
  if (!(Number.isInteger(limit) && limit >= 1)) throw new TypeError(`frame ${format.kind}: at least 1 byte is expected`)
  switch (format.kind) {
    case "length":
      return new LengthReader(format)
    case "fixed":
      return new FixedReader(format)
    case "delimiter":
      return new DelimiterReader(format, hex(format.delimiter))
    case "until-close":
      return new UntilCloseReader(format)
    case "single-read":
      return new SingleReadReader(format)
  }
}

/** Cuts chunks into frames; see the module header. */
export class Framer {
  private readonly reader: FrameReader
  private error: FrameError | undefined

  /** Throws a `TypeError` when the format makes no sense. */
  constructor(format: FrameFormat) {
    this.reader = readerOf(format)
  }

  /**
   * Feeds one chunk, which must not be changed afterwards. The sink is called for each whole frame in order. Gives the error
   * that finished the framer, now or before.
   */
  push(chunk: Uint8Array, sink: FrameSink): FrameError | undefined {
    if (this.error !== undefined) return this.error
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    this.error = this.reader.push(buffer, sink)
    return this.error
  }

  /** The connection ended in order: an open frame is truncated, or (until-close) complete. */
  end(sink: FrameSink): FrameError | undefined {
    this.error ??= this.reader.end(sink)
    return this.error
  }

  /** Bytes of the partial frame held now; 0 between frames. */
  get open(): number {
    return this.reader.open
  }
}
