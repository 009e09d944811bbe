/**
 * What is noted of connections that were turned away: the first of each kind at once, then a count now and then. A flood must
 * fill neither the journal nor the log. Pure: it is given the time.
 */

/** Milliseconds between two notes of one kind. */
const NOTED_EVERY_MS = 10_000

/** Counts by kind, and when each was noted last. */
export class Refusals {
  /** Connections turned away since the start, by kind. */
  readonly counts: { [kind: string]: number } = {}
  private readonly noted = new Map<string, { at: number; count: number }>()

  /** One more of `kind`. Returns what is to be noted now, if anything: `why`, and how many there were since the last note. */
  count(kind: string, why: string, now: number): string | undefined {
    const count = (this.counts[kind] ?? 0) + 1
    this.counts[kind] = count
    const last = this.noted.get(kind)
    if (last !== undefined && now - last.at < NOTED_EVERY_MS) return undefined
    this.noted.set(kind, { at: now, count })
    const since = count - (last?.count ?? 0)
    return since === 1 ? `${kind}: ${why}` : `${kind}: ${why}; ${since} like it since the last note, ${count} in all`
  }
}
