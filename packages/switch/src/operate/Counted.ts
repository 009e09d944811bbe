/**
 * Counts in words, for texts that people read: what is counted agrees with its number. Pure.
 */

/** `1 message waits`, `2 messages wait`. */
export const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`
