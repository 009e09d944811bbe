/**
 * What happened, line by line, and its SHA-256: two runs with one hash did the same things in the same order at the same
 * virtual times, down to the bytes on the wire.
 */
import { createHash } from "node:crypto"

/** Lines kept for a report when not all are kept. */
const TAIL = 40

export class Trace {
  /** Lines so far. */
  count = 0
  private readonly keepAll: boolean
  private readonly hash = createHash("sha256")
  private lines: Array<string> = []

  /** `keepAll`: keep every line (a replay), not only the last ones. */
  constructor(keepAll: boolean) {
    this.keepAll = keepAll
  }

  /** `at` in virtual microseconds. `bytes` go into the hash and never into the text: they may hold card data. */
  line(at: number, text: string, bytes?: Uint8Array): void {
    const line = `${(at / 1000).toFixed(3)} ${text}\n`
    this.hash.update(line)
    if (bytes !== undefined) this.hash.update(bytes)
    this.count++
    this.lines.push(line)
    if (!this.keepAll && this.lines.length >= 2 * TAIL) this.lines = this.lines.slice(-TAIL)
  }

  /** The kept lines as one text. */
  text(): string {
    return (this.keepAll ? this.lines : this.lines.slice(-TAIL)).join("")
  }

  /** The first 24 hex digits of the hash over everything so far. */
  digest(): string {
    return this.hash.copy().digest("hex").slice(0, 24)
  }
}
