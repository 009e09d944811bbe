/**
 * The journal's error: one wrapper around the tagged reasons of `JournalReason`.
 */
import { Data } from "effect"
import { type JournalReason, type JournalReasonTag, makeReason } from "./JournalReason.ts"

/**
 * The journal cannot be opened, or has stopped.
 *
 * **Details** After the journal was open, each of these ends it: the switch stops accepting, exits, and recovers from
 * disk on the next start (guarantee G9, docs/domain.md 4.1). `message` names the place, what was found and what to do; it never
 * holds message bytes.
 */
export class JournalError extends Data.TaggedError("JournalError")<{ readonly reason: JournalReason }> {
  override get message(): string {
    const { _tag, place, problem, remedy } = this.reason
    return `${_tag}: ${place}: ${problem} ${remedy}`
  }

  /** Builds one from its parts; the remedy defaults to the tag's own. */
  static of(tag: JournalReasonTag, place: string, problem: string, remedy?: string): JournalError {
    return new JournalError({ reason: makeReason(tag, place, problem, remedy) })
  }
}
