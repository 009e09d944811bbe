/** `jinka journal accept-loss`: go on although what was acknowledged is lost. */
import { Console, Effect, Option, Redacted, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { type Head, headsIn } from "../../journal/Head.ts"
import { layerSqlite, type SqliteStoreOptions } from "../../journal/SqliteStore.ts"
import { localLoss, writeAcceptance } from "../AcceptLoss.ts"
import { load, loadKeys, loadPostgres } from "../Configuration.ts"
import { Reason } from "../control/Reason.ts"
import { CommandFailed, failedBy } from "../Exit.ts"
import { journalPlace } from "../JournalPlace.ts"
import { nodeAt, runs } from "../owner/NodeAt.ts"
import type { OwnerRow } from "../owner/OwnerRows.ts"
import { acceptLoss, isRun, type Loss, lossSeen, rowOf } from "../owner/Stopped.ts"
import { whoAsks } from "./Asked.ts"
import { configurationFile } from "./RunCommand.ts"

const reason = Flag.String("reason").pipe(
  Flag.withDescription(
    "Why, for the journal: up to 120 ASCII characters, without a run of 8 digits. Without it the command shows what is lost, and changes nothing"
  ),
  Flag.optional
)

const refused = (says: string, exit: "bad" | "journal" | "usage" = "bad"): CommandFailed =>
  new CommandFailed({ exit, says })

/** `jinka journal accept-loss FILE`. */
export const accept = Command.make("accept-loss", { file: configurationFile, reason }, ({ file, reason }) =>
  Effect.gen(function* () {
    const configuration = yield* load(file)
    const postgres = yield* loadPostgres(configuration)
    if (Option.isSome(reason) && !Schema.is(Reason)(reason.value)) return yield* refused(reasonRule, "usage")
    const { directory } = configuration.journal
    if (postgres === undefined) {
      const { key, previousKeys } = yield* loadKeys(configuration)
      const keys = { key: Redacted.value(key), previousKeys: previousKeys.map(Redacted.value) }
      return yield* onThisMachine(file, { ...configuration.journal, ...keys }, reason)
    }
    const at = yield* nodeAt(configuration, postgres)
    const row = yield* rowOf(at.place)
    if (row !== undefined && isRun(row, at.takeoverAfterMs)) return yield* refused(runText(row, at.place.node))
    const [head] = headsIn(yield* (yield* journalPlace(file)).anchor)
    const loss = yield* Effect.catchIf(
      lossSeen(at, head!),
      ({ reason }) => reason._tag === "NotJournal",
      ({ message }) => Effect.fail(refused(`${message} ${forgottenBy}`, "journal"))
    )
    if (!loss.isOfThisJournal) return yield* refused(anotherJournal(at.place.node, loss))
    if (loss.fault === undefined) return yield* refused(nothingLost(at.place.node, head!, row))
    yield* Console.log(lossText(at.place.node, head!, loss, row))
    if (Option.isNone(reason)) return yield* refused(withReason(file), "usage")
    const ended = yield* acceptLoss(at, yield* whoAsks(directory), reason.value)
    if (ended._tag === "run") return yield* refused(runText(ended.row, at.place.node))
    if (ended._tag === "whole") return yield* refused(nothingLost(at.place.node, head!, row))
    yield* Console.log(acceptedText(file, ended.seq, at.place.node, head!, loss))
  }).pipe(Effect.mapError(failedBy))
).pipe(
  Command.withDescription(
    "Goes on although acknowledged entries are lost (`Truncated`: after a fail-over of PostgreSQL to a standby that lagged, with an old backup or copy). Shows first what this node's anchor acknowledged last and what PostgreSQL holds. With --reason it then takes the journal over as it is, writes the loss into it with your name and the reason, and lets nodes take the switch over again. Restore the missing end instead whenever you can: what was in the lost entries must be settled by hand with the partners. On the node that says `Truncated`; no node may run the switch."
  ),
  Command.withShortDescription("Go on although acknowledged entries are lost"),
  Command.withExamples([
    { command: "jinka journal accept-loss switch.yaml", description: "What is lost? Changes nothing" },
    {
      command: 'jinka journal accept-loss switch.yaml --reason "old primary is gone, ticket 4711"',
      description: "Go on without it"
    }
  ])
)

const reasonRule =
  "--reason: who accepts a loss gives a reason of 1 to 120 ASCII characters without a run of 8 digits. Nothing was changed."

/** The same for a journal in SQLite. */
const onThisMachine = Effect.fnUntraced(function* (
  file: string,
  options: SqliteStoreOptions,
  reason: Option.Option<string>
) {
  const { directory, key, previousKeys = [] } = options
  const loss = yield* localLoss(directory, { keys: [key, ...previousKeys] })
  if (loss === undefined) return yield* refused(nothingLostHere)
  yield* Console.log(loss)
  if (Option.isNone(reason)) return yield* refused(withReason(file), "usage")
  const store = layerSqlite({ ...options, acceptLoss: true })
  const seq = yield* writeAcceptance(store, yield* whoAsks(directory), reason.value)
  if (seq === undefined) return yield* refused(nothingLostHere)
  yield* Console.log(`accepted: entry ${seq} of the journal has your name and the reason\n${afterwards(file)}`)
})

const nothingLostHere =
  "Nothing is lost: the journal has all that it acknowledged. Nothing was changed; start the switch."

const afterwards = (file: string): string =>
  `Next: start the switch (\`jinka run ${file}\`). What the journal holds open is ended then, and reversed.\nBy hand: nobody here knows what was in the lost entries. Settle with each partner, from its records, what it sent and got since.`

const runText = (row: OwnerRow, here: string): string =>
  `${runs(row, here)} A loss is accepted while no node runs it: stop it there first (\`jinka stop\`), and see that no other one takes over (\`jinka owners\`).`

const forgottenBy =
  "Only when the journal that this node knows is gone for good: `jinka journal new`, on this node; what was open in it is forgotten."

const anotherJournal = (node: string, { fault }: Loss): string =>
  `The anchor (journal.head) of node ${node} is not of the journal in PostgreSQL: ${fault}. That is no lost end: the database was replaced, or URL, \`schema\`, \`name\` or \`journal.directory\` are another switch's. Nothing was changed. ${forgottenBy}`

const nothingLost = (node: string, head: Head, row: OwnerRow | undefined): string => {
  const has = `Nothing is lost that node ${node} knows of: PostgreSQL has all that it acknowledged, up to entry ${head.seq}.`
  if (typeof row?.halted !== "string") return `${has} Nothing was changed; start the node.`
  return `${has} Nothing was changed. The switch is stopped all the same (${row.halted}): say this on the node that found the loss; when the missing end was restored, or the journal says that the loss was accepted, \`jinka owners FILE --release --reason TEXT\`.`
}

const instant = (at: number): string => (at === 0 ? "never" : new Date(at).toISOString())

const lossText = (node: string, { hash, seq }: Head, { fault, lastAt, lastSeq }: Loss, row: OwnerRow | undefined) =>
  [
    `acknowledged  up to entry ${seq} by node ${node} (journal.head, group ${hash.toString("hex").slice(0, 12)})`,
    `PostgreSQL    up to entry ${lastSeq}, written ${instant(lastAt)}`,
    seq > lastSeq
      ? `lost          entries ${lastSeq + 1} to ${seq}`
      : `lost          some of the entries up to ${seq} that node ${node} had acknowledged: another node has gone on without them, and others have their numbers (${fault})`,
    `stopped       ${row?.halted ?? "no: another node may take the switch over"}`
  ].join("\n")

const withReason = (file: string): string =>
  `Nothing was changed. Restore the missing end where that can be done. When it is gone for good: \`jinka journal accept-loss ${file} --reason TEXT\`.`

const acceptedText = (file: string, seq: number, node: string, head: Head, { lastAt, lastSeq }: Loss): string =>
  [
    `accepted: entry ${seq} of the journal has your name and the reason; nodes may take the switch over again`,
    `Next: start the node (\`jinka run ${file}\`); one that stands by takes over by itself. What the journal holds open is ended then, and reversed.`,
    `By hand: nobody here knows what was in the lost entries. Settle with each partner, from its records, what it sent and got ${head.seq > lastSeq ? `from ${instant(lastAt)} on` : `in the time before node ${node} stopped (its log says when)`}.`,
    "Another node that says `Truncated` later had acknowledged lost entries, too: the same command there."
  ].join("\n")
