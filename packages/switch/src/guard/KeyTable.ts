/**
 * The keys of all links as they last: what each slot holds, in the journal's table, across restarts; and the ring that follows
 * it.
 *
 * Every change is written with the journal entry that tells of it, in one commit; the ring changes when that is on disk, and not
 * before (guarantee G1). Versions only go up. It asks no partner and no module, and decides nothing.
 */
import type { Cipher } from "@jinka/codec"
import type { Journal } from "../journal/Journal.ts"
import type { KeyHandle, KeyPurpose } from "./KeyHandle.ts"
import type { KeyDirection, KeyRing, KeySlot } from "./KeyRing.ts"

/** A key as the table holds it. */
export interface HeldKey {
  readonly version: number
  readonly algorithm: Cipher
  /** What the security module understands: a key block under its storage key, or a device's key text. Never a key in clear. */
  readonly text: string
  readonly checkValue: string
  /** Milliseconds since the epoch at which it was taken. */
  readonly at: number
  /** What the key came as, hashed: the same bytes again are the same key. Empty where they are never the same. */
  readonly mark: string
}

/** What a slot holds. */
export interface SlotRecord {
  /** The greatest version given until now. */
  readonly version: number
  readonly current: HeldKey | null
  /** The one before, until its window ends (milliseconds since the epoch). */
  readonly previous: (HeldKey & { readonly until: number }) | null
  /** A key of ours that the partner has been given and has not answered for. */
  readonly offered: HeldKey | null
}

/** Why a slot changes, and who has said so. */
export interface KeyCause {
  /** In words, as the end of a sentence: `delivered by the partner`. */
  readonly says: string
  /** The persons who did it by hand. */
  readonly by?: ReadonlyArray<string>
  readonly reason?: string
}

/** A link as its keys know it. */
export interface KeyOwner {
  readonly id: number
  readonly name: string
  /** The journal's number of its name. */
  readonly journalName: number
}

/** A change that was written: the ring follows by `apply`, once entry `seq` is on disk. */
export interface KeyWritten {
  readonly seq: number
  readonly apply: () => void
}

/** A key out of a module, as it is taken. */
export type NewKey = Pick<HeldKey, "algorithm" | "text" | "checkValue" | "mark">

const nothing: SlotRecord = { version: 0, current: null, previous: null, offered: null }

/** `mac/both`: how the table names a slot. */
export const slotName = (purpose: KeyPurpose, direction: KeyDirection): string => `${purpose}/${direction}`

const slotOf = (name: string): readonly [KeyPurpose, KeyDirection] => {
  const [purpose, direction] = name.split("/")
  return [purpose as KeyPurpose, direction as KeyDirection]
}

/** What a row of the table says; a row that says nothing that can be read is an empty slot. */
export const readRecord = (keys: string): SlotRecord => {
  try {
    return { ...nothing, ...(JSON.parse(keys) as Partial<SlotRecord>) }
  } catch {
    return nothing
  }
}

const iso = (at: number): string => new Date(at).toISOString()

/** The keys of all links; see above. Used only on the switch's own thread. */
export class KeyTable {
  private readonly ring: KeyRing
  private readonly journal: Journal["Service"]
  private readonly wallMs: () => number
  private readonly monotonicMs: () => number
  /** By link and slot: `centre\nmac/both`. */
  private readonly records = new Map<string, SlotRecord>()

  constructor(ring: KeyRing, journal: Journal["Service"], wallMs: () => number, monotonicMs: () => number) {
    this.ring = ring
    this.journal = journal
    this.wallMs = wallMs
    this.monotonicMs = monotonicMs
    for (const { keys, link, slot } of journal.recovered.keys) this.records.set(`${link}\n${slot}`, readRecord(keys))
  }

  /** What a slot holds. */
  record(link: string, slot: Pick<KeySlot, "purpose" | "direction">): SlotRecord {
    return this.records.get(`${link}\n${slotName(slot.purpose, slot.direction)}`) ?? nothing
  }

  /** Puts what the table holds for a link into the ring: when the link comes to be. Its windows go on where they were. */
  open(owner: KeyOwner): void {
    for (const [slot, record] of this.held(owner)) this.follow(owner.name, slot, record)
  }

  /** What the slots of a link hold. */
  held({ id, name }: KeyOwner): ReadonlyArray<readonly [KeySlot, SlotRecord]> {
    return [...this.records].flatMap(([key, record]) => {
      const [link, slot = ""] = key.split("\n")
      return link === name ? [[this.ring.slot(id, ...slotOf(slot)), record] as const] : []
    })
  }

  /** The same keys, stored in other texts: `texts` has those that change. */
  rewrapped(owner: KeyOwner, slot: KeySlot, texts: ReadonlyMap<string, string>, cause: KeyCause): KeyWritten {
    const { current, offered, previous, version } = this.record(owner.name, slot)
    const anew = <A extends HeldKey>(key: A | null): A | null =>
      key === null ? null : { ...key, text: texts.get(key.text) ?? key.text }
    const record = { version, current: anew(current), previous: anew(previous), offered: anew(offered) }
    return this.write(owner, slot, record, "rewrapped", record.current, current, cause)
  }

  /** A key becomes the slot's; the one before stays good on receipt for `windowMs`. */
  take(owner: KeyOwner, slot: KeySlot, key: NewKey, windowMs: number, cause: KeyCause): KeyWritten {
    const record = this.record(owner.name, slot)
    const at = this.wallMs()
    const current: HeldKey = { ...key, version: record.version + 1, at }
    return this.replaced(owner, slot, record, current, windowMs, cause)
  }

