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
import { type KeyDigest, type KeyHash, SENT } from "./KeyHash.ts"

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
  /** The number of the desk whose link it went to; left out: that is not known. Memory keeps it of what is queued. */
  readonly to?: number | undefined
}

/** What is known of the key of a request that was sent to the partner. */
export interface Sent {
  readonly exchange: number
  /** `refused`: the partner has answered, and has not done it. */
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

/** Keys forgotten together are remembered together by their greatest time; that many groups of them at most. */
const FORGOTTEN_MAX = 64

/** Keys that a table has room for at first; it doubles as it fills. Each link has six generations, and most links stay idle. */
const KEYS_MIN = 16

/** Refused keys that are remembered at least. */
const REFUSED_MIN = 256

/** Words of a key, which lie together; keys are in the order in which they came. */
const WORDS = 6
const wordAt = { first: 0, second: 1, exchange: 2, state: 3, endAfter: 4, at: 5 } as const

/** The state of a key: the outcome (3 bits), the upper bits of the exchange (21). */
const OUTCOME_SHIFT = 21
const HIGH_MASK = (1 << OUTCOME_SHIFT) - 1
const HIGH = 2 ** 32

/** A place is the number of a key and one, below 8 bits of its hash: most places of other keys are passed by unseen. */
const NUMBER_BITS = 24
const NUMBER_MASK = 2 ** NUMBER_BITS - 1

/** Most keys of a generation, whatever the settings ask for. */
const KEYS_MAX = NUMBER_MASK - 1

const noWords = new Int32Array(0)

/**
 * Keys as they came, one behind the other, and places by their hash that say which of them is there. To look for a new key and
 * to add it reads one place of a table that is small enough for the processor's caches; all else is next to what was read last.
 */
class Generation {
  size = 0
  newest = { upTo: 0, at: 0, time: 0 }
  /** None until the first key comes: most tables of a switch with many links stay empty. */
  private words = noWords
  private places = noWords
  private mask = -1

  /** Empty; it keeps its memory for those that come. */
  clear(): void {
    this.places.fill(0)
    this.size = 0
    this.newest = { upTo: 0, at: 0, time: 0 }
  }

  /** Where the key is among the words, -1: it is not here. */
  find({ first, second }: KeyDigest): number {
    if (this.size === 0) return -1
    const { mask, places, words } = this
    for (let place = first & mask; ; place = (place + 1) & mask) {
      const said = places[place]!
      if (said === 0) return -1
      if (((said ^ second) & ~NUMBER_MASK) !== 0) continue
      const at = ((said & NUMBER_MASK) - 1) * WORDS
      if (words[at] === first && words[at + wordAt.second] === second) return at
    }
  }

  /** Adds a key that is not here; returns where it is. */
  add({ first, second }: KeyDigest): number {
    if (2 * this.size >= this.mask) this.grow()
    const at = WORDS * this.size++
    this.words[at] = first
    this.words[at + wordAt.second] = second
    this.place(first, second, this.size)
    return at
  }

  write(at: number, { exchange, end, outcome, to = -1 }: Known): void {
    const { words } = this
    words[at + wordAt.exchange] = exchange
    words[at + wordAt.state] = (outcome << OUTCOME_SHIFT) | Math.floor(exchange / HIGH)
    const after = end > exchange && end - exchange < HIGH ? end - exchange : 0
    // What is queued has no end that its origin is told.
    words[at + wordAt.endAfter] = outcome === Outcome.queued ? to + 1 : after
  }

  /** When the key was put, in seconds since the epoch. */
  since(at: number): number {
    return this.words[at + wordAt.at]! >>> 0
  }

  put(at: number, seconds: number): void {
    this.words[at + wordAt.at] = seconds
  }

  known(at: number): Known {
    const { words } = this
    const state = words[at + wordAt.state]!
    const exchange = (state & HIGH_MASK) * HIGH + (words[at + wordAt.exchange]! >>> 0)
    const after = words[at + wordAt.endAfter]! >>> 0
    const outcome = ((state >>> OUTCOME_SHIFT) & 7) as Outcome
    if (outcome === Outcome.queued && after !== 0) return { exchange, end: 0, outcome, to: after - 1 }
    return { exchange, end: after === 0 ? 0 : exchange + after, outcome }
  }

  private place(first: number, second: number, number: number): void {
    const { mask, places } = this
    let place = first & mask
    while (places[place] !== 0) place = (place + 1) & mask
    places[place] = (second & ~NUMBER_MASK) | number
  }

  private grow(): void {
    const words = new Int32Array(Math.max(KEYS_MIN * WORDS, 2 * this.words.length))
    words.set(this.words)
    this.words = words
    this.places = new Int32Array(Math.max(2 * KEYS_MIN, 2 * this.places.length))
    this.mask = this.places.length - 1
    for (let n = 0; n < this.size; n++) this.place(words[n * WORDS]!, words[n * WORDS + wordAt.second]!, n + 1)
  }
}

/** A table of keys: the last `capacity` to twice `capacity` of them. */
class KeyTable {
  private young = new Generation()
  private old = new Generation()

