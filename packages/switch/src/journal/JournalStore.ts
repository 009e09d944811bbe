/**
 * The store seam: what keeps groups. The real one is `SqliteStore`; the deterministic world puts `MemoryStore` in its
 * place.
 *
 * A store makes groups durable in the order in which they come, gives each back when it is, and answers questions
 * about what is durable. It does not number entries and decides nothing about exchanges.
 */
import type { Dialect } from "@jinka/codec"
import { Context, type Effect, type Scope } from "effect"
import type { CommitGroup } from "./CommitGroup.ts"
import type { Entry } from "./Entry.ts"
import type { KindCounts } from "./EntryKind.ts"
import type { JournalError } from "./JournalError.ts"
import type { KeyRow } from "./KeySlots.ts"

/**
 * A name that entries refer to by number. The dialect is what the link's messages are read with in a search; "" for
 * none.
 */
export interface NameRecord {
  readonly id: number
  readonly name: string
  readonly dialect: string
}

/** What was found when the journal was opened; everything in it was verified. */
export interface Opened {
  /** Identity of the journal, 32 hex digits, made when it was created. */
  readonly journalId: string
  /** Number of the ownership that this opening began; left out: no other node can open the journal. */
  readonly epoch?: number
  /** Seq of the first entry that was not dropped; 1 while nothing was. */
  readonly firstSeq: number
  /** Seq of the last entry; 0 for a new journal. */
  readonly lastSeq: number
  /** When the last group was written, milliseconds since the epoch; 0 for a new journal. */
  readonly lastAt: number
  /** Seq that recovery reads from: no exchange older than that was open. 1 for a new journal. */
  readonly floor: number
  /** Entries per kind since the journal began. */
  readonly counts: KindCounts
  readonly names: ReadonlyArray<NameRecord>
  /** What each slot of keys holds. */
  readonly keys: ReadonlyArray<KeyRow>
  /**
   * Seq up to which entries were acknowledged before, when the loss of those behind `lastSeq` was accepted at this
   * opening.
   */
  readonly lossAccepted?: number
  /** The last entry in front of that loss, where a group of ours is behind it already. Default: `lastSeq`. */
  readonly lostAfter?: number
  /** Other entries have the numbers of what was lost: another node has gone on without it. Default: false. */
  readonly isReplaced?: boolean
  /** What was found and put right, or is odd, in sentences: to be logged, and noted in the journal. */
  readonly notes: ReadonlyArray<string>
}

/** Largest STAN: twelve digits, those of ISO 8583:2003 (DE 11 of the other editions has six). */
export const STAN_MAX = 999_999_999_999

/** What to search by; all that are given must fit. */
export interface SearchKey {
  /** DE 11, 0 to {@link STAN_MAX}. */
  readonly stan?: number
  /** DE 37, compared without spaces at its ends. */
  readonly rrn?: string
  /** DE 2 in digits. It is not kept; only its keyed hash is looked up. */
  readonly pan?: string
}

/** Kinds of what a partner asks: each has keys of its own. */
export type AskedKind = "request" | "reversal" | "advice"

/** What was asked. */
export interface Asked {
  /** Name of the link that it came on. */
  readonly link: string
  readonly kind: AskedKind
  /** The match key of the link's dialect, without the data elements that tell callers apart. */
  readonly key: string
}

/** What is looked for: whether a partner has asked this before. */
export interface RecallKey extends Asked {
  /** Milliseconds since the epoch: what was asked before that is not meant. */
  readonly since: number
}

/** What may be it: an exchange that a partner opened with a message of this key, or of another with the same hash. */
export interface Recalled {
  readonly exchange: number
  /** The entry that opened the exchange, with its secret, and the first of those that say how it ended; none while it is open. */
  readonly entries: ReadonlyArray<Entry>
}

/** The greatest time (DE 7 as a number) in the keys of what was asked on a link; infinite when some have none. */
export interface NewestAsked {
  readonly link: string
  readonly time: number
}

/** Entries from one scan step, in order. */
export interface ScanBatch {
  readonly entries: ReadonlyArray<Entry>
  /** Where the next step starts; 0 when the end was reached. */
  readonly next: number
}

/** Where a verification is; `null` starts one. Opaque to callers. */
export interface VerifyCursor {
  /** The first entry that is verified: 1, or the first that was not dropped. */
  readonly from: number
  readonly next: number
  readonly hash: string
  readonly groups: number
  readonly counts: KindCounts
  /** What could not be proved genuine up to here. */
  readonly unopened: ReadonlyArray<Unopened>
}

/** Groups tagged and sealed with a key that was not given: they hang together, and nobody can say whether they are genuine. */
export interface Unopened {
  /** 8 hex digits. */
  readonly keyId: string
  readonly groups: number
  /** First and last entry of all these groups. */
  readonly from: number
  readonly to: number
}

/** One step of a verification. */
export interface VerifyStep {
  readonly cursor: VerifyCursor
  readonly done: boolean
  /** The first entry or group that is not what was written. */
  readonly bad?: { readonly seq: number; readonly why: string }
}

