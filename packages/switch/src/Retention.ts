/**
 * How long the journal is kept: whole days (UTC) that are older than `journal.keep` are archived where an archive is configured,
 * and dropped. What is open, stored or in doubt is never dropped, nor anything behind it (docs/decisions/0029-retention.md).
 *
 * Every minute it looks; what there is to do goes in small steps between the journal's commits. Whatever breaks it off (a
 * crash, a full archive) leaves the journal whole, and the next look goes on.
 */
import { Effect, Semaphore } from "effect"
import type { Desks } from "./exchange/Desks.ts"
import { archiveInto } from "./journal/Archive.ts"
import type { JournalError } from "./journal/JournalError.ts"
import type { Extent } from "./journal/JournalStore.ts"

const DAY_MS = 86_400_000

/** What stays in any case: repeats are recognised for a day at most, also those that only the journal knows. */
const LEAST_MS = DAY_MS

const every = "1 minute"
/** Pause between two steps of dropping, and while the disk is behind with what is new. */
const PAUSE_MS = 20
const LAG_PAUSE_MS = 1000
/** Bytes on their way to disk that say that it is behind. */
const LAG_BYTES = 1024 * 1024

/**
 * How far ahead of what it knows a clock is believed: a machine whose clock starts in another year must not take the whole
 * journal for old.
 */
const CLOCK_AHEAD_MAX_MS = 7 * DAY_MS

/** What is kept, and where the rest goes. */
export interface Kept {
  /** Milliseconds; undefined: everything is kept. */
  readonly keepMs: number | undefined
  /** Absolute directory of the archive; undefined: what is old is dropped. */
  readonly archive: string | undefined
}

/** The same with what an archive is verified with. */
export interface RetentionSettings extends Kept {
  /** Keys of the journal, the present one first. */
  readonly keys: ReadonlyArray<Uint8Array>
}

/** What an operator sees of it. */
export interface RetentionStatus extends Extent {
  readonly keepMs: number | undefined
  /** What keeps old days from being dropped, in a sentence; "": nothing does. */
  readonly heldBy: string
  /** Why old days could not be archived or dropped, in a sentence; "": they could. */
  readonly trouble: string
}

/** What was done. */
export interface Retained {
  /** Entries that were dropped, and those that are in the files; 0: none. */
  readonly dropped: number
  readonly archived: number
  readonly files: ReadonlyArray<string>
  /** What keeps more from being dropped; "": nothing. */
  readonly heldBy: string
}

/** What a person asks for. */
export interface RetainRequest {
  /** Directory of the archive; undefined: none is made. */
  readonly archive: string | undefined
  /** Milliseconds since the epoch: what was written earlier. The last whole day stays in any case. */
  readonly before: number
  readonly isDropped: boolean
}

const dayStart = (ms: number): number => Math.floor(ms / DAY_MS) * DAY_MS

/** `2026-08-29`. */
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

const mib = (bytes: number): string => {
  const size = bytes / 1024 ** 2
  return size < 10_240 ? `${size.toFixed(size < 10 ? 1 : 0)} MiB` : `${(size / 1024).toFixed(1)} GiB`
}

/** `the journal takes 12.3 GiB and grows by 140 MiB a day; 2.1 GiB of it may be dropped (jinka journal archive)`. */
export const roomText = (status: RetentionStatus | undefined): string => {
  if (status === undefined) return ""
  const { droppable, free, heldBy, perDay, size } = status
  const inside = free < size / 100 ? "" : ` (${mib(free)} of that is free for new entries)`
  const held = heldBy === "" ? "" : `; more is kept because ${heldBy}`
  const may =
    droppable === 0 ? "nothing of it may be dropped" : `${mib(droppable)} of it may be dropped (jinka journal archive)`
  return `the journal takes ${mib(size)}${inside} and grows by ${mib(perDay)} a day; ${may}${held}`
}

/** The retention of one switch. */
export class Retention {
  private readonly desks: Desks
  private readonly one = Semaphore.makeUnsafe(1)
  private settings: RetentionSettings = { keepMs: undefined, archive: undefined, keys: [] }
  private extent: Extent | undefined
  private heldBy = ""
  private trouble = ""
  /** The clock is believed from here on: the last group that was found at the start, and the monotonic clock then. */
  private readonly from: { readonly at: number; readonly now: number }

  constructor(desks: Desks) {
    this.desks = desks
    this.from = { at: desks.journal.recovered.lastAt, now: desks.runtime.monotonicMs() }
  }

  /** As of the last look; undefined before the first. */
  get status(): RetentionStatus | undefined {
    const { extent, trouble } = this
    if (extent === undefined) return undefined
    return { ...extent, keepMs: this.settings.keepMs, heldBy: this.heldBy, trouble }
  }

  /** Looks from now on, and does what is to be done. */
  watch(settings: RetentionSettings): Effect.Effect<never> {
    this.settings = settings
    return Effect.forever(Effect.andThen(this.once, Effect.sleep(every)))
  }

  /** Other settings, from the next look on. */
  change(kept: Kept): void {
    this.settings = { ...this.settings, ...kept }
  }

  /** A person archives and drops now. */
  byHand(request: RetainRequest): Effect.Effect<Retained, JournalError> {
    return Effect.suspend(() => {
      const before = Math.min(request.before, dayStart(this.believed() - LEAST_MS))
      return this.one.withPermit(this.retain({ ...request, before }))
    })
  }

