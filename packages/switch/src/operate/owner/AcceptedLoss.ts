/**
 * Going on although PostgreSQL has lost what this node had acknowledged: a person's decision, on the node that knows of it.
 *
 * Other nodes are kept out first, and let in last. Between them the journal is taken over, and the loss is written into it with
 * who accepted it and why. Whatever breaks in between leaves the switch stopped.
 */
import { Clock, Effect } from "effect"
import type { Head } from "../../journal/Head.ts"
import type { JournalError } from "../../journal/JournalError.ts"
import type { PostgresPlace } from "../../journal/postgres/PostgresConnection.ts"
import { openPostgres } from "../../journal/postgres/PostgresReader.ts"
import { layerPostgres } from "../../journal/postgres/PostgresStore.ts"
import { writeAcceptance } from "../AcceptLoss.ts"
import { connectOwners, type OwnerRow, ownersOf, releaseSwitch } from "./OwnerRows.ts"

/** The journal of one node. */
export interface LossPlace {
  readonly place: PostgresPlace
  /** Of this node's anchor. */
  readonly directory: string
  /** The current one first. */
  readonly keys: readonly [Uint8Array, ...ReadonlyArray<Uint8Array>]
  readonly takeoverAfterMs: number
}

/** What this node had acknowledged, beside what PostgreSQL has. */
export interface Loss {
  /** What of the anchor is not so; `undefined`: all of it is, and nothing is lost that this node knows of. */
  readonly fault: string | undefined
  /** Whether the anchor is of this journal at all. */
  readonly isOfThisJournal: boolean
  /** The last entry that PostgreSQL has, and when its group was written, in milliseconds since 1970; 0: there is none. */
  readonly lastSeq: number
  readonly lastAt: number
}

/** Compares this node's anchor with the PostgreSQL that takes writes; changes nothing. */
export const lossSeen = ({ directory, keys, place }: LossPlace, head: Head): Effect.Effect<Loss, JournalError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { faultOf, recovered } = yield* openPostgres(place, directory, { keys }, "write")
      const { journalId, lastAt, lastSeq } = recovered
      return { fault: yield* faultOf(head), isOfThisJournal: head.journalId === journalId, lastSeq, lastAt }
    })
  )

/** The row of the place's switch, from the PostgreSQL that takes writes. */
export const rowOf = (place: PostgresPlace): Effect.Effect<OwnerRow | undefined, JournalError> =>
  Effect.map(ownersOf(place, "write"), (rows) => rows.find((row) => row.switch === place.name))

/** Whether the owner of a row has been heard of within so many milliseconds. */
export const isRun = (row: OwnerRow | undefined, withinMs: number): boolean =>
  typeof row?.node === "string" && (row.silent ?? 0) * 1000 < withinMs

/**
 * What came of it. `run`: a node runs the switch; nothing was changed. `whole`: nothing was lost after all. `accepted`: the loss
 * is in the journal, and nodes may take the switch over.
 */
export type Accepted =
  | { readonly _tag: "run"; readonly row: OwnerRow }
  | { readonly _tag: "whole" }
  | { readonly _tag: "accepted"; readonly seq: number }

/** Accepts the loss; see the module header. `who`: the user; `why`: his reason, in plain characters. */
export const acceptLoss = Effect.fnUntraced(function* (
  at: LossPlace,
  who: string,
  why: string
): Effect.fn.Return<Accepted, JournalError> {
  const { directory, keys, place, takeoverAfterMs } = at
  const before = yield* rowOf(place)
  if (before !== undefined && isRun(before, takeoverAfterMs)) return { _tag: "run", row: before }
  const isHalted = typeof before?.halted === "string"
  const halt = `Truncated: node ${place.node} is accepting a loss.`
  if (!isHalted) yield* Effect.scoped(Effect.flatMap(connectOwners(place), (table) => table.halt(halt)))
  // An owner that was only cut off from PostgreSQL beats again as soon as it can.
  const from = yield* Clock.currentTimeMillis
  if (typeof before?.node === "string") yield* Effect.sleep(takeoverAfterMs)
  const now = yield* rowOf(place)
  const waitedMs = (yield* Clock.currentTimeMillis) - from
  const letIn = Effect.asVoid(releaseSwitch(place))
  if (now !== undefined && isRun(now, waitedMs)) {
    if (!isHalted) yield* letIn
    return { _tag: "run", row: now }
  }
  const [key, ...previousKeys] = keys
  const seq = yield* writeAcceptance(layerPostgres({ place, directory, key, previousKeys, acceptLoss: true }), who, why)
  if (seq !== undefined || !isHalted) yield* letIn
  return seq === undefined ? { _tag: "whole" } : { _tag: "accepted", seq }
})
