/**
 * Key exchange as a partner does it: gives a key when it is asked or its schedule says so, asks for one, takes those that come,
 * and says what became of them. In messages of their own, or in the answer to a question, as the dialect's exchange is.
 *
 * A key that was given is used when it is answered for, or when the first message under it comes. One that comes is held against
 * its check value and its MAC; the same one again is taken and changes nothing.
 */
import {
  type CarriedKey,
  carriedKeys,
  type FieldValue,
  isKeyMessage,
  isKeyUnreadable,
  isMessageError,
  type KeyMessage,
  keyFields,
  keyMeaning,
  type Message
} from "@jinka/codec"
import { type Chance, chanceOf } from "../chance/Chance.ts"
import { type DialogueKey, provedBy, sealedBy, spoiled } from "../dialogue/Keys.ts"
import type { Observed } from "../dialogue/Observed.ts"
import type { Timepiece } from "../partner/Session.ts"
import { answerTo } from "./Answers.ts"
import { asGiven, checkValueOf, cipherOf, drawnLike, keyMessageMac, shownCheck, unwrapped, wrapped } from "./KeyForm.ts"
import type { Asked, OwnMessages } from "./OwnMessages.ts"
import type { Conduct, ExchangedKind, KeyFault, KeyPlan, PartnerPlan } from "./PartnerPlan.ts"
import type { WorkingKeys } from "./WorkingKeys.ts"

/** What an answer to a key message is: the message, its MAC, and what the history says. */
export interface KeyAnswer {
  readonly answer: Message
  readonly seal: (message: Buffer) => Buffer
  readonly what: "keyTaken" | "keyGiven" | "keyRefused"
  readonly says: string
  /** Keys to be given in messages of their own, once the answer is on its way. */
  readonly give: ReadonlyArray<ExchangedKind>
}

/** A key of a message, and what it is to the partner. */
interface Taken {
  readonly kind: ExchangedKind
  readonly key: DialogueKey
  readonly isSame: boolean
}

/** Why a key is not taken. */
interface Refused {
  readonly why: "mac" | "key"
  readonly says: string
}

const isRefused = (one: object): one is Refused => "why" in one

const unsealed = (message: Buffer): Buffer => message

/** The key exchange of one partner. */
export class KeyTalk {
  private readonly plan: PartnerPlan
  private readonly keyPlan: KeyPlan
  private readonly keys: WorkingKeys
  private readonly own: OwnMessages
  private readonly time: Timepiece
  private readonly given = new Map<string, { readonly kind: ExchangedKind; readonly key: DialogueKey }>()
  private drawn = 0

  constructor(plan: PartnerPlan, keyPlan: KeyPlan, keys: WorkingKeys, own: OwnMessages, time: Timepiece) {
    this.plan = plan
    this.keyPlan = keyPlan
    this.keys = keys
    this.own = own
    this.time = time
  }

  /** The answer to a request of the exchange; `undefined`: the message is none. */
  heard(message: Observed, conduct: Conduct | undefined): KeyAnswer | undefined {
    const { ask, deliver } = this.keyPlan.exchange
    const { index } = message
    // Where both look the same, the key itself tells them apart.
    const isDelivery = deliver !== undefined && isKeyMessage(deliver, index) && this.hasKey(message)
    if (isDelivery) return this.delivered(message, conduct)
    return ask !== undefined && isKeyMessage(ask, index) ? this.asked(message, conduct) : undefined
  }

  /** A message that gives a new key, or the one that was given before and not answered for. Its bytes, or why there are none. */
  give(kind: ExchangedKind, wrong: KeyFault | undefined): Buffer | string {
    const { deliver } = this.keyPlan.exchange
    const key = this.keys.offered(kind) ?? this.fresh(kind)
    if (deliver === undefined || typeof key === "string") return typeof key === "string" ? key : "it gives none"
    const said = this.saying(deliver, kind, [key], wrong)
    if (typeof said === "string") return said
    this.keys.offer(kind, key)
    const bytes = this.own.makeKey("key change", deliver, said, this.time.wall(), this.time.monotonic(), (plain) =>
      this.sealedGift(key, plain, wrong === "mac")
    )
    if (typeof bytes !== "string") this.given.set(this.own.lastStan, { kind, key })
    return bytes
  }

