/**
 * The requests that one link has outstanding: fixed slots, found by match key, each with its deadline.
 *
 * The entry is in the table before its request is written (a fast answer always finds it). Two outstanding requests
 * never share a key: `take` refuses the second (guarantee G6). Slots are made once; taking, finding and freeing one allocates
 * nothing. The table holds no timers: `expire` is called by the switch's one deadline fiber.
 */
import type { Sealing } from "../../guard/Sealing.ts"
import type { Receipt } from "../../link/Receipts.ts"
import { Event, State, step } from "../Exchange.ts"
import { KeptDigest, type KeyDigest, type KeyHash, SENT } from "../entry/KeyHash.ts"
import { Shares } from "../turns/Shares.ts"

/** Longest match key in bytes. CUPS needs 41: DE 7 10, DE 11 6, DE 32 and 33 up to 11, separators. */
export const KEY_LENGTH_MAX = 128

/** Milliseconds of one tick of the deadline wheel: a request ends at most one tick after its deadline (guarantee G7). */
export const TICK_MS = 20

const WHEEL_SIZE = 1024
const NONE = -1

/** Bytes that a slot keeps, grown when a longer message comes and then kept. */
const SLOT_BYTES = 512

/** Slots that there is room for at first: most links of a large switch have few requests outstanding at once. */
const FIRST_PLACES = 16

/** Slots that are kept for reuse besides those of the table. */
const SPARE_MAX = 4096

/**
 * One request. Fields are set by the switch when the slot is taken; buffers are reused. It is the receipt of its own answer: when
 * the exchange is over the slot leaves the table, and lasts until it is known whether the answer was delivered.
 */
export class Slot implements Receipt {
  /** Position in the table. */
  id: number
  /** Desk whose table it was in, and who hears what became of its answer. */
  target = 0
  told: ((slot: Slot, isDelivered: boolean) => void) | undefined
  /** How often the same answer is on its way besides, for repeats on other connections; and whether one of them was delivered. */
  copies = 0
  isHeard = false
  /** The next one of its chain in `AnswersUnderWay`. */
  chained: Slot | undefined
  /** Number of the exchange: the sequence number of its `accepted` entry. */
  exchange = 0
  /** Its origin has heard that there is no answer, ahead of the journal. */
  isTold = false
  /** Desk that the request came from, and the connection (epoch) it came on. */
  origin = 0
  originEpoch = 0
  /** Connection of the target link that it was written to; 0 before. */
  sentEpoch = 0
  /** Where it is among all that was written to that connection. */
  sentAt = 0
  /** Monotonic milliseconds of its sending, and how long its answer took. */
  sentMs = 0
  partnerMs = 0
  /** MTI of the request, as a number. */
  mti = 0
  /** Monotonic milliseconds: when it was taken, and when it ends. */
  takenAt = 0
  deadline = 0
  /** It holds a place in its link's waiting line. */
  hasPlace = false
  /** Its own partner has taken it back, whatever its answer will be. */
  isTakenBack = false
  /** Response code for the origin when the exchange ends without an answer. */
  endCode = ""
  /** The request as it came, with its header. */
  request = Buffer.allocUnsafeSlow(SLOT_BYTES)
  requestLength = 0
  /** The answer as it goes to the origin. */
  answer = Buffer.allocUnsafeSlow(SLOT_BYTES)
  answerLength = 0
  /** On a guarded link, with a device in the network: its request, or its answer, as it is being sealed. */
  sealing: Sealing | undefined
  /** What waits in `sealing` may leave: its entry is on disk. */
  isDue = false

  /** Its key in the table, hashed. */
  readonly key = new KeptDigest()
  /** The key that the origin asked with, hashed, and the time in it: what is remembered of it is changed when it ends. */
  readonly asked = new KeptDigest()
  askedTime = 0

  constructor(id: number) {
    this.id = id
  }

