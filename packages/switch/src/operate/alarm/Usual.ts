/**
 * What is usual for a link at an hour of the day: the same hour on the seven days before, counted in hours since 1970, so that no
 * time zone and no summer time moves one day against another. Pure.
 */

/** Milliseconds of an hour. */
export const HOUR_MS = 3_600_000

/** Days that are compared. */
export const DAYS = 7

/** Hours that are kept for them, in a ring: the place of an hour is taken by the one that comes eight days later. */
export const HOURS = (DAYS + 1) * 24

/** The hour of a time of day, since 1970. */
export const hourOf = (wallMs: number): number => Math.max(0, Math.floor(wallMs / HOUR_MS))

/** What is known of this hour on the days before, the least first, and its middle: `undefined` where nothing is known. */
export const usualAt = (
  hour: number,
  of: (hour: number) => number | undefined
): { readonly middle: number | undefined; readonly days: number } => {
  const known = Array.from({ length: DAYS }, (_, day) => of(hour - 24 * (day + 1)))
    .filter((value) => value !== undefined)
    .sort((one, other) => one - other)
  return { middle: known[(known.length - 1) >> 1], days: known.length }
}

/** `by 5 earlier days`. */
export const byDays = (days: number): string => (days === 1 ? "by an earlier day" : `by ${days} earlier days`)

/** What is kept of each link, made when it is first named. */
export class ByLink<A> {
  private readonly links = new Map<string, A>()
  private readonly make: () => A

  constructor(make: () => A) {
    this.make = make
  }

  /** What is known of the link. */
  of(name: string): A {
    const known = this.links.get(name) ?? this.make()
    this.links.set(name, known)
    return known
  }

  /** The same; `undefined`: there is no such link. */
  get(name: string): A | undefined {
    return this.links.get(name)
  }

  /** Forgets the links that are not among these any more. All of these are known already. */
  keepOnly(links: ReadonlyArray<{ readonly name: string }>): void {
    if (this.links.size === links.length) return
    const there = new Set(links.map(({ name }) => name))
    for (const name of this.links.keys()) if (!there.has(name)) this.links.delete(name)
  }

  /** The names of all links. */
  get names(): Iterable<string> {
    return this.links.keys()
  }

  [Symbol.iterator](): Iterator<readonly [name: string, of: A]> {
    return this.links.entries()
  }
}
