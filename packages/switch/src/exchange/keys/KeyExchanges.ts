/**
 * The exchange of keys with partners: what they bring, what they ask for, what we ask for or give; by hand, by schedule, after so
 * many messages, or because MACs go wrong.
 *
 * Each message acts on the link that it came on, and on no other. Nothing of it is sent again after a cut: a key that was asked
 * for and did not come is an alarm, and the current key stays.
 */
import { type Cipher, isKeyMessage, type KeyKind, keyMeaning, type MessageIndex } from "@jinka/codec"
import { type Deferred, Effect } from "effect"
import type { KeyDirection, KeySlot } from "../../guard/KeyRing.ts"
import type { KeySettings } from "../../guard/KeySettings.ts"
import { type HeldKey, type KeyCause, KeyTable, type NewKey, type SlotRecord } from "../../guard/KeyTable.ts"
import type { ModuleError } from "../../guard/ModuleError.ts"
import type { SharedModule } from "../../guard/SharedModule.ts"
import { answer as managementAnswer } from "../../message/NetworkManagement.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import { KeyGiving } from "./KeyGiving.ts"
import { keyMessage, sealedMessage } from "./KeyMessages.ts"
import { KeyTaking } from "./KeyTaking.ts"
import { KeyWatch } from "./KeyWatch.ts"
import { type KeyDesk, type KeyOutcome, KeyWork, whyNot } from "./KeyWork.ts"

/** How often schedules are looked at, and how long one waits after something came to nothing, in milliseconds. */
const LOOK_MS = 1000
const PAUSE_MS = 60_000

const MINUTE_MS = 60_000
const DAY_MINUTES = 1440

/** Something that we have asked for, or given, and that has not come out yet. */
interface Awaited {
  readonly cause: KeyCause
  readonly told: ((outcome: KeyOutcome) => void) | undefined
  until: number
  /** The partner has said that it will bring a key. */
  isPromised: boolean
}

const kindsOf = (kinds: ReadonlyArray<KeyKind>): string => kinds.join(" and ")

/** See above; made when there is a security module. */
export class KeyExchanges {
  readonly table: KeyTable
  private readonly desks: Desks
  private readonly work: KeyWork
  private readonly taking: KeyTaking
  private readonly giving: KeyGiving
  private readonly settings = new Map<number, KeySettings>()
  private readonly awaited = new Map<KeySlot, Awaited>()
  private readonly watched = new Map<KeySlot, KeyWatch>()
  private looked = 0

  constructor(desks: Desks, module: SharedModule, broken: Deferred.Deferred<never>) {
    const { runtime } = desks
    this.desks = desks
    this.table = new KeyTable(desks.keys, desks.journal, runtime.wallMs, runtime.monotonicMs)
    this.work = new KeyWork(desks, module, this.table, broken)
    this.taking = new KeyTaking(this.work)
    this.giving = new KeyGiving(this.work)
    desks.keys.onChange((slot, change) => {
      if (change === "windowEnded") this.windowEnded(slot)
    })
  }

  /** The link at the desk exchanges keys like this from now on, or not at all; what the table holds for it is in the ring. */
  put(desk: Desk, settings: KeySettings | undefined): void {
    if (settings === undefined) this.settings.delete(desk.id)
    else this.settings.set(desk.id, settings)
    this.table.open(desk)
    for (const [slot, record] of this.table.held(desk)) this.rewrap(desk, slot, record)
  }

  /** The slots of all links whose keys are none of this module's: `centre: mac/both`. */
  elsewhere(): ReadonlyArray<string> {
    return this.desks.present.flatMap((desk) => {
      const slots = [...this.table.held(desk)].filter(([, { current, offered, previous }]) =>
        [current, offered, previous].some(
          (key) => key !== null && this.work.module.storedUnder(key.text) === "elsewhere"
        )
      )
      const names = slots.map(([{ direction, purpose }]) => `${purpose}/${direction}`)
      return names.length === 0 ? [] : [`${desk.name}: ${names.join(", ")}`]
    })
  }

