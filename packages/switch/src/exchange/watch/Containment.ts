/**
 * What is thrown for one message costs that message and no other: it is given up, and its partner is answered that the switch
 * could not handle it.
 */
import { isRequest, type MessageIndex, mtiText } from "@jinka/codec"
import { Deferred, Effect } from "effect"
import { LinkEnded } from "../../link/LinkEnded.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { Refusals } from "../entry/Refusals.ts"

/** The containment of one switch. */
export class Containment {
  private readonly desks: Desks
  private readonly refusals: Refusals
  private readonly broken: Deferred.Deferred<never>

  /** `broken` dies with the first defect that must stop the switch. */
  constructor(desks: Desks, refusals: Refusals, broken: Deferred.Deferred<never>) {
    this.desks = desks
    this.refusals = refusals
    this.broken = broken
  }

  /** Does something with a message that was put aside; here nobody else hears of what must stop the switch. */
  later(desk: Desk, epoch: number, index: MessageIndex, act: () => void): void {
    if (Deferred.isDoneUnsafe(this.broken)) return
    const { steps } = this.desks.record
    try {
      act()
    } catch (thrown) {
      try {
        this.giveUp(desk, epoch, index, thrown, steps)
      } catch (defect) {
        Deferred.doneUnsafe(this.broken, Effect.die(defect))
      }
    }
  }

  /**
   * Gives up a message for which `thrown` was thrown; `steps`: the journal's when it came. An exchange that it has moved on there
   * waits for a step that nobody takes: tables and journal do not agree, and the switch stops.
   */
  giveUp(desk: Desk, epoch: number, index: MessageIndex, thrown: unknown, steps: number): void {
    const { defects, record } = this.desks
    if (record.steps !== steps) throw thrown
    defects.met(desk, epoch, `a message ${mtiText(index.mti)} was given up`, thrown)
    if (index.rejectCode !== 0 || !isRequest(index.mti)) return desk.link.release(epoch)
    try {
      this.refusals.refuse(desk, epoch, index, "malfunction")
    } catch (again) {
      defects.met(desk, epoch, "its answer could not be made, and its connection was closed", again)
      desk.link.cut(new LinkEnded({ reason: "Defect", why: "a message could not be handled or answered" }))
    }
  }
}
