/**
 * Chance in the deterministic world: sfc32 (Chris Doty-Humphrey, PractRand), 32-bit integer arithmetic only, so the same seed
 * gives the same draws on every machine. It implements Effect's `Random` service.
 *
 * Every user draws from its own stream (`stream(name)`): one more draw in one place does not shift the others.
 */
import type { Random } from "effect"

/** FNV-1a over the UTF-16 units of a name: a stream's own 32-bit number. */
const nameHash = (name: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** One stream of draws. */
export class SeededRandom implements Random.Random {
  private readonly seed: number
  private a: number
  private b: number
  private c: number
  private counter = 1

  /** `seed`: an integer 0..2^53-1. `name` tells streams of one seed apart. */
  constructor(seed: number, name = "") {
    this.seed = seed
    this.a = seed | 0
    this.b = Math.floor(seed / 4294967296) | 0
    this.c = nameHash(name) | 0
    for (let i = 0; i < 16; i++) this.next()
  }

  /** An independent stream of the same seed. */
  stream(name: string): SeededRandom {
    return new SeededRandom(this.seed, name)
  }

  /** The next 32 bits. */
  private next(): number {
    const result = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + result) | 0
    return result >>> 0
  }

  nextDoubleUnsafe(): number {
    return this.next() / 4294967296
  }

  nextIntUnsafe(): number {
    return this.next() * 2097152 + (this.next() >>> 11) - 4503599627370496
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.nextDoubleUnsafe() < p
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + this.nextDoubleUnsafe() * (high - low)
  }

  /** A whole number, both ends included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.nextDoubleUnsafe() * (high - low + 1))
  }

  /** One of a non-empty list. */
  pick<A>(list: ReadonlyArray<A>): A {
    return list[this.whole(0, list.length - 1)] as A
  }

  /** A shuffled copy. */
  shuffle<A>(list: ReadonlyArray<A>): Array<A> {
    const copy = [...list]
    for (let i = copy.length - 1; i > 0; i--) {
      const other = this.whole(0, i)
      const kept = copy[i] as A
      copy[i] = copy[other] as A
      copy[other] = kept
    }
    return copy
  }

  /**
   * A heavy-tailed value in [low, high]: most draws near `low`. A quotient, not a logarithm: `Math.log` may differ between
   * machines in its last bit, and with it the trace.
   */
  tailed(low: number, high: number): number {
    const u = this.nextDoubleUnsafe()
    return low + ((high - low) * (u * u * u)) / (4 - 3 * u)
  }
}