  /** A message that asks for a key. */
  ask(kind: ExchangedKind): Buffer | string {
    const { ask } = this.keyPlan.exchange
    if (ask === undefined) return "nobody asks in it"
    const said = this.saying(ask, kind, [], undefined)
    if (typeof said === "string") return said
    return this.own.makeKey("key request", ask, said, this.time.wall(), this.time.monotonic(), unsealed)
  }

  /** An answer to one of these, accepted or not; what the history says of it. */
  answered(
    { act, stan }: Asked,
    message: Observed,
    isTaken: boolean,
    code: string
  ): { readonly what: KeyAnswer["what"]; readonly says: string } | undefined {
    if (act === "key change") {
      const gift = this.given.get(stan)
      this.given.delete(stan)
      if (gift === undefined) return undefined
      const says = `${gift.kind} key ${shownCheck(gift.key)}, answered ${code}`
      if (!isTaken) this.keys.offer(gift.kind, undefined)
      else if (this.keys.current(gift.kind) !== gift.key) this.use(gift.kind, gift.key)
      return { what: isTaken ? "keyGiven" : "keyRefused", says }
    }
    if (!isTaken) return { what: "keyRefused", says: `none was given, answered ${code}` }
    if (this.keyPlan.exchange.deliver !== undefined) return undefined
    const taken = this.read(message)
    if (isRefused(taken)) return { what: "keyRefused", says: taken.says }
    return { what: "keyTaken", says: this.take(taken) }
  }

  private hasKey({ index }: Observed): boolean {
    return this.keyPlan.exchange.parts.some(({ de }) => index.has(de))
  }

  private delivered(message: Observed, conduct: Conduct | undefined): KeyAnswer {
    const { layout } = this.plan.form.codec
    const { answer, mac } = this.keyPlan.exchange
    const declined = conduct?.verdict._tag === "decline" ? conduct.verdict.code : undefined
    const read = declined === undefined ? this.proved(message) : { why: "key" as const, says: "a rule of the file" }
    if (isRefused(read)) {
      const code = declined ?? answer!.refusals[read.why]
      const said = this.answer(message, answer!.fields, code, {})
      const seal =
        mac === undefined || mac.answer === "none" ? unsealed : this.sealing(this.keys.current("mac"), conduct)
      return { answer: said, seal, what: "keyRefused", says: `${code}: ${read.says}`, give: [] }
    }
    const before = this.keys.current("mac")
    const says = this.take(read)
    const by = mac?.answer === "new" ? read[0]!.key : mac?.answer === "current" ? before : undefined
    const said = this.answer(message, answer!.fields, layout.answers.accepted, {})
    return { answer: said, seal: this.sealing(by, conduct), what: "keyTaken", says, give: [] }
  }