/** How much a journal holds, and since when. Times in milliseconds since the epoch, 0 for none; room in bytes. */
export interface Extent {
  /** The first and the last entry that are there. */
  readonly first: number
  readonly last: number
  /** When the first was written. */
  readonly since: number
  /** Room that its files take, the search index among them, and what of it is free for new entries. */
  readonly size: number
  readonly free: number
  /** Room of the entries that were written in the last 24 hours. */
  readonly perDay: number
  /** The last entry that is old and not needed: what is up to it may be dropped. 0: nothing may. */
  readonly upTo: number
  /** Room that dropping it sets free. */
  readonly droppable: number
  /** Whether more is old, and needed. */
  readonly isHeldBack: boolean
}

/** Told to the journal by its store, on the main thread. */
export interface StoreEvents {
  /** The group is durable and its memory free again; in order. */
  readonly committed: (group: CommitGroup) => void
  /** The store has stopped for good; no group is committed after this. */
  readonly failed: (error: JournalError) => void
  /** Something is wrong with the disk, and the store still works; "" when it is over. */
  readonly troubled: (trouble: string) => void
}

/**
 * Why a store takes no new work for now. `space`: free space is below the reserve, and open work needs what is left. `away`: the
 * store does not answer; what is committed to it waits until it does.
 */
export type StoreRefusal = "space" | "away"

/** An open store. */
export interface OpenStore {
  readonly opened: Opened
  /** Takes the group over; `StoreEvents.committed` gives it back. Never throws. */
  readonly commit: (group: CommitGroup) => void
  /** Exchanges (or lone entries) that fit, newest first, at most `FIND_MAX`. */
  readonly find: (key: SearchKey) => Effect.Effect<ReadonlyArray<number>, JournalError>
  /** Entries of the exchange and those about it, by seq. */
  readonly read: (exchange: number, secrets: boolean) => Effect.Effect<ReadonlyArray<Entry>, JournalError>
  /** For each key what may be it, newest first; asks only as far as entry `upTo`. */
  readonly recall: (
    keys: ReadonlyArray<RecallKey>,
    upTo: number
  ) => Effect.Effect<ReadonlyArray<ReadonlyArray<Recalled>>, JournalError>
  /** The newest of what was asked on each link, among entries up to `upTo` and since `since` (milliseconds since the epoch). */
  readonly newest: (upTo: number, since: number) => Effect.Effect<ReadonlyArray<NewestAsked>, JournalError>
  /** The entries with these numbers, in their order. Numbers that no durable entry has are left out. */
  readonly entries: (seqs: ReadonlyArray<number>, secrets: boolean) => Effect.Effect<ReadonlyArray<Entry>, JournalError>
  /** A bounded number of entries from `from` on; only those whose kinds' bits are in `kinds`, where it is not 0. */
  readonly scan: (from: number, secrets: boolean, kinds: number) => Effect.Effect<ScanBatch, JournalError>
  readonly verify: (cursor: VerifyCursor | null) => Effect.Effect<VerifyStep, JournalError>
  /** How far the journal is on disk, as a word to be kept elsewhere (`Head.ts`). */
  readonly head: Effect.Effect<string, JournalError>
  /**
   * One step of a backup into a directory (`Backup.ts`): entries that it holds, and whether it is whole. With `upTo` it is a part
   * for the archive: from the first entry that is there to `upTo`, which ends a group.
   */
  readonly backup: (
    directory: string,
    upTo?: number
  ) => Effect.Effect<{ readonly seq: number; readonly isDone: boolean }, JournalError>
  /**
   * What is there, what room it takes, and what may be dropped (`Extent.ts`). Nothing that is as new as entry `needed` may be.
   */
  readonly extent: (before: number, needed: number) => Effect.Effect<Extent, JournalError>
  /**
   * One step of dropping what is oldest, up to entry `upTo`, which ends a group (`Dropping.ts`): the last entry that is dropped
   * now. Groups that are not as they were written stay, and it fails.
   */
  readonly drop: (upTo: number) => Effect.Effect<{ readonly seq: number; readonly isDone: boolean }, JournalError>
  /** Dialects that entries from now on may be in, for the search. */
  readonly learn: (dialects: Readonly<Record<string, Dialect>>) => void
  /** Why no new work is to be taken; `undefined`: it is. */
  readonly refuses: () => StoreRefusal | undefined
  /**
   * Whether nobody else can have the journal now. While that is not sure, what is on disk does not leave: another node may have
   * ended it.
   */
  readonly isOurs: () => boolean
  /** How long the store may be away before the journal stops (`StoreAway`), in milliseconds; infinite where it is never away. */
  readonly yieldAfterMs: number
  /** Whether free space is below half of the reserve: then write nothing but what open work needs. */
  readonly scarce: () => boolean
}

/** The seam; see the module header. */
export class JournalStore extends Context.Service<
  JournalStore,
  {
    /** Opens and verifies. Closed with its scope: what was committed is on disk, the file is left clean. */
    readonly open: (events: StoreEvents) => Effect.Effect<OpenStore, JournalError, Scope.Scope>
  }
>()("@jinka/switch/journal/JournalStore") {}

/** What a message is searched by. */
export interface SearchKeys {
  /** DE 11; -1 when the message has none. */
  readonly stan: number
  /** DE 37 without spaces at its ends; "" when the message has none. */
  readonly rrn: string
}

/** Takes the keys from a message of the named dialect. Total: what cannot be read has no keys. */
export type KeysOf = (dialect: string, message: Buffer) => SearchKeys
