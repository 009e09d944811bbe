/** Owns one thing: a number and what it counts, as people read it. Pure. */

/** `1 rule`, `2 rules`. */
export const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`
