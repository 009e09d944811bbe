/**
 * A switch that was stopped because PostgreSQL has lost what this node had acknowledged goes on when a person says so: because
 * the missing end was restored, or although it is lost, on the node that knows of it.
 *
 * Other nodes are kept out first, and let in last. Between them the journal is taken over, and the decision is written into it
 * with who made it and why. Whatever breaks in between leaves the switch stopped.
 */
import { Clock, Effect } from "effect"
import type { Head } from "../../journal/Head.ts"
import type { JournalError } from "../../journal/JournalError.ts"
import type { PostgresPlace, PostgresUse } from "../../journal/postgres/PostgresConnection.ts"
import { openPostgres } from "../../journal/postgres/PostgresReader.ts"
import { layerPostgres } from "../../journal/postgres/PostgresStore.ts"
import { writeAcceptance, writeAct } from "../AcceptLoss.ts"
import { connectOwners, type OwnerRow, ownersOf, releaseSwitch } from "./OwnerRows.ts"

/** The journal of one node. */
export interface NodePlace {
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
export const lossSeen = ({ directory, keys, place }: NodePlace, head: Head): Effect.Effect<Loss, JournalError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { faultOf, recovered } = yield* openPostgres(place, directory, { keys }, "write")
      const { journalId, lastAt, lastSeq } = recovered
      return { fault: yield* faultOf(head), isOfThisJournal: head.journalId === journalId, lastSeq, lastAt }
    })
  )

/** The row of the place's switch, from the PostgreSQL that takes writes; with `read` also from a standby of it. */
export const rowOf = (
  place: PostgresPlace,
  use: PostgresUse = "write"
): Effect.Effect<OwnerRow | undefined, JournalError> =>
  Effect.map(ownersOf(place, use), (rows) => rows.find((row) => row.switch === place.name))

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

/** Accepts the loss; see the module header. `who`: the user; `why`: his reason, in ASCII characters. */
export const acceptLoss = Effect.fnUntraced(function* (
  at: NodePlace,
  who: string,
  why: string
): Effect.fn.Return<Accepted, JournalError> {
  const { place } = at
  const before = yield* rowOf(place)
  const isHalted = typeof before?.halted === "string"
  const letIn = Effect.asVoid(releaseSwitch(place))
  const running = yield* keptOut(at, before, `Truncated: node ${place.node} is accepting a loss.`)
  if (running !== undefined) {
    if (!isHalted) yield* letIn
    return { _tag: "run", row: running }
  }
  const seq = yield* writeAcceptance(storeOf(at, true), who, why)
  if (seq !== undefined || !isHalted) yield* letIn
  return seq === undefined ? { _tag: "whole" } : { _tag: "accepted", seq }
})

/** What came of a release. `free`: the switch was not stopped; nothing was changed. */
export type Released =
  | { readonly _tag: "free" }
  | { readonly _tag: "run"; readonly row: OwnerRow }
  | { readonly _tag: "released"; readonly seq: number }

/**
 * Lets nodes take a switch over again that its owner has stopped, once the missing end was restored. The journal is taken over,
 * says who has done it and why, and only then are the others let in. Fails where this node knows of something that is still lost.
 */
export const releaseStopped = Effect.fnUntraced(function* (
  at: NodePlace,
  who: string,
  why: string
): Effect.fn.Return<Released, JournalError> {
  const { place } = at
  const before = yield* rowOf(place)
  if (typeof before?.halted !== "string") return { _tag: "free" }
  const running = yield* keptOut(at, before, before.halted)
  if (running !== undefined) return { _tag: "run", row: running }
  const seq = yield* writeAct(storeOf(at, false), { user: who, what: "release", why })
  yield* releaseSwitch(place)
  return { _tag: "released", seq }
})

/**
 * Keeps every node from taking the switch over, and waits for an owner that was only cut off from PostgreSQL: it beats again as
 * soon as it can. Gives the row where one runs the switch.
 */
const keptOut = Effect.fnUntraced(function* (
  { place, takeoverAfterMs }: NodePlace,
  before: OwnerRow | undefined,
  halt: string
) {
  if (before !== undefined && isRun(before, takeoverAfterMs)) return before
  if (typeof before?.halted !== "string") {
    yield* Effect.scoped(Effect.flatMap(connectOwners(place), (table) => table.halt(halt)))
  }
  const from = yield* Clock.currentTimeMillis
  if (typeof before?.node === "string") yield* Effect.sleep(takeoverAfterMs)
  const now = yield* rowOf(place)
  const waitedMs = (yield* Clock.currentTimeMillis) - from
  return now !== undefined && isRun(now, waitedMs) ? now : undefined
})

const storeOf = ({ directory, keys: [key, ...previousKeys], place }: NodePlace, acceptLoss: boolean) =>
  layerPostgres({ place, directory, key, previousKeys, acceptLoss })
