/**
 * Opens a journal in PostgreSQL: reads and verifies what a start needs, from the last mark in front of the recovery floor to the
 * end, and for a switch takes the journal over.
 *
 * Taking over is one entry of our own: the epoch goes up, and a group of ours is written behind the last one. From then on no
 * group of an older owner fits. Nothing is taken over that the journal's key, or this node's anchor, says is not whole.
 */
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { Clock, Effect, type Scope } from "effect"
import { Anchor, anchorFile, type FoundAnchor, readAnchor } from "../Anchor.ts"
import { type BeginningRow, beginningTextOf } from "../Beginning.ts"
import { genesisHash, groupAt } from "../CommitGroup.ts"
import { floorOf } from "../CommitGroupReader.ts"
import { readU64 } from "../Entry.ts"
import { EntryKind } from "../EntryKind.ts"
import { GroupSeal, type Reached } from "../GroupSeal.ts"
import { indexFiles, prepareDirectory } from "../JournalDirectory.ts"
import { attempt, JournalError } from "../JournalError.ts"
import { stop } from "../JournalReason.ts"
import type { Opened } from "../JournalStore.ts"
import { JournalWriter } from "../JournalWriter.ts"
import { isKeyRow, rowText, type StoredKeyRow } from "../KeySlots.ts"
import { cursorBehind, Proof } from "../Proof.ts"
import type { Keyring } from "../Seal.ts"
import { headText, keyIdOfTag, nameText } from "../Tag.ts"
import { placeText } from "./PostgresAddress.ts"
import type { PostgresConnection, PostgresPlace } from "./PostgresConnection.ts"
import { type JournalRow, journalRow, PostgresQuestions } from "./PostgresQuestions.ts"
import { type Before, commitStatement, nameRow, partOf, slotRow, statementsOf } from "./PostgresRows.ts"

/** How a switch opens its journal. */
export interface TakeoverOptions {
  readonly place: PostgresPlace
  /** Where this node's anchor is, and its search index. */
  readonly directory: string
  readonly keyring: Keyring
  /** Go on although acknowledged entries are gone. */
  readonly acceptLoss: boolean
}

/** A journal that this node has taken over. */
export interface Taken {
  readonly journal: JournalRow
  readonly epoch: bigint
  readonly opened: Opened
  readonly seal: GroupSeal
  /** The group of ours that the next one is chained to. */
  readonly before: Before
  readonly slots: ReadonlyArray<StoredKeyRow>
  readonly anchor: Anchor
  readonly questions: PostgresQuestions
}

const checked = <A>(place: string, run: () => A): Effect.Effect<A, JournalError> =>
  attempt(place, "The journal cannot be opened", run)

/** What was found when a journal was opened. */
export interface Recovered {
  readonly reached: Reached
  readonly floor: number
  /** The last group; the row that begins the chain where there is none. */
  readonly before: Before
}

/** Verifies the chain from the last mark in front of the floor to its end. */
export const recoverRows = Effect.fnUntraced(function* (questions: PostgresQuestions, proof: Proof) {
  const { groups, journal } = questions
  const sql = statementsOf(journal.schema)
  const last = yield* questions.run(() => groups.lastGroup())
  if (last !== undefined) yield* checked(proof.place, () => proof.key(keyIdOfTag(last.tag)))
  const floor = last === undefined ? 1 : floorOf(last)
  const marked = (below: number) =>
    Effect.map(questions.query(sql.markBefore, journal.id, BigInt(below)), ([row]) => Number(row?.["seq"] ?? 0))
  const from = yield* marked(last === undefined ? 1 : Math.min(floor, last.first))
  let cursor = yield* questions.run(() => (from === 0 ? groups.start() : cursorBehind(groups, from, proof)))
  for (let done = false; !done; ) {
    const step = yield* questions.run(() => groups.verify(cursor))
    const { bad } = step
    if (bad !== undefined) {
      yield* checked(proof.place, () =>
        stop("Corrupt", proof.place, `At entry ${bad.seq}: ${bad.why}.`, undefined, bad.seq)
      )
    }
    cursor = step.cursor
    done = step.done
  }
  yield* checked(proof.place, () => {
    for (const { keyId } of cursor.unopened) proof.key(keyId)
  })
  const hash = Buffer.from(cursor.hash, "hex")
  const mark = yield* marked(Number.MAX_SAFE_INTEGER)
  const reached: Reached = { seq: cursor.next - 1, hash, counts: cursor.counts, mark }
  return { reached, floor, before: { first: last?.first ?? 0, hash } } satisfies Recovered
})

