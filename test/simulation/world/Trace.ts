/**
 * What happened, line by line, and its SHA-256: two runs with one hash did the same things in the same order at the same
 * virtual times, down to the bytes on the wire.
 */
import { createHash } from "node:crypto"

/** Bytes of the trace that wait to be hashed together: a call for each line is dear. */
const BATCH = 65_536

/** Lines kept for a report when not all are kept. */
const TAIL = 40

const inMilliseconds = (line: string): string =>
  line.replace(/^\d+/, (microseconds) => (Number(microseconds) / 1000).toFixed(3))

export class Trace {
  /** Lines so far. */
  count = 0
  private readonly keepAll: boolean
  private readonly hash = createHash("sha256")
  private readonly batch = Buffer.allocUnsafe(BATCH)
  private filled = 0
  private lines: Array<string> = []

  /** `keepAll`: keep every line (a replay), not only the last ones. */
  constructor(keepAll: boolean) {
    this.keepAll = keepAll
  }

  /** `at` in virtual microseconds. `bytes` go into the hash and never into the text: they may hold card data. */
  line(at: number, text: string, bytes?: Uint8Array): void {
    const line = `${at} ${text}\n`
    this.put(line, bytes)
    this.count++
    this.lines.push(line)
    if (!this.keepAll && this.lines.length >= 2 * TAIL) this.lines = this.lines.slice(-TAIL)
  }

  private put(line: string, bytes: Uint8Array | undefined): void {
    const most = 3 * line.length + (bytes?.length ?? 0)
    if (this.filled + most > BATCH) this.hashBatch()
    if (most > BATCH) {
      this.hash.update(line)
      if (bytes !== undefined) this.hash.update(bytes)
      return
    }
    this.filled += this.batch.write(line, this.filled)
    if (bytes === undefined) return
    this.batch.set(bytes, this.filled)
    this.filled += bytes.length
  }

  private hashBatch(): void {
    this.hash.update(this.batch.subarray(0, this.filled))
    this.filled = 0
  }

  /** The kept lines as one text, with their times in milliseconds. */
  text(): string {
    return (this.keepAll ? this.lines : this.lines.slice(-TAIL)).map(inMilliseconds).join("")
  }

  /** The first 24 hex digits of the hash over everything so far. */
  digest(): string {
    this.hashBatch()
    return this.hash.copy().digest("hex").slice(0, 24)
  }
}
