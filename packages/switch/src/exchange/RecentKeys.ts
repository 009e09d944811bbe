/**
 * The keys of one link's recent exchanges: to recognise a partner's repeat, and an answer that comes twice or after its request
 * has ended. Pure: it is given the time.
 *
 * Each link has a memory of its own, so that no partner can push out what another one sent. Within it there are three tables.
 * What was accepted is money, and only accepted work pushes it out; refusals, which a partner can have as many of as it likes,
 * and keys of requests that were sent to the partner have tables of their own. Requests, advices and reversals are kept apart
 * by kind: in many networks a reversal has the key of its original.
 *
 * A table is two generations: a full one becomes the old one, and the oldest keys are forgotten together. A key is kept as 64
 * bits of hash; two different keys meet with a chance of about n / 2^64. Nothing is allocated per key. What was accepted and
 * forgotten may still be repeated: `forgotten` says whether the journal has to be asked.
 */
import { mtiClass } from "@jinka/codec"
import type { KeyHash } from "./KeyHash.ts"

/** What became of the exchange. `open` while it runs; `unseen`: it never came, and its reversal was acknowledged. */
export const Outcome = { open: 1, answered: 2, timedOut: 3, refused: 4, queued: 5, unseen: 6 } as const
export type Outcome = (typeof Outcome)[keyof typeof Outcome]

/** Kinds of keys of a partner's own messages on one link. */
export const KeyKind = { request: 0, reversal: 1, advice: 2 } as const
export type KeyKind = (typeof KeyKind)[keyof typeof KeyKind]

/** The kind of the keys of a partner's own messages of the type `mti`. */
export const kindOf = (mti: number): KeyKind => {
  const kind = mtiClass(mti)
  return kind === "request" ? KeyKind.request : kind === "reversal" ? KeyKind.reversal : KeyKind.advice
}

/** What is known of a key. */
export interface Known {
  /** Number of the exchange. */
  readonly exchange: number
  /** Sequence number of the entry that says what the origin was told; 0: none does, or it is not known. */
  readonly end: number
  readonly outcome: Outcome
}

/** What is known of the key of a request that was sent to the partner. */
export interface Sent {
  readonly exchange: number
  readonly outcome: Outcome
  /** Number of the desk whose partner had asked for it, -1: it is not known. */
  readonly origin: number
}

/** What the journal has to be asked for. */
export interface Forgotten {
  /** Newest sequence number that was forgotten. */
  readonly upTo: number
  /** When the newest of them was put, in seconds since the epoch. */
  readonly at: number
  /** The greatest {@link RecentKeys.put} `time` among them; infinite when one had none, or when it is not known. */
  readonly time: number
}

/** The space of keys that were sent: behind those of a partner's own. */
const SENT = 3

/** Keys forgotten together are remembered together by their greatest time; that many groups of them at most. */
const FORGOTTEN_MAX = 64

/** Slots of a table at first; it doubles as it fills. Each link has six generations of them, and most links stay idle. */
const SLOTS_MIN = 16

/** Refused keys that are remembered at least. */
const REFUSED_MIN = 256

class Generation {
  size = 0
  newest = { upTo: 0, at: 0, time: 0 }
  exchange!: Float64Array
  /** Entries from the exchange's own to its end; 0: it has none. */
  endAfter!: Uint32Array
  at!: Uint32Array
  outcome!: Uint8Array
  private first!: Int32Array
  private second!: Int32Array
  private mask = 0

  constructor() {
    this.allocate(SLOTS_MIN)
  }

  /** Empty; it keeps its memory for those that come. */
  clear(): void {
    this.outcome.fill(0)
    this.size = 0
    this.newest = { upTo: 0, at: 0, time: 0 }
  }

  /** The slot of the hashed key, or `-1 - slot` of the free slot where it belongs. */
  find(first: number, second: number): number {
    // A table of which nothing is known costs no look into memory that is far away.
    if (this.size === 0) return -1 - (first & this.mask)
    let slot = first & this.mask
    while (this.outcome[slot] !== 0) {
      if (this.first[slot] === first && this.second[slot] === second) return slot
      slot = (slot + 1) & this.mask
    }
    return -1 - slot
  }

  /** A slot for a key that is not there. */
  add(first: number, second: number): number {
    if (4 * (this.size + 1) > 3 * (this.mask + 1)) this.grow()
    const slot = -1 - this.find(first, second)
    this.first[slot] = first
    this.second[slot] = second
    this.size++
    return slot
  }

