/**
 * The journal service: everything that is accepted, answered, sent or ended is on disk before it is visible
 * (guarantee G1).
 *
 * It joins the writer to a store, keeps the names of links, and answers questions. It decides nothing about
 * exchanges; recovery reads entries to the switch, which knows what they mean.
 */
import type { Dialect } from "@jinka/codec"
import { Clock, Context, Deferred, Effect, Layer } from "effect"
import type { Entry } from "./Entry.ts"
import { EntryKind, type KindCounts, lossAccepted } from "./EntryKind.ts"
import type { JournalError } from "./JournalError.ts"
import {
  JournalStore,
  type NameRecord,
  type Opened,
  type OpenStore,
  type SearchKey,
  type StoreRefusal,
  type Unopened,
  type VerifyCursor
} from "./JournalStore.ts"
import { JournalWriter, type WriterLimits, writerLimits } from "./JournalWriter.ts"
import { type KeyRow, keyEntryText } from "./KeySlots.ts"
import { Stall } from "./Stall.ts"

/**
 * The result of a verification. `bad` names the first entry that is not what was written; without it, and with nothing
 * `unopened`, all is well.
 */
export interface Verification {
  /** The first entry that was verified: those before it were dropped. */
  readonly from: number
  /** The last one. */
  readonly entries: number
  readonly groups: number
  /** What fits together, and could not be proved genuine because its key was not given. */
  readonly unopened: ReadonlyArray<Unopened>
  readonly bad?: { readonly seq: number; readonly why: string }
}

/** The journal; see the module header. */
export class Journal extends Context.Service<
  Journal,
  {
    /** Appends entries; synchronous, without allocation. */
    readonly writer: JournalWriter
    /** What was found at opening. */
    readonly recovered: Opened
    /**
     * Reads all entries from `recovered.floor` on, with their secrets, in order. For the start: the switch rebuilds
     * its open exchanges from them. Returns how many there were.
     */
    readonly recover: (each: (entry: Entry) => void) => Effect.Effect<number, JournalError>
    /**
     * The number of a name, for entries' `link`. A name (with its dialect) that is new is written into the journal,
     * in front of the first entry that uses it.
     */
    readonly nameId: (name: string, dialect?: string) => number
    /**
     * Writes what a slot of keys holds from now on, and the entry that says how that came, of the link of this number. Both are
     * on disk together, or neither is. `says`: the event in words; `event`: the same as JSON of one line. Returns its seq.
     */
    readonly keep: (row: KeyRow, link: number, says: string, event: string) => number
    /** Dialects besides the known ones that entries from now on may be in, by name: what the search reads them with. */
    readonly learn: (dialects: Readonly<Record<string, Dialect>>) => void
    /** All names, by number. */
    readonly names: () => ReadonlyArray<NameRecord>
    /** Exchanges by STAN, RRN or PAN, newest first, at most 1000. Sees all that is durable. */
    readonly find: (key: SearchKey) => Effect.Effect<ReadonlyArray<number>, JournalError>
    /** All entries of an exchange and those about it (its reversal), by seq. Secrets come only when asked for. */
    readonly read: (
      exchange: number,
      options?: { readonly secrets?: boolean }
    ) => Effect.Effect<ReadonlyArray<Entry>, JournalError>
    /**
     * For each key the exchanges that a partner may have opened with it, newest first, as far as entry `upTo`: it is waited for
     * until the index is as far. Who asks compares the messages.
     */
    readonly recall: OpenStore["recall"]
    /**
     * The greatest time in the keys of what was asked on each link, among entries up to `upTo` that are not older than `since`.
     */
    readonly newest: OpenStore["newest"]
    /** The entries with these numbers, without a search. Secrets come only when asked for. */
    readonly entries: (
      seqs: ReadonlyArray<number>,
      options?: { readonly secrets?: boolean }
    ) => Effect.Effect<ReadonlyArray<Entry>, JournalError>
    /**
     * Reads entries from seq `from` until the end, or until `each` returns false; those of some kinds only where these are
     * given. Runs `between` behind every few hundred entries: where they are printed, it waits for whoever reads. Returns how
     * many it read.
     */
    readonly scan: (
      from: number,
      each: (entry: Entry) => unknown,
      options?: {
        readonly secrets?: boolean
        readonly kinds?: ReadonlyArray<EntryKind>
        readonly between?: Effect.Effect<void>
      }
    ) => Effect.Effect<number, JournalError>
    /** Verifies everything since the journal began, in steps between commits. `progress` is told the seq reached. */
    readonly verify: (progress?: (seq: number) => void) => Effect.Effect<Verification, JournalError>
    /** How far the journal is on disk, as a word that shows later what was there (`Head.ts`). */
    readonly head: Effect.Effect<string, JournalError>
    /**
     * Copies the whole journal into a directory, beside its work; gives the entries that the copy holds. With `upTo`: a part for
     * the archive, which ends there.
     */
    readonly backup: (directory: string, upTo?: number) => Effect.Effect<number, JournalError>
    /** What is there, what room it takes, and what may be dropped: see {@link OpenStore.extent}. */
    readonly extent: OpenStore["extent"]
    /** One step of dropping what is oldest: see {@link OpenStore.drop}. */
    readonly drop: OpenStore["drop"]
    /** Succeeds when everything written so far is on disk. Flushes. */
    readonly drained: Effect.Effect<void, JournalError>
    /** Never succeeds; fails when the journal has stopped. Then the switch stops too. */
    readonly failed: Effect.Effect<never, JournalError>
    /**
     * To be told the monotonic milliseconds about once a second: stops the journal whose disk has stopped answering, or whose
     * store has been away for as long as it may be.
     */
    readonly look: (now: number) => void
    /** Why the journal has stopped, or undefined while it works. */
    readonly stopped: () => JournalError | undefined
    /** Why new requests are to be refused, so that open ones can still be ended; `undefined`: they are not. */
    readonly refuses: () => StoreRefusal | undefined
    /** Whether nobody else can have the journal now; see `OpenStore.isOurs`. */
    readonly isOurs: () => boolean
    /** Whether free space is below half of the reserve: write nothing but what open exchanges need. */
    readonly scarce: () => boolean
    /** What is wrong with the disk while the journal still works; "": nothing. */
    readonly trouble: () => string
    /** Entries per kind since the journal began, by kind number. */
    readonly counts: () => KindCounts
  }