  /** Stores keys under the present storage key that are under a previous one: that one can be given up then. */
  private rewrap(desk: Desk, slot: KeySlot, { current, offered, previous }: SlotRecord): void {
    const { module } = this.work
    const { direction, purpose } = slot
    const old: Array<HeldKey> = []
    for (const key of [current, previous, offered]) {
      const under = key === null ? "now" : module.storedUnder(key.text)
      if (under === "before") old.push(key!)
      if (under !== "another" && under !== "elsewhere") continue
      const why =
        under === "another"
          ? "is stored under another storage key: name that in `security.software.previousStorageKeys`, or bring the key again"
          : "was written by another kind of security module, and cannot be used: bring the key again"
      const says = `key ${purpose}/${direction} ${key!.version} ${why}`
      this.desks.alarm(desk, desk.link.epoch, says)
    }
    if (old.length === 0) return
    const all = Effect.forEach(old, ({ algorithm, text }) =>
      Effect.map(
        module.importKey({ name: `${desk.name}/${purpose}`, purpose, algorithm, key: { form: "own", text } }),
        (handle) => [text, handle.text] as const
      )
    )
    const cause = { says: "the storage key was changed" }
    this.work.run(
      desk,
      Effect.matchEffect(all, {
        onFailure: (error) => Effect.sync(() => this.desks.alarm(desk, desk.link.epoch, whyNot(error))),
        onSuccess: (texts) => this.work.written(() => [this.table.rewrapped(desk, slot, new Map(texts), cause)])
      })
    )
  }

  /** The exchange of a desk's link. */
  at(desk: Desk): KeyDesk | undefined {
    const settings = this.settings.get(desk.id)
    return settings === undefined ? undefined : { desk, settings }
  }

  /** A network management request of the partner. False: it has nothing to do with keys. */
  received(desk: Desk, index: MessageIndex): boolean {
    const at = this.at(desk)
    if (at === undefined) return false
    const { epoch } = desk.link
    const { exchange, giver } = at.settings
    if (giver === "partner" && exchange.deliver !== undefined && isKeyMessage(exchange.deliver, index)) {
      this.delivered(at, index, epoch)
      return true
    }
    if (giver === "partner") return false
    // A terminal says in its question how many keys it takes, and how long ones: that is the exchange then.
    const offered = exchange.deliver === undefined ? (desk.link.settings.dialect.keyExchange ?? []) : [exchange]
    const asked = offered.find((one) => one.ask !== undefined && isKeyMessage(one.ask, index))
    if (asked === undefined) return false
    this.asked({ desk, settings: { ...at.settings, exchange: asked } }, index, epoch)
    return true
  }

  /** Asks for a key, or gives one where that is our part. `told` hears what became of it. */
  ask(at: KeyDesk, kind: KeyKind, cause: KeyCause, told?: (outcome: KeyOutcome) => void): void {
    const slot = this.work.slot(at, kind)
    const until = this.desks.now + at.settings.waitMs
    this.awaited.get(slot)?.told?.({ isDone: false, says: "it was asked for again" })
    const awaited: Awaited = { until, cause, told, isPromised: false }
    this.awaited.set(slot, awaited)
    if (at.settings.giver === "us") {
      this.giving.give(
        at,
        kind,
        cause,
        (isSent, says) => (isSent ? this.work.note(at, `${says}: ${cause.says}`) : this.failed(at, slot, says)),
        (outcome) => {
          if (this.awaited.get(slot) === awaited) this.ended(slot, outcome)
        }
      )
    } else this.question(at, slot, kind, awaited)
  }

  /** The same for all keys of a link. */
  askAll(desk: Desk, cause: KeyCause): void {
    const at = this.at(desk)
    if (at === undefined)
      return this.desks.note(desk, desk.link.epoch, "no key was asked for: the link exchanges none", "warning")
    for (const kind of this.kindsAsked(at)) this.ask(at, kind, cause)
  }

  /** The kinds of key that are asked for one by one; where one question brings them all, the first is used for it. */
  kindsAsked({ settings }: KeyDesk): ReadonlyArray<KeyKind> {
    return settings.exchange.deliver === undefined ? settings.kinds.slice(0, 1) : settings.kinds
  }