const namesChanged = "The table of links' names is not the one written."
const keysChanged = "The table of keys is not the one written."

/** The names of links and what slots of keys hold: as many as there are entries that wrote one, and each with a genuine tag. */
export const tablesOf = Effect.fnUntraced(function* (
  questions: PostgresQuestions,
  proof: Proof,
  counts: ReadonlyArray<number>
) {
  const { groups, journal } = questions
  const sql = statementsOf(journal.schema)
  const names = (yield* questions.query(sql.names, journal.id)).map(nameRow)
  const slots = (yield* questions.query(sql.slots, journal.id)).map(slotRow)
  yield* checked(proof.place, () => {
    if (names.length !== counts[EntryKind.named] || !names.every(({ id }, n) => id === n + 1))
      stop("Corrupt", proof.place, namesChanged)
    for (const { id, name, dialect, tag } of names)
      proof.demand(groups.checkName(id, name, dialect, tag), tag, namesChanged)
    const changes = slots.reduce((sum, row) => sum + row.changes, 0)
    if (!slots.every(isKeyRow) || changes !== counts[EntryKind.key]) stop("Corrupt", proof.place, keysChanged)
    for (const row of slots) proof.demand(groups.checkSlot(row), row.tag, keysChanged)
  })
  return { names, slots }
})

/** The journal of the switch, made where there is none and this node knows of none. */
const itsRow = Effect.fnUntraced(function* (
  connection: PostgresConnection,
  { place, acceptLoss, directory }: TakeoverOptions,
  found: FoundAnchor,
  at: string
) {
  const existing = yield* journalRow(connection, place)
  const { head, missing } = found
  const lost = (problem: string, remedy = replaced) => Effect.fail(JournalError.of("Truncated", at, problem, remedy))
  if (existing === undefined) {
    if (!missing && !acceptLoss) {
      const problem = `There is no journal of the switch ${place.name}; this node's journal.head reached entry ${head?.seq ?? "?"} of one.`
      return yield* lost(problem)
    }
    const [left] = indexFiles(directory)
    if (left !== undefined && !acceptLoss) {
      const problem = `There is no journal of the switch ${place.name}; ${left} in ${directory} is of an earlier one.`
      return yield* Effect.fail(JournalError.of("Gone", at, problem, replaced))
    }
    const isFirst = yield* connection.write(statementsOf(place.schema).begin, [
      place.name,
      randomBytes(16).toString("hex"),
      place.node
    ])
    if (isFirst === 0)
      return yield* Effect.fail(JournalError.of("Overtaken", at, "Another node began the journal just now."))
    const made = yield* journalRow(connection, place)
    return made ?? (yield* Effect.die(new Error("the journal's row was made and is not there")))
  }
  if (missing || acceptLoss || head?.journalId === existing.journalId) return existing
  if (head === undefined)
    return yield* lost("This node's journal.head is not as it was written with this key.", restore)
  return yield* lost(
    "This node's journal.head is of another journal: the database was replaced, or the directory is another switch's."
  )
})

const restore =
  "See whether the URL, `schema` and the name of the switch are right; then restore PostgreSQL's missing end from a standby or its archive. Only when that is gone for good: `jinka journal accept-loss`, on this node."

