/**
 * Keys that we give: drawn by the module, stored as offered, and brought to the partner. With its answer the key is in use; until
 * then what comes may be under it already, and the first message that is shows that the partner has taken it.
 *
 * A key whose answer never came is offered again, the same one: both sides end with a common key.
 */
import { checkOf, type GivenKey, type KeyKind, keyFields, type MessageIndex } from "@jinka/codec"
import { Effect } from "effect"
import type { KeyHandle } from "../../guard/KeyHandle.ts"
import type { KeySlot } from "../../guard/KeyRing.ts"
import type { KeyCause } from "../../guard/KeyTable.ts"
import { type ModuleError, moduleError } from "../../guard/ModuleError.ts"
import { answerTo, indexOf, keyMessage, macFits, sealedMessage } from "./KeyMessages.ts"
import { type KeyDesk, type KeyOutcome, type KeyWork, whyNot } from "./KeyWork.ts"

/** A key as it is given: known to the module, and wrapped for the partner. */
interface Drawn {
  readonly handle: KeyHandle
  readonly wrapped: Buffer
}

/** See above. */
export class KeyGiving {
  private readonly work: KeyWork

  constructor(work: KeyWork) {
    this.work = work
  }

  /** Gives the partner a key. `sent` hears that it left, or why not; `told` what became of it. */
  give(
    at: KeyDesk,
    kind: KeyKind,
    cause: KeyCause,
    sent: (isSent: boolean, says: string) => void,
    told: (outcome: KeyOutcome) => void
  ): void {
    const { desk } = at
    const given = Effect.gen({ self: this }, function* () {
      const { link } = desk
      const { settings } = link
      const { exchange } = at.settings
      const slot = this.work.slot(at, kind)
      const drawn = yield* this.offered(at, slot, kind, cause)
      const { algorithm } = drawn.handle
      const { session } = link
      if (session === undefined || !link.canSend) {
        return yield* Effect.fail(moduleError("ModuleAway", desk.name, "the link has a connection"))
      }
      const now = this.work.desks.runtime.wallMs()
      const one = yield* this.asGiven(at, kind, drawn)
      const message = keyMessage(settings, exchange, exchange.deliver!, kind, algorithm, [one], link.nextStan(), now)
      if ("_tag" in message) return yield* Effect.fail(message)
      const { mac } = exchange
      const by =
        mac === undefined || mac.request === "none"
          ? undefined
          : yield* this.work.asMacKey(at, drawn.handle, drawn.wrapped)
      const bytes = yield* sealedMessage(this.work.module, settings, exchange, message, by)
      if (link.session !== session) {
        return yield* Effect.fail(moduleError("ModuleAway", desk.name, "the connection lasts until the key has left"))
      }
      session.request("keyReset", message, bytes, ({ code, isAccepted }, index) => {
        const kept = indexOf(settings.codec, Buffer.from(index.buffer.subarray(index.start, index.end)))
        this.work.run(desk, Effect.map(this.heard(at, slot, drawn, kept, code, isAccepted, cause), told))
      })
      sent(true, `key ${drawn.handle.name} with check value ${drawn.handle.checkValue} was sent`)
    })
    this.work.run(
      desk,
      Effect.catch(given, (error) => Effect.sync(() => sent(false, whyNot(error))))
    )
  }

  /** A message shows that the partner uses the offered key. */
  proved(at: KeyDesk, slot: KeySlot): void {
    this.work.run(at.desk, this.promoted(at, slot, { says: "the partner uses it, though its answer did not come" }))
  }

  /** The keys that a partner asked for, in the answer to it: they are in use once it has left. */
  answer(at: KeyDesk, index: MessageIndex, epoch: number, cause: KeyCause): void {
    const { desk, settings: keySettings } = at
    const { exchange } = keySettings
    const { settings } = desk.link
    const kept = indexOf(settings.codec, Buffer.from(index.buffer.subarray(index.start, index.end)))
    const given = Effect.gen({ self: this }, function* () {
      const kek = this.work.kek(desk)
      if ("_tag" in kek) return yield* Effect.fail(kek)
      const drawn: Array<{ readonly slot: KeySlot; readonly one: GivenKey; readonly handle: KeyHandle }> = []
      for (const { algorithm, kind } of exchange.parts) {
        if (kind === undefined || algorithm === undefined) continue
        const slot = this.work.slot(at, kind)
        const name = this.nameOf(at, slot)
        const { key, wrapped } = yield* this.work.module.generateKey({
          name,
          purpose: kind,
          algorithm,
          kek,
          form: exchange.wrap
        })
        drawn.push({ slot, one: yield* this.asGiven(at, kind, { handle: key, wrapped }), handle: key })
      }
      const keys = drawn.map(({ one }) => one)
      const [first] = keys
      const { layout } = settings.codec
      const fields =
        first === undefined ? undefined : keyFields(layout, exchange, exchange.ask!, first.kind, first.algorithm, keys)
      if (fields === undefined)
        return yield* Effect.fail(moduleError("NotSupported", desk.name, "there are no keys to give"))
      const places = new Set(exchange.parts.map(({ de }) => de))
      const more = Object.fromEntries(Object.entries(fields).filter(([de]) => places.has(Number(de))))
      const kinds = [...settings.codec.layout.answers.keeps, layout.roles.stan]
      const answer = answerTo(settings, kept, kinds, layout.answers.accepted, more)
      yield* this.work.written(() =>
        drawn.map(({ handle, slot }) => {
          const { algorithm, checkValue, text } = handle
          return this.work.table.take(
            desk,
            slot,
            { algorithm, checkValue, text, mark: "" },
            keySettings.windowMs,
            cause
          )
        })
      )
      this.put(at, epoch, answer)
    })
    this.work.run(
      desk,
      Effect.catch(given, (error) =>
        Effect.sync(() => {
          const code = settings.dialect.refusal.malfunction
          this.put(at, epoch, answerTo(settings, kept, settings.codec.layout.answers.keeps, code))
          this.work.alarm(at, `the partner asked for keys and got none, answered ${code}: ${whyNot(error)}`)
        })
      )
    )
  }

