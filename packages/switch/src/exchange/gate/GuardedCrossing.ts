/**
 * The crossing of a request between links of which one is guarded, or both: without its partner's MAC, its PIN block with the
 * security module, and nowhere else any more.
 */
import { MessageIndex } from "@jinka/codec"
import { zeroOf } from "../../guard/FieldBytes.ts"
import type { Sealer } from "../../guard/Sealer.ts"
import type { Sealing, SealRefusal } from "../../guard/Sealing.ts"
import { Crossing } from "../../message/Crossing.ts"
import { stanOf } from "../../message/Stamp.ts"
import type { Desk } from "../Desk.ts"
import type { Originals } from "../entry/Originals.ts"
import type { Slot } from "../request/Outstanding.ts"

/** Crosses one request after the other. */
export class GuardedCrossing {
  private readonly sealer: Sealer
  private readonly originals: Originals
  private readonly crossing = new Crossing()
  private readonly index = new MessageIndex()

  constructor(sealer: Sealer, originals: Originals) {
    this.sealer = sealer
    this.originals = originals
  }

  /** Puts the request in `slot` into `sealing` as the target gets it, to be sealed; false when it is refused. */
  request(origin: Desk, target: Desk, slot: Slot, sealing: Sealing): boolean {
    const { index } = this
    if (origin.language.index(slot.request, 0, slot.requestLength, index) !== undefined) {
      this.sealer.refuse(sealing, "formatError")
      return false
    }
    try {
      return this.message(origin, target, index, stanOf(slot.exchange), sealing)
    } finally {
      this.wipe(origin, target, slot)
    }
  }

  /** The same for a message of which nothing is in a slot; `stan`: what the target knows it by, where that has STANs of ours. */
  message(origin: Desk, target: Desk, index: MessageIndex, stan: string, sealing: Sealing): boolean {
    sealing.guard = target.guard ?? origin.guard
    const refusal = this.crossed(origin, target, index, stan, sealing)
    if (refusal !== undefined) this.sealer.refuse(sealing, refusal)
    return refusal === undefined
  }

  /** The PIN block of the request in `slot` is where it is needed now, in the module's call alone. */
  wipePin(origin: Desk, target: Desk, slot: Slot): void {
    if (origin.language.index(slot.request, 0, slot.requestLength, this.index) === undefined)
      this.wipe(origin, target, slot)
  }

  private crossed(
    origin: Desk,
    target: Desk,
    index: MessageIndex,
    stan: string,
    sealing: Sealing
  ): SealRefusal | undefined {
    const { crossing, sealer } = this
    const hasPin = sealer.hasPin(origin.guard, target.guard, index)
    const wrong = hasPin ? sealer.takePin(sealing, origin.guard, target.guard, index) : undefined
    if (wrong !== undefined) return wrong
    const bare = origin.guard === undefined ? index : sealer.bare(origin.guard, index, hasPin)
    const named = target.language.hasOwnStan ? this.originals.withStan(origin, bare, stan) : bare
    if (named === undefined || !crossing.prepare(origin.language, target.language, named)) return "formatError"
    sealing.length = crossing.write(sealing.room(crossing.length), 0)
    return undefined
  }

  /** `index` is of the slot's request. */
  private wipe(origin: Desk, target: Desk, slot: Slot): void {
    const { index } = this
    const guard = origin.guard?.settings.pin === undefined ? target.guard : origin.guard
    const field = guard?.settings.pin?.field
    if (field === undefined || !index.has(field)) return
    slot.request.fill(zeroOf(origin.link.settings.codec.layout, field), index.from(field), index.to(field))
  }
}