/** The same where nothing of the journal is there, and no loss can be accepted. */
const replaced =
  "See whether the URL, `schema` and the name of the switch are right; then restore PostgreSQL from a standby or its archive. Only when that journal is gone for good: `jinka journal new`, on this node; what was open in it is forgotten."

/** How often a straggler of the last owner may come between before something else must be wrong. */
const TRIES_MAX = 100

/** How long one answer may take while a journal is taken over, in ms: a network that swallows would keep it for many minutes. */
const ANSWER_MS = 10_000

/** The connection with a limit for each of its answers. */
const inTime = (connection: PostgresConnection, at: string): PostgresConnection => {
  const limited = <A>(answer: Effect.Effect<A, JournalError>): Effect.Effect<A, JournalError> =>
    Effect.timeoutOrElse(answer, {
      duration: ANSWER_MS,
      orElse: () => Effect.fail(JournalError.of("StoreAway", at, `No answer came for ${ANSWER_MS} ms.`))
    })
  return {
    ...connection,
    query: (text, ...values) => limited(connection.query(text, ...values)),
    write: (text, values) => limited(connection.write(text, values))
  }
}

/** Takes the journal over; see the module header. `given`: the connection that commits will use. */
export const takeOver = Effect.fnUntraced(function* (
  options: TakeoverOptions,
  given: PostgresConnection
): Effect.fn.Return<Taken, JournalError, Scope.Scope> {
  const { directory, keyring, place, acceptLoss } = options
  const at = placeText(place.address)
  const sql = statementsOf(place.schema)
  const connection = inTime(given, at)
  const { query } = connection
  const proof = new Proof(keyring, at)
  const notes = yield* checked(directory, () => prepareDirectory(directory, false))
  const found = yield* checked(directory, () =>
    readAnchor(join(directory, anchorFile), ({ journalId, seq, hash, tag }) =>
      keyring.accepts(headText(journalId, seq, hash), tag)
    )
  )
  const journal = yield* itsRow(connection, options, found, at)
  const { id, journalId } = journal
  // Before anybody is overtaken: a node with another key must not stop a switch that works.
  const [newest] = yield* query(sql.last, id)
  if (newest !== undefined) {
    yield* checked(at, () => proof.key(keyIdOfTag(newest["tag"] as Uint8Array)))
  }
  const epoch = (yield* query(sql.claim, id))[0]!["epoch"] as bigint
  if (newest === undefined) {
    const hash = genesisHash(journalId)
    yield* query(sql.part, id, 0n)
    yield* query(sql.genesis, id, epoch, hash, keyring.current!.tag(headText(journalId, 0, hash)))
  }
  const questions = new PostgresQuestions(place, journal, keyring, yield* Effect.scope, "write")
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const { before, floor, reached } = yield* recoverRows(questions, proof)
    const lost = yield* lossOf(questions, found, reached.seq, acceptLoss, at)
    const seal = new GroupSeal(journalId, keyring.current!, reached)
    const group = seal.take(yield* ownGroup(place.node, epoch, floor, reached))
    yield* query(sql.part, id, BigInt(partOf(journal, group.first)))
    const { text, values } = commitStatement(journal, epoch, { ...group, keys: [], before })
    if ((yield* connection.write(text, values)) === 0) {
      const [now] = yield* query(sql.epoch, id)
      if (now?.["epoch"] === epoch) continue
      return yield* Effect.fail(JournalError.of("Overtaken", at, `Another node took the journal over just now.`))
    }
    const counts = reached.counts.map((count, kind) => (kind === EntryKind.event ? count + 1 : count))
    const { names, slots } = yield* tablesOf(questions, proof, counts)
    const begins = yield* questions.run(() => questions.groups.beginning)
    yield* retag(questions, begins, connection, keyring, names, slots)
    questions.rows.putNames(names)
    const opened: Opened = {
      journalId,
      epoch: Number(epoch),
      firstSeq: (yield* questions.run(() => questions.groups.start())).next,
      lastAt: readU64(group.bytes, groupAt.time),
      lastSeq: group.last,
      floor: Math.min(floor, group.first),
      counts,
      names: names.map(({ id, name, dialect }) => ({ id, name, dialect })),
      keys: slots.map(({ link, slot, keys }) => ({ link, slot, keys })),
      ...(lost === undefined ? {} : { lossAccepted: lost, lostAfter: reached.seq, isReplaced: lost <= reached.seq }),
      notes: [...notes, ...connection.notes]
    }
    const anchor = yield* checked(directory, () => openAnchor(directory, journalId, found, seal, lost !== undefined))
    return { journal, epoch, opened, seal, before: { first: group.first, hash: group.hash }, slots, anchor, questions }
  }
  return yield* Effect.fail(JournalError.of("Overtaken", at, "Another node keeps writing into this journal."))
})