  /** Copies `bytes[from, to)` in as the request. */
  keepRequest(bytes: Buffer, from: number, to: number): void {
    if (to - from > this.request.length) this.request = Buffer.allocUnsafeSlow(2 * (to - from))
    bytes.copy(this.request, 0, from, to)
    this.requestLength = to - from
  }

  /** It has its answer: from now on a repeat gets the same one, and `told` hears what became of all of them. */
  telling(target: number, told: NonNullable<Slot["told"]>): void {
    this.target = target
    this.told = told
    this.copies = 0
    this.isHeard = false
  }

  /** See `Receipt`. */
  settle(isDelivered: boolean): void {
    this.told?.(this, isDelivered)
  }

  /** What is in it may leave as soon as it is sealed: its gate goes on with it then. */
  hold(): void {
    this.isDue = true
  }

  /** Room for an answer of at most `length` bytes. */
  answerRoom(length: number): Buffer {
    if (length > this.answer.length) this.answer = Buffer.allocUnsafeSlow(2 * length)
    return this.answer
  }
}

/** A loop is cheaper than a call into C++ at the lengths of keys. */
const copyKey = (bytes: Buffer, from: number, to: number, out: Uint8Array, at: number): void => {
  for (let n = from; n < to; n++) out[at + n - from] = bytes[n]!
}

const isSameKey = (bytes: Buffer, from: number, to: number, other: Uint8Array, at: number): boolean => {
  for (let n = from; n < to; n++) if (bytes[n] !== other[at + n - from]) return false
  return true
}

/** As many chains as there are places, or up to twice as many. */
const bucketsFor = (places: number): Int32Array =>
  new Int32Array(1 << (32 - Math.clz32(Math.max(8, places)))).fill(NONE)

const copied = <A extends { readonly set: (from: A) => void }>(from: A, to: A): A => {
  to.set(from)
  return to
}

/** The table of one link. `capacity` is its window: requests outstanding at once. */
export class Outstanding {
  readonly capacity: number
  private readonly slots: Array<Slot> = []
  private readonly spare: Array<Slot> = []
  private readonly free: Array<number> = []
  private heads: Int32Array
  private mask: number
  /** Made with the first deadline. */
  private wheel: Int32Array | undefined
  // By slot, for as many as there are: chains of slots with the same hash, and the chains of the deadline wheel.
  private states: Uint8Array
  private nextByKey: Int32Array
  private hashOf: Int32Array
  private keys: Uint8Array
  private keyLength: Uint8Array
  private nextByTime: Int32Array
  private previousByTime: Int32Array
  private dueTick: Float64Array
  private partnerOf: Int32Array
  private tick = 0
  private count = 0

  private readonly hash: KeyHash
  private readonly shares = new Shares()
  private readonly open: Shares

  /** `open`: counts the requests of all tables of one switch by the desk that they come from. */
  constructor(capacity: number, hash: KeyHash, open: Shares, nowMs: number) {
    this.capacity = capacity
    this.hash = hash
    this.open = open
    const places = Math.min(FIRST_PLACES, capacity)
    this.heads = bucketsFor(places)
    this.mask = this.heads.length - 1
    this.states = new Uint8Array(places)
    this.nextByKey = new Int32Array(places)
    this.hashOf = new Int32Array(places)
    this.keys = new Uint8Array(places * KEY_LENGTH_MAX)
    this.keyLength = new Uint8Array(places)
    this.nextByTime = new Int32Array(places)
    this.previousByTime = new Int32Array(places)
    this.dueTick = new Float64Array(places)
    this.partnerOf = new Int32Array(places)
    this.tick = Math.floor(nowMs / TICK_MS)
  }

  /** Requests in the table. */
  get size(): number {
    return this.count
  }

  /** Whether one more can be taken. */
  get isFull(): boolean {
    return this.count >= this.capacity
  }

  /** Whether the partner may have one more outstanding. `isShared`: other partners' requests may go to this link too. */
  hasRoomFor(partner: number, isShared: boolean): boolean {
    return this.shares.may(partner, this.capacity, isShared)
  }