  /** Calls `forgot` with what is forgotten when the key does not fit any more. */
  put(
    key: KeyDigest,
    known: Known,
    now: number,
    time: number,
    capacity: number,
    forgot: (what: Forgotten) => void
  ): void {
    let at = this.young.find(key)
    if (at < 0) {
      if (this.young.size >= Math.min(capacity, KEYS_MAX)) this.turn(forgot)
      at = this.young.add(key)
    }
    this.young.write(at, known)
    this.young.put(at, now)
    const { newest } = this.young
    newest.upTo = Math.max(newest.upTo, known.exchange)
    newest.at = Math.max(newest.at, now)
    newest.time = Math.max(newest.time, time === 0 ? Number.POSITIVE_INFINITY : time)
  }

  /** Changes what is known of the key where it is. False when it is not there, or was put before `since`. */
  change(key: KeyDigest, known: Known, since: number): boolean {
    return changeIn(this.young, key, known, since) || changeIn(this.old, key, known, since)
  }

  find(key: KeyDigest, since: number): Known | undefined {
    return look(this.young, key, since) ?? look(this.old, key, since)
  }

  private turn(forgot: (what: Forgotten) => void): void {
    const { old } = this
    if (old.size > 0) forgot({ ...old.newest })
    old.clear()
    this.old = this.young
    this.young = old
  }
}

const changeIn = (generation: Generation, key: KeyDigest, known: Known, since: number): boolean => {
  const at = generation.find(key)
  if (at < 0 || generation.since(at) < since) return false
  generation.write(at, known)
  return true
}

const look = (generation: Generation, key: KeyDigest, since: number): Known | undefined => {
  const at = generation.find(key)
  return at < 0 || generation.since(at) < since ? undefined : generation.known(at)
}

/**
 * The memory of one link: for each of `capacity` keys 64 to 128 bytes, for as many as have come.
 */
export class RecentKeys {
  /** Accepted keys that are remembered at least; may be changed at any time. */
  capacity: number
  /** Seconds for which a repeat is recognised; may be changed at any time. */
  seconds: number
  private readonly hash: KeyHash
  private readonly accepted = new KeyTable()
  private readonly refused = new KeyTable()
  private readonly sent = new KeyTable()
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
  }

  /**
   * Remembers the key `bytes[from, to)`, or changes what is known of it. `now`: seconds since the epoch. `time`: a number in the
   * key that grows from one request to the next (DE 7), 0 when the key has none; see `forgotten`.
   */
  put(kind: KeyKind, bytes: Uint8Array, from: number, to: number, known: Known, now: number, time = 0): void {
    this.putHashed(this.hash.hash(kind, bytes, from, to), known, now, time)
  }

  /** The same for a key that was hashed before: all links have one hash. */
  putHashed(key: KeyDigest, known: Known, now: number, time: number): void {
    if (known.outcome === Outcome.open || known.outcome === Outcome.queued) {
      if (time > 0) this.newest = Number.isFinite(this.newest) ? Math.max(this.newest, time) : time
      return this.accepted.put(key, known, now, time, this.capacity, this.forget)
    }
    if (known.outcome !== Outcome.refused || (known.exchange !== 0 && known.end !== known.exchange)) {
      // What was accepted, and forgotten before its end, is accepted work all the same.
      if (!this.accepted.change(key, known, now - this.seconds))
        this.accepted.put(key, known, now, time, this.capacity, this.forget)
    } else if (this.accepted.find(key, now - this.seconds) === undefined) {
      // A refusal says nothing of what was accepted under the same key: a message of a reserved type may have that.
      this.refused.put(key, known, now, time, this.share(8), nothing)
    }
  }

  /** What is known of the key; `undefined`: it has not come, or it was too long ago, or it is forgotten. */
  find(kind: KeyKind, bytes: Uint8Array, from: number, to: number, now: number): Known | undefined {
    return this.findHashed(this.hash.hash(kind, bytes, from, to), now)
  }

  /** The same for a key that was hashed before. */
  findHashed(key: KeyDigest, now: number): Known | undefined {
    const since = now - this.seconds
    return this.accepted.find(key, since) ?? this.refused.find(key, since)
  }

  /** Remembers the key `bytes[from, to)` of a request that was sent to the partner. */
  putSent(bytes: Uint8Array, from: number, to: number, sent: Sent, now: number): void {
    this.putSentHashed(this.hash.hash(SENT, bytes, from, to), sent, now)
  }

  /** The same for a key that was hashed as `Outstanding` does. */
  putSentHashed(key: KeyDigest, { exchange, outcome, origin }: Sent, now: number): void {
    // Such a key has no end of its own to be found: where that is, its origin does.
    this.sent.put(key, { exchange, end: exchange + 1 + origin, outcome }, now, 0, this.capacity, nothing)
  }

  /** What is known of the key of a request that was sent. */
  findSent(bytes: Uint8Array, from: number, to: number, now: number): Sent | undefined {
    const known = this.sent.find(this.hash.hash(SENT, bytes, from, to), now - this.seconds)
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
