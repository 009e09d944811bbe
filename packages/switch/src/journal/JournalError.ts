/**
 * The journal's error: one wrapper around the tagged reasons of `JournalReason`; and what fails with it.
 */
import { Data, Effect } from "effect"
import { copyReasonOf, type JournalReason, type JournalReasonTag, makeReason, reasonOf } from "./JournalReason.ts"

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

/** Does something with the files at `place`. What is thrown fails with its reason; `doing`: what did not work. */
export const attempt = <A>(place: string, doing: string, run: () => A): Effect.Effect<A, JournalError> =>
  Effect.try({ try: run, catch: (error) => new JournalError({ reason: reasonOf(error, place, doing) }) })

/** The same of a copy of the journal `from` that is made at `to`: see `copyReasonOf`. */
export const attemptCopy = <A>(from: string, to: string, run: () => A): Effect.Effect<A, JournalError> =>
  Effect.try({ try: run, catch: (error) => new JournalError({ reason: copyReasonOf(error, from, to) }) })
