/**
 * What waits, by the partner that it waits for: the partners take turns, and each one's own come in their order. Pure.
 *
 * However long the queue of one partner is, another one's first is at most as many turns away as there are partners. Every step
 * costs the same, however many wait.
 */

/** The queue of one partner. */
interface Queue<A> {
  readonly partner: number
  items: Array<A | undefined>
  head: number
}

/** Free places that are kept in front of a queue once something was put back there. */
const ROOM_MIN = 16

/** Items by partner; partners are any numbers. */
export class ByTurns<A> {
  private readonly queues = new Map<number, Queue<A>>()
  /** Queues that hold something, in the order of their turns. */
  private turns: Array<Queue<A>> = []
  private count = 0

  /** Items that wait. */
  get length(): number {
    return this.count
  }

  /** Whether something of the partner waits. */
  has(partner: number): boolean {
    return this.queues.has(partner)
  }

  /** The item waits behind its partner's others. */
  push(partner: number, item: A): void {
    this.queueOf(partner).items.push(item)
    this.count++
  }

  /** The item waits in front of its partner's others. */
  pushFront(partner: number, item: A): void {
    const queue = this.queueOf(partner)
    if (queue.head === 0) {
      queue.head = Math.max(ROOM_MIN, queue.items.length)
      queue.items = new Array<A | undefined>(queue.head).concat(queue.items)
    }
    queue.items[--queue.head] = item
    this.count++
  }

  /**
   * Takes the first item of the partner whose turn it is. With `may`: of the first partner for whose first item it says true; the
   * others keep their turns. `undefined`: there is none.
   */
  next(may?: (partner: number, first: A) => boolean): A | undefined {
    for (let turn = 0; turn < this.turns.length; turn++) {
      const queue = this.turns[turn]!
      const item = queue.items[queue.head]!
      if (may !== undefined && !may(queue.partner, item)) continue
      this.turns.splice(turn, 1)
      this.drop(queue)
      if (queue.items.length > queue.head) this.turns.push(queue)
      return item
    }
    return undefined
  }

  /** The first `most` items in the order of turns, of the partners for which `may` says true; they stay where they are. */
  first(most: number, may: (partner: number) => boolean = () => true): ReadonlyArray<A> {
    const found: Array<A> = []
    let queues = most > 0 ? this.turns.filter(({ partner }) => may(partner)) : []
    for (let depth = 0; queues.length > 0; depth++) {
      queues = queues.filter(({ head, items }) => head + depth < items.length)
      for (const { head, items } of queues) {
        if (found.length === most) return found
        found.push(items[head + depth]!)
      }
    }
    return found
  }

  /** Takes the first of a partner's first items for which `is` says true, out of turn; `undefined`: there is none. */
  takeFirst(is: (first: A) => boolean): A | undefined {
    for (let turn = 0; turn < this.turns.length; turn++) {
      const queue = this.turns[turn]!
      const item = queue.items[queue.head]!
      if (!is(item)) continue
      this.drop(queue)
      if (queue.items.length === queue.head) this.turns.splice(turn, 1)
      return item
    }
    return undefined
  }

  private queueOf(partner: number): Queue<A> {
    const known = this.queues.get(partner)
    if (known !== undefined) return known
    const queue: Queue<A> = { partner, items: [], head: 0 }
    this.queues.set(partner, queue)
    this.turns.push(queue)
    return queue
  }

  private drop(queue: Queue<A>): void {
    queue.items[queue.head++] = undefined
    this.count--
    if (queue.items.length === queue.head) this.queues.delete(queue.partner)
    else if (queue.head > 64 && 2 * queue.head > queue.items.length) {
      queue.items = queue.items.slice(queue.head)
      queue.head = 0
    }
  }
}
