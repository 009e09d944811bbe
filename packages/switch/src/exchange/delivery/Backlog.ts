/**
 * What the queue of one link knows of each of its messages, a hundred bytes for each, however large the message is: the message
 * itself is in the journal, under the number of its exchange. Pure.
 *
 * A message has a row from when it is stored until it has ended. Rows are columns of numbers in blocks, so that a million of
 * them are not a million objects, growing copies nothing, and an empty queue holds no memory. Two chains go through them: all by
 * age, and those of each transaction in their order.
 */
import { Rows } from "./Rows.ts"
import type { Kept } from "./Stored.ts"

/** Rows of a block: 4096. */
const BLOCK_BITS = 12
const BLOCK_MASK = (1 << BLOCK_BITS) - 1

/** Columns of a row's numbers. */
const EXCHANGE = 0
const ABOUT = 1
const AT = 2
const STAN = 3
const TRANSACTION = 4
const UNTIL = 5
const OWN = 6
const NUMBERS = 7

/** Columns of its words. The last three are rows: the next older, the next newer, the next of the transaction. */
const ORIGIN = 0
const MTI = 1
const ATTEMPTS = 2
const OLDER = 3
const NEWER = 4
const NEXT = 5
const WORDS = 6

/** No row. */
export const NONE = -1

/** A STAN that fits into a number with a 1 before it, which keeps its zeros. */
const digits = /^\d{0,15}$/

/** The rows of one queue. */
export class Backlog {
  private numbers: Array<Float64Array> = []
  private words: Array<Int32Array> = []
  /** Rows that were used and are free, each with the next in `NEWER`; and how many rows ever were used. */
  private free = NONE
  private used = 0
  private count = 0
  private oldestRow = NONE
  private newestRow = NONE
  private readonly byExchange = new Rows((row) => this.number(row, EXCHANGE))
  /** The last of each transaction; behind the last is its first. */
  private readonly byTransaction = new Rows((row) => this.number(row, TRANSACTION))
  /** Those that are about another message, by the number by which messages about themselves name them. */
  private readonly byOwn = new Rows((row) => this.number(row, OWN))
  /** STANs that are no digits. */
  private readonly odd = new Map<number, string>()

  /** Messages that have not ended. */
  get size(): number {
    return this.count
  }

  /** The row of the oldest message; {@link NONE}: there is none. */
  get oldest(): number {
    return this.oldestRow
  }

  /** The row of the next newer message; {@link NONE}: it is the newest. */
  newer(row: number): number {
    return this.word(row, NEWER)
  }

  /** The row of an exchange; {@link NONE}: it is not here. */
  find(exchange: number): number {
    return this.byExchange.find(exchange)
  }

  /** Whether a message of this transaction, or one that it is about, has not ended. */
  holds(transaction: number): boolean {
    return this.byTransaction.find(transaction) !== NONE || this.byOwn.find(transaction) !== NONE
  }

  /** Whether it is the oldest of its transaction: the others wait for it. */
  isFirst(row: number): boolean {
    const last = this.byTransaction.find(this.number(row, TRANSACTION))
    return this.word(last, NEXT) === row
  }

  /**
   * The message gets a row, behind the others of the transaction with the number `named`. Where that is a message which is about
   * another one itself (the reversal of a completion), its transaction is that one's. `own`: by which a later message names it.
   */
  add(kept: Kept, named: number, own = named): number {
    const about = this.byOwn.find(named)
    const transaction = about === NONE ? named : this.number(about, TRANSACTION)
    const row = this.take()
    this.setNumber(row, EXCHANGE, kept.exchange)
    this.setNumber(row, ABOUT, kept.about)
    this.setNumber(row, AT, kept.at)
    this.setNumber(row, TRANSACTION, transaction)
    this.setNumber(row, UNTIL, 0)
    this.setNumber(row, OWN, own)
    this.setWord(row, ORIGIN, kept.origin)
    this.setWord(row, MTI, kept.mti)
    this.setWord(row, ATTEMPTS, kept.attempts)
    if (digits.test(kept.stan)) this.setNumber(row, STAN, Number(`1${kept.stan}`))
    else this.odd.set(row, kept.stan)
    this.byExchange.put(row)
    this.putByAge(row)
    this.putInTransaction(row, transaction)
    if (own !== transaction) this.byOwn.put(row)
    this.count++
    return row
  }

