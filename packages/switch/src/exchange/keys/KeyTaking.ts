/**
 * Keys that the partner gives: a message brings one, or the answer to our question does. It is taken into the module, held
 * against its check value and its MAC, stored, and then answered for; from then on it is used.
 *
 * The same key again is answered as taken and changes nothing. A message with an earlier STAN than that of a key just taken is
 * refused: of two exchanges at once the later one counts.
 */
import { type CarriedKey, carriedKeys, isKeyUnreadable, type KeyAnswer, type MessageIndex } from "@jinka/codec"
import { Effect } from "effect"
import type { KeyHandle } from "../../guard/KeyHandle.ts"
import type { KeySlot } from "../../guard/KeyRing.ts"
import type { KeyCause } from "../../guard/KeyTable.ts"
import type { ModuleError } from "../../guard/ModuleError.ts"
import { answerTo, indexOf, macFits, withMac } from "./KeyMessages.ts"
import { type Imported, isDevices, type KeyDesk, type KeyOutcome, type KeyWork, whyNot } from "./KeyWork.ts"

/** How long an earlier STAN is one of an exchange at the same time, in milliseconds, and how many STANs there are. */
const AT_ONCE_MS = 60_000
const STANS = 1_000_000

/** Why a key is not taken: what the partner is told, and what the operator is. */
interface Refused {
  readonly _tag: "Refused"
  readonly why: keyof KeyAnswer["refusals"]
  readonly says: string
}

const refused = (why: Refused["why"], says: string): Refused => ({ _tag: "Refused", why, says })

/** See above. */
export class KeyTaking {
  private readonly work: KeyWork
  /** The STAN of the key that was taken last, and when, by slot. */
  private readonly last = new Map<KeySlot, { readonly stan: number; readonly at: number }>()

  constructor(work: KeyWork) {
    this.work = work
  }

  /** A message brings a key. `told` hears what became of it. */
  delivered(
    at: KeyDesk,
    index: MessageIndex,
    epoch: number,
    cause: KeyCause,
    told: (outcome: KeyOutcome) => void
  ): void {
    const bytes = Buffer.from(index.buffer.subarray(index.start, index.end))
    const kept = indexOf(at.desk.link.settings.codec, bytes)
    this.work.run(
      at.desk,
      this.taken(at, kept, epoch, cause).pipe(
        Effect.catch((no: Refused) => this.refuse(at, kept, epoch, no)),
        Effect.map(told)
      )
    )
  }

  /** The answer to our question brings keys: all of them are taken, or none. */
  answered(at: KeyDesk, index: MessageIndex, cause: KeyCause, told: (outcome: KeyOutcome) => void): void {
    const bytes = Buffer.from(index.buffer.subarray(index.start, index.end))
    const kept = indexOf(at.desk.link.settings.codec, bytes)
    this.work.run(
      at.desk,
      Effect.gen({ self: this }, function* () {
        const imported = yield* this.read(at, kept)
        yield* this.store(at, imported, cause)
        return { isDone: true, says: this.says(imported) }
      }).pipe(
        Effect.catch(({ says }: Refused) => {
          this.work.alarm(at, `keys of the partner's answer were not taken: ${says}`)
          return Effect.succeed({ isDone: false, says })
        }),
        Effect.map(told)
      )
    )
  }

  /** Whether an index is of an exchange that began before the one that was taken last. */
  private isEarlier(slot: KeySlot, stan: number): boolean {
    const last = this.last.get(slot)
    if (last === undefined || last.stan === stan || this.work.desks.now - last.at > AT_ONCE_MS) return false
    return (last.stan - stan + STANS) % STANS < STANS / 2
  }

  private taken(at: KeyDesk, index: MessageIndex, epoch: number, cause: KeyCause): Effect.Effect<KeyOutcome, Refused> {
    return Effect.gen({ self: this }, function* () {
      const { work } = this
      const { codec } = at.desk.link.settings
      const imported = yield* this.read(at, index)
      const stan = index.number(codec.layout.roles.stan)
      if (imported.some(({ isSame, slot }) => !isSame && this.isEarlier(slot, stan))) {
        return yield* Effect.fail(refused("store", "a key with a later STAN was taken since"))
      }
      const answer = yield* this.sealed(at, index, imported)
      if (imported.every(({ isSame }) => isSame)) {
        this.put(at, epoch, answer)
        work.note(at, `the partner delivered the key that is in use: answered as taken, nothing changes`)
        return { isDone: true, says: `${this.says(imported)}, which was in use already` }
      }
      const refuses = work.desks.journal.refuses()
      if (refuses !== undefined) {
        const why = refuses === "away" ? "the journal's store is away" : "the journal's disk is too full"
        return yield* Effect.fail(refused("store", why))
      }
      yield* this.store(at, imported, cause)
      for (const { slot } of imported) this.last.set(slot, { stan, at: work.desks.now })
      this.put(at, epoch, answer)
      return { isDone: true, says: this.says(imported) }
    })
  }

