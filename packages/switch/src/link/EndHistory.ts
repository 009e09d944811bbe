/**
 * The last few ends of a link's connections, newest first: what an operator reads to see a pattern in them.
 *
 * Attempts to connect that fail one after the other are one entry with a count, or a night without the partner would leave
 * nothing else to see.
 */
import { closing, type LinkEnded } from "./LinkEnded.ts"

/** Ends that are kept for each link. */
export const ENDS_KEPT = 5

/** One end. Times are monotonic milliseconds. */
export interface End {
  readonly at: number
  /** When the first of `times` equal ones was. */
  readonly firstAt: number
  readonly times: number
  readonly reason: LinkEnded["reason"]
  readonly why: string
  readonly by: "partner" | "network" | "us" | "operator"
  /** FIN, RST, or what moved us to close. */
  readonly how: string
  /** First bytes of a frame that could not be read, in hexadecimal, masked; empty for other ends. */
  readonly first: string
}

/** The ends of one link. */
export class EndHistory {
  private kept: ReadonlyArray<End> = []

  /** Newest first, at most {@link ENDS_KEPT}. */
  get all(): ReadonlyArray<End> {
    return this.kept
  }

  /** Notes an end at `at`, monotonic milliseconds. */
  add(at: number, ended: LinkEnded): void {
    const [last, ...before] = this.kept
    const isAgain = last !== undefined && ended.reason === "ConnectFailed" && last.reason === "ConnectFailed"
    const end: End = {
      at,
      firstAt: isAgain ? last.firstAt : at,
      times: isAgain ? last.times + 1 : 1,
      reason: ended.reason,
      why: ended.why,
      ...closing(ended),
      first: ended.frameError?.first ?? ""
    }
    this.kept = [end, ...(isAgain ? before : this.kept)].slice(0, ENDS_KEPT)
  }
}
