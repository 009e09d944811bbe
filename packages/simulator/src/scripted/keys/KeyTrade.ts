/**
 * The exchange of keys from a partner's side: what it gives, asks for and takes, by the exchange of its dialect. Owns the order
 * of one exchange and what is wrong with a key where its file says so; which keys are in use is the zone's.
 *
 * A key that was given and never answered for is given again, the same one; a message under it is as good as an answer. A key
 * that comes is in use before the answer leaves. The history has check values, never a key.
 */
import {
  type CarriedKey,
  type Cipher,
  carriedKeys,
  type GivenKey,
  isKeyMessage,
  isKeyUnreadable,
  isSuccess,
  type KeyKind,
  type KeyMessage,
  keyFields,
  keyMeaning,
  type MessageIndex
} from "@jinka/codec"
import type { Observed } from "../../dialogue/Observed.ts"
import { DueQueue } from "../../partner/DueQueue.ts"
import type { Timepiece } from "../../partner/Session.ts"
import type { Asked, OwnMessages } from "../OwnMessages.ts"
import type { Conduct } from "../PartnerPlan.ts"
import type { PartnerCount, PartnerRecord } from "../PartnerRecord.ts"
import {
  type Exchanging,
  givenKey,
  hasMac,
  isMacWrong,
  type KeyReply,
  macKeyOf,
  sealed,
  sealer,
  unsealed
} from "./KeyMacs.ts"
import type { KeyConduct, KeyFault, KeyPlan, KeyWish } from "./KeyPlan.ts"
import { goodKey } from "./KeyPlanFile.ts"
import { drawnKey, shownCheck, unwrapped } from "./Wrapping.ts"
import type { KeySlot, Zone, ZoneKey } from "./Zone.ts"

/** Sends a message of our own; false: there is no way. */
export type Say = (message: Buffer) => unknown

/** An exchange that we have begun and that is not answered yet. */
interface Begun {
  readonly kinds: ReadonlyArray<KeyKind>
  /** The key that was given; `undefined`: one was asked for. */
  readonly given: { readonly slot: KeySlot; readonly key: ZoneKey } | undefined
  readonly at: number
}

/** A key that is given later. */
interface Later {
  readonly kind: KeyKind
  readonly faults: ReadonlyArray<KeyFault>
  readonly say: Say
}

/** See above. */
export class KeyTrade {
  readonly zone: Zone
  private plan: Exchanging
  private readonly own: OwnMessages
  private readonly time: Timepiece
  private readonly record: PartnerRecord
  private readonly count: PartnerCount
  private readonly begun = new Map<string, Begun>()
  private readonly later = new DueQueue<Later>()
  /** Keys that the far side has promised, and until when. */
  private readonly promised = new Map<KeySlot, number>()
  private readonly lastTaken = new Map<KeyKind, number>()

  constructor(
    plan: Exchanging,
    zone: Zone,
    own: OwnMessages,
    time: Timepiece,
    record: PartnerRecord,
    count: PartnerCount
  ) {
    this.plan = plan
    this.zone = zone
    this.own = own
    this.time = time
    this.record = record
    this.count = count
    zone.onProved = (slot) => {
      if (slot.offered !== undefined)
        this.taken(slot, slot.offered, "the far side uses it, though its answer did not come")
    }
  }

  /** Another plan for the same keys. */
  replan(plan: Exchanging): void {
    this.plan = plan
  }

  private get keyPlan(): KeyPlan {
    return this.plan.keyPlan
  }

  /** Gives keys, or asks for them, whichever is our part. */
  begin({ afterMs, faults, kind }: KeyWish, say: Say): void {
    const { exchange, isGiver, kinds } = this.keyPlan
    // Where one question brings them all, it is asked once.
    const asked = !isGiver && exchange.deliver === undefined ? kinds.slice(0, 1) : kinds
    for (const one of kind === undefined ? asked : [kind]) {
      if (isGiver) this.giveLater(one, { afterMs, faults }, say)
      else this.ask(one, say)
    }
  }

  /** When a key has to be given, or should have come; Infinity: none has. */
  get nextDue(): number {
    return Math.min(this.later.nextDue, ...this.promised.values())
  }

  /** Gives what is due, and sees what was promised and did not come. */
  tick(now: number): void {
    for (let next = this.later.take(now); next !== undefined; next = this.later.take(now)) this.give(next)
    for (const [slot, until] of this.promised) {
      if (now < until) continue
      this.promised.delete(slot)
      this.trouble(0, slot.kind, "was promised and did not come")
    }
  }

