/**
 * Which of many exchanges is the oldest, however many there are: they come in the order of their numbers, nearly always, and end
 * in any order. Each costs a place in a list, and nothing is walked through for a look. Pure.
 */

/** Ended ones that lie behind the oldest, after which the list is made anew when they are the half of it. */
const ENDED_MAX = 1024

/** See the module header. */
export class OldestFirst<A extends { readonly exchange: number }> {
  private line: Array<A> = []
  /** What is before it has ended. */
  private head = 0
  /** Ended, and still in the line. */
  private readonly ended = new Set<number>()

  /** One more. */
  add(one: A): void {
    const { line } = this
    let at = line.length
    // One that was given up long ago, and is tried once more.
    while (at > this.head && line[at - 1]!.exchange > one.exchange) at--
    if (at === line.length) line.push(one)
    else line.splice(at, 0, one)
  }

  /** One that was added has ended. */
  end({ exchange }: A): void {
    this.ended.add(exchange)
    while (this.head < this.line.length && this.ended.delete(this.line[this.head]!.exchange)) this.head++
    const isMostlyOver = this.head + this.ended.size > this.line.length / 2
    if (this.head === this.line.length) this.empty()
    else if (isMostlyOver && this.head + this.ended.size > ENDED_MAX) this.renew()
  }

  /** The oldest that has not ended. */
  get first(): A | undefined {
    return this.line[this.head]
  }

  private empty(): void {
    this.line.length = 0
    this.head = 0
    this.ended.clear()
  }

  private renew(): void {
    this.line = this.line.slice(this.head).filter(({ exchange }) => !this.ended.has(exchange))
    this.head = 0
    this.ended.clear()
  }
}
