/**
 * The main thread's side of the journal: lays entries into groups and hands the groups to a store.
 *
 * Nothing is allocated for an entry: its bytes go straight into shared memory. It owns the numbering (seq 1.., no
 * gaps), the bounds of groups and the order of acknowledgements. It knows no disk, no thread, no key and no clock:
 * the caller sets `now`. Invariant: committedSeq <= seq of groups handed over <= next - 1. Only one entry is being
 * written at a time.
 */
import { CommitGroup, GROUP_HEADER_LENGTH, GROUP_TAG_LENGTH, groupAt } from "./CommitGroup.ts"
import { ENTRY_CODE_LENGTH_MAX, ENTRY_HEADER_LENGTH, entryAt, setU64, writeAscii } from "./Entry.ts"
import { EntryKind, type KindCounts, opensExchange } from "./EntryKind.ts"
import { Inconsistent } from "./Inconsistent.ts"

/** Bounds of the writer. */
export interface WriterLimits {
  /** Bytes of one group's memory. An entry or a `beginTogether` that needs more gets a larger group. */
  readonly groupSize: number
  /** Groups handed over and not yet durable. Two keep the store busy while an acknowledgement is on its way. */
  readonly groupsUnderWayMax: number
  /**
   * Entries after which a group leaves in the middle of a turn when the store has nothing to do: it works on these while the
   * turn goes on, and the waves of a closed loop part.
   */
  readonly earlyEntries: number
}

/** Defaults; docs/decisions/0004-journal.md says how they were found. */
export const writerLimits: WriterLimits = { groupSize: 256 * 1024, groupsUnderWayMax: 2, earlyEntries: 16 }

/** Groups kept for reuse; more are left to the garbage collector. */
const SPARE_MAX = 16

const nothing = (): void => undefined

/** Writes entries; see the module header. Made by the `Journal` service, once. */
export class JournalWriter {
  /**
   * Where the entry begun last is written. Read it after each `begin`, which may replace it.
   */
  buffer: Buffer
  /** Wall time in ms since 1970 that the next entries get. Set it once per batch. */
  now = 0
  /**
   * Seq of the oldest exchange still open, 0 when none is: recovery reads entries from there on. Set it before
   * `flush`.
   */
  floor = 0
  /** Called once per durable group, in order, with the seq of its last entry. */
  onCommitted: (lastSeq: number) => void = nothing

  private readonly commit: (group: CommitGroup) => void
  private readonly limits: WriterLimits
  private readonly kindCounts: Array<number>
  private readonly ready: Array<CommitGroup> = []
  private readonly waiting = new Set<{ readonly seq: number; readonly run: () => void }>()
  private readonly spare: Array<CommitGroup> = []
  private groupsMade = 0
  private group: CommitGroup
  private nextSeq: number
  private durableSeq: number
  private waitingBytes = 0
  private underWay = 0
  private together = 0
  /** Entries and bytes of the group when what goes together began: what is before may leave without it. */
  private apart = { count: 0, length: 0 }
  private stopped = false
  /** Where the open entry starts and how many bytes it may take; room -1: none is open. */
  private entryFrom = 0
  private entryRoom = -1
  private entryKind = 0

  constructor(
    commit: (group: CommitGroup) => void,
    lastSeq: number,
    counts: KindCounts,
    limits: WriterLimits = writerLimits
  ) {
    this.commit = commit
    this.limits = limits
    this.kindCounts = [...counts]
    this.nextSeq = lastSeq + 1
    this.durableSeq = lastSeq
    this.group = this.take(limits.groupSize)
    this.buffer = this.group.buffer
  }

  /** Seq that the next entry gets. */
  get next(): number {
    return this.nextSeq
  }

  /** Seq of the last entry that is on disk. */
  get committedSeq(): number {
    return this.durableSeq
  }

  /** Entries written and not yet on disk. */
  get pendingEntries(): number {
    return this.nextSeq - 1 - this.durableSeq
  }

  /** Bytes of these entries, headers included. */
  get pendingBytes(): number {
    return this.waitingBytes
  }

  /** Entries per kind since the journal began, those still on their way to disk included. */
  get counts(): KindCounts {
    return this.kindCounts
  }

