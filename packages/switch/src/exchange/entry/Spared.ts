/**
 * What is not journalled while the journal's disk is below its reserve, or its store is away and enough waits for it: what
 * partners can cause as often as they like and no open exchange needs. It is counted by kind, and told once a second, so that
 * it cannot fill disk or memory. Pure.
 */

/** Kinds of entries that are spared. */
export type SparedKind = "refused" | "late" | "unmatched" | "duplicateAnswer" | "duplicateRequest" | "event"

/** The counts of one switch. */
export class Spared {
  private readonly counts = new Map<SparedKind, number>()
  private all = 0

  /** One entry was not written. */
  add(kind: SparedKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    this.all++
  }

  /** How many there were since the start. */
  get total(): number {
    return this.all
  }

  /** Tells what was spared since the last call; "" when nothing was. */
  take(): string {
    if (this.counts.size === 0) return ""
    const parts = [...this.counts].map(([kind, count]) => `${count} ${kind}`)
    this.counts.clear()
    return `not journalled, because there is no room for it: ${parts.join(", ")}; ${this.all} in all`
  }
}