  /** What an exchange's message of the far side is answered; `undefined`: it is none, or the part is not ours. */
  received(message: Observed, epoch: number, conduct: Conduct | undefined, say: Say): KeyReply | undefined {
    const { exchange, isGiver } = this.keyPlan
    if (!isGiver) {
      const isOurs = exchange.deliver !== undefined && isKeyMessage(exchange.deliver, message.index)
      return isOurs ? this.take(message, epoch, conduct) : undefined
    }
    // A terminal says in its question how many keys it takes, and how long ones: that is the exchange then.
    const { keyExchange = [] } = this.plan.form.codec.dialect
    const offered = exchange.deliver === undefined ? keyExchange : [exchange]
    const asked = offered.find(({ ask }) => ask !== undefined && isKeyMessage(ask, message.index))
    if (asked === undefined) return undefined
    return asked.deliver === undefined
      ? this.answerKeys({ ...this.keyPlan, exchange: asked }, epoch, conduct)
      : this.promise(message, epoch, conduct, say)
  }

  /** The answer to a message of an exchange. */
  answered({ stan }: Asked, epoch: number, message: Observed): void {
    const begun = this.begun.get(stan)
    if (begun === undefined) return
    this.begun.delete(stan)
    const { index } = message
    const { dialect, layout } = this.plan.form.codec
    const code = index.text(layout.roles.responseCode)
    const isTaken = isSuccess(dialect, code) || code === layout.answers.accepted
    if (begun.given === undefined) return this.questionAnswered(begun, epoch, message, isTaken, code)
    const { key, slot } = begun.given
    if (!isTaken) {
      if (slot.offered === key) slot.offered = undefined
      return this.trouble(
        epoch,
        slot.kind,
        `${key.version}, check value ${key.checkValue}, was answered ${code}: the one before stays`
      )
    }
    const mac = macKeyOf(this.plan, slot.kind, key)
    if (this.keyPlan.exchange.mac?.answer === "new" && mac !== undefined && isMacWrong(this.plan, message, [mac])) {
      return this.trouble(
        epoch,
        slot.kind,
        `${key.version}: the MAC of the answer is not that of the new key; it is given again`
      )
    }
    if (slot.current === key)
      return this.note(
        epoch,
        slot.kind,
        `${key.version}, check value ${key.checkValue}, was given again: nothing changes`
      )
    this.taken(slot, key, `answered ${code}`, epoch)
  }

  /** A message of an exchange was not answered in its time. */
  unanswered({ stan }: Asked): void {
    const begun = this.begun.get(stan)
    this.begun.delete(stan)
    if (begun === undefined) return
    const { given, kinds } = begun
    this.trouble(
      0,
      kinds[0]!,
      given === undefined
        ? "was asked for, and no answer came"
        : `${given.key.version} was not answered: it is given again next time`
    )
  }

  private ask(kind: KeyKind, say: Say): void {
    const { ask } = this.keyPlan.exchange
    if (ask === undefined) return this.trouble(0, kind, "cannot be asked for: the exchange has no message for it")
    const bytes = this.written(ask, kind, [])
    if (typeof bytes === "string") return this.trouble(0, kind, `cannot be asked for: ${bytes}`)
    this.begun.set(bytes.stan, { kinds: [kind], given: undefined, at: this.time.monotonic() })
    this.note(0, kind, "is asked for")
    say(bytes.message)
  }

  private giveLater(kind: KeyKind, { afterMs, faults }: KeyConduct, say: Say): void {
    if (afterMs === 0) this.give({ kind, faults, say })
    else this.later.add(this.time.monotonic() + afterMs, { kind, faults, say })
  }

  private give({ faults, kind, say }: Later): void {
    const { deliver, mac } = this.keyPlan.exchange
    if (deliver === undefined) return this.trouble(0, kind, "is given in the answer to a question alone")
    const slot = this.zone.exchanged(kind)
    const key = (faults.includes("same") ? slot.current : slot.offered) ?? this.drawn(slot, this.keyPlan.cipher)
    const given = givenKey(this.keyPlan, kind, key, faults)
    const made = typeof given === "string" ? given : this.written(deliver, kind, [given])
    if (typeof made === "string") return this.trouble(0, kind, `cannot be given: ${made}`)
    const isAgain = key === slot.current
    if (!isAgain) slot.offered = key
    this.begun.set(made.stan, { kinds: [kind], given: { slot, key }, at: this.time.monotonic() })
    const macKey = macKeyOf(this.plan, kind, key)
    const bytes =
      mac === undefined || mac.request === "none" || macKey === undefined
        ? made.message
        : sealed(this.plan, made.message, macKey, faults.includes("wrong mac"))
    const how = faults.length === 0 ? "" : ` (${faults.join(", ")})`
    this.note(0, kind, `${key.version}, check value ${key.checkValue}, is given${how}`)
    if (!faults.includes("lost")) say(bytes)
  }