  /** The slot with this id. */
  at(id: number): Slot {
    return this.slots[id]!
  }

  /** The state of the exchange in slot `id`. */
  state(id: number): State {
    return this.states[id]! as State
  }

  /** Moves the exchange in slot `id` on; frees the slot when that ends it. */
  step(id: number, event: Event): State {
    const next = step(this.states[id]! as State, event)
    this.states[id] = next
    if (next === State.free) this.release(id)
    return next
  }

  /** Ends the exchange in slot `id`, whose end is on disk: its place is free, and the slot is the caller's until `giveBack`. */
  detach(id: number): Slot {
    const slot = this.slots[id]!
    this.step(id, Event.endCommitted)
    const next = this.spare.pop() ?? new Slot(id)
    next.id = id
    this.slots[id] = next
    return slot
  }

  /** A slot that was detached is not needed any more. */
  giveBack(slot: Slot): void {
    if (this.spare.length < SPARE_MAX) this.spare.push(slot)
  }

  /**
   * A free slot for a request of the partner that came to desk `origin`, with the key `bytes[from, to)` and its deadline in
   * monotonic milliseconds, in state `accepting`; or `undefined` when the window is full or the key is outstanding already
   * (`find` tells which). `key`: its digest, where somebody has it already.
   */
  take(
    bytes: Buffer,
    from: number,
    to: number,
    deadlineMs: number,
    partner: number,
    origin: number,
    key: KeyDigest = this.hash.hash(SENT, bytes, from, to)
  ): Slot | undefined {
    if (this.count >= this.capacity) return undefined
    const { first } = key
    if (this.look(first, bytes, from, to) !== undefined) return undefined
    const id = this.free.pop() ?? this.grow()
    this.count++
    this.shares.take(partner)
    this.open.take(origin)
    this.partnerOf[id] = partner
    this.states[id] = step(State.free, Event.accepted)
    this.hashOf[id] = first
    this.chain(id)
    this.keyLength[id] = to - from
    copyKey(bytes, from, to, this.keys, id * KEY_LENGTH_MAX)
    const slot = this.slots[id]!
    slot.key.keep(key)
    slot.origin = origin
    slot.deadline = deadlineMs
    this.setDeadline(id, Math.ceil(deadlineMs / TICK_MS))
    return slot
  }

  /** The slot whose key is `bytes[from, to)`, whatever its state. */
  find(bytes: Buffer, from: number, to: number): Slot | undefined {
    return this.look(this.hash.hash(SENT, bytes, from, to).first, bytes, from, to)
  }

  private look(first: number, bytes: Buffer, from: number, to: number): Slot | undefined {
    const length = to - from
    for (let id = this.heads[first & this.mask]!; id !== NONE; id = this.nextByKey[id]!) {
      if (this.hashOf[id] !== first || this.keyLength[id] !== length) continue
      if (isSameKey(bytes, from, to, this.keys, id * KEY_LENGTH_MAX)) return this.slots[id]
    }
    return undefined
  }

  /**
   * Calls `each` for every request whose deadline is at or before `nowMs`, in the order of their ticks; at most for `most`. False
   * when there are more.
   */
  expire(nowMs: number, each: (slot: Slot) => void, most = Number.POSITIVE_INFINITY): boolean {
    let left = most
    const last = Math.floor(nowMs / TICK_MS)
    const { wheel } = this
    if (wheel === undefined || this.count === 0) {
      this.tick = last
      return true
    }
    // After a long pause one turn of the wheel sees every slot.
    const from = Math.max(this.tick + 1, last - WHEEL_SIZE + 1)
    for (let tick = from; tick <= last; tick++) {
      let id = wheel[tick % WHEEL_SIZE]!
      while (id !== NONE) {
        const next = this.nextByTime[id]!
        if (this.dueTick[id]! <= last) {
          if (left-- <= 0) {
            this.tick = tick - 1
            return false
          }
          this.clearDeadline(id)
          each(this.slots[id]!)
        }
        id = next
      }
    }
    this.tick = last
    return true
  }