/** A group of one entry: who has the journal now. */
const ownGroup = Effect.fnUntraced(function* (node: string, epoch: bigint, floor: number, reached: Reached) {
  let buffer: Buffer | undefined
  const writer = new JournalWriter(
    (group) => {
      buffer = group.buffer
    },
    reached.seq,
    reached.counts,
    { groupSize: 4096, groupsUnderWayMax: 1, earlyEntries: 1 }
  )
  writer.now = yield* Clock.currentTimeMillis
  writer.floor = floor
  writer.note(`owner: node ${node}, epoch ${epoch}`)
  writer.flush()
  return buffer!
})

/**
 * Whether the journal holds what this node's anchor says: refuses one that does not. Returns how far it reached when the loss is
 * accepted. A node without an anchor has never had the journal: there is nothing that it could say.
 */
const lossOf = Effect.fnUntraced(function* (
  questions: PostgresQuestions,
  { head }: FoundAnchor,
  lastSeq: number,
  acceptLoss: boolean,
  at: string
) {
  if (head === undefined || head.journalId !== questions.groups.journalId) return undefined
  const fault = yield* questions.run(() => questions.groups.faultOf(head, lastSeq))
  if (fault === undefined) return undefined
  if (acceptLoss) return head.seq
  const problem = `What this node had acknowledged is not there any more (journal.head): ${fault}.`
  return yield* Effect.fail(JournalError.of("Truncated", at, problem, restore))
})

/** What was tagged with an older key is tagged again: that key may be forgotten once no group needs it. */
const retag = Effect.fnUntraced(function* (
  { groups: { journalId }, journal }: PostgresQuestions,
  begins: BeginningRow | undefined,
  { query }: PostgresConnection,
  { current }: Keyring,
  names: ReadonlyArray<ReturnType<typeof nameRow>>,
  slots: ReadonlyArray<StoredKeyRow>
) {
  const sql = statementsOf(journal.schema)
  if (begins !== undefined && keyIdOfTag(begins.tag) !== current!.keyId) {
    yield* query(sql.retagBeginning, journal.id, current!.tag(beginningTextOf(journalId, begins)))
  }
  for (const { id, name, dialect, tag } of names) {
    if (keyIdOfTag(tag) === current!.keyId) continue
    yield* query(sql.retagName, journal.id, id, current!.tag(nameText(journalId, id, name, dialect)))
  }
  for (const row of slots) {
    if (keyIdOfTag(row.tag) === current!.keyId) continue
    yield* query(sql.retagSlot, journal.id, row.link, row.slot, current!.tag(rowText(journalId, row)))
  }
})

const openAnchor = (
  directory: string,
  journalId: string,
  { slot }: FoundAnchor,
  seal: GroupSeal,
  isFresh: boolean
): Anchor => {
  const isNew = slot < 0 || isFresh
  const anchor = new Anchor(join(directory, anchorFile), journalId, isNew ? -1 : slot)
  const start = genesisHash(journalId)
  if (isNew) anchor.write(0, start, seal.tagOf(headText(journalId, 0, start)))
  anchor.write(seal.seq, seal.hash, seal.tag)
  anchor.sync()
  return anchor
}