  /** One look; what goes wrong is told, once, and tried again with the next. */
  private get once(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { archive, keepMs } = this.settings
      // Without `keep` a person sees what could be dropped by hand.
      const before = dayStart(this.believed() - (keepMs ?? LEAST_MS))
      return this.one.withPermit(
        Effect.andThen(
          this.look(before),
          keepMs === undefined ? Effect.void : this.retain({ archive, before, isDropped: true })
        )
      )
    }).pipe(
      Effect.matchEffect({
        onFailure: ({ message }) => this.troubled(message),
        onSuccess: () => this.troubled("")
      })
    )
  }

  private troubled(trouble: string): Effect.Effect<void> {
    if (trouble === this.trouble) return Effect.void
    this.trouble = trouble
    return trouble === ""
      ? Effect.logInfo("old days of the journal are dropped again")
      : Effect.logError(`old days of the journal cannot be dropped: ${trouble}`)
  }

  /** The time of day, as far as the clock is believed. */
  private believed(): number {
    const { runtime } = this.desks
    const wall = runtime.wallMs()
    const { at, now } = this.from
    return at === 0 ? wall : Math.min(wall, at + CLOCK_AHEAD_MAX_MS + runtime.monotonicMs() - now)
  }

  private look(before: number): Effect.Effect<Extent, JournalError> {
    return Effect.tap(this.desks.journal.extent(before, this.needed()), (extent) =>
      Effect.sync(() => {
        this.extent = extent
        this.heldBy = extent.isHeldBack ? this.oldest() : ""
        this.desks.room = roomText(this.status)
      })
    )
  }

  /** Archives and drops day after day: a crash costs one day's work, and an archive has a file for each day. */
  private retain({ archive, before, isDropped }: RetainRequest): Effect.Effect<Retained, JournalError> {
    const { journal } = this.desks
    return Effect.gen({ self: this }, function* () {
      const files: Array<string> = []
      let [dropped, archived] = [0, 0]
      for (;;) {
        const whole = yield* this.look(before)
        const { heldBy } = this
        if (whole.upTo === 0) return { dropped, archived, files, heldBy }
        // Without dropping, all of it is one file: the next would begin with the same entry.
        const end = isDropped && archive !== undefined ? dayStart(whole.since) + DAY_MS : before
        const { first, upTo } = yield* journal.extent(Math.min(before, end), this.needed())
        if (upTo === 0) return { dropped, archived, files, heldBy }
        if (archive !== undefined) {
          files.push(yield* this.archived(archive, { first, last: upTo, day: dayOf(Math.min(before, end) - 1) }))
          archived += upTo - first + 1
        }
        if (!isDropped) return { dropped, archived, files, heldBy }
        yield* this.drop(first, upTo, files.at(-1))
        dropped += upTo - first + 1
      }
    })
  }

  private archived(directory: string, range: { readonly first: number; readonly last: number; readonly day: string }) {
    const { journal } = this.desks
    const { journalId } = journal.recovered
    return archiveInto({ backup: journal.backup, journalId, keys: this.settings.keys }, directory, range)
  }

  /** Drops up to `last`, step by step; while the disk is behind, it waits. The journal says it before it is done. */
  private drop(first: number, last: number, file: string | undefined): Effect.Effect<void, JournalError> {
    const { journal, record } = this.desks
    const kept = file === undefined ? "" : `; they are archived in ${file}`
    const pause = Effect.suspend(() => Effect.sleep(record.pendingBytes > LAG_BYTES ? LAG_PAUSE_MS : PAUSE_MS))
    const steps = Effect.repeat(
      Effect.tap(journal.drop(last), ({ isDone }) => (isDone ? Effect.void : pause)),
      { while: ({ isDone }) => !isDone }
    )
    return Effect.andThen(this.told(`dropping entries ${first} to ${last} of the journal${kept}`), steps).pipe(
      Effect.asVoid
    )
  }

  private told(text: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.desks.record.switchEvent(text)
      this.desks.flush()
      return Effect.logInfo(text)
    })
  }

  /** The oldest entry that must stay: of what has not ended, and the originals of all that is stored or in doubt. */
  private needed(): number {
    const { all, doubts } = this.desks
    let oldest = this.desks.oldestOpen()
    const keep = (about: number, exchange: number) => {
      oldest = Math.min(oldest, exchange, about === 0 ? exchange : about)
    }
    for (const { about, exchange } of doubts.all) keep(about, exchange)
    for (const { stored } of all) oldest = Math.min(oldest, stored.oldestNeeded)
    return oldest
  }

  /** What is the oldest that has not ended, in words. */
  private oldest(): string {
    const from = ({ about, exchange }: { readonly about: number; readonly exchange: number }) => about || exchange
    const doubt = this.desks.doubts.all.toSorted((one, other) => from(one) - from(other))[0]
    if (doubt !== undefined && from(doubt) <= this.needed()) {
      return `exchange ${doubt.exchange} for ${doubt.link} is ${doubt.end} since ${dayOf(doubt.at)}: end it (jinka pending list)`
    }
    return `exchange ${this.needed()} has not ended`
  }
}
