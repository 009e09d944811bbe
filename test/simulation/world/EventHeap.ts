/** The events to come, by due time and then by the order in which they were made: a binary heap. */

/** One thing that will happen. Set `cancelled` to take it back. */
export interface Event {
  /** Virtual microseconds since the world began. */
  readonly due: number
  readonly order: number
  readonly happen: () => void
  cancelled: boolean
}

const isBefore = (a: Event, b: Event): boolean => a.due < b.due || (a.due === b.due && a.order < b.order)

export class EventHeap {
  private readonly events: Array<Event> = []
  private made = 0

  get size(): number {
    return this.events.length
  }

  add(due: number, happen: () => void): Event {
    const event: Event = { due, order: this.made++, happen, cancelled: false }
    const { events } = this
    let at = events.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (isBefore(events[parent]!, event)) break
      events[at] = events[parent]!
      at = parent
    }
    events[at] = event
    return event
  }

  /** The next event that is still wanted, without taking it. */
  peek(): Event | undefined {
    while (this.events[0]?.cancelled === true) this.removeFirst()
    return this.events[0]
  }

  /** Takes the next event that is still wanted. */
  take(): Event | undefined {
    const first = this.peek()
    if (first !== undefined) this.removeFirst()
    return first
  }

  private removeFirst(): void {
    const { events } = this
    const moved = events.pop()!
    if (events.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= events.length) break
      if (child + 1 < events.length && isBefore(events[child + 1]!, events[child]!)) child++
      if (isBefore(moved, events[child]!)) break
      events[at] = events[child]!
      at = child
    }
    events[at] = moved
  }
}
