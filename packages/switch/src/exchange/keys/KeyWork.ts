/**
 * What taking keys and giving keys share: where a link's keys are, one exchange of a link after the other, and what waits for
 * the disk. Made once; see `KeyExchanges`.
 */
import { hash } from "node:crypto"
import type { CarriedKey, Cipher, KeyExchange, KeyKind } from "@jinka/codec"
import { Deferred, Effect, Semaphore } from "effect"
import { mismatch } from "../../guard/KeyFits.ts"
import type { KeyHandle } from "../../guard/KeyHandle.ts"
import type { KeyDirection, KeySlot } from "../../guard/KeyRing.ts"
import type { KeySettings } from "../../guard/KeySettings.ts"
import type { KeyTable, KeyWritten, NewKey } from "../../guard/KeyTable.ts"
import { explainModuleError, type ModuleError, moduleError } from "../../guard/ModuleError.ts"
import type { SharedModule } from "../../guard/SharedModule.ts"
import type { Session } from "../../link/Session.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"

/** A link whose keys are exchanged. */
export interface KeyDesk {
  readonly desk: Desk
  readonly settings: KeySettings
}

/** How something that was waited for came out: whether a key was taken, and a sentence. */
export interface KeyOutcome {
  readonly isDone: boolean
  readonly says: string
}

/** A key out of a message, in the module. */
export interface Imported {
  readonly slot: KeySlot
  readonly handle: KeyHandle
  readonly key: NewKey
  /** It is the slot's key already. */
  readonly isSame: boolean
}

/** See above. */
export class KeyWork {
  readonly desks: Desks
  readonly module: SharedModule
  readonly table: KeyTable
  private readonly turns = new Map<number, Semaphore.Semaphore>()
  private readonly broken: Deferred.Deferred<never>

  constructor(desks: Desks, module: SharedModule, table: KeyTable, broken: Deferred.Deferred<never>) {
    this.desks = desks
    this.module = module
    this.table = table
    this.broken = broken
  }

  /** Runs beside the switch: for each link one after the other, in the order of the calls. A defect stops the switch. */
  run({ id }: Desk, work: Effect.Effect<void>): void {
    const turn = this.turns.get(id) ?? Semaphore.makeUnsafe(1)
    this.turns.set(id, turn)
    this.desks.runtime.fork(
      Effect.catchDefect(turn.withPermits(1)(work), (defect) =>
        Effect.sync(() => Deferred.doneUnsafe(this.broken, Effect.die(defect)))
      )
    )
  }

  /** Writes changes of the table, in one commit; the ring follows them once they are on disk. */
  written(write: () => ReadonlyArray<KeyWritten | undefined>): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const { writer } = this.desks.journal
      writer.beginTogether()
      const written = write().filter((one) => one !== undefined)
      writer.endTogether()
      this.desks.after(undefined, Math.max(0, ...written.map(({ seq }) => seq)), () => {
        for (const { apply } of written) apply()
        resume(Effect.void)
      })
      this.desks.flush()
    })
  }

  /** Whose messages the keys of an exchange are for. */
  direction({ exchange, giver }: KeySettings): KeyDirection {
    if (exchange.covers === "both") return "both"
    return giver === "us" ? "send" : "receive"
  }

  /** The slot of a kind of key. */
  slot({ desk, settings }: KeyDesk, kind: KeyKind): KeySlot {
    return this.desks.keys.slot(desk.id, kind, this.direction(settings))
  }

  /** The key that others come wrapped under. */
  kek({ id, name }: Desk): KeyHandle | ModuleError {
    return (
      this.desks.keys.at(id, "kek", "receive")?.current ??
      moduleError(
        "KeyUnusable",
        `the key exchange of ${name}`,
        "the link has no key-encryption key yet: `jinka key import` brings it"
      )
    )
  }

  /** The connection `epoch` of a link, while it is up and may be written. */
  session({ link }: Desk, epoch: number): Session | undefined {
    return link.session?.epoch === epoch && link.canSend ? link.session : undefined
  }

  /** Takes a key into the module, wrapped as it came. */
  imported(at: KeyDesk, carried: CarriedKey): Effect.Effect<Imported, ModuleError> {
    return Effect.suspend(() => {
      const { desk, settings } = at
      const kek = this.kek(desk)
      if ("_tag" in kek) return Effect.fail(kek)
      const kind = carried.kind!
      if (!settings.kinds.includes(kind)) {
        return Effect.fail(
          moduleError(
            "KeyRefused",
            desk.name,
            `this is a key for ${kind}, and the link has keys for ${settings.kinds.join(", ")} alone`
          )
        )
      }
      const unfit = desk.guard === undefined ? undefined : mismatch(desk.guard.settings, kind, carried.algorithm!)
      if (unfit !== undefined) return Effect.fail(moduleError("KeyRefused", desk.name, unfit))
      const slot = this.slot(at, kind)
      const record = this.table.record(desk.name, slot)
      const { wrap } = settings.exchange
      const name = `${desk.name}/${slot.purpose}/${slot.direction}/${record.version + 1}`
      const mark = wrap === "tr31" ? "" : hash("sha256", `${kek.checkValue} ${carried.bytes.toString("hex")}`)
      return Effect.map(
        this.module.importKey({
          name,
          purpose: kind,
          algorithm: carried.algorithm!,
          key: { form: wrap, kek, bytes: carried.bytes },
          ...(carried.check === undefined ? {} : { expected: carried.check })
        }),
        (handle): Imported => {
          const { algorithm, checkValue, text } = handle
          const { current } = record
          const isSame =
            current !== null &&
            current.algorithm === algorithm &&
            current.checkValue === checkValue &&
            (mark === "" || mark === current.mark)
          return { slot, handle, key: { algorithm, text, checkValue, mark }, isSame }
        }
      )
    })
  }

  /**
   * The key as one that makes MACs. A PIN key that makes the MAC of its own answer is taken a second time for that (CUPS),
   * which a module may refuse: one purpose, one key.
   */
  asMacKey(at: KeyDesk, handle: KeyHandle, wrapped: Buffer): Effect.Effect<KeyHandle, ModuleError> {
    return Effect.suspend(() => {
      if (handle.purpose === "mac") return Effect.succeed(handle)
      const kek = this.kek(at.desk)
      if ("_tag" in kek) return Effect.fail(kek)
      const { algorithm, name } = handle
      const form = at.settings.exchange.wrap
      return this.module.importKey({
        name: `${name}/mac`,
        purpose: "mac",
        algorithm,
        key: { form, kek, bytes: wrapped }
      })
    })
  }

  /** Something that an operator should know, in journal and log. */
  note({ desk }: KeyDesk, text: string, severity: "info" | "warning" = "info"): void {
    this.desks.note(desk, desk.link.epoch, text, severity)
    this.desks.flush()
  }

  /** Something that somebody has to look at now. */
  alarm({ desk }: KeyDesk, text: string): void {
    this.desks.alarm(desk, desk.link.epoch, text)
    this.desks.flush()
  }
}

/** Why a module did not do it, for a line of the journal. */
export const whyNot = (error: ModuleError): string => explainModuleError(error)

/** Whether an error is one of the device, and not of the key. */
export const isDevices = ({ _tag }: ModuleError): boolean => _tag === "ModuleAway" || _tag === "TooLate"

/** The form that a module wraps and unwraps. */
export type Wrap = KeyExchange["wrap"]

/** A kind of key and its cipher. */
export interface Wanted {
  readonly kind: KeyKind
  readonly algorithm: Cipher
}
