/**
 * Finds rows of a table by a number that they hold: the row of an exchange, the rows of a transaction. Pure.
 *
 * Open addressing with linear probing in one array of integers: eight to sixteen bytes a row, and no object.
 */

/** Places at first, and when it is empty again. */
const PLACES_MIN = 64

/** Knuth's multiplier: numbers that follow each other lie far apart. */
const SPREAD = 0x9e3779b1

/** Rows by the number that `of` gives for each; no two in it have the same. */
export class Rows {
  private readonly of: (row: number) => number
  /** Row and one; 0 is a free place. */
  private places = new Int32Array(PLACES_MIN)
  private count = 0

  constructor(of: (row: number) => number) {
    this.of = of
  }

  /** The row with this number; -1: there is none. */
  find(number: number): number {
    return this.places[this.placeOf(number)]! - 1
  }

  /** Puts the row where its number says, in place of another with the same number. */
  put(row: number): void {
    const at = this.placeOf(this.of(row))
    if (this.places[at] === 0 && 2 * ++this.count > this.places.length) {
      this.renew(2 * this.places.length)
      this.places[this.placeOf(this.of(row))] = row + 1
    } else this.places[at] = row + 1
  }

  /** Takes out the row with this number, while the row still holds it. */
  remove(number: number): void {
    let free = this.placeOf(number)
    if (this.places[free] === 0) return
    this.count--
    this.places[free] = 0
    if (this.count === 0 && this.places.length > PLACES_MIN) {
      this.places = new Int32Array(PLACES_MIN)
      return
    }
    const mask = this.places.length - 1
    // Whoever was put behind it because the place was taken moves up.
    for (let at = (free + 1) & mask; this.places[at] !== 0; at = (at + 1) & mask) {
      const home = this.homeOf(this.of(this.places[at]! - 1))
      if (((at - home) & mask) < ((at - free) & mask)) continue
      this.places[free] = this.places[at]!
      this.places[at] = 0
      free = at
    }
  }

  /** Where the number is, or would be put. */
  private placeOf(number: number): number {
    const mask = this.places.length - 1
    let at = this.homeOf(number)
    while (this.places[at] !== 0 && this.of(this.places[at]! - 1) !== number) at = (at + 1) & mask
    return at
  }

  private homeOf(number: number): number {
    const mixed = Math.imul((number >>> 0) ^ Math.floor(number / 2 ** 32), SPREAD)
    return (mixed ^ (mixed >>> 15)) & (this.places.length - 1)
  }

  private renew(length: number): void {
    const before = this.places
    this.places = new Int32Array(length)
    for (const place of before) if (place !== 0) this.places[this.placeOf(this.of(place - 1))] = place
  }
}
