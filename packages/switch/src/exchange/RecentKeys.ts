/**
 * The keys of recent exchanges, by link and kind of message: to recognise a partner's repeat of a request, and an answer that
 * comes twice or after its request has ended. Requests, advices and reversals of one partner, and what was sent to it, are kept
 * apart: in many networks a reversal has the key of its original, and both sides of a link count their STANs for themselves.
 *
 * Two generations of a fixed table: a full generation becomes the old one and the oldest keys are forgotten together. A
 * key is kept as 64 bits of hash; two different keys meet with a chance of about n / 2^64. Nothing is allocated per key.
 */
import { mtiClass } from "@jinka/codec"
import { hashed, hashKey } from "./KeyHash.ts"

/** What became of the exchange. `open` while it runs. */
export const Fate = { open: 1, answered: 2, timedOut: 3, refused: 4, queued: 5 } as const
export type Fate = (typeof Fate)[keyof typeof Fate]

/** Spaces of keys for each link. */
const SPACES = 4

/** The space of the keys of a partner's own messages of the type `mti`. */
export const receivedOn = (link: number, mti: number): number => {
  const kind = mtiClass(mti)
  return SPACES * link + (kind === "request" ? 0 : kind === "reversal" ? 1 : 2)
}

/** The space of the keys of requests that were sent to a partner, by which its answers are found. */
export const sentOn = (link: number): number => SPACES * link + 3

class Generation {
  readonly first: Int32Array
  readonly second: Int32Array
  readonly exchange: Float64Array
  readonly fate: Uint8Array
  private readonly mask: number
  size = 0

  constructor(slots: number) {
    this.first = new Int32Array(slots)
    this.second = new Int32Array(slots)
    this.exchange = new Float64Array(slots)
    this.fate = new Uint8Array(slots)
    this.mask = slots - 1
  }

  /** The slot of the hashed key, or `-1 - slot` of the free slot where it belongs. */
  find(first: number, second: number): number {
    let slot = first & this.mask
    while (this.fate[slot] !== 0) {
      if (this.first[slot] === first && this.second[slot] === second) return slot
      slot = (slot + 1) & this.mask
    }
    return -1 - slot
  }

  clear(): void {
    this.fate.fill(0)
    this.size = 0
  }
}

/** Remembers the last `capacity` to twice `capacity` keys; about 34 bytes of memory for each of `2 * capacity`. */
export class RecentKeys {
  private young: Generation
  private old: Generation
  private readonly capacity: number
  /** After a `find` that found something: the exchange's number and its fate. */
  exchange = 0
  fate: Fate = Fate.open

  constructor(capacity: number) {
    this.capacity = capacity
    const slots = 1 << (33 - Math.clz32(Math.max(8, capacity)))
    this.young = new Generation(slots)
    this.old = new Generation(slots)
  }

  /** Remembers the key `bytes[from, to)` in a space, or changes its exchange and fate when it is known. */
  put(space: number, bytes: Uint8Array, from: number, to: number, exchange: number, fate: Fate): void {
    hashKey(space, bytes, from, to)
    let slot = this.young.find(hashed.first, hashed.second)
    if (slot < 0) {
      if (this.young.size >= this.capacity) {
        this.turn()
        slot = this.young.find(hashed.first, hashed.second)
      }
      slot = -1 - slot
      this.young.first[slot] = hashed.first
      this.young.second[slot] = hashed.second
      this.young.size++
    }
    this.young.exchange[slot] = exchange
    this.young.fate[slot] = fate
  }

  /** Whether the key is known; if so `exchange` and `fate` hold what is known of it. */
  find(space: number, bytes: Uint8Array, from: number, to: number): boolean {
    hashKey(space, bytes, from, to)
    return this.look(this.young) || this.look(this.old)
  }

  private look(generation: Generation): boolean {
    const slot = generation.find(hashed.first, hashed.second)
    if (slot < 0) return false
    this.exchange = generation.exchange[slot]!
    this.fate = generation.fate[slot]! as Fate
    return true
  }

  private turn(): void {
    const forgotten = this.old
    forgotten.clear()
    this.old = this.young
    this.young = forgotten
  }
}