  /** Whether slot `id` still is the exchange's. */
  holds(id: number, exchange: number): boolean {
    return this.slots[id]?.exchange === exchange && this.states[id] !== State.free
  }

  /** The slot of an exchange; `undefined` when it is not in the table. Looks at every slot. */
  slotOf(exchange: number): Slot | undefined {
    return this.slots.find(({ id }) => this.holds(id, exchange))
  }

  /** Calls `each` for every request in the table. `each` may end the request. */
  forEach(each: (slot: Slot) => void): void {
    for (const slot of this.slots) if (this.states[slot.id] !== State.free) each(slot)
  }

  /** When the oldest request in the table was taken, monotonic milliseconds; 0: there is none. Looks at every slot. */
  oldest(): number {
    let oldest = 0
    this.forEach(({ takenAt }) => {
      if (oldest === 0 || takenAt < oldest) oldest = takenAt
    })
    return oldest
  }

  private grow(): number {
    const id = this.slots.length
    if (id === this.states.length) this.widen(Math.min(this.capacity, 2 * id))
    this.slots.push(new Slot(id))
    return id
  }

  /** Makes room for so many slots. */
  private widen(places: number): void {
    this.states = copied(this.states, new Uint8Array(places))
    this.nextByKey = copied(this.nextByKey, new Int32Array(places))
    this.hashOf = copied(this.hashOf, new Int32Array(places))
    this.keys = copied(this.keys, new Uint8Array(places * KEY_LENGTH_MAX))
    this.keyLength = copied(this.keyLength, new Uint8Array(places))
    this.nextByTime = copied(this.nextByTime, new Int32Array(places))
    this.previousByTime = copied(this.previousByTime, new Int32Array(places))
    this.dueTick = copied(this.dueTick, new Float64Array(places))
    this.partnerOf = copied(this.partnerOf, new Int32Array(places))
    this.heads = bucketsFor(places)
    this.mask = this.heads.length - 1
    for (const { id } of this.slots) if (this.states[id] !== State.free) this.chain(id)
  }

  /** Puts the slot into the chain of its hash. */
  private chain(id: number): void {
    const bucket = this.hashOf[id]! & this.mask
    this.nextByKey[id] = this.heads[bucket]!
    this.heads[bucket] = id
  }

  private release(id: number): void {
    const bucket = this.hashOf[id]! & this.mask
    if (this.heads[bucket] === id) this.heads[bucket] = this.nextByKey[id]!
    else {
      let before = this.heads[bucket]!
      while (this.nextByKey[before] !== id) before = this.nextByKey[before]!
      this.nextByKey[before] = this.nextByKey[id]!
    }
    if (this.dueTick[id] !== 0) this.clearDeadline(id)
    this.free.push(id)
    this.count--
    this.shares.leave(this.partnerOf[id]!)
    this.open.leave(this.slots[id]!.origin)
  }

  private setDeadline(id: number, dueTick: number): void {
    const due = Math.max(dueTick, this.tick + 1)
    const bucket = due % WHEEL_SIZE
    this.wheel ??= new Int32Array(WHEEL_SIZE).fill(NONE)
    const { wheel } = this
    const head = wheel[bucket]!
    this.dueTick[id] = due
    this.nextByTime[id] = head
    this.previousByTime[id] = NONE
    if (head !== NONE) this.previousByTime[head] = id
    wheel[bucket] = id
  }

  private clearDeadline(id: number): void {
    const next = this.nextByTime[id]!
    const previous = this.previousByTime[id]!
    if (next !== NONE) this.previousByTime[next] = previous
    if (previous !== NONE) this.nextByTime[previous] = next
    else this.wheel![this.dueTick[id]! % WHEEL_SIZE] = next
    this.dueTick[id] = 0
  }
}
