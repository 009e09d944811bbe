/**
 * What a short link has besides: connections that the partner makes, and how long they may be silent.
 */
import { Schema } from "effect"
import { count, Duration, option, Truth } from "../text/Terms.ts"

/** The `short:` block of a link with mode sync-short or async-short. */
export const ShortDocument = Schema.Struct({
  keep: option(
    Truth,
    false,
    "A connection that the partner made stays open after its answer, for its next request. Without it we close the connection."
  ),
  firstMessage: option(
    Duration,
    "5 seconds",
    "A connection on which no whole message has come by then is closed: a probe, a stranger, a slow partner."
  ),
  idle: option(
    Duration,
    "60 seconds",
    "A connection is closed when nothing has come on it for this long. Longer than `requestTimeout`: an answer may take that."
  ),
  connections: option(count(1, 65_536), 1024, "Connections that the partner may have open at once; more are closed.")
})
export type ShortDocument = typeof ShortDocument.Type
