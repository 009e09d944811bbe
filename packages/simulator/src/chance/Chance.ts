/**
 * Seeded chance: the only source of randomness in the simulator.
 *
 * Owns the generator (sfc32) and the mixing of a seed with names and numbers. What it draws depends on nothing but
 * the seed and the salt, so a transaction has the same draws in every run, whatever the order in which messages
 * arrive. Not for keys or anything secret.
 */

/** A stream of seeded draws. Cheap to make: one per workload slot or per transaction is intended. */
export class Chance {
  private a: number
  private b: number
  private c: number
  private counter = 1

  constructor(a: number, b: number, c: number) {
    this.a = a | 0
    this.b = b | 0
    this.c = c | 0
    for (let i = 0; i < 12; i++) this.word()
  }

  /** Next 32 bits, unsigned. */
  word(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** Uniform in [0, 1). */
  next(): number {
    return this.word() / 4294967296
  }

  /** Uniform whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** Uniform whole number in [low, high], both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  /** True with the given chance in percent (0 never, 100 always). One draw is used either way. */
  percent(chance: number): boolean {
    return this.next() * 100 < chance
  }

  /** One element of a list that is not empty. */
  pick<A>(list: ReadonlyArray<A>): A {
    return list[this.below(list.length)] as A
  }

  /** The given number of decimal digits. */
  digits(count: number): string {
    let text = ""
    for (let i = 0; i < count; i++) text += String(this.below(10))
    return text
  }
}

/** FNV-1a over the text, continued from `state`. */
const mix = (state: number, text: string): number => {
  let hash = state
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619)
  return hash
}

/** Spreads every input bit over the word (the finaliser of MurmurHash3, public domain constants). */
const spread = (word: number): number => {
  let hash = word
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** The stream of one seed and one salt: `chanceOf(7, "slot", 12)` is always the same stream. */
export const chanceOf = (seed: number, ...salt: ReadonlyArray<string | number>): Chance => {
  const text = `${seed}/${salt.join("/")}`
  const first = mix(0x811c9dc5, text)
  const second = mix(0x2f0b4a27 ^ first, text)
  return new Chance(spread(first), spread(second), spread(first ^ Math.imul(second, 31)))
}
