/** What is due when: a binary heap on the time. It knows no clock; who asks brings the time. */

/** An item with its time, and its place among those of the same time. */
interface Entry<A> {
  readonly due: number
  readonly order: number
  readonly item: A
}

const isBefore = <A>(one: Entry<A>, other: Entry<A>): boolean =>
  one.due < other.due || (one.due === other.due && one.order < other.order)

/** A queue ordered by the time when an item is due. Items due at the same time leave as they came. */
export class DueQueue<A> {
  private readonly heap: Array<Entry<A>> = []
  private added = 0

  get size(): number {
    return this.heap.length
  }

  /** When the first item is due; Infinity when there is none. */
  get nextDue(): number {
    return this.heap[0]?.due ?? Number.POSITIVE_INFINITY
  }

  add(due: number, item: A): void {
    const { heap } = this
    const entry = { due, order: ++this.added, item }
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (isBefore(heap[parent]!, entry)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
  }

  /** Removes the first item when it is due at `now`. */
  take(now: number): A | undefined {
    const first = this.heap[0]
    if (first === undefined || first.due > now) return undefined
    const last = this.heap.pop()!
    if (this.heap.length > 0) this.sink(last)
    return first.item
  }

  private sink(entry: Entry<A>): void {
    const { heap } = this
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (isBefore(entry, heap[child]!)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = entry
  }
}