  /** The keys of a message, in the module. */
  private read(at: KeyDesk, index: MessageIndex): Effect.Effect<ReadonlyArray<Imported>, Refused> {
    const found = carriedKeys(at.settings.exchange, index)
    if (isKeyUnreadable(found)) return Effect.fail(refused("key", found.rule))
    return Effect.forEach(found, (carried: CarriedKey) => this.work.imported(at, carried)).pipe(
      Effect.mapError((error) => refused(isDevices(error) ? "store" : "key", whyNot(error)))
    )
  }

  /** The answer that says that it was taken, with its MAC; the message's own MAC is held against the keys before. */
  private sealed(at: KeyDesk, index: MessageIndex, imported: ReadonlyArray<Imported>): Effect.Effect<Buffer, Refused> {
    return Effect.gen({ self: this }, function* () {
      const { settings } = at.desk.link
      const { exchange } = at.settings
      const { mac } = exchange
      const { accepted } = settings.codec.layout.answers
      const plain = answerTo(settings, index, exchange.answer!.fields, accepted)
      const [first] = imported
      if (mac === undefined || first === undefined) return plain
      const { current } = this.work.slot(at, "mac")
      const fresh = yield* this.macKey(at, first, index)
      const known: ReadonlyArray<KeyHandle> = current === undefined ? [fresh] : [fresh, current]
      if (mac.request !== "none") {
        const verdict = yield* macFits(this.work.module, settings, exchange, index, known)
        if (verdict === "wrong") return yield* Effect.fail(refused("mac", "its MAC is that of neither key"))
        if (verdict === "missing" && mac.request === "required")
          return yield* Effect.fail(refused("mac", "it has no MAC"))
      }
      const by = mac.answer === "new" ? fresh : current
      if (mac.answer === "none" || by === undefined) return plain
      return yield* withMac(this.work.module, settings, exchange, plain, by)
    }).pipe(
      Effect.mapError((error) =>
        error._tag === "Refused" ? error : refused(isDevices(error) ? "store" : "key", whyNot(error))
      )
    )
  }

  private macKey(at: KeyDesk, { handle }: Imported, index: MessageIndex): Effect.Effect<KeyHandle, ModuleError> {
    const found = carriedKeys(at.settings.exchange, index)
    const wrapped = isKeyUnreadable(found) ? Buffer.alloc(0) : found[0]!.bytes
    return this.work.asMacKey(at, handle, wrapped)
  }

  /** Stores keys, in one commit; they are in use when it returns. */
  private store(at: KeyDesk, imported: ReadonlyArray<Imported>, cause: KeyCause): Effect.Effect<void> {
    const changed = imported.filter(({ isSame }) => !isSame)
    const { table } = this.work
    return this.work.written(() =>
      changed.map(({ key, slot }) => table.take(at.desk, slot, key, at.settings.windowMs, cause))
    )
  }

  private refuse(at: KeyDesk, index: MessageIndex, epoch: number, no: Refused): Effect.Effect<KeyOutcome> {
    const { settings } = at.desk.link
    const { exchange } = at.settings
    const { fields, refusals } = exchange.answer!
    const code = refusals[no.why]
    const plain = answerTo(settings, index, fields, code)
    const { current } = this.work.slot(at, "mac")
    const sealed =
      exchange.mac === undefined || exchange.mac.answer === "none" || current === undefined
        ? Effect.succeed(plain)
        : Effect.catch(withMac(this.work.module, settings, exchange, plain, current), () => Effect.succeed(plain))
    return Effect.map(sealed, (answer): KeyOutcome => {
      this.put(at, epoch, answer)
      this.work.alarm(at, `a key of the partner was refused with ${code}, the current one stays: ${no.says}`)
      return { isDone: false, says: `refused with ${code}: ${no.says}` }
    })
  }

  /** Answers on the connection that the message came on, and on no other: network management is never replayed. */
  private put(at: KeyDesk, epoch: number, answer: Buffer): void {
    const session = this.work.session(at.desk, epoch)
    if (session === undefined)
      return this.work.note(at, "the answer to a key had no way back: its connection has ended")
    session.putUrgent(answer)
    session.outbox.flush()
  }

  private says(imported: ReadonlyArray<Imported>): string {
    return imported
      .map(({ key, slot }) => `${slot.purpose} key ${slot.version}, check value ${key.checkValue}`)
      .join("; ")
  }
}
