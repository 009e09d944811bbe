/** One group of links as the configuration writes it. What must hold between keys is in `GroupRelations`. */
import { Schema } from "effect"
import { STICKY_MAX } from "../../../link/LinkGroup.ts"
import { count, Duration, described, Name, option } from "../text/Terms.ts"

const MemberDocument = Schema.Struct({
  link: described(Name, "Name of the link. A link is in one group at most."),
  weight: option(count(1, 100), 1, "Its share of the requests; has no effect with `primary-backup`.")
})

/** One `groups:` entry. */
export const GroupDocument = Schema.Struct({
  name: described(Name, "Name in routes, in the status and in the log; no link may have the same."),
  members: described(
    Schema.NonEmptyArray(MemberDocument).annotate({ expected: "a list of at least one member" }),
    "Links to one institution, in order: the first is the primary."
  ),
  use: option(
    Schema.Literals(["primary-backup", "round-robin", "least-outstanding", "sticky"]),
    "primary-backup",
    "Which member a request goes to, among those that are ready and have room in their window: the first in order; each in turn; the one with the fewest outstanding; or the one that owns the key made of `by`."
  ),
  by: option(
    Schema.Array(count(2, 128)).check(
      Schema.isMaxLength(STICKY_MAX, { expected: `a list of at most ${STICKY_MAX} data elements` })
    ),
    [],
    "Data elements that decide with `use: sticky`, such as [2] or [41, 42]: what is equal in all of them goes to the same member."
  ),
  failback: option(
    Duration,
    "5 minutes",
    "How long a member that was lost is ready again, without a break, before it is primary again or has its sticky keys again."
  ),
  fall: option(
    Schema.Literals(["alone", "together"]),
    "alone",
    "What the end of one member's connection does to the others: nothing, or all are closed and rebuilt (the CUPS rule)."
  )
})
export type GroupDocument = typeof GroupDocument.Type