>()("@jinka/switch/journal/Journal") {
  /**
   * The journal on whatever store is given. Its scope's end waits for what is pending, then closes the store.
   *
   * **Gotchas** A new layer at each use: Effect shares a layer by identity within one run, and two journals in one
   * program (two switches of a simulation) must not turn out to be one. Keep the layer in a constant to use it twice.
   */
  static get layer(): Layer.Layer<Journal, JournalError, JournalStore> {
    return Layer.effect(
      Journal,
      Effect.suspend(() => make())
    )
  }
}

/**
 * All steps of a backup into an empty directory, up to the entry `upTo`, or to the last one; gives the last entry that is in it.
 * Another fiber's question waits no longer than one step.
 */
export const makeBackup =
  (store: Pick<OpenStore, "backup">) =>
  (directory: string, upTo?: number): Effect.Effect<number, JournalError> =>
    Effect.map(Effect.repeat(store.backup(directory, upTo), { while: ({ isDone }) => !isDone }), ({ seq }) => seq)

/** Opens the journal on the store of the context, until the scope ends. Fails with the reason for which it does not open. */
export const make = Effect.fnUntraced(function* (limits: WriterLimits = writerLimits) {
  const store = yield* JournalStore
  const failure = Deferred.makeUnsafe<never, JournalError>()
  let stoppedBy: JournalError | undefined
  let writer: JournalWriter | undefined
  const failed = (error: JournalError) => {
    if (stoppedBy !== undefined) return
    stoppedBy = error
    writer?.stop()
    Deferred.doneUnsafe(failure, Effect.fail(error))
  }
  let trouble = ""
  let wentAway = () => {}
  const troubled = (text: string) => {
    trouble = text
    wentAway()
  }
  const open = yield* store.open({ committed: (group) => writer?.committed(group), failed, troubled })
  const stall = new Stall()
  const journalWriter = new JournalWriter(open.commit, open.opened.lastSeq, open.opened.counts, limits)
  writer = journalWriter
  journalWriter.now = yield* Clock.currentTimeMillis
  // Until recovery has ended every open exchange, whatever is written must not move the next recovery past them.
  journalWriter.floor = open.opened.floor
  for (const note of open.opened.notes) journalWriter.note(note)
  noteLoss(journalWriter, open.opened)
  const drained = makeDrained(journalWriter, failure)
  // A store that is away, or goes away meanwhile, may be so for long, and what waits for it was shown to nobody.
  const away = Effect.callback<void>((resume) => {
    wentAway = () => {
      if (open.refuses() === "away") resume(Effect.void)
    }
    wentAway()
  })
  yield* Effect.addFinalizer(() => Effect.raceFirst(away, Effect.ignore(drained)))
  const scan = makeScan(open)
  return Journal.of({
    writer: journalWriter,
    recovered: open.opened,
    recover: (each) => scan(open.opened.floor, each, { secrets: true }),
    ...makeNames(journalWriter, open.opened.names),
    keep: (row, link, says, event) => keep(journalWriter, row, link, says, event),
    learn: (dialects) => open.learn(dialects),
    find: open.find,
    read: (exchange, options) => open.read(exchange, options?.secrets === true),
    recall: open.recall,
    newest: open.newest,
    entries: (seqs, options) => open.entries(seqs, options?.secrets === true),
    scan,
    verify: makeVerify(open),
    head: open.head,
    backup: makeBackup(open),
    extent: open.extent,
    drop: open.drop,
    drained,
    failed: Deferred.await(failure),
    look: (now) => {
      const { committedSeq, pendingEntries } = journalWriter
      const isAway = open.refuses() === "away"
      const stopping = isAway
        ? stall.away(now, open.yieldAfterMs, pendingEntries, trouble)
        : stall.look(now, committedSeq, pendingEntries, "the journal's disk")
      if (stopping !== undefined) failed(stopping)
    },
    stopped: () => stoppedBy,
    refuses: open.refuses,
    isOurs: open.isOurs,
    scarce: open.scarce,
    trouble: () => trouble,
    counts: () => journalWriter.counts
  })
})