  /**
   * Starts an entry. Returns the offset in `buffer` where up to `room` bytes of message and secret may be written.
   *
   * **Details** The entry belongs to no link, is about nothing, and is of its own exchange where its kind opens one
   * (accepted, refused, queued), else of none: `of`, `about` and `on` say otherwise, before `end`. `code` is ASCII;
   * other characters become `?`, and what is longer than 255 is cut.
   */
  begin(kind: EntryKind, code: string, room: number): number {
    if (this.entryRoom >= 0) throw new Inconsistent("journal: begin before the entry begun last has ended")
    if (this.group.count >= this.limits.earlyEntries && this.underWay === 0 && this.together === 0) this.handOver()
    const need = ENTRY_HEADER_LENGTH + Math.min(code.length, ENTRY_CODE_LENGTH_MAX) + room
    if (GROUP_HEADER_LENGTH + this.group.length + need + GROUP_TAG_LENGTH > this.group.buffer.length)
      this.makeRoom(need)
    const { buffer, view } = this.group
    const at = GROUP_HEADER_LENGTH + this.group.length
    const seq = this.nextSeq
    setU64(view, seq, at + entryAt.seq)
    setU64(view, this.now, at + entryAt.time)
    view.setUint16(at + entryAt.kind, kind << 8)
    view.setUint32(at + entryAt.link, 0)
    view.setUint32(at + entryAt.epoch, 0)
    setU64(view, opensExchange(kind) ? seq : 0, at + entryAt.exchange)
    setU64(view, 0, at + entryAt.about)
    setU64(view, 0, at + entryAt.pan)
    const codeLength = writeAscii(buffer, code, at + ENTRY_HEADER_LENGTH, ENTRY_CODE_LENGTH_MAX)
    view.setUint16(at + entryAt.codeLength, codeLength)
    this.entryFrom = at
    this.entryRoom = room
    this.entryKind = kind
    return at + ENTRY_HEADER_LENGTH + codeLength
  }

  /** The entry being written is of this exchange. */
  of(exchange: number): void {
    this.open()
    setU64(this.group.view, exchange, this.entryFrom + entryAt.exchange)
  }

  /** The entry being written is about another exchange: a reversal's original. */
  about(exchange: number): void {
    this.open()
    setU64(this.group.view, exchange, this.entryFrom + entryAt.about)
  }

  /** The entry being written is of a link, by the number of its name, and of its connection `epoch`; 0: of none. */
  on(link: number, epoch = 0): void {
    this.open()
    const { view } = this.group
    view.setUint32(this.entryFrom + entryAt.link, link)
    view.setUint32(this.entryFrom + entryAt.epoch, epoch)
  }

  private open(): void {
    if (this.entryRoom < 0) throw new Inconsistent("journal: no entry is being written")
  }

  /**
   * Ends the entry: the message's bytes are at the offset that `begin` gave, the secret's right behind. Returns its
   * seq.
   */
  end(messageLength: number, secretLength: number): number {
    if (this.entryRoom < 0) throw new Inconsistent("journal: end without begin")
    if (messageLength + secretLength > this.entryRoom) throw new Inconsistent("journal: entry longer than was begun")
    const { group } = this
    const { view } = group
    const at = this.entryFrom
    view.setUint32(at + entryAt.secretLength, secretLength)
    view.setUint32(at + entryAt.messageLength, messageLength)
    const codeLength = view.getUint16(at + entryAt.codeLength)
    const length = ENTRY_HEADER_LENGTH + codeLength + messageLength + secretLength
    const seq = this.nextSeq
    this.nextSeq = seq + 1
    if (group.count === 0) group.first = seq
    group.last = seq
    group.count++
    group.length += length
    this.waitingBytes += length
    this.kindCounts[this.entryKind] = (this.kindCounts[this.entryKind] ?? 0) + 1
    this.entryRoom = -1
    return seq
  }

  /** Drops the entry that was begun and not ended, if there is one: what was to be in it cannot be written. */
  abandon(): void {
    this.entryRoom = -1
  }

  /** An event that concerns no link, in plain words. Returns its seq. */
  note(text: string): number {
    this.begin(EntryKind.event, text, 0)
    return this.end(0, 0)
  }

  /** All entries until `endTogether` become durable in one transaction, or none of them. May be nested. */
  beginTogether(): void {
    if (this.together++ === 0) this.apart = { count: this.group.count, length: this.group.length }
  }

  /** Ends {@link beginTogether}. */
  endTogether(): void {
    if (this.together === 0) throw new Inconsistent("journal: endTogether without beginTogether")
    this.together--
  }

  /**
   * Hands over what has gathered as one group, unless as many groups as allowed are under way; then it goes by
   * itself, with what gathers until then, when one of them is durable. Called once per turn.
   */
  flush(): void {
    if (this.together > 0 || this.entryRoom >= 0)
      throw new Inconsistent("journal: flush inside an entry or beginTogether")
    this.handOver()
  }

