/**
 * Reading a journal while no switch has it open: for `jinka trace` and `jinka journal verify`. Synchronous SQLite in
 * the calling thread, in the same bounded steps as the journal's thread takes.
 *
 * A running switch holds the journal's lock: opening then fails with `Locked`, and the question goes to the switch
 * itself. Opening recovers a WAL that a crash left behind, as the switch would; entries are never changed.
 */
import { accessSync, constants } from "node:fs"
import { join } from "node:path"
import type { Dialect } from "@jinka/codec"
import { Effect, type Scope } from "effect"
import { anchorFile, readAnchor } from "./Anchor.ts"
import { Backup, type Part, restoreFiles } from "./Backup.ts"
import { extentOf, roomOf } from "./Extent.ts"
import { type Head, headWord } from "./Head.ts"
import { type Journal, makeBackup, makeScan, makeVerify } from "./Journal.ts"
import { attempt, attemptCopy, type JournalError } from "./JournalError.ts"
import { type JournalFile, openJournalFile } from "./JournalFile.ts"
import { type Answer, entriesOf, JournalQueries, namesOf, type Question } from "./JournalQueries.ts"
import { stop } from "./JournalReason.ts"
import type { Opened, OpenStore } from "./JournalStore.ts"
import { Keyring } from "./Seal.ts"
import { indexFile, isDamage, SearchIndex } from "./SearchIndex.ts"
import { readingsOf } from "./SearchKeys.ts"
import { headText } from "./Tag.ts"

/** How to read. */
export interface ReadOnlyOptions {
  /** Current and previous keys. Without them secrets stay sealed, and a search by PAN finds nothing. */
  readonly keys?: ReadonlyArray<Uint8Array>
  /** Dialects of the configuration by name. */
  readonly dialects?: Readonly<Record<string, Dialect>>
  /** Read a journal that ends before its anchor. Default: false. */
  readonly acceptLoss?: boolean
}

/** A journal open for reading; the members are those of `Journal`. */
export interface JournalReader extends Pick<Journal["Service"], "find" | "read" | "scan" | "verify"> {
  readonly recovered: Opened
  /** Copies it into a directory, or a part of it for the archive; gives the entries that the copy holds. */
  readonly backup: Journal["Service"]["backup"]
  /** What is there and what room it takes: see {@link OpenStore.extent}. */
  readonly extent: OpenStore["extent"]
  /** What of a head kept elsewhere is not so in this journal, in a sentence; `undefined`: the journal is the one that it was. */
  readonly faultOf: (head: Head) => Effect.Effect<string | undefined, JournalError>
}

/** Opens the journal of a directory for reading, until the scope ends. */
export const openReadOnly = (
  directory: string,
  options: ReadOnlyOptions = {}
): Effect.Effect<JournalReader, JournalError, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      attempt(directory, "The journal cannot be opened", () => new OfflineJournal(directory, options)),
      (journal) => Effect.sync(() => journal.close())
    ),
    (journal) => journal.reader
  )

/**
 * What the anchor of a directory says, as a word to be kept elsewhere. Takes no lock and opens no database: its switch may run.
 * A slot that one of the keys shows to be forged counts for nothing.
 */
export const anchorWord = (
  directory: string,
  keys: ReadonlyArray<Uint8Array> = []
): Effect.Effect<string, JournalError> =>
  attempt(directory, "The anchor cannot be read", () => {
    const keyring = new Keyring(keys)
    const path = join(directory, anchorFile)
    const { head, missing } = readAnchor(path, ({ journalId, seq, hash, tag }) =>
      keyring.accepts(headText(journalId, seq, hash), tag)
    )
    if (head !== undefined) return headWord(head)
    return missing
      ? stop("NotJournal", path, "There is no anchor: no journal was begun here.")
      : stop("Corrupt", path, "No slot of the anchor was written with this key.")
  })

/** Puts a backup into a directory where no journal is; fails with `DirectoryUnusable` where one is. */
export const restoreJournal = (backup: string, directory: string): Effect.Effect<void, JournalError> =>
  attempt(directory, "The backup cannot be restored", () => restoreFiles(backup, directory))