  private allocate(slots: number): void {
    this.first = new Int32Array(slots)
    this.second = new Int32Array(slots)
    this.exchange = new Float64Array(slots)
    this.endAfter = new Uint32Array(slots)
    this.at = new Uint32Array(slots)
    this.outcome = new Uint8Array(slots)
    this.mask = slots - 1
  }

  private grow(): void {
    const { first, second, exchange, endAfter, at, outcome } = this
    this.allocate(2 * (this.mask + 1))
    for (let from = 0; from < outcome.length; from++) {
      if (outcome[from] === 0) continue
      const to = -1 - this.find(first[from]!, second[from]!)
      this.first[to] = first[from]!
      this.second[to] = second[from]!
      this.exchange[to] = exchange[from]!
      this.endAfter[to] = endAfter[from]!
      this.at[to] = at[from]!
      this.outcome[to] = outcome[from]!
    }
  }
}

/** A table of keys: the last `capacity` to twice `capacity` of them. `hash` holds the key that is meant. */
class KeyTable {
  private young = new Generation()
  private old = new Generation()
  private readonly hash: KeyHash

  constructor(hash: KeyHash) {
    this.hash = hash
  }

  /** Calls `forgot` with what is forgotten when the key does not fit any more. */
  put(known: Known, now: number, time: number, capacity: number, forgot: (what: Forgotten) => void): void {
    const { first, second } = this.hash
    let slot = this.young.find(first, second)
    if (slot < 0) {
      if (this.young.size >= capacity) this.turn(forgot)
      slot = this.young.add(first, second)
    }
    this.write(this.young, slot, known)
    this.young.at[slot] = now
    const { newest } = this.young
    newest.upTo = Math.max(newest.upTo, known.exchange)
    newest.at = Math.max(newest.at, now)
    newest.time = Math.max(newest.time, time === 0 ? Number.POSITIVE_INFINITY : time)
  }

  /** Changes what is known of the key where it is. False when it is not there. */
  change(known: Known): boolean {
    return this.changeIn(this.young, known) || this.changeIn(this.old, known)
  }

  find(since: number): Known | undefined {
    return this.look(this.young, since) ?? this.look(this.old, since)
  }

  private changeIn(generation: Generation, known: Known): boolean {
    const slot = generation.find(this.hash.first, this.hash.second)
    if (slot >= 0) this.write(generation, slot, known)
    return slot >= 0
  }

  private write(generation: Generation, slot: number, { exchange, end, outcome }: Known): void {
    generation.exchange[slot] = exchange
    generation.endAfter[slot] = end > exchange && end - exchange < 2 ** 32 ? end - exchange : 0
    generation.outcome[slot] = outcome
  }

  private look(generation: Generation, since: number): Known | undefined {
    const slot = generation.find(this.hash.first, this.hash.second)
    if (slot < 0 || generation.at[slot]! < since) return undefined
    const exchange = generation.exchange[slot]!
    const after = generation.endAfter[slot]!
    const outcome = generation.outcome[slot]! as Outcome
    return { exchange, end: after === 0 ? 0 : exchange + after, outcome }
  }

  private turn(forgot: (what: Forgotten) => void): void {
    const { old } = this
    if (old.size > 0) forgot({ ...old.newest })
    old.clear()
    this.old = this.young
    this.young = old
  }
}

/**
 * The memory of one link. Some 25 bytes a slot: for each of `capacity` keys 67 to 133 bytes, for as many as have come.
 */
export class RecentKeys {
  /** Accepted keys that are remembered at least; may be changed at any time. */
  capacity: number
  /** Seconds for which a repeat is recognised; may be changed at any time. */
  seconds: number
  private readonly hash: KeyHash
  private readonly accepted: KeyTable
  private readonly refused: KeyTable
  private readonly sent: KeyTable
  /** Accepted keys that were never learned: those before a start that were not read. */
  before: Forgotten | undefined
  /** The greatest `time` of an accepted key so far; infinite before one has come, and when one had none. */
  newest = Number.POSITIVE_INFINITY
  /** Newest last. */
  private lost: Array<Forgotten> = []

  constructor(hash: KeyHash, capacity: number, seconds: number) {
    this.hash = hash
    this.capacity = capacity
    this.seconds = seconds
    this.accepted = new KeyTable(hash)
    this.refused = new KeyTable(hash)
    this.sent = new KeyTable(hash)
  }

