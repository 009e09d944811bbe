/**
 * Which lines about a link go into journal and log, of a kind that a partner or a stranger can cause as often as it likes. Pure:
 * it is given the time.
 *
 * A few together are all noted, a flood is not: it would fill the disk and hide what matters. Every one is counted.
 */

/** How often lines of one kind may be noted: so many together, and one more after each pause. */
export interface Pace {
  readonly burst: number
  /** Milliseconds. */
  readonly pauseMs: number
}

/** For lines that are worth reading one by one while they come slowly. */
export const oneByOne: Pace = { burst: 10, pauseMs: 1000 }

/** For what is counted: connections turned away, short connections that ended badly. */
export const counted: Pace = { burst: 1, pauseMs: 10_000 }

/** For attempts to connect that fail: a night without the partner. */
export const patient: Pace = { burst: 1, pauseMs: 300_000 }

interface Kind {
  count: number
  /** How many there were when the last one was noted. */
  noted: number
  left: number
  refilledAt: number
}

/** Lines of some kinds, at one pace. */
export class Notices {
  private readonly pace: Pace
  /** Made with the first: a link has many of these, and nearly all of them stay empty. */
  private kinds: Map<string, Kind> | undefined

  constructor(pace: Pace) {
    this.pace = pace
  }

  /** How many there were of each kind. */
  get counts(): { readonly [kind: string]: number } {
    return Object.fromEntries([...(this.kinds ?? [])].map(([kind, { count }]) => [kind, count]))
  }

  /** How many there were of all kinds. */
  get total(): number {
    return [...(this.kinds?.values() ?? [])].reduce((sum, { count }) => sum + count, 0)
  }

  /**
   * One more of `kind` at `now`, monotonic milliseconds. Returns what is to be noted, if anything: `text`, and how many there
   * were since the last note.
   */
  add(kind: string, text: string, now: number): string | undefined {
    const one = this.kinds?.get(kind) ?? this.first(kind, now)
    one.count++
    const refilled = Math.floor((now - one.refilledAt) / this.pace.pauseMs)
    if (refilled > 0) {
      one.left = Math.min(this.pace.burst, one.left + refilled)
      one.refilledAt = now
    }
    if (one.left === 0) return undefined
    one.left--
    const since = one.count - one.noted
    one.noted = one.count
    return since === 1 ? text : `${text}; ${since} like it since the last note, ${one.count} in all`
  }

  /** The kind is over: the next one is noted at once, as the first. */
  over(kind: string): void {
    this.kinds?.delete(kind)
  }

  private first(kind: string, now: number): Kind {
    const one = { count: 0, noted: 0, left: this.pace.burst, refilledAt: now }
    this.kinds ??= new Map()
    this.kinds.set(kind, one)
    return one
  }
}
