/**
 * Seals what leaves: its PIN block translated into the target's zone, then its MAC made, each by a call to the security module.
 *
 * With a module in software all of it is done when `begin` returns; with a device in the network a slot waits here, and
 * `resume` goes on with it when its call is done. A message that cannot be sealed is refused: none leaves without its MAC.
 */
import { MessageIndex, PatchList } from "@jinka/codec"
import { bytesOf } from "./FieldBytes.ts"
import type { Guard } from "./Guard.ts"
import { fieldOfMac, fieldsOfMac, setMac } from "./MacField.ts"
import type { ModuleError } from "./ModuleError.ts"
import { formatOf, holdsPan, mayBecome, panOf, setControl } from "./PinField.ts"
import { Sealing, type SealRefusal } from "./Sealing.ts"
import type { SecurityModule } from "./SecurityModule.ts"

/** Slots that are kept for the next message. */
const SPARE_MAX = 4096

/** One list and two indexes for all: no call outlives itself. */
const patches = new PatchList()
const bare = new MessageIndex()
const whole = new MessageIndex()
let bareBytes = Buffer.allocUnsafeSlow(2048)

/** What a failed call means for whoever waits for the message. */
const refusalOf = ({ _tag }: ModuleError, isPin: boolean): SealRefusal => {
  if (_tag === "FormatRefused") return isPin ? "pinFailed" : "malfunction"
  if (_tag === "KeyUnusable") return isPin ? "pinFailed" : "keyFailed"
  return _tag === "ModuleAway" || _tag === "TooLate" ? "issuerDown" : "malfunction"
}

/** The sealer of one switch. */
export class Sealer {
  private readonly module: SecurityModule
  /** Milliseconds that a call may take at most. */
  budgetMs: number
  private readonly keyUnusable: (guard: Guard, error: ModuleError) => void
  private readonly all: Array<Sealing> = []
  private readonly spare: Array<Sealing> = []
  private busy = 0

  /** `keyUnusable` hears of a key that the module cannot use. */
  constructor(module: SecurityModule, budgetMs: number, keyUnusable: (guard: Guard, error: ModuleError) => void) {
    this.module = module
    this.keyUnusable = keyUnusable
    this.budgetMs = budgetMs
  }

  /** Slots in use. */
  get size(): number {
    return this.busy
  }

  /** A slot. Give it back with `give`. */
  take(): Sealing {
    this.busy++
    const spare = this.spare.pop()
    if (spare !== undefined) return spare
    const made = new Sealing(this.all.length)
    this.all.push(made)
    return made
  }

  /** The slot is not needed any more; what was in it is overwritten. */
  give(sealing: Sealing): void {
    this.busy--
    sealing.wipe()
    if (this.spare.length < SPARE_MAX) this.spare.push(sealing)
  }

  /** The slot of a call. */
  at(id: number): Sealing {
    return this.all[id]!
  }

  /**
   * The message without its MAC, which was its partner's: `guard` is the partner's. `withoutPin`: without its PIN block, too. The
   * same index when there is nothing to take out; otherwise one that holds until the next call.
   */
  bare({ codec, settings: { mac, pin } }: Guard, index: MessageIndex, withoutPin = false): MessageIndex {
    patches.clear()
    if (mac !== undefined) for (const de of fieldsOfMac(codec.layout, mac.field)) if (index.has(de)) patches.remove(de)
    if (withoutPin && pin !== undefined) patches.remove(pin.field)
    if (patches.count === 0) return index
    const length = codec.patchedLength(index, patches)
    if (length > bareBytes.length) bareBytes = Buffer.allocUnsafeSlow(2 * length)
    const written = codec.patch(index, patches, bareBytes, 0)
    return codec.index(bareBytes, 0, written, bare) === undefined ? bare : index
  }

  /** Whether the message carries a PIN block that one of the two guards knows of. */
  hasPin(from: Guard | undefined, to: Guard | undefined, index: MessageIndex): boolean {
    const field = from?.settings.pin?.field ?? to?.settings.pin?.field
    return field !== undefined && index.has(field)
  }

  /**
   * Takes the PIN block of `index`, as it came from the partner behind `from`, into the slot's call; `bytes` may be without it
   * then. Returns why it cannot be translated.
   */
  takePin(
    sealing: Sealing,
    from: Guard | undefined,
    to: Guard | undefined,
    index: MessageIndex
  ): SealRefusal | undefined {
    const ours = from?.settings.pin
    const theirs = to?.settings.pin
    // A block that only one side understands is under a key that the other does not have.
    if (from === undefined || to === undefined || ours === undefined || theirs === undefined) return "pinFailed"
    const slot = from.pinSlot("receive")
    const source = slot?.current
    const target = to.pinSlot("send")?.current
    if (source === undefined || target === undefined) return "keyFailed"
    sealing.otherKey = slot?.previous
    const format = formatOf(ours, index)
    const pan = panOf(index, from.codec.layout.roles.pan)
    if (!mayBecome(format, theirs.format, theirs.mayDropPan)) return "pinFailed"
    if (pan === undefined && (holdsPan(format) || holdsPan(theirs.format))) return "pinFailed"
    const block = Buffer.from(bytesOf(from.codec.layout, index, ours.field))
    sealing.call.translatePin(
      { key: source, format, isTerminal: ours.keys === "terminal" },
      { key: target, format: theirs.format, isTerminal: theirs.keys === "terminal" },
      block,
      pan,
      theirs.mayDropPan
    )
    block.fill(0)
    sealing.format = theirs.format
    sealing.cipher = target.algorithm
    sealing.step = "pin"
    return undefined
  }