  /** Whose messages the keys of a link's exchange are for. */
  directionOf({ settings }: KeyDesk): KeyDirection {
    return this.work.direction(settings)
  }

  /** A key that was imported by hand becomes the slot's. */
  take(desk: Desk, slot: KeySlot, key: NewKey, cause: KeyCause): Effect.Effect<void> {
    const windowMs = this.at(desk)?.settings.windowMs ?? 0
    return this.work.written(() => [this.table.take(desk, slot, key, slot.purpose === "kek" ? 0 : windowMs, cause)])
  }

  /** All keys of a slot are destroyed. */
  retire(desk: Desk, slot: KeySlot, cause: KeyCause): Effect.Effect<void> {
    return this.work.written(() => [this.table.retire(desk, slot, cause)])
  }

  /** Looks at what is waited for, and at the schedules. */
  tick(now: number): void {
    if (now - this.looked < LOOK_MS) return
    this.looked = now
    for (const [slot, { isPromised, until }] of this.awaited) {
      if (now < until) continue
      const desk = this.desks.at(slot.link)
      const at = this.at(desk)
      const what = isPromised ? "the partner has said that it brings a key, and none came" : "no answer came"
      const says = `${what} within ${(at?.settings.waitMs ?? 0) / 1000} s: the current ${slot.purpose} key stays`
      if (at === undefined) this.ended(slot, { isDone: false, says })
      else this.failed(at, slot, says)
    }
    for (const [id, settings] of this.settings) this.schedule({ desk: this.desks.at(id), settings }, now)
  }

  private delivered(at: KeyDesk, index: MessageIndex, epoch: number): void {
    const { kind } = keyMeaning(at.settings.exchange, index)
    const kinds = kind === undefined ? at.settings.kinds : [kind]
    const slots = kinds.map((one) => this.work.slot(at, one))
    const cause = slots.map((slot) => this.awaited.get(slot)?.cause).find((one) => one !== undefined)
    this.taking.delivered(at, index, epoch, cause ?? { says: "delivered by the partner, unasked" }, (outcome) => {
      for (const slot of slots) this.ended(slot, outcome)
    })
  }

  /** The partner asks for a key: it hears that it gets one, and gets it. */
  private asked(at: KeyDesk, index: MessageIndex, epoch: number): void {
    const { desk, settings } = at
    const { exchange } = settings
    const cause = { says: "asked for by the partner" }
    if (exchange.deliver === undefined) return this.giving.answer(at, index, epoch, cause)
    const { codec, dialect } = desk.link.settings
    const { kind } = keyMeaning(exchange, index)
    const isGood = kind === undefined || settings.kinds.includes(kind)
    const code = isGood ? codec.layout.answers.accepted : dialect.refusal.formatError
    const session = this.work.session(desk, epoch)
    session?.putUrgent(managementAnswer(codec, index, code))
    session?.outbox.flush()
    if (!isGood)
      return this.work.note(at, `the partner asked for a key that the link does not have, answered ${code}`, "warning")
    for (const one of kind === undefined ? settings.kinds : [kind]) this.ask(at, one, cause)
  }

  private question(at: KeyDesk, slot: KeySlot, kind: KeyKind, awaited: Awaited): void {
    const { cause } = awaited
    const { desk, settings: keySettings } = at
    const { link } = desk
    const { exchange } = keySettings
    const { session, settings } = link
    const { ask } = exchange
    if (ask === undefined) return this.failed(at, slot, "the partner's dialect has no message that asks for a key")
    if (session === undefined || !link.canSend)
      return this.failed(at, slot, `the link has no connection (${link.phrase})`)
    const algorithm: Cipher = keySettings.algorithm
    const now = this.desks.runtime.wallMs()
    const message = keyMessage(settings, exchange, ask, kind, algorithm, [], link.nextStan(), now)
    if ("_tag" in message) return this.failed(at, slot, whyNot(message))
    // A key may come, or be asked for again, while the question waits for its turn or for its answer: the question is void then.
    const isWanted = () => this.awaited.get(slot) === awaited
    const asked = Effect.map(sealedMessage(this.work.module, settings, exchange, message, undefined), (bytes) => {
      if (!isWanted()) return
      if (link.session !== session) return this.failed(at, slot, "the connection ended before it was asked for")
      session.request("keyResetRequest", message, bytes, ({ code, isAccepted }, index) => {
        if (!isWanted()) return
        if (!isAccepted) {
          this.watch(at, slot).isUnsure = false
          return this.failed(at, slot, `the partner answered our question for a key with ${code}`)
        }
        if (exchange.deliver !== undefined) {
          // From now on it has its time to bring the key.
          awaited.until = this.desks.now + keySettings.waitMs
          awaited.isPromised = true
          return
        }
        this.taking.answered(at, index, cause, (outcome) => {
          if (outcome.isDone) this.watch(at, slot).isUnsure = false
          this.ended(slot, outcome)
        })
      })
      this.watch(at, slot).isUnsure = exchange.deliver === undefined
      this.work.note(at, `a ${kind} key was asked for: ${cause.says}`)
    })
    this.work.run(
      desk,
      Effect.catch(asked, (error: ModuleError) => Effect.sync(() => this.failed(at, slot, whyNot(error))))
    )
  }