  /**
   * Remembers the key `bytes[from, to)`, or changes what is known of it. `now`: seconds since the epoch. `time`: a number in the
   * key that grows from one request to the next (DE 7), 0 when the key has none; see `forgotten`.
   */
  put(kind: KeyKind, bytes: Uint8Array, from: number, to: number, known: Known, now: number, time = 0): void {
    this.hash.hash(kind, bytes, from, to)
    if (known.outcome === Outcome.open || known.outcome === Outcome.queued) {
      if (time > 0) this.newest = Number.isFinite(this.newest) ? Math.max(this.newest, time) : time
      return this.accepted.put(known, now, time, this.capacity, this.forget)
    }
    if (known.outcome !== Outcome.refused || (known.exchange !== 0 && known.end !== known.exchange)) {
      // What was accepted, and forgotten before its end, is accepted work all the same.
      if (!this.accepted.change(known)) this.accepted.put(known, now, time, this.capacity, this.forget)
    } else if (this.accepted.find(now - this.seconds) === undefined) {
      // A refusal says nothing of what was accepted under the same key: a message of a reserved type may have that.
      this.refused.put(known, now, time, this.share(8), nothing)
    }
  }

  /** What is known of the key; `undefined`: it has not come, or it was too long ago, or it is forgotten. */
  find(kind: KeyKind, bytes: Uint8Array, from: number, to: number, now: number): Known | undefined {
    this.hash.hash(kind, bytes, from, to)
    return this.findHashed(now)
  }

  /** The same for the key that the hash was given last: all links have one hash, and a key may be looked for on all of them. */
  findHashed(now: number): Known | undefined {
    const since = now - this.seconds
    return this.accepted.find(since) ?? this.refused.find(since)
  }

  /** Remembers the key `bytes[from, to)` of a request that was sent to the partner. */
  putSent(bytes: Uint8Array, from: number, to: number, { exchange, outcome, origin }: Sent, now: number): void {
    this.hash.hash(SENT, bytes, from, to)
    // Such a key has no end of its own to be found: where that is, its origin does.
    this.sent.put({ exchange, end: exchange + 1 + origin, outcome }, now, 0, this.capacity, nothing)
  }

  /** What is known of the key of a request that was sent. */
  findSent(bytes: Uint8Array, from: number, to: number, now: number): Sent | undefined {
    this.hash.hash(SENT, bytes, from, to)
    const known = this.sent.find(now - this.seconds)
    if (known === undefined) return undefined
    const { exchange, end, outcome } = known
    return { exchange, outcome, origin: end === 0 ? -1 : end - exchange - 1 }
  }

  /**
   * Up to which sequence number the journal has to be asked for an accepted key that is not known here; 0: it was never accepted,
   * for certain. A key whose `time` is greater than that of all that were forgotten is none of them: whatever a partner's clock
   * says, its fresh requests need no question. With `time` 0 every forgotten key may be the one.
   */
  forgotten(time: number, now: number): number {
    if (this.lost.length === 0 && this.before === undefined) return 0
    const since = now - this.seconds
    let upTo = 0
    if (this.before !== undefined && mayBe(this.before, time, since)) upTo = this.before.upTo
    for (const one of this.lost) if (one.upTo > upTo && mayBe(one, time, since)) upTo = one.upTo
    return upTo
  }

  private readonly forget = (what: Forgotten): void => {
    const oldest = what.at - this.seconds
    this.lost = this.lost.filter(({ at }) => at >= oldest)
    if (this.lost.length >= FORGOTTEN_MAX) this.lost.splice(0, 2, both(this.lost[0]!, this.lost[1]!))
    this.lost.push(what)
  }

  private share(part: number): number {
    return Math.max(REFUSED_MIN, Math.floor(this.capacity / part))
  }
}

const nothing = (): void => undefined

/** Whether a key with this time, which was put since then, may be among those. */
const mayBe = (one: Forgotten, time: number, since: number): boolean =>
  one.at >= since && (time === 0 || time <= one.time)

/** One record for two: it asks for a little more than both. */
const both = (one: Forgotten, other: Forgotten): Forgotten => ({
  upTo: Math.max(one.upTo, other.upTo),
  at: Math.max(one.at, other.at),
  time: Math.max(one.time, other.time)
})
