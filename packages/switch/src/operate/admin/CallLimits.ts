/**
 * How often somebody may ask over the administrative listener: each user for himself, and all whom nobody knows together. What
 * reads the journal is asked for more rarely: partners' messages wait behind it. Whether the switch lives, is ready and runs here
 * may be asked for by everybody at any time: addresses and restarts hang on it.
 */
import { RateLimit } from "../../exchange/entry/RateLimit.ts"

/** Requests a second, and those among them that read the journal. */
const CALLS_PER_SECOND = 100
const SEARCHES_PER_SECOND = 10

const free = new Set(["/live", "/ready", "/owner"])
const searches = /^\/api\/(?:trace|why|totals|audit)(?:\/|$)/

/** The path as the routes take it: in capitals, escaped or with more slashes it is the same. */
const plain = (path: string): string => {
  try {
    return decodeURIComponent(path)
      .toLowerCase()
      .replace(/\/{2,}/g, "/")
  } catch {
    return path
  }
}

/** What whoever asks too often gets to hear. */
export const tooOften = `Too many calls: ${CALLS_PER_SECOND} a second are allowed, ${SEARCHES_PER_SECOND} of them about the journal. Ask again in a second.`

interface Limits {
  readonly calls: RateLimit
  readonly searches: RateLimit
}

/** The limits of one listener; a user has one name. Times are monotonic milliseconds. */
export class CallLimits {
  private readonly of = new Map<string, Limits>()

  /** Whether the user may ask for this path now; "": nobody whom the listener knows. */
  may(user: string, path: string, now: number): boolean {
    if (free.has(path)) return true
    let limits = this.of.get(user)
    if (limits === undefined) {
      limits = { calls: new RateLimit(CALLS_PER_SECOND), searches: new RateLimit(SEARCHES_PER_SECOND) }
      this.of.set(user, limits)
    }
    return limits.calls.take(now) && (!searches.test(plain(path)) || limits.searches.take(now))
  }
}