  /** The offered key becomes the slot's. */
  promote(owner: KeyOwner, slot: KeySlot, windowMs: number, cause: KeyCause): KeyWritten | undefined {
    const record = this.record(owner.name, slot)
    if (record.offered === null) return undefined
    return this.replaced(owner, slot, record, { ...record.offered, at: this.wallMs() }, windowMs, cause)
  }

  /**
   * A key of ours goes to the partner, and is accepted on receipt from then on. One whose window is still open gives way to it:
   * two are held against each message, and no more.
   */
  offer(owner: KeyOwner, slot: KeySlot, key: NewKey, cause: KeyCause): KeyWritten {
    const record = this.record(owner.name, slot)
    const { previous } = record
    const version = record.version + 1
    const offered: HeldKey = { ...key, version, at: this.wallMs() }
    const gone =
      previous === null ? "" : `; key ${previous.version} (check value ${previous.checkValue}) gives way to it`
    const why = { ...cause, says: `${cause.says}${gone}` }
    return this.write(
      owner,
      slot,
      { ...record, version, offered, previous: null },
      "offered",
      offered,
      record.current,
      why
    )
  }

  /** The partner does not take the offered key. */
  withdraw(owner: KeyOwner, slot: KeySlot, cause: KeyCause): KeyWritten | undefined {
    const record = this.record(owner.name, slot)
    if (record.offered === null) return undefined
    return this.write(owner, slot, { ...record, offered: null }, "withdrawn", record.offered, record.current, cause)
  }

  /** The window of the previous key has ended: it is destroyed. */
  windowEnded(owner: KeyOwner, slot: KeySlot): KeyWritten | undefined {
    const record = this.record(owner.name, slot)
    if (record.previous === null) return undefined
    const cause = { says: "its window has ended" }
    return this.write(owner, slot, { ...record, previous: null }, "ended", record.previous, record.current, cause)
  }

  /** All keys of the slot are destroyed. */
  retire(owner: KeyOwner, slot: KeySlot, cause: KeyCause): KeyWritten {
    const record = this.record(owner.name, slot)
    const empty: SlotRecord = { ...nothing, version: record.version }
    return this.write(owner, slot, empty, "retired", record.current, null, cause)
  }

  private replaced(
    owner: KeyOwner,
    slot: KeySlot,
    record: SlotRecord,
    current: HeldKey,
    windowMs: number,
    cause: KeyCause
  ): KeyWritten {
    const isKept = record.current !== null && windowMs > 0
    const next: SlotRecord = {
      version: Math.max(record.version, current.version),
      current,
      previous: isKept ? { ...record.current, until: current.at + windowMs } : null,
      offered: null
    }
    return this.write(owner, slot, next, "taken", current, record.current, cause)
  }

  private write(
    owner: KeyOwner,
    slot: KeySlot,
    record: SlotRecord,
    event: string,
    key: HeldKey | null,
    was: HeldKey | null,
    cause: KeyCause
  ): KeyWritten {
    const { name } = owner
    const named = slotName(slot.purpose, slot.direction)
    const shown = (one: HeldKey | null) => (one === null ? null : { version: one.version, checkValue: one.checkValue })
    const words = (one: HeldKey | null) => (one === null ? "none" : `${one.version} (check value ${one.checkValue})`)
    const until = record.previous?.until
    const window = until === undefined ? "" : `, good until ${iso(until)}`
    const besides = event === "taken" ? `, was ${words(was)}${window}` : ""
    const who = cause.by === undefined ? "" : ` by ${cause.by.join(" and ")}`
    const why = cause.reason === undefined ? "" : ` (${cause.reason})`
    const says = `key ${named} ${words(key)} ${event}${besides}: ${cause.says}${who}${why}`
    const told = {
      event,
      key: shown(key),
      was: shown(was),
      until: until === undefined ? null : iso(until),
      cause: cause.says,
      by: cause.by ?? [],
      reason: cause.reason ?? ""
    }
    this.records.set(`${name}\n${named}`, record)
    this.journal.writer.now = this.wallMs()
    const row = { link: name, slot: named, keys: JSON.stringify(record) }
    const seq = this.journal.keep(row, owner.journalName, says, JSON.stringify(told))
    return { seq, apply: () => this.follow(name, slot, record) }
  }

  /** The ring takes over what the record says. */
  private follow(name: string, slot: KeySlot, record: SlotRecord): void {
    const { current, offered, previous } = record
    const handle = (key: HeldKey): KeyHandle => this.handle(name, slot, key)
    if (offered === null) this.ring.withdraw(slot)
    if (current === null && offered === null) {
      if (slot.version > 0 || slot.current !== undefined) this.ring.retire(slot, this.wallMs())
      return
    }
    if (current !== null && slot.version !== current.version) {
      const until = previous === null ? 0 : this.monotonicMs() + Math.max(0, previous.until - this.wallMs())
      const before = previous === null ? undefined : handle(previous)
      this.ring.take(slot, handle(current), current.version, current.at, before, until)
    }
    if (offered !== null) this.ring.offer(slot, handle(offered))
  }

  private handle(link: string, { direction, purpose }: KeySlot, key: HeldKey): KeyHandle {
    const { algorithm, checkValue, text, version } = key
    return { name: `${link}/${purpose}/${direction}/${version}`, purpose, algorithm, text, checkValue }
  }
}
