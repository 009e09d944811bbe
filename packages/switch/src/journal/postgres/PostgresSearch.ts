/**
 * Answers what is asked of a journal in PostgreSQL, with a search index that is a file of this node: for the thread of a switch,
 * and for a command that only reads.
 */
import { Effect } from "effect"
import type { JournalError } from "../JournalError.ts"
import { type Answer, JournalQueries, type Question } from "../JournalQueries.ts"
import type { Keyring } from "../Seal.ts"
import { type IndexReadings, isDamage, SearchIndex } from "../SearchIndex.ts"
import type { PostgresQuestions } from "./PostgresQuestions.ts"

/** See the module header. */
export class PostgresSearch {
  private readonly questions: PostgresQuestions
  private readonly queries: JournalQueries
  private readonly paths: ReadonlyArray<string>
  private readonly readings: () => IndexReadings
  private index: SearchIndex | undefined

  /**

   * `paths`: of the index, the first that no other process has; `readings`: what reads messages for it, asked for when it is

   * first needed.

   */
  constructor(
    questions: PostgresQuestions,
    keyring: Keyring,
    paths: ReadonlyArray<string>,
    readings: () => IndexReadings
  ) {
    this.questions = questions
    this.paths = paths
    this.readings = readings
    this.queries = new JournalQueries(questions, keyring, () => this.open())
  }

  /** One answer about all entries up to `last`; `later` while the index has to catch up. */
  ask(question: Question, last: number): Effect.Effect<Answer, JournalError> {
    const before = question.what === "extent" ? this.questions.lookAtRoom : Effect.void
    return Effect.andThen(
      before,
      this.questions.run(() => this.sound(() => this.queries.answer(question, last)))
    )
  }

  /** One step of the index towards `last`; whether it has all of it. */
  step(last: number): Effect.Effect<boolean, JournalError> {
    return Effect.gen({ self: this }, function* () {
      const index = yield* this.questions.run(() => this.open())
      if (index.upto >= last) return true
      yield* this.questions.ahead(index.upto + 1)
      return yield* this.questions.run(() => index.step(last))
    })
  }

  close(): void {
    this.index?.close()
  }

  /** A damaged index is begun anew: then it has to catch up. */
  private sound(run: () => Answer): Answer {
    try {
      return run()
    } catch (error) {
      if (!isDamage(error) || this.index === undefined) throw error
      this.index.rebuild()
      return { what: "later" }
    }
  }

  private open(): SearchIndex {
    if (this.index !== undefined) return this.index
    const { groups, rows } = this.questions
    const names: ConstructorParameters<typeof SearchIndex>[2] = {
      of: (id) => {
        const row = id === 0 ? undefined : rows.name(id)
        return row === undefined ? undefined : { id, name: row.name, dialect: row.dialect }
      },
      dialectOf: (name) => [...rows.knownNames].filter((row) => row.name === name).at(-1)?.dialect ?? ""
    }
    const readings: IndexReadings = {
      keysOf: (dialect, message) => this.readings().keysOf(dialect, message),
      askedOf: (entry, dialectOf) => this.readings().askedOf(entry, dialectOf)
    }
    for (const path of this.paths) {
      try {
        this.index = new SearchIndex(path, groups, names, readings)
        return this.index
      } catch (error) {
        if (!isBusy(error) || path === this.paths.at(-1)) throw error
      }
    }
    throw new Error("an index needs a place")
  }
}

/** Whether another process has the file. */
const isBusy = (error: unknown): boolean => (error as { readonly code?: unknown }).code === "SQLITE_BUSY"