  private asked(message: Observed, conduct: Conduct | undefined): KeyAnswer {
    const { dialect, layout } = this.plan.form.codec
    const { ask, deliver } = this.keyPlan.exchange
    const refused = (code: string, says: string): KeyAnswer => ({
      ...{ answer: this.answer(message, layout.answers.keeps, code, {}), seal: unsealed, what: "keyRefused" },
      ...{ says: `${code}: ${says}`, give: [] }
    })
    if (conduct?.verdict._tag === "decline") return refused(conduct.verdict.code, "a rule of the file")
    const { kind } = keyMeaning(this.keyPlan.exchange, message.index)
    const wanted = this.keyPlan.of.filter((one) => kind === undefined || one === kind)
    if (wanted.length === 0) return refused(dialect.refusal.formatError, `no key for ${kind} is exchanged`)
    if (deliver !== undefined) {
      const answer = this.answer(
        message,
        [...ask!.fields, ask!.code.de, ...layout.answers.keeps],
        layout.answers.accepted,
        {}
      )
      return { answer, seal: unsealed, what: "keyGiven", says: `asked for: ${wanted.join(" and ")}`, give: wanted }
    }
    const drawn = this.inAnswer()
    const said =
      typeof drawn === "string"
        ? drawn
        : this.saying(
            ask!,
            drawn[0]!.kind,
            drawn.map(({ key }) => key),
            undefined
          )
    if (typeof said === "string" || typeof drawn === "string") {
      return refused(dialect.refusal.malfunction, typeof said === "string" ? said : "no key")
    }
    const places = new Set(this.keyPlan.exchange.parts.map(({ de }) => de))
    const more = Object.fromEntries(Object.entries(said).filter(([de]) => places.has(Number(de))))
    for (const { key, kind: one } of drawn) this.use(one, key)
    const says = drawn.map((one) => `${one.kind} key ${shownCheck(one.key)}`).join("; ")
    const answer = this.answer(message, layout.answers.keeps, layout.answers.accepted, more)
    return { answer, seal: unsealed, what: "keyGiven", says, give: [] }
  }

  /** New keys for all that an answer brings. */
  private inAnswer(): ReadonlyArray<{ readonly kind: ExchangedKind; readonly key: DialogueKey }> | string {
    const drawn: Array<{ readonly kind: ExchangedKind; readonly key: DialogueKey }> = []
    for (const kind of this.keyPlan.of) {
      const key = this.fresh(kind)
      if (typeof key === "string") return key
      drawn.push({ kind, key })
    }
    return drawn
  }

  private fresh(kind: ExchangedKind): DialogueKey | string {
    const current = this.keys.current(kind)
    if (current === undefined) return `the partner has no key for ${kind}`
    return this.keys.made(kind, drawnLike(current, this.chance()))
  }

  private chance(): Chance {
    return chanceOf(this.plan.seed, "key", this.plan.name, ++this.drawn)
  }

  private use(kind: ExchangedKind, key: DialogueKey): void {
    this.keys.use(kind, key, this.keyPlan.exchange.window * 1000, this.time.monotonic())
  }

  /** Takes keys that were read; what the history says of them. */
  private take(all: ReadonlyArray<Taken>): string {
    for (const { isSame, key, kind } of all) if (!isSame) this.use(kind, key)
    return all
      .map(({ isSame, key, kind }) => `${kind} key ${shownCheck(key)}${isSame ? ", in use already" : ""}`)
      .join("; ")
  }

  /** The keys of a message whose own MAC is as the exchange wants it: by the new key, or by the one in use. */
  private proved(message: Observed): ReadonlyArray<Taken> | Refused {
    const read = this.read(message)
    const { mac } = this.keyPlan.exchange
    if (isRefused(read) || mac === undefined || mac.request === "none") return read
    const verdicts = [read[0]!.key, this.keys.current("mac")].flatMap((key) => {
      const by = key === undefined ? undefined : keyMessageMac(key)
      return by === undefined ? [] : [provedBy(message, by, mac.fields)]
    })
    if (verdicts.includes(true)) return read
    if (verdicts.includes(false)) return { why: "mac", says: "its MAC is by neither key" }
    return mac.request === "required" ? { why: "mac", says: "it has no MAC" } : read
  }

  private read({ index }: Observed): ReadonlyArray<Taken> | Refused {
    const found = carriedKeys(this.keyPlan.exchange, index)
    if (isKeyUnreadable(found)) return { why: "key", says: found.rule }
    const taken: Array<Taken> = []
    for (const carried of found) {
      // A key for what this partner does not do: of a set, the rest counts.
      if (found.length > 1 && !this.keyPlan.of.includes(carried.kind as ExchangedKind)) continue
      const one = this.one(carried)
      if (isRefused(one)) return one
      taken.push(one)
    }
    return taken.length > 0 ? taken : { why: "key", says: "none of its keys is one that is exchanged" }
  }

