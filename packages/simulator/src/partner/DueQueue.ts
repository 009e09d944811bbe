/** What is due when: a binary heap on the time. It knows no clock; who asks brings the time. */

/** A queue ordered by the time when an item is due. Items due at the same time leave in any order. */
export class DueQueue<A> {
  private readonly heap: Array<{ readonly due: number; readonly item: A }> = []

  get size(): number {
    return this.heap.length
  }

  /** When the first item is due; Infinity when there is none. */
  get nextDue(): number {
    return this.heap[0]?.due ?? Number.POSITIVE_INFINITY
  }

  add(due: number, item: A): void {
    const { heap } = this
    const entry = { due, item }
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (heap[parent]!.due <= due) break
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

  private sink(entry: { readonly due: number; readonly item: A }): void {
    const { heap } = this
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.due < heap[child]!.due) child++
      if (heap[child]!.due >= entry.due) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = entry
  }
}
