/**
 * Answers what is asked of a journal in PostgreSQL, with a search index that is a file of this node: for the thread of a switch,
 * and for a command that only reads.
 */
import { Effect } from "effect"
import type { JournalError } from "../JournalError.ts"
import { type Answer, JournalQueries, type Question } from "../JournalQueries.ts"
import type { VerifyCursor, VerifyStep } from "../JournalStore.ts"
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
      this.questions.run(() => this.inParts(this.sound(() => this.queries.answer(question, last))))
    )
  }

  /** One step of verifying what is about to be dropped, up to `upTo`; what was indexed of it is forgotten. */
  verifyAndForget(from: VerifyCursor, upTo: number): Effect.Effect<VerifyStep, JournalError> {
    const { groups } = this.questions
    return this.questions.run(() => {
      const step = groups.verify(from, upTo)
      const index = this.open()
      for (const group of groups.from(from.next)) {
        if (group.last >= step.cursor.next) break
        index.forget(group)
      }
      return step
    })
  }

  /** Only whole parts can be dropped: what may go ends with one. */
  private inParts(answer: Answer): Answer {
    if (answer.what !== "extent" || answer.extent.upTo === 0) return answer
    const { extent } = answer
    const upTo = this.wholeParts(extent.first, extent.upTo)
    const part = upTo === 0 ? 0 : (upTo - extent.first + 1) / (extent.upTo - extent.first + 1)
    return { what: "extent", extent: { ...extent, upTo, droppable: Math.round(extent.droppable * part) } }
  }

  /** The last entry of the last part that ends up to `upTo`; 0: none does. */
  private wholeParts(first: number, upTo: number): number {
    const { groups, journal } = this.questions
    for (let part = Math.floor((upTo + 1) / journal.partEntries); part > 0; part--) {
      const border = groups.groupOf(part * journal.partEntries - 1)
      if (border === undefined || border.last < first) return 0
      if (border.last <= upTo) return border.last
    }
    return 0
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

  /** A damaged index is started again: then it has to catch up. */
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