  /** A key comes: it is in use from now on, unless it is none. */
  private take(message: Observed, epoch: number, conduct: Conduct | undefined): KeyReply {
    const { exchange, kinds } = this.keyPlan
    const { fields, refusals } = exchange.answer!
    const keeps = [...fields, exchange.deliver!.code.de]
    const refuse = (code: string, says: string): KeyReply => {
      this.trouble(epoch, keyMeaning(exchange, message.index).kind ?? kinds[0]!, `is refused with ${code}: ${says}`)
      const current = this.zone.slot("mac", "sends").current
      return {
        code,
        own: {},
        keeps,
        seal: sealer(this.plan, exchange.mac?.answer === "none" ? undefined : current?.key)
      }
    }
    if (conduct?.verdict._tag === "decline") return refuse(conduct.verdict.code, "a rule of the file")
    const read = this.keysIn(message.index)
    if (typeof read === "string") return refuse(refusals.key, read)
    const [first] = read
    const fresh = macKeyOf(this.plan, first!.slot.kind, first!.key)
    const current = this.zone.slot("mac", "receives").current?.key
    const known = [fresh, current].filter((one) => one !== undefined)
    const request = exchange.mac?.request ?? "none"
    if (request !== "none" && hasMac(this.plan, message) && isMacWrong(this.plan, message, known)) {
      return refuse(refusals.mac, "its MAC is that of neither key")
    }
    if (request === "required" && !hasMac(this.plan, message)) return refuse(refusals.mac, "it has no MAC")
    for (const { isSame, key, slot } of read) {
      this.promised.delete(slot)
      if (isSame)
        this.note(epoch, slot.kind, `${key.version}, check value ${key.checkValue}, came again: nothing changes`)
      else this.taken(slot, key, "came", epoch)
    }
    const answer = exchange.mac?.answer ?? "none"
    const by = answer === "new" ? fresh : answer === "current" ? current : undefined
    return { code: this.plan.form.codec.layout.answers.accepted, own: {}, keeps, seal: sealer(this.plan, by) }
  }

  /** The far side asks for a key, hears that it gets one, and gets it. */
  private promise(message: Observed, epoch: number, conduct: Conduct | undefined, say: Say): KeyReply {
    const { exchange, kinds } = this.keyPlan
    const { codec } = this.plan.form
    const keeps = [...exchange.ask!.fields, exchange.ask!.code.de, ...codec.layout.answers.keeps]
    const { kind } = keyMeaning(exchange, message.index)
    const refused =
      conduct?.verdict._tag === "decline"
        ? conduct.verdict.code
        : kind === undefined || kinds.includes(kind)
          ? undefined
          : codec.dialect.refusal.formatError
    if (refused !== undefined) {
      this.trouble(epoch, kind ?? kinds[0]!, `is asked for: refused with ${refused}`)
      return { code: refused, own: {}, keeps, seal: unsealed }
    }
    this.note(epoch, kind ?? kinds[0]!, "is asked for by the far side")
    const { afterMs, faults } = conduct?.key ?? goodKey
    // Behind the answer that promises it.
    for (const one of kind === undefined ? kinds : [kind])
      this.later.add(this.time.monotonic() + afterMs, { kind: one, faults, say })
    return { code: codec.layout.answers.accepted, own: {}, keeps, seal: unsealed }
  }

  /** The far side asks for keys and gets them in the answer. */
  private answerKeys(plan: KeyPlan, epoch: number, conduct: Conduct | undefined): KeyReply {
    const { codec } = this.plan.form
    const { layout } = codec
    const keeps = [...layout.answers.keeps, layout.roles.stan]
    if (conduct?.verdict._tag === "decline") {
      this.trouble(epoch, plan.kinds[0]!, `is asked for: refused with ${conduct.verdict.code}`)
      return { code: conduct.verdict.code, own: {}, keeps, seal: unsealed }
    }
    const { faults } = conduct?.key ?? goodKey
    const drawn = plan.exchange.parts.flatMap(({ algorithm, kind }) => {
      if (kind === undefined || algorithm === undefined) return []
      const slot = this.zone.exchanged(kind)
      const key = (faults.includes("same") ? slot.current : undefined) ?? this.drawn(slot, algorithm)
      return [{ slot, key, given: givenKey({ ...plan, cipher: algorithm }, kind, key, faults) }]
    })
    const given = drawn.map((one) => one.given).filter((one) => typeof one !== "string")
    const [first] = given
    const fields =
      first === undefined
        ? {}
        : (keyFields(layout, plan.exchange, plan.exchange.ask!, first.kind, first.algorithm, given) ?? {})
    const places = new Set(plan.exchange.parts.map(({ de }) => de))
    const own = Object.fromEntries(Object.entries(fields).filter(([de]) => places.has(Number(de))))
    for (const { key, slot } of drawn) if (key !== slot.current) this.taken(slot, key, "given in the answer", epoch)
    return { code: layout.answers.accepted, own, keeps, seal: unsealed }
  }

