/**
 * The request in a slot as its target gets it, and its answer as its origin gets it.
 */
import { MessageIndex } from "@jinka/codec"
import type { Session } from "../../link/Session.ts"
import { Crossing } from "../../message/Crossing.ts"
import { stanOf } from "../../message/Stamp.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { Originals } from "../entry/Originals.ts"
import type { Refusal } from "../entry/Refusals.ts"
import type { ExitGate } from "../gate/ExitGate.ts"
import type { WayOut } from "../gate/WayOut.ts"
import type { Slot } from "./Outstanding.ts"

/** See above. Nothing of it outlives a call but what it puts into the slot. */
export class SlotCrossing {
  private readonly desks: Desks
  private readonly wayOut: WayOut
  private readonly originals: Originals
  private readonly crossing = new Crossing()
  private readonly index = new MessageIndex()

  constructor(desks: Desks, wayOut: WayOut, originals: Originals) {
    this.desks = desks
    this.wayOut = wayOut
    this.originals = originals
  }

  /** Writes the request in the target's language; gives why that cannot be, and then no byte has left. */
  write(target: Desk, session: Session, slot: Slot): Refusal | undefined {
    const { crossing } = this
    const { seals } = this.wayOut
    try {
      const origin = this.desks.at(slot.origin)
      if (seals?.isBetween(origin, target) === true) return this.writeSealed(target, session, slot, seals)
      if (!this.crosses(origin, target, slot)) return "formatError"
      const at = session.begin(crossing.length)
      session.end(at, crossing.write(session.outbox.buffer, at))
      return undefined
    } catch (thrown) {
      this.desks.defects.met(target, session.epoch, "a request could not be written", thrown)
      return "malfunction"
    }
  }

  /** Prepares the request as the target is to know it: with a STAN of ours where the link has its own. False: it cannot be. */
  private crosses(origin: Desk, target: Desk, slot: Slot): boolean {
    const { crossing } = this
    const { hasOwnStan } = target.language
    // Where nothing of it changes but its header, nothing of it has to be found.
    if (!hasOwnStan && origin.language.form === target.language.form)
      return crossing.preparePassed(target.language, slot.request, 0, slot.requestLength)
    const index = this.original(slot)
    const named = hasOwnStan ? this.originals.withStan(origin, index, stanOf(slot.exchange)) : index
    return named !== undefined && crossing.prepare(origin.language, target.language, named)
  }

  /** The same between links of which one is guarded, or both. */
  private writeSealed(target: Desk, session: Session, slot: Slot, seals: ExitGate): Refusal | undefined {
    const sealing = slot.sealing ?? seals.request(target, slot)
    slot.sealing = undefined
    const wrong =
      sealing.refusal ?? (target.language.takes(sealing.bytes, 0, sealing.length) ? undefined : "formatError")
    if (wrong === undefined) session.put(sealing.bytes, sealing.length)
    seals.give(sealing)
    return wrong
  }

  /** Puts the partner's answer into the slot as the origin will get it. False when its language or frame cannot hold it. */
  keepAnswer(origin: Desk, target: Desk, request: MessageIndex, index: MessageIndex, slot: Slot): boolean {
    const { crossing } = this
    const { seals } = this.wayOut
    const bare = target.guard === undefined ? index : seals!.bare(target.guard, index)
    if (!crossing.prepare(target.language, origin.language, bare, request)) return false
    slot.answerLength = crossing.write(slot.answerRoom(crossing.length), 0)
    return true
  }

  /** Puts an answer of our own into the slot. */
  ownAnswer(origin: Desk, request: MessageIndex, slot: Slot, code: string): void {
    slot.answerLength = 0
    try {
      const answer = origin.language.answer(request, code)
      if (answer !== undefined) slot.answerLength = answer.copy(slot.answerRoom(answer.length))
    } catch (thrown) {
      this.desks.defects.met(origin, slot.originEpoch, "an answer of our own could not be made", thrown)
    }
  }

  /** An index of the request in `slot`; the same object at every call. */
  original(slot: Slot): MessageIndex {
    this.desks.at(slot.origin).language.index(slot.request, 0, slot.requestLength, this.index)
    return this.index
  }
}
