/**
 * What is to be done when the journal has an entry on disk: for each partner a queue in the order of sequence numbers, and the
 * partners take turns.
 *
 * The two actions of the hot path are kept as integers; everything rarer is a function. Guarantee G1 hangs on these queues: a
 * message is forwarded, answered or acknowledged only out of `run`. Everything about one exchange is in the queue of the partner
 * that it came from, so its steps keep their order whatever the others do.
 */

/** What is done with slot `id` of the desk `desk` once its entry is on disk. */
export interface HotActions {
  /** An accepted request goes out. */
  readonly forward: (desk: number, id: number) => void
  /** An answer goes to its origin. */
  readonly deliver: (desk: number, id: number) => void
}

const FORWARD = 1
const DELIVER = 2
const RARE = 3

/** Actions of one partner in one turn. */
const TURN = 8

/** Places of a queue at first. */
const PLACES = 64

/** The queue of one partner. It grows to the longest backlog and stays there. */
class Queue {
  private size = PLACES
  private seqs = new Float64Array(this.size)
  private actions = new Uint8Array(this.size)
  private desks = new Int32Array(this.size)
  private ids = new Int32Array(this.size)
  private rare: Array<(() => void) | undefined> = new Array(this.size)
  private head = 0
  private tail = 0

  get length(): number {
    return this.tail - this.head
  }

  /** The entry that its first action waits for; infinite when there is none. */
  get first(): number {
    return this.head < this.tail ? this.seqs[this.head & (this.size - 1)]! : Number.POSITIVE_INFINITY
  }

  push(seq: number, action: number, desk: number, id: number, run: (() => void) | undefined): void {
    if (this.tail - this.head === this.size) this.grow()
    const at = this.tail++ & (this.size - 1)
    this.seqs[at] = seq
    this.actions[at] = action
    this.desks[at] = desk
    this.ids[at] = id
    this.rare[at] = run
  }

  /** Does the first action. It may push others, here as well. */
  next(hot: HotActions): void {
    const at = this.head++ & (this.size - 1)
    const action = this.actions[at]
    if (action === FORWARD) hot.forward(this.desks[at]!, this.ids[at]!)
    else if (action === DELIVER) hot.deliver(this.desks[at]!, this.ids[at]!)
    else {
      const run = this.rare[at]!
      this.rare[at] = undefined
      run()
    }
  }

  private grow(): void {
    const { seqs, actions, desks, ids, rare } = this
    const mask = this.size - 1
    this.size *= 2
    this.seqs = new Float64Array(this.size)
    this.actions = new Uint8Array(this.size)
    this.desks = new Int32Array(this.size)
    this.ids = new Int32Array(this.size)
    this.rare = new Array(this.size)
    for (let i = this.head; i < this.tail; i++) {
      const to = i & (this.size - 1)
      this.seqs[to] = seqs[i & mask]!
      this.actions[to] = actions[i & mask]!
      this.desks[to] = desks[i & mask]!
      this.ids[to] = ids[i & mask]!
      this.rare[to] = rare[i & mask]
    }
  }
}

/** Somebody who waits until all of a partner up to an entry is done. */
interface Waiter {
  readonly partner: number
  readonly seq: number
  readonly run: () => void
}

/** The queues; partners are the numbers of desks, and -1 for the switch itself. */
export class Commits {
  /** By the partner's number and one: the least is that of the switch itself, -1. */
  private readonly queues: Array<Queue | undefined> = []
  /** Queues that hold something, in the order of their turns; the next one is at `turn`. */
  private readonly filled: Array<Queue> = []
  private readonly waiters = new Set<Waiter>()
  private turn = 0
  private count = 0
  private lastSeq = 0
  private isRunning = false

  /** Actions that wait. */
  get length(): number {
    return this.count
  }

  /** The first entry that something waits for, infinite when nothing does. All before it is done. */
  get first(): number {
    let first = Number.POSITIVE_INFINITY
    for (const queue of this.filled) first = Math.min(first, queue.first)
    return first
  }

  /** Forward the request in slot `id` at desk `desk` once entry `seq` is on disk. */
  forward(partner: number, seq: number, desk: number, id: number): void {
    this.push(partner, seq, FORWARD, desk, id, undefined)
  }

  /** Deliver the answer in slot `id` at desk `desk` once entry `seq` is on disk. */
  deliver(partner: number, seq: number, desk: number, id: number): void {
    this.push(partner, seq, DELIVER, desk, id, undefined)
  }

  /** Call `run` once entry `seq` is on disk. */
  after(partner: number, seq: number, run: () => void): void {
    this.push(partner, seq, RARE, 0, 0, run)
  }

  /** Whether entry `seq` of the partner and all before it is done; `committed`: what is on disk. */
  isDone(partner: number, seq: number, committed: number): boolean {
    return committed >= seq && (this.queues[partner + 1]?.first ?? Number.POSITIVE_INFINITY) > seq
  }

  /** Calls `run` once that is so. Returns what takes it back. Not for each message. */
  whenDone(partner: number, seq: number, run: () => void): () => void {
    const waiter = { partner, seq, run }
    this.waiters.add(waiter)
    return () => this.waiters.delete(waiter)
  }

  /**
   * Does what waits for an entry up to `lastSeq`, of each partner in order, at most `most` actions. False when more is due.
   * Called out of an action, it leaves that to the call that does the action.
   */
  run(lastSeq: number, hot: HotActions, most = Number.POSITIVE_INFINITY): boolean {
    this.lastSeq = Math.max(this.lastSeq, lastSeq)
    if (this.isRunning) return true
    this.isRunning = true
    try {
      return this.rounds(hot, most)
    } finally {
      this.isRunning = false
      if (this.waiters.size > 0) this.wake()
    }
  }

  private rounds(hot: HotActions, most: number): boolean {
    const { filled } = this
    let left = most
    // Queues in a row that had nothing to do.
    let idle = 0
    while (idle < filled.length) {
      if (left <= 0) return this.first > this.lastSeq
      if (this.turn >= filled.length) this.turn = 0
      const queue = filled[this.turn]!
      const done = this.turnOf(queue, hot, Math.min(TURN, left))
      left -= done
      idle = done === 0 ? idle + 1 : 0
      if (queue.length === 0) filled.splice(this.turn, 1)
      else this.turn++
    }
    return true
  }

  private turnOf(queue: Queue, hot: HotActions, most: number): number {
    let done = 0
    while (done < most && queue.first <= this.lastSeq) {
      this.count--
      done++
      queue.next(hot)
    }
    return done
  }

  private wake(): void {
    for (const waiter of this.waiters) {
      if (!this.isDone(waiter.partner, waiter.seq, this.lastSeq)) continue
      this.waiters.delete(waiter)
      waiter.run()
    }
  }

  private push(
    partner: number,
    seq: number,
    action: number,
    desk: number,
    id: number,
    run: (() => void) | undefined
  ): void {
    this.queues[partner + 1] ??= new Queue()
    const queue = this.queues[partner + 1]!
    if (queue.length === 0 && !this.filled.includes(queue)) this.filled.push(queue)
    queue.push(seq, action, desk, id, run)
    this.count++
  }
}