  /**
   * Seals the message in the slot for `guard`, after `takePin` with its new PIN block. True: it is done, or refused; else `told`
   * hears of it.
   */
  begin(sealing: Sealing, guard: Guard): boolean {
    sealing.guard = guard
    return sealing.step === "pin" ? this.submit(sealing) : this.addMac(sealing)
  }

  /** The slot is refused before anything was asked. */
  refuse(sealing: Sealing, refusal: SealRefusal): void {
    sealing.refusal = refusal
    sealing.step = "done"
    const { guard } = sealing
    if (guard === undefined) return
    if (refusal === "pinFailed") guard.untranslated++
    else guard.unmade++
  }

  /** Goes on with the slot whose call is done. True: it is done, or refused. */
  resume(sealing: Sealing): boolean {
    const { call, guard, step } = sealing
    const isPin = step === "pin"
    if (isPin && call.error?._tag === "FormatRefused" && sealing.otherKey !== undefined) return this.again(sealing)
    if (call.error !== undefined) {
      if (call.error._tag === "KeyUnusable") this.keyUnusable(guard!, call.error)
      this.refuse(sealing, refusalOf(call.error, isPin))
      return true
    }
    if (!isPin) return this.setMac(sealing, guard!)
    return this.setPin(sealing, guard!) ? this.addMac(sealing) : true
  }

  /** Whether the message was sealed with a key that has been replaced since. */
  isStale({ guard, macKey, refusal }: Sealing): boolean {
    return refusal === undefined && macKey !== undefined && macKey !== guard?.macSlot("send")?.current
  }

  /** Makes the MAC of a sealed message again, with the present key. True: it is done, or refused. */
  renew(sealing: Sealing): boolean {
    return this.addMac(sealing)
  }

  private submit(sealing: Sealing): boolean {
    sealing.call.withinMs = this.budgetMs
    return this.module.submit(sealing.call) && this.resume(sealing)
  }

  /** The block is asked for once more, as one under the key before. */
  private again(sealing: Sealing): boolean {
    const { call, otherKey } = sealing
    const { source, target, pan, mayDropPan } = call
    const block = Buffer.from(call.input.subarray(0, call.inputLength))
    call.translatePin({ ...source!, key: otherKey! }, target!, block, pan, mayDropPan)
    block.fill(0)
    sealing.otherKey = undefined
    return this.submit(sealing)
  }

  /** Puts the translated block into the message, which says then what it is. */
  private setPin(sealing: Sealing, guard: Guard): boolean {
    const { codec } = guard
    const pin = guard.settings.pin!
    const { call } = sealing
    if (codec.index(sealing.bytes, 0, sealing.length, whole) !== undefined) return this.unreadable(sealing)
    patches.clear()
    patches.set(pin.field, Buffer.from(call.output.subarray(0, call.outputLength)))
    const digits = pin.control === undefined ? 0 : (codec.layout.fields[pin.control.field]?.units ?? 0)
    setControl(pin, whole, sealing.format, sealing.cipher, digits, patches)
    if (codec.checkPatches(patches) !== undefined) return this.unreadable(sealing)
    const room = sealing.roomBeside(codec.patchedLength(whole, patches))
    sealing.changed(codec.patch(whole, patches, room, 0))
    call.clear()
    guard.translated++
    return true
  }

  /** Puts the MAC field in, empty, and asks for the MAC. */
  private addMac(sealing: Sealing): boolean {
    const guard = sealing.guard!
    const { codec, settings } = guard
    if (codec.index(sealing.bytes, 0, sealing.length, whole) !== undefined) return !this.unreadable(sealing)
    const { mac } = settings
    if (mac === undefined || !guard.seals(whole.mti)) {
      sealing.step = "done"
      return true
    }
    const de = fieldOfMac(codec.layout, mac.field, whole)
    patches.clear()
    patches.set(de, emptyOf(guard, de))
    const room = sealing.roomBeside(codec.patchedLength(whole, patches))
    sealing.changed(codec.patch(whole, patches, room, 0))
    sealing.macField = de
    sealing.step = "mac"
    codec.index(sealing.bytes, 0, sealing.length, whole)
    sealing.macKey = guard.macSlot("send")?.current
    if (guard.askMac(whole, sealing.call)) return this.submit(sealing)
    this.refuse(sealing, "keyFailed")
    return true
  }

  private setMac(sealing: Sealing, guard: Guard): boolean {
    const { codec, settings } = guard
    const { bytes, call, length, macField } = sealing
    codec.index(bytes, 0, length, whole)
    patches.clear()
    setMac(codec.layout, settings.mac!, macField, call.output.subarray(0, settings.mac!.bytes), patches)
    codec.patch(whole, patches, bytes, 0)
    call.clear()
    sealing.step = "done"
    guard.made++
    return true
  }

  private unreadable(sealing: Sealing): false {
    this.refuse(sealing, "formatError")
    return false
  }
}

/** The MAC field before there is a MAC: zeros, as long as it will be. */
const emptyOf = ({ codec: { layout }, settings: { mac } }: Guard, de: number): string | Buffer => {
  const field = layout.fields[de]!
  const length = field.fixed < 0 ? (mac!.form === "hex" ? 2 : 1) * mac!.bytes : field.units
  return field.bytes ? Buffer.alloc(length) : "0".repeat(length)
}