/** An accepted loss stays readable for ever: it is the first entry after the gap. */
const noteLoss = (writer: JournalWriter, opened: Opened): void => {
  if (opened.lossAccepted === undefined) return
  writer.note(`${lossAccepted}${lossOf(opened, opened.lossAccepted)}`)
  writer.flush()
}

const lossOf = ({ isReplaced = false, lastSeq, lostAfter = lastSeq }: Opened, upTo: number): string => {
  if (isReplaced) return `some of the entries up to ${upTo} that this node had acknowledged; others have their numbers`
  return upTo > lostAfter ? `entries ${lostAfter + 1} to ${upTo}` : `unknown entries after ${lostAfter}`
}

/** Waits until the writer has nothing pending. It listens beside whoever owns `onCommitted`. */
const makeDrained = (writer: JournalWriter, failure: Deferred.Deferred<never, JournalError>) =>
  Effect.raceFirst(
    Effect.callback<void>((resume) => {
      const upTo = writer.next - 1
      if (writer.committedSeq >= upTo) return resume(Effect.void)
      const forget = writer.whenCommitted(upTo, () => resume(Effect.void))
      writer.flush()
      return Effect.sync(forget)
    }),
    Deferred.await(failure)
  )

/** Kinds as a store takes them: a bit for each, none for all. */
const maskOf = (kinds: ReadonlyArray<EntryKind> = []): number => kinds.reduce((mask, kind) => mask | (1 << kind), 0)

/** Scans in the steps of a store. */
export const makeScan = (open: Pick<OpenStore, "scan">): Journal["Service"]["scan"] =>
  Effect.fnUntraced(function* (from, each, options) {
    let read = 0
    let next = Math.max(1, from)
    while (next !== 0) {
      const batch: { entries: ReadonlyArray<Entry>; next: number } = yield* open.scan(
        next,
        options?.secrets === true,
        maskOf(options?.kinds)
      )
      for (const entry of batch.entries) {
        read++
        if (each(entry) === false) return read
      }
      if (options?.between !== undefined) yield* options.between
      next = batch.next
    }
    return read
  })

/** Verifies in the steps of a store. */
export const makeVerify = (open: Pick<OpenStore, "verify">): Journal["Service"]["verify"] =>
  Effect.fnUntraced(function* (progress) {
    let cursor: VerifyCursor | null = null
    while (true) {
      const step: { cursor: VerifyCursor; done: boolean; bad?: { seq: number; why: string } } =
        yield* open.verify(cursor)
      cursor = step.cursor
      progress?.(cursor.next - 1)
      const result = { from: cursor.from, entries: cursor.next - 1, groups: cursor.groups, unopened: cursor.unopened }
      if (step.bad !== undefined) return { ...result, bad: step.bad }
      if (step.done) return result
    }
  })

/** The row goes where an entry's secret does: a store takes it from there, and leaves no trace of it in the entry. */
const keep = (writer: JournalWriter, row: KeyRow, link: number, says: string, event: string): number => {
  const message = Buffer.from(keyEntryText(row, event))
  const keys = Buffer.from(row.keys)
  const at = writer.begin(EntryKind.key, says, message.length + keys.length)
  writer.on(link)
  message.copy(writer.buffer, at)
  keys.copy(writer.buffer, at + message.length)
  return writer.end(message.length, keys.length)
}

/** Names by number: those of the journal, and new ones, each written as an entry before it is used. */
const makeNames = (
  writer: JournalWriter,
  known: ReadonlyArray<NameRecord>
): Pick<Journal["Service"], "nameId" | "names"> => {
  const records = [...known]
  const ids = new Map(records.map(({ id, name, dialect }) => [`${name}\n${dialect}`, id]))
  let last = records.reduce((max, { id }) => Math.max(max, id), 0)
  return {
    names: () => records,
    nameId: (name, dialect = "") => {
      const text = `${name}\n${dialect}`
      const id = ids.get(text)
      if (id !== undefined) return id
      const bytes = Buffer.from(text)
      const at = writer.begin(EntryKind.named, "named", bytes.length)
      writer.on(++last)
      bytes.copy(writer.buffer, at)
      writer.end(bytes.length, 0)
      ids.set(text, last)
      records.push({ id: last, name, dialect })
      return last
    }
  }
}