  private questionAnswered(
    { at, kinds }: Begun,
    epoch: number,
    message: Observed,
    isTaken: boolean,
    code: string
  ): void {
    const kind = kinds[0]!
    if (!isTaken) return this.trouble(epoch, kind, `was asked for, and answered ${code}`)
    const { deliver } = this.keyPlan.exchange
    if (deliver !== undefined) {
      // The key itself may have come before the answer.
      if ((this.lastTaken.get(kind) ?? -1) < at) {
        this.promised.set(this.zone.exchanged(kind), this.time.monotonic() + this.keyPlan.waitMs)
      }
      return this.note(epoch, kind, `is promised, answered ${code}`)
    }
    const read = this.keysIn(message.index)
    if (typeof read === "string") return this.trouble(epoch, kind, `of the answer is not taken: ${read}`)
    for (const { key, slot } of read) this.taken(slot, key, "came in the answer", epoch)
  }

  /** The keys of a message, out of their wrapping; a sentence where one of them is none. */
  private keysIn(index: MessageIndex): ReadonlyArray<{ slot: KeySlot; key: ZoneKey; isSame: boolean }> | string {
    const carried = carriedKeys(this.keyPlan.exchange, index)
    if (isKeyUnreadable(carried)) return carried.rule
    const found: Array<{ slot: KeySlot; key: ZoneKey; isSame: boolean }> = []
    for (const one of carried) {
      const read = this.keyIn(one)
      if (typeof read === "string") return read
      found.push(read)
    }
    return found
  }

  private keyIn(carried: CarriedKey): { slot: KeySlot; key: ZoneKey; isSame: boolean } | string {
    const bytes = unwrapped(this.keyPlan, carried)
    if (typeof bytes === "string") return bytes
    const kind = carried.kind!
    const slot = this.zone.exchanged(kind)
    if (slot.current?.bytes.equals(bytes) === true) return { slot, key: slot.current, isSame: true }
    return { slot, key: this.zoneKey(slot, kind, carried.algorithm!, bytes), isSame: false }
  }

  private drawn(slot: KeySlot, cipher: Cipher): ZoneKey {
    const { name, seed } = this.plan
    return this.zoneKey(slot, slot.kind, cipher, drawnKey(seed, cipher, name, slot.kind, slot.version + 1))
  }

  private zoneKey(slot: KeySlot, kind: KeyKind, cipher: Cipher, bytes: Buffer): ZoneKey {
    slot.version++
    return { key: this.keyPlan.make(kind, bytes), bytes, checkValue: shownCheck(cipher, bytes), version: slot.version }
  }

  private taken(slot: KeySlot, key: ZoneKey, how: string, epoch = 0): void {
    const before = slot.current
    this.zone.use(slot, key)
    this.count.keys++
    this.lastTaken.set(slot.kind, this.time.monotonic())
    const instead =
      before === undefined
        ? ""
        : `; the one before, ${before.checkValue}, is good for ${this.keyPlan.windowMs / 1000} s more`
    this.note(epoch, slot.kind, `${key.version}, check value ${key.checkValue}, is in use: ${how}${instead}`)
  }

  private written(
    which: KeyMessage,
    kind: KeyKind,
    keys: ReadonlyArray<GivenKey>
  ): { readonly message: Buffer; readonly stan: string } | string {
    const { cipher, exchange, waitMs } = this.keyPlan
    const { layout } = this.plan.form.codec
    const fields = keyFields(layout, exchange, which, kind, keys[0]?.algorithm ?? cipher, keys)
    if (fields === undefined) return `the exchange ${exchange.name} has no place for a ${cipher} key for ${kind}`
    const { monotonic, wall } = this.time
    return this.own.carry({ act: "key", mti: which.mti, carried: which.fields, waitMs }, fields, wall(), monotonic())
  }

  private note(epoch: number, kind: KeyKind, says: string): void {
    this.record.link("key", epoch, `${kind} key ${says}`)
  }

  private trouble(epoch: number, kind: KeyKind, says: string): void {
    this.count.keyTroubles++
    this.note(epoch, kind, says)
  }
}
