/**
 * What is to be done when the journal has an entry on disk: a queue in the order of sequence numbers.
 *
 * The two actions of the hot path are kept as integers; everything rarer is a function. Guarantee G1 hangs on this queue: a
 * message is forwarded, answered or acknowledged only out of `run`.
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

/** The queue. It grows to the longest backlog and stays there. */
export class Commits {
  private size = 1024
  private seqs = new Float64Array(this.size)
  private actions = new Uint8Array(this.size)
  private desks = new Int32Array(this.size)
  private ids = new Int32Array(this.size)
  private rare: Array<(() => void) | undefined> = new Array(this.size)
  private head = 0
  private tail = 0

  /** Entries waited for. */
  get length(): number {
    return this.tail - this.head
  }

  /** Forward the request in slot `id` at desk `desk` once entry `seq` is on disk. */
  forward(seq: number, desk: number, id: number): void {
    this.push(seq, FORWARD, desk, id, undefined)
  }

  /** Deliver the answer in slot `id` at desk `desk` once entry `seq` is on disk. */
  deliver(seq: number, desk: number, id: number): void {
    this.push(seq, DELIVER, desk, id, undefined)
  }

  /** Call `run` once entry `seq` is on disk. */
  after(seq: number, run: () => void): void {
    this.push(seq, RARE, 0, 0, run)
  }

  /** Does everything that waits for an entry up to `lastSeq`, in order. */
  run(lastSeq: number, hot: HotActions): void {
    const mask = this.size - 1
    while (this.head < this.tail && this.seqs[this.head & mask]! <= lastSeq) {
      const at = this.head++ & mask
      const action = this.actions[at]
      if (action === FORWARD) hot.forward(this.desks[at]!, this.ids[at]!)
      else if (action === DELIVER) hot.deliver(this.desks[at]!, this.ids[at]!)
      else {
        const run = this.rare[at]!
        this.rare[at] = undefined
        run()
      }
      // An action may append entries of its own and make the queue grow.
      if (this.size - 1 !== mask) return this.run(lastSeq, hot)
    }
  }

  private push(seq: number, action: number, desk: number, id: number, run: (() => void) | undefined): void {
    if (this.tail - this.head === this.size) this.grow()
    const at = this.tail++ & (this.size - 1)
    this.seqs[at] = seq
    this.actions[at] = action
    this.desks[at] = desk
    this.ids[at] = id
    this.rare[at] = run
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