  /** The key that the partner has been given already, or a new one, stored before anybody hears of it. */
  private offered(at: KeyDesk, slot: KeySlot, kind: KeyKind, cause: KeyCause): Effect.Effect<Drawn, ModuleError> {
    return Effect.gen({ self: this }, function* () {
      const { desk, settings } = at
      const { exchange } = settings
      const kek = this.work.kek(desk)
      if ("_tag" in kek) return yield* Effect.fail(kek)
      if (slot.isOffered && slot.previous !== undefined) {
        const handle = slot.previous
        return { handle, wrapped: yield* this.work.module.exportKey(handle, kek, exchange.wrap) }
      }
      const { algorithm } = settings
      const name = this.nameOf(at, slot)
      const { key, wrapped } = yield* this.work.module.generateKey({
        name,
        purpose: kind,
        algorithm,
        kek,
        form: exchange.wrap
      })
      const { checkValue, text } = key
      yield* this.work.written(() => [
        this.work.table.offer(desk, slot, { algorithm, checkValue, text, mark: "" }, cause)
      ])
      slot.onProved = () => this.proved(at, slot)
      return { handle: key, wrapped }
    })
  }

  private nameOf({ desk }: KeyDesk, slot: KeySlot): string {
    const version = this.work.table.record(desk.name, slot).version + 1
    return `${desk.name}/${slot.purpose}/${slot.direction}/${version}`
  }

  /** A key with its check value, as the exchange shows it. */
  private asGiven(at: KeyDesk, kind: KeyKind, { handle, wrapped }: Drawn): Effect.Effect<GivenKey, ModuleError> {
    const { algorithm } = handle
    const method = checkOf(at.settings.exchange, kind, algorithm)
    const value = method === undefined ? Effect.succeed(Buffer.alloc(0)) : this.work.module.checkValue(handle, method)
    return Effect.map(value, (check) => ({ kind, algorithm, bytes: wrapped, check: () => check }))
  }

  /** The partner has answered for the key. */
  private heard(
    at: KeyDesk,
    slot: KeySlot,
    { handle, wrapped }: Drawn,
    index: MessageIndex,
    code: string,
    isAccepted: boolean,
    cause: KeyCause
  ): Effect.Effect<KeyOutcome> {
    return Effect.gen({ self: this }, function* () {
      const { exchange } = at.settings
      if (!isAccepted) {
        const says = `the partner answered our key with ${code}`
        yield* this.work.written(() => [this.work.table.withdraw(at.desk, slot, { says })])
        this.work.alarm(at, `${says}: the current one stays`)
        return { isDone: false, says }
      }
      if (exchange.mac !== undefined && exchange.mac.answer === "new") {
        const key = yield* this.work.asMacKey(at, handle, wrapped)
        const verdict = yield* macFits(this.work.module, at.desk.link.settings, exchange, index, [key])
        if (verdict === "wrong") {
          const says = "the MAC of the partner's answer is not that of the new key"
          this.work.alarm(at, `${says}: the current one stays, and the new one is offered again`)
          return { isDone: false, says }
        }
      }
      yield* this.promoted(at, slot, cause)
      return { isDone: true, says: `${slot.purpose} key ${slot.version}, check value ${handle.checkValue}` }
    }).pipe(Effect.catch((error: ModuleError) => Effect.succeed({ isDone: false, says: whyNot(error) })))
  }

  private promoted(at: KeyDesk, slot: KeySlot, cause: KeyCause): Effect.Effect<void> {
    return this.work.written(() => [this.work.table.promote(at.desk, slot, at.settings.windowMs, cause)])
  }

  private put(at: KeyDesk, epoch: number, answer: Buffer): void {
    const session = this.work.session(at.desk, epoch)
    session?.putUrgent(answer)
    session?.outbox.flush()
  }
}
