/** Whether something is so, and when it was so last: for what is judged later than it came about. Milliseconds of the world. */
export class Spell {
  private isNow = false
  private endedAt = Number.NEGATIVE_INFINITY

  /** It is so from now on, or no longer. */
  set(isSo: boolean, nowMs: number): void {
    if (this.isNow && !isSo) this.endedAt = nowMs
    this.isNow = isSo
  }

  /** Whether it was so at any time from `sinceMs` on. */
  wasSince(sinceMs: number): boolean {
    return this.isNow || this.endedAt >= sinceMs
  }
}
