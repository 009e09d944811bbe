/**
 * Drops the oldest parts of a journal in PostgreSQL, whole tables and no single rows: what is in them is verified first, some
 * groups at a time, and then they go together with the row that says where the journal begins (`Beginning.ts`), all in one
 * statement.
 *
 * The right to drop is one of its own (`jinka_keeper`): without it the statement is refused, and nothing is changed.
 */
import { Effect } from "effect"
import { beginningTextOf } from "../Beginning.ts"
import { JournalError } from "../JournalError.ts"
import { makeReason } from "../JournalReason.ts"
import type { VerifyCursor } from "../JournalStore.ts"
import type { Seal } from "../Seal.ts"
import type { PostgresQuestions } from "./PostgresQuestions.ts"
import { statementsOf } from "./PostgresRows.ts"
import type { PostgresSearch } from "./PostgresSearch.ts"

/** Drops from one journal, as the owner of this epoch. */
export class PostgresDropping {
  private readonly questions: PostgresQuestions
  private readonly search: PostgresSearch
  private readonly seal: Seal
  private readonly epoch: bigint
  /** How far the verification of what is dropped next is. */
  private cursor: VerifyCursor | undefined

  constructor(questions: PostgresQuestions, search: PostgresSearch, seal: Seal, epoch: bigint) {
    this.questions = questions
    this.search = search
    this.seal = seal
    this.epoch = epoch
  }

  /** One step towards `upTo`, the last entry of a part: verifies some groups, and drops when all are. */
  step(upTo: number): Effect.Effect<{ readonly seq: number; readonly isDone: boolean }, JournalError> {
    return Effect.gen({ self: this }, function* () {
      const { groups, rows } = this.questions
      const from: VerifyCursor = this.cursor ?? (yield* this.questions.run(() => groups.start()))
      const { bad, cursor } = yield* this.search.verifyAndForget(from, upTo)
      this.cursor = undefined
      if (bad !== undefined) {
        const problem = `At entry ${bad.seq}: ${bad.why}. Nothing from there on is dropped.`
        return yield* Effect.fail(new JournalError({ reason: makeReason("Corrupt", rows.place, problem) }))
      }
      const [unproved] = cursor.unopened
      if (unproved !== undefined) {
        const problem = `What is old was written with the key ${unproved.keyId}, which was not given: it is not dropped, because nobody could say what it was.`
        return yield* Effect.fail(JournalError.of("KeyWrong", rows.place, problem))
      }
      const seq = cursor.next - 1
      if (cursor.next === from.next) return { seq, isDone: true }
      if (seq < upTo) {
        this.cursor = cursor
        return { seq, isDone: false }
      }
      yield* this.drop(seq, Buffer.from(cursor.hash, "hex"), JSON.stringify(cursor.counts))
      return { seq, isDone: true }
    })
  }

  private drop(seq: number, hash: Buffer, counts: string): Effect.Effect<void, JournalError> {
    const { groups, journal } = this.questions
    const tag = this.seal.tag(beginningTextOf(groups.journalId, { seq, hash, counts, part: 0 }))
    const { drop } = statementsOf(journal.schema)
    return Effect.asVoid(this.questions.query(drop, journal.id, this.epoch, BigInt(seq), hash, counts, tag))
  }
}
