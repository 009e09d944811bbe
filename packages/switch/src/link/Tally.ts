/**
 * Counts of what a stranger or a partner can cause as often as it likes and nobody has to read each time: connections turned
 * away, short connections that ended badly. The first of each kind is noted at once, then one every ten seconds with their
 * number, so that a flood fills neither the journal nor the log. Pure: it is given the time.
 *
 * What is worth a line of its own as long as it comes slowly is the business of `Notices`.
 */

/** Milliseconds between two notes of one kind. */
const NOTED_EVERY_MS = 10_000

/** Counts by kind, and when each was noted last. */
export class Tally {
  /** How many there were since the start, by kind. */
  readonly counts: { [kind: string]: number } = {}
  private readonly noted = new Map<string, { at: number; count: number }>()

  /** How many there were of all kinds. */
  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0)
  }

  /** One more of `kind`. Returns what is to be noted now, if anything: `text`, and how many there were since the last note. */
  add(kind: string, text: string, now: number): string | undefined {
    const count = (this.counts[kind] ?? 0) + 1
    this.counts[kind] = count
    const last = this.noted.get(kind)
    if (last !== undefined && now - last.at < NOTED_EVERY_MS) return undefined
    this.noted.set(kind, { at: now, count })
    const since = count - (last?.count ?? 0)
    return since === 1 ? text : `${text}; ${since} like it since the last note, ${count} in all`
  }
}