  /** Told by the store: this group is durable. Groups are given back in the order in which they were handed over. */
  committed(group: CommitGroup): void {
    this.underWay--
    this.waitingBytes -= group.length
    this.durableSeq = group.last
    const last = group.last
    if (group.buffer.length === this.limits.groupSize && this.spare.length < SPARE_MAX) {
      group.clear()
      this.spare.push(group)
    }
    this.onCommitted(last)
    if (this.waiting.size > 0) this.wake(last)
    this.handOver()
  }

  /**
   * Calls `run` once when the entry `seq` is on disk, after `onCommitted`. Returns what takes that back. Not for each
   * message.
   */
  whenCommitted(seq: number, run: () => void): () => void {
    const waiter = { seq, run }
    this.waiting.add(waiter)
    return () => this.waiting.delete(waiter)
  }

  /** Told by the service: the journal has failed. Nothing is handed over any more; what is pending stays pending. */
  stop(): void {
    this.stopped = true
  }

  private wake(last: number): void {
    for (const waiter of this.waiting) {
      if (waiter.seq > last) continue
      this.waiting.delete(waiter)
      waiter.run()
    }
  }

  private handOver(): void {
    while (!this.stopped && this.underWay < this.limits.groupsUnderWayMax) {
      const group = this.ready.shift() ?? this.gathered()
      if (group === undefined) return
      this.underWay++
      this.commit(group)
    }
  }

  /** The group being filled, when it may leave: it holds entries, and none is open. */
  private gathered(): CommitGroup | undefined {
    if (this.group.count === 0 || this.together > 0 || this.entryRoom >= 0) return undefined
    const group = this.seal(this.group)
    this.group = this.take(this.limits.groupSize)
    this.buffer = this.group.buffer
    return group
  }

  /** Writes the group's header. The floor never passes the group itself: its entries may have opened exchanges. */
  private seal(group: CommitGroup): CommitGroup {
    const { view } = group
    const floor = this.floor === 0 ? group.first : Math.min(this.floor, group.first)
    setU64(view, group.first, groupAt.first)
    setU64(view, group.last, groupAt.last)
    setU64(view, this.now, groupAt.time)
    setU64(view, floor, groupAt.floor)
    view.setUint32(groupAt.count, group.count)
    view.setUint32(groupAt.length, group.length)
    return group
  }

  /**
   * The group being filled has no room for `need` more bytes: it is closed. What must stay together goes on in the next one, and
   * only that makes it larger than others.
   */
  private makeRoom(need: number): void {
    const whole = GROUP_HEADER_LENGTH + need + GROUP_TAG_LENGTH
    if (this.together === 0) {
      const full = this.group
      this.group = this.take(Math.max(this.limits.groupSize, whole))
      if (full.count > 0) {
        this.ready.push(this.seal(full))
        this.handOver()
      } else if (full.buffer.length === this.limits.groupSize) this.spare.push(full)
    } else if (this.apart.count > 0) this.part(whole)
    else {
      const old = this.group
      this.group = this.take(Math.max(2 * old.buffer.length, whole + old.length))
      old.buffer.copy(this.group.buffer, 0, 0, GROUP_HEADER_LENGTH + old.length)
      this.group.first = old.first
      this.group.last = old.last
      this.group.count = old.count
      this.group.length = old.length
      old.buffer.fill(0)
    }
    this.buffer = this.group.buffer
  }

  /** What goes together moves into a group of its own; what is before it leaves. */
  private part(whole: number): void {
    const { apart, group: full } = this
    const from = GROUP_HEADER_LENGTH + apart.length
    const length = full.length - apart.length
    const group = this.take(Math.max(this.limits.groupSize, whole + length))
    full.buffer.copy(group.buffer, GROUP_HEADER_LENGTH, from, from + length)
    full.buffer.fill(0, from, from + length)
    group.first = full.first + apart.count
    group.last = full.last
    group.count = full.count - apart.count
    group.length = length
    full.last = group.first - 1
    full.count = apart.count
    full.length = apart.length
    this.group = group
    this.apart = { count: 0, length: 0 }
    this.ready.push(this.seal(full))
    this.handOver()
  }

  private take(size: number): CommitGroup {
    const spare = size === this.limits.groupSize ? this.spare.pop() : undefined
    return spare ?? new CommitGroup(++this.groupsMade, size)
  }
}