class OfflineJournal {
  private readonly directory: string
  private readonly options: ReadOnlyOptions
  private readonly keyring: Keyring
  private readonly file: JournalFile
  private readonly queries: JournalQueries
  private index: SearchIndex | undefined

  constructor(directory: string, options: ReadOnlyOptions) {
    this.directory = directory
    this.options = options
    this.keyring = new Keyring(options.keys ?? [])
    const { keyring } = this
    this.file = openJournalFile({ directory, keyring, readOnly: true, acceptLoss: options.acceptLoss ?? false })
    this.queries = new JournalQueries({ groups: this.file.groups, room: () => roomOf(this.file) }, keyring, () =>
      this.openIndex()
    )
  }

  get reader(): JournalReader {
    const steps: Pick<OpenStore, "scan" | "verify"> = {
      scan: (from, secrets, kinds) =>
        Effect.map(this.ask({ what: "scan", from, secrets, kinds }), (answer) =>
          answer.what === "entries" ? { entries: entriesOf(answer.bytes), next: answer.next } : { entries: [], next: 0 }
        ),
      verify: (cursor) => attempt(this.directory, "Verifying failed", () => this.file.groups.verify(cursor))
    }
    return {
      recovered: this.file.opened,
      find: (key) =>
        Effect.map(this.ask({ what: "find", key }), (answer) => (answer.what === "found" ? answer.exchanges : [])),
      read: (exchange, options) =>
        Effect.map(this.ask({ what: "read", exchange, secrets: options?.secrets === true }), (answer) =>
          answer.what === "entries" ? entriesOf(answer.bytes) : []
        ),
      backup: (directory, upTo) => {
        let backup: Backup | undefined
        const { database, groups } = this.file
        return makeBackup({
          backup: (into) =>
            attemptCopy(this.directory, into, () => {
              backup ??= new Backup(database, groups, into, upTo === undefined ? undefined : this.partOf(upTo))
              return backup.step()
            })
        })(directory).pipe(Effect.tapError(() => Effect.sync(() => backup?.abandon())))
      },
      extent: (before, needed) =>
        attempt(this.directory, "Reading the journal failed", () =>
          extentOf(this.file.groups, roomOf(this.file), before, needed)
        ),
      faultOf: (head) =>
        attempt(this.directory, "Reading the journal failed", () =>
          this.file.groups.faultOf(head, this.file.opened.lastSeq)
        ),
      scan: makeScan(steps),
      verify: makeVerify(steps)
    }
  }

  private partOf(upTo: number): Part {
    const seal = this.keyring.current
    return seal === undefined
      ? stop(
          "KeyMissing",
          this.directory,
          "A part for the archive says where it begins, tagged with the journal's key."
        )
      : { upTo, seal }
  }

  close(): void {
    this.index?.close()
    this.file.database.close()
  }

  private ask(question: Question): Effect.Effect<Answer, JournalError> {
    const once = attempt(this.directory, "Reading the journal failed", () => this.answer(question))
    return Effect.repeat(once, { while: (answer) => answer.what === "later" })
  }

  private answer(question: Question): Answer {
    try {
      return this.queries.answer(question, this.file.opened.lastSeq)
    } catch (error) {
      if (this.index === undefined || !isDamage(error)) throw error
      this.index.rebuild()
      return { what: "later" }
    }
  }

  /** The index beside the journal; one in memory where nothing may be written. */
  private openIndex(): SearchIndex {
    if (this.index !== undefined) return this.index
    const readings = readingsOf(this.options.dialects ?? {})
    const path = isWritable(this.directory) ? join(this.directory, indexFile) : ":memory:"
    this.index = new SearchIndex(path, this.file.groups, namesOf(this.file), readings)
    return this.index
  }
}

const isWritable = (directory: string): boolean => {
  try {
    accessSync(directory, constants.W_OK)
    return true
  } catch {
    return false
  }
}