  private ended(slot: KeySlot, outcome: KeyOutcome): void {
    const awaited = this.awaited.get(slot)
    this.awaited.delete(slot)
    const at = this.at(this.desks.at(slot.link))
    if (!outcome.isDone && at !== undefined) this.watch(at, slot).notBefore = this.desks.now + PAUSE_MS
    awaited?.told?.(outcome)
  }

  private failed(at: KeyDesk, slot: KeySlot, says: string): void {
    this.work.alarm(at, `no new ${slot.purpose} key: ${says}`)
    this.ended(slot, { isDone: false, says })
  }

  private windowEnded(slot: KeySlot): void {
    const desk = this.desks.at(slot.link)
    this.work.run(
      desk,
      this.work.written(() => [this.table.windowEnded(desk, slot)])
    )
  }

  private watch({ settings }: KeyDesk, slot: KeySlot): KeyWatch {
    const known = this.watched.get(slot)
    if (known !== undefined) return known
    const made = new KeyWatch(settings, slot, this.desks.now)
    this.watched.set(slot, made)
    return made
  }

  /** Asks for what is due; one question at a time, and after one that came to nothing not before a pause. */
  private schedule(at: KeyDesk, now: number): void {
    const { desk, settings } = at
    const { link } = desk
    const wallMs = this.desks.runtime.wallMs()
    const minute = Math.floor((wallMs + link.settings.utcOffsetMs) / MINUTE_MS) % DAY_MINUTES
    for (const kind of this.kindsAsked(at)) {
      const slot = this.work.slot(at, kind)
      const watched = this.watch(at, slot)
      const look = { slot, used: slot.fittedCurrent + (desk.guard?.made ?? 0), now, wallMs, minute }
      watched.look(look, settings.waitMs)
      if (!link.isSignedOn || !link.canSend || now < watched.notBefore || this.awaited.has(slot)) continue
      const why = watched.due(look, settings.schedule)
      if (why === undefined || "_tag" in this.work.kek(desk)) continue
      watched.notBefore = now + PAUSE_MS
      this.ask(at, kind, { says: why })
    }
    if (settings.giver === "us") this.watchOffers(at)
  }

  /** A message under a key that the last run had offered proves as much as one under a key offered since. */
  private watchOffers(at: KeyDesk): void {
    for (const kind of at.settings.kinds) {
      const slot = this.work.slot(at, kind)
      if (slot.isOffered) slot.onProved ??= () => this.giving.proved(at, slot)
    }
  }

  /** What the schedule of a link is, in words; empty: none. */
  scheduleOf({ settings }: KeyDesk): string {
    const { atMinute, everyMs, messages } = settings.schedule
    const time = (minute: number) =>
      `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`
    return [
      ...(everyMs === undefined ? [] : [`every ${everyMs / 3_600_000} h`]),
      ...(atMinute === undefined ? [] : [`at ${time(atMinute)}`]),
      ...(messages === undefined ? [] : [`after ${messages} messages`]),
      ...(settings.giver === "us" ? ["given by us"] : []),
      kindsOf(settings.kinds)
    ].join(", ")
  }
}
