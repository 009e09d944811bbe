/**
 * Bytes that had been there for a while before they were read: because we were not reading, or because the process stood still.
 *
 * Nobody says when bytes came into the kernel, but it can be bounded: not before the moment at which everything there had been
 * read. A request among such bytes may be old, and its partner may have given it up; whoever takes it counts its time from
 * then. Bytes that are read as they come are not written down.
 */

/** Waits below this are those of any busy turn, in milliseconds. */
export const FRESH_MS = 250

const waits = new WeakMap<Buffer, number>()

/** The chunk had been there for up to `ms` milliseconds when it was given out. */
export const markWaited = (chunk: Buffer, ms: number): void => {
  if (ms > FRESH_MS) waits.set(chunk, ms)
}

/** How long the chunk may have been there, in milliseconds; 0: it is fresh. */
export const waitedMs = (chunk: Buffer): number => waits.get(chunk) ?? 0
