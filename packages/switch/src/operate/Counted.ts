/**
 * Counts and times in words, for texts that people read: what is counted agrees with its number. Pure.
 */

/** `1 message waits`, `2 messages wait`. */
export const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

/** `noRoute 30, formatError 4`, the most frequent first. */
export const byCount = (all: { readonly [name: string]: number }): string =>
  Object.entries(all)
    .sort(([, one], [, other]) => other - one)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ")

/** How long something lasts: seconds, from two minutes on minutes. */
export const lasting = (ms: number): string =>
  ms < 120_000 ? counted(Math.round(ms / 1000), "second", "seconds") : `${Math.round(ms / 60_000)} minutes`
