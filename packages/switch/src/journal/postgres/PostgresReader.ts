/**
 * Reading a journal in PostgreSQL from any node, while its switch runs or not: for `jinka trace`, `totals`, `journal verify` and
 * `summary`. Needs the right to read and no more; never takes the journal over, and locks nothing.
 *
 * It sees the journal as it was when it was opened. What goes wrong with the connection while it reads ends the reading.
 */
import { accessSync, constants } from "node:fs"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { anchorFile, readAnchor } from "../Anchor.ts"
import { groupAt } from "../CommitGroup.ts"
import { readU64 } from "../Entry.ts"
import { makeScan, makeVerify } from "../Journal.ts"
import { JournalError } from "../JournalError.ts"
import { type Answer, entriesOf, type Question } from "../JournalQueries.ts"
import type { JournalReader, ReadOnlyOptions } from "../JournalReader.ts"
import type { Opened, OpenStore } from "../JournalStore.ts"
import { Proof } from "../Proof.ts"
import { Keyring } from "../Seal.ts"
import { type IndexReadings, indexFile } from "../SearchIndex.ts"
import { readingsOf } from "../SearchKeys.ts"
import { headText } from "../Tag.ts"
import { noCopy, placeText } from "./PostgresAddress.ts"
import { connect, type PostgresPlace, type PostgresUse } from "./PostgresConnection.ts"
import { recoverRows, tablesOf } from "./PostgresOpening.ts"
import { journalRow, PostgresQuestions } from "./PostgresQuestions.ts"
import { PostgresSearch } from "./PostgresSearch.ts"

const begun = "No switch of this name has run with this database yet; or see whether URL and schema are right."

/**

 * Opens the journal of a place for reading, until the scope ends. `directory`: where this node's anchor and index are, if any.
 * `use`: `write` reads from where commits go, and not from a standby of PostgreSQL that may lag.

 */
export const openPostgres = Effect.fnUntraced(function* (
  place: PostgresPlace,
  directory: string,
  options: ReadOnlyOptions = {},
  use: PostgresUse = "read"
): Effect.fn.Return<JournalReader, JournalError, Scope.Scope> {
  const at = placeText(place.address)
  const keyring = new Keyring(options.keys ?? [])
  // Before the journal is looked at: whatever this node has said by now is in it.
  const said = anchorOf(directory, keyring)
  const row = yield* Effect.scoped(Effect.flatMap(connect(place, use), (open) => journalRow(open, place)))
  if (row === undefined) {
    const problem = `There is no journal of the switch ${place.name}.`
    return yield* Effect.fail(JournalError.of("NotJournal", at, problem, begun))
  }
  const questions = new PostgresQuestions(place, row, keyring, yield* Effect.scope, use)
  const proof = new Proof(keyring, at)
  const { floor, reached } = yield* recoverRows(questions, proof)
  const last = yield* questions.run(() => questions.groups.lastGroup())
  const { names, slots } = yield* tablesOf(questions, proof, reached.counts)
  const faultOf = (head: NonNullable<typeof said>) => questions.run(() => questions.groups.faultOf(head, reached.seq))
  const fault = said === undefined ? undefined : yield* faultOf(said)
  const opened: Opened = {
    journalId: row.journalId,
    firstSeq: (yield* questions.run(() => questions.groups.start())).next,
    lastSeq: reached.seq,
    lastAt: last === undefined ? 0 : readU64(last.bytes, groupAt.time),
    floor,
    counts: reached.counts,
    names: names.map(({ id, name, dialect }) => ({ id, name, dialect })),
    keys: slots.map(({ link, slot, keys }) => ({ link, slot, keys })),
    notes: fault === undefined ? [] : [`${anchorFile} of this node: ${fault}`]
  }
  let made: IndexReadings | undefined
  const readings = () => {
    made ??= readingsOf(options.dialects ?? {})
    return made
  }
  const search = yield* Effect.acquireRelease(
    Effect.sync(() => new PostgresSearch(questions, keyring, indexesIn(directory), readings)),
    (search) => Effect.sync(() => search.close())
  )
  return readerOf(search, questions, opened, at)
})

const readerOf = (search: PostgresSearch, questions: PostgresQuestions, opened: Opened, at: string): JournalReader => {
  const { lastSeq } = opened
  const ask = (question: Question): Effect.Effect<Answer, JournalError> =>
    Effect.repeat(search.ask(question, lastSeq), { while: (answer) => answer.what === "later" })
  const indexed = <A>(asked: Effect.Effect<A, JournalError>): Effect.Effect<A, JournalError> =>
    Effect.andThen(Effect.repeat(search.step(lastSeq), { until: (isDone) => isDone }), asked)
  const steps: Pick<OpenStore, "scan" | "verify"> = {
    scan: (from, secrets, kinds) =>
      Effect.map(ask({ what: "scan", from, secrets, kinds }), (answer) => {
        if (answer.what !== "entries") return { entries: [], next: 0 }
        // The switch may have written more since: what was opened ends here.
        const entries = entriesOf(answer.bytes).filter(({ seq }) => seq <= lastSeq)
        return { entries, next: answer.next > lastSeq ? 0 : answer.next }
      }),
    verify: (cursor) =>
      Effect.map(
        questions.run(() => questions.groups.verify(cursor, lastSeq)),
        (step) => ({ ...step, done: step.done || step.cursor.next > lastSeq })
      )
  }
  return {
    recovered: opened,
    find: (key) =>
      Effect.map(indexed(ask({ what: "find", key })), (answer) => (answer.what === "found" ? answer.exchanges : [])),
    read: (exchange, options) =>
      Effect.map(indexed(ask({ what: "read", exchange, secrets: options?.secrets === true })), (answer) =>
        answer.what === "entries" ? entriesOf(answer.bytes) : []
      ),
    backup: () => Effect.fail(noCopy(at)),
    extent: (before, needed) =>
      Effect.flatMap(ask({ what: "extent", before, needed }), (answer) =>
        answer.what === "extent" ? Effect.succeed(answer.extent) : Effect.fail(noCopy(at))
      ),
    faultOf: (head) => questions.run(() => questions.groups.faultOf(head, lastSeq)),
    scan: makeScan(steps),
    verify: makeVerify(steps)
  }
}

const anchorOf = (directory: string, keyring: Keyring) => {
  try {
    const isGenuine = ({ journalId, seq, hash, tag }: Parameters<Parameters<typeof readAnchor>[1]>[0]) =>
      keyring.accepts(headText(journalId, seq, hash), tag)
    return readAnchor(join(directory, anchorFile), isGenuine).head
  } catch {
    // Nobody but the switch may read it: then it says nothing here.
    return undefined
  }
}

/** The index of this node where it may be written and no switch has it open, otherwise one in memory. */
const indexesIn = (directory: string): ReadonlyArray<string> => {
  try {
    accessSync(directory, constants.W_OK)
    return [join(directory, indexFile), ":memory:"]
  } catch {
    return [":memory:"]
  }
}