  private one({ bytes, check, kind }: CarriedKey): Taken | Refused {
    if (kind === undefined || kind === "data" || !this.keyPlan.of.includes(kind)) {
      return { why: "key", says: `no key for ${kind} is exchanged` }
    }
    const clear = unwrapped(this.keyPlan, bytes)
    const key = typeof clear === "string" ? clear : this.keys.made(kind, clear)
    if (typeof key === "string") return { why: "key", says: key }
    if (check !== undefined && !checkValueOf(key, check.method, check.value.length).equals(check.value)) {
      return { why: "key", says: "its check value is another key's" }
    }
    return { kind, key, isSame: this.keys.current(kind)?.bytes.equals(key.bytes) === true }
  }

  /** Fields of a message that asks for a key or brings some. */
  private saying(
    message: KeyMessage,
    kind: ExchangedKind,
    keys: ReadonlyArray<DialogueKey>,
    wrong: KeyFault | undefined
  ): { readonly [de: number]: FieldValue } | string {
    const { exchange } = this.keyPlan
    const current = this.keys.current(kind)
    if (current === undefined) return `the partner has no key for ${kind}`
    const given = []
    for (const key of keys) {
      const one = key._tag
      const by = wrong === "key" ? this.underAnother() : this.keyPlan
      const carried = wrapped(by, one, key, this.chance())
      if (typeof carried === "string") return carried
      given.push(asGiven(one, key, carried, wrong === "check"))
    }
    const { layout } = this.plan.form.codec
    const fields = keyFields(layout, exchange, message, kind, cipherOf(current), given)
    return fields ?? `the exchange ${exchange.name} has no place for a ${cipherOf(current)} key for ${kind}`
  }

  /** Under a key-encryption key that the far side does not have. */
  private underAnother(): KeyPlan {
    const { bytes, cipher } = this.keyPlan.under
    const other = Buffer.from(Uint8Array.from(bytes, () => this.chance().below(256)))
    return { ...this.keyPlan, under: { cipher, bytes: other } }
  }

  private sealedGift(key: DialogueKey, plain: Buffer, isWrong: boolean): Buffer {
    const { mac } = this.keyPlan.exchange
    const by = mac === undefined || mac.request === "none" ? undefined : keyMessageMac(key)
    if (by === undefined) return plain
    const sealed = sealedBy(this.plan.form, by, plain, mac!.fields)
    return isWrong ? spoiled(this.plan.form, sealed) : sealed
  }

  private sealing(key: DialogueKey | undefined, conduct: Conduct | undefined): (message: Buffer) => Buffer {
    const by = key === undefined ? undefined : keyMessageMac(key)
    if (by === undefined) return unsealed
    const { form } = this.plan
    return (plain) => {
      const sealed = sealedBy(form, by, plain, this.keyPlan.exchange.mac?.fields)
      return conduct?.wrong.includes("mac") === true ? spoiled(form, sealed) : sealed
    }
  }

  /** What `kept` names of a message, with a code and more. */
  private answer(
    message: Observed,
    kept: ReadonlyArray<number>,
    code: string,
    more: { readonly [de: number]: FieldValue }
  ): Message {
    const { codec } = this.plan.form
    const asked = codec.decode(message.bytes, message.index.start, message.index.end)
    const fields: Record<number, FieldValue> = {}
    if (!isMessageError(asked)) {
      for (const de of kept) if (asked.fields[de] !== undefined) fields[de] = asked.fields[de]
    }
    return {
      ...answerTo(codec, message, code, {}),
      fields: { ...fields, ...more, [codec.layout.roles.responseCode]: code }
    }
  }
}