  /** The message has ended. The row that is the first of its transaction because of that; {@link NONE}: there is none. */
  remove(row: number): number {
    const first = this.leaveTransaction(row)
    this.leaveAge(row)
    this.byExchange.remove(this.number(row, EXCHANGE))
    if (this.byOwn.find(this.number(row, OWN)) === row) this.byOwn.remove(this.number(row, OWN))
    this.odd.delete(row)
    this.count--
    if (this.count === 0) this.empty()
    else {
      this.setWord(row, NEWER, this.free)
      this.free = row
    }
    return first
  }

  /** What is known of the message. */
  kept(row: number): Kept {
    return {
      exchange: this.exchange(row),
      about: this.about(row),
      origin: this.origin(row),
      mti: this.word(row, MTI),
      stan: this.odd.get(row) ?? String(this.number(row, STAN)).slice(1),
      at: this.number(row, AT),
      attempts: this.word(row, ATTEMPTS)
    }
  }

  exchange(row: number): number {
    return this.number(row, EXCHANGE)
  }

  /** The exchange that the message is about; 0: none. */
  about(row: number): number {
    return this.number(row, ABOUT)
  }

  origin(row: number): number {
    return this.word(row, ORIGIN)
  }

  /** So many attempts were made. */
  attempted(row: number, attempts: number): void {
    this.setWord(row, ATTEMPTS, attempts)
  }

  /** Until when the message rests between two attempts; 0: it does not. */
  until(row: number): number {
    return this.number(row, UNTIL)
  }

  rest(row: number, until: number): void {
    this.setNumber(row, UNTIL, until)
  }

  private putByAge(row: number): void {
    const exchange = this.exchange(row)
    let older = this.newestRow
    // One that was given up long ago, and is tried once more.
    while (older !== NONE && this.exchange(older) > exchange) older = this.word(older, OLDER)
    const newer = older === NONE ? this.oldestRow : this.word(older, NEWER)
    this.setWord(row, OLDER, older)
    this.setWord(row, NEWER, newer)
    if (older === NONE) this.oldestRow = row
    else this.setWord(older, NEWER, row)
    if (newer === NONE) this.newestRow = row
    else this.setWord(newer, OLDER, row)
  }

  private leaveAge(row: number): void {
    const older = this.word(row, OLDER)
    const newer = this.word(row, NEWER)
    if (older === NONE) this.oldestRow = newer
    else this.setWord(older, NEWER, newer)
    if (newer === NONE) this.newestRow = older
    else this.setWord(newer, OLDER, older)
  }

  private putInTransaction(row: number, transaction: number): void {
    const last = this.byTransaction.find(transaction)
    this.setWord(row, NEXT, last === NONE ? row : this.word(last, NEXT))
    if (last !== NONE) this.setWord(last, NEXT, row)
    this.byTransaction.put(row)
  }

  private leaveTransaction(row: number): number {
    const transaction = this.number(row, TRANSACTION)
    const last = this.byTransaction.find(transaction)
    const next = this.word(row, NEXT)
    if (next === row) {
      this.byTransaction.remove(transaction)
      return NONE
    }
    const wasFirst = this.word(last, NEXT) === row
    let before = last
    while (this.word(before, NEXT) !== row) before = this.word(before, NEXT)
    this.setWord(before, NEXT, next)
    if (last === row) this.byTransaction.put(before)
    return wasFirst ? next : NONE
  }

  private take(): number {
    const { free } = this
    if (free !== NONE) {
      this.free = this.word(free, NEWER)
      return free
    }
    if (this.used >> BLOCK_BITS === this.numbers.length) {
      this.numbers.push(new Float64Array(NUMBERS << BLOCK_BITS))
      this.words.push(new Int32Array(WORDS << BLOCK_BITS))
    }
    return this.used++
  }

  private empty(): void {
    this.numbers = []
    this.words = []
    this.free = NONE
    this.used = 0
  }

  private number(row: number, column: number): number {
    return this.numbers[row >> BLOCK_BITS]![(row & BLOCK_MASK) * NUMBERS + column]!
  }

  private setNumber(row: number, column: number, value: number): void {
    this.numbers[row >> BLOCK_BITS]![(row & BLOCK_MASK) * NUMBERS + column] = value
  }

  private word(row: number, column: number): number {
    return this.words[row >> BLOCK_BITS]![(row & BLOCK_MASK) * WORDS + column]!
  }

  private setWord(row: number, column: number, value: number): void {
    this.words[row >> BLOCK_BITS]![(row & BLOCK_MASK) * WORDS + column] = value
  }
}
