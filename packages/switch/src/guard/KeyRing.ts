/**
 * The keys of a running switch: a slot for each link, purpose and direction, with the key that is used now, and the one before
 * it until its window ends.
 *
 * Pure memory, read on the way of each message without a promise or an allocation: `at` is two integers and an array. It holds
 * handles, never key bytes; the journal's key table holds the same across restarts, and nothing is put in here before
 * that is on disk. It decides nothing about exchanges.
 */
import type { KeyHandle, KeyPurpose } from "./KeyHandle.ts"

/** Purposes in the order of their places. `kek` is the partner's key that others come wrapped under (zone master, member key). */
const purposes: ReadonlyArray<KeyPurpose> = ["mac", "pin", "kek", "data"]

/** Whose messages a key is for: those that we send, those that we receive, or `both` where the partner has one key for all. */
export type KeyDirection = "both" | "send" | "receive"

/** Which key of a slot a message fitted. */
export type Fitted = "current" | "previous" | "none"

/** What became of a slot. */
export type KeyChange = "taken" | "windowEnded" | "retired"

/** Told of a change, after it was made. */
export type KeyListener = (slot: KeySlot, change: KeyChange) => void

/** One place for a key. Read its members at each message; `KeyRing` alone changes the keys. */
export class KeySlot {
  /** Number of the link (its desk's). */
  readonly link: number
  readonly purpose: KeyPurpose
  readonly direction: KeyDirection
  /** The key for what is sent, and the first one tried on what is received; `undefined`: there is none yet, or none any more. */
  current: KeyHandle | undefined = undefined
  /** Tried on what is received, besides, until `previousUntil`. */
  previous: KeyHandle | undefined = undefined
  /** `previous` is a key of ours that the partner was given, and may use from now on, though it has not answered. */
  isOffered = false
  /** Told when a message shows that the partner uses the offered key. */
  onProved: (() => void) | undefined = undefined
  /** Monotonic milliseconds at which `previous` goes; 0: there is none. */
  previousUntil = 0
  /** Number of the current key: 1 for the first, and only up. 0: there never was one. */
  version = 0
  /** Milliseconds since the epoch of the last change; 0: none. */
  changedAt = 0
  /** Messages that fitted the current key, the previous one, and none, since the start. */
  fittedCurrent = 0
  fittedPrevious = 0
  fittedNone = 0
  /** Messages in a row that fitted none. */
  failuresInRow = 0

  constructor(link: number, purpose: KeyPurpose, direction: KeyDirection) {
    this.link = link
    this.purpose = purpose
    this.direction = direction
  }

  /** Counts what a received message fitted; returns how many in a row have fitted none. */
  count(fitted: Fitted): number {
    if (fitted === "none") {
      this.fittedNone++
      return ++this.failuresInRow
    }
    if (fitted === "current") this.fittedCurrent++
    else this.fittedPrevious++
    this.failuresInRow = 0
    if (fitted === "previous" && this.isOffered) this.onProved?.()
    return 0
  }
}

/** Slots that a link may have: for each purpose one to send and one to receive, which are the same where one key serves both. */
const PLACES = purposes.length * 2

const placeOf = (link: number, purpose: KeyPurpose, direction: "send" | "receive"): number =>
  link * PLACES + purposes.indexOf(purpose) * 2 + (direction === "send" ? 0 : 1)

/** See above. Used only on the switch's own thread. */
export class KeyRing {
  private readonly places: Array<KeySlot | undefined> = []
  private readonly listeners: Array<KeyListener> = []
  /** Slots with a previous key; nearly always empty. */
  private readonly windows = new Set<KeySlot>()

  /** The slot for what is sent to, or received from, a link; `undefined`: the link has no key for that. */
  at(link: number, purpose: KeyPurpose, direction: "send" | "receive"): KeySlot | undefined {
    return this.places[placeOf(link, purpose, direction)]
  }

  /** The slot, made when there is none. A link has either one slot for both directions or one for each. */
  slot(link: number, purpose: KeyPurpose, direction: KeyDirection): KeySlot {
    const side = direction === "receive" ? "receive" : "send"
    const known = this.at(link, purpose, side)
    if (known?.direction === direction) return known
    const made = new KeySlot(link, purpose, direction)
    if (direction !== "receive") this.places[placeOf(link, purpose, "send")] = made
    if (direction !== "send") this.places[placeOf(link, purpose, "receive")] = made
    return made
  }

  /** All slots of a link, each once; of all links without a number. */
  slots(link?: number): ReadonlyArray<KeySlot> {
    const [from, to] = link === undefined ? [0, this.places.length] : [link * PLACES, (link + 1) * PLACES]
    return [...new Set(this.places.slice(from, to))].filter((slot) => slot !== undefined)
  }

  /** Hears of each change from now on. */
  onChange(listener: KeyListener): void {
    this.listeners.push(listener)
  }

  /**
   * `key` is the slot's key from now on. `previous`: what is still accepted, until monotonic `previousUntil`; left out: nothing.
   * `at`: milliseconds since the epoch.
   */
  take(slot: KeySlot, key: KeyHandle, version: number, at: number, previous?: KeyHandle, previousUntil = 0): void {
    slot.current = key
    slot.isOffered = false
    slot.previous = previous
    slot.previousUntil = previous === undefined ? 0 : previousUntil
    slot.version = version
    slot.changedAt = at
    slot.failuresInRow = 0
    if (previous === undefined) this.windows.delete(slot)
    else this.windows.add(slot)
    this.tell(slot, "taken")
  }

  /** A key of ours that the partner has been given: what comes may be under it. The key before gives way to it. */
  offer(slot: KeySlot, key: KeyHandle): void {
    slot.previous = key
    slot.previousUntil = 0
    slot.isOffered = true
    this.windows.delete(slot)
  }

  /** The key that was offered is not the partner's. */
  withdraw(slot: KeySlot): void {
    if (!slot.isOffered) return
    slot.isOffered = false
    slot.previous = undefined
  }

  /** The slot has no key any more. */
  retire(slot: KeySlot, at: number): void {
    slot.current = slot.previous = undefined
    slot.isOffered = false
    slot.previousUntil = 0
    slot.changedAt = at
    this.windows.delete(slot)
    this.tell(slot, "retired")
  }

  /** Monotonic time: previous keys whose windows have ended go. */
  tick(now: number): void {
    if (this.windows.size === 0) return
    for (const slot of this.windows) {
      if (now < slot.previousUntil) continue
      slot.previous = undefined
      slot.previousUntil = 0
      this.windows.delete(slot)
      this.tell(slot, "windowEnded")
    }
  }

  private tell(slot: KeySlot, change: KeyChange): void {
    for (const listener of this.listeners) listener(slot, change)
  }
}
