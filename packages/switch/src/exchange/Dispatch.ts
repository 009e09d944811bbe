/** One message that is its partner's own, and proved where its link asks for that: who takes it, by its type. */
import { isRequest, type MessageIndex, mtiClass, mtiText, reservedMti } from "@jinka/codec"
import type { Desk } from "./Desk.ts"
import type { Desks } from "./Desks.ts"
import type { Reconciliations } from "./day/Reconciliations.ts"
import type { Deliveries } from "./delivery/Deliveries.ts"
import type { Refusals } from "./entry/Refusals.ts"
import type { RequestAdmission } from "./entry/RequestAdmission.ts"
import type { Requests } from "./request/Requests.ts"

/** The dispatch of one switch. */
export class Dispatch {
  private readonly desks: Desks
  private readonly refusals: Refusals
  private readonly reconciliations: Reconciliations
  private readonly admission: RequestAdmission
  private readonly requests: Requests
  private readonly deliveries: Deliveries

  constructor(
    desks: Desks,
    refusals: Refusals,
    reconciliations: Reconciliations,
    admission: RequestAdmission,
    requests: Requests,
    deliveries: Deliveries
  ) {
    this.desks = desks
    this.refusals = refusals
    this.reconciliations = reconciliations
    this.admission = admission
    this.requests = requests
    this.deliveries = deliveries
  }

  /** Hands the message on; it arrived at `arrivedAt`, monotonic milliseconds. */
  pass(desk: Desk, epoch: number, index: MessageIndex, arrivedAt: number): void {
    // A reject brings our own message back: whatever its MTI says, it is an answer.
    if (index.rejectCode !== 0) return this.answer(desk, epoch, index)
    if (this.reconciliations.received(desk, epoch, index)) return
    switch (mtiClass(index.mti)) {
      case "request":
      case "networkManagement":
        return this.admission.request(desk, epoch, index, arrivedAt)
      case "response":
      case "networkManagementResponse":
        return this.requests.answer(desk, epoch, index)
      case "advice":
      case "reversal":
      case "notice":
        return this.deliveries.advice(desk, epoch, index, arrivedAt)
      case "adviceResponse":
      case "reversalResponse":
      case "noticeResponse":
        return this.answer(desk, epoch, index)
      default:
        return this.unknown(desk, epoch, index)
    }
  }

  /** A message type that its edition reserves: whoever asks hears that it was not understood, an answer is nobody's. */
  private unknown(desk: Desk, epoch: number, index: MessageIndex): void {
    const { language, link } = desk
    const isAnswered = isRequest(index.mti)
    const what = isAnswered ? `refused ${language.refusal.formatError}` : "dropped"
    const text = `message type ${mtiText(index.mti)} was ${what}: its ${reservedMti(index.mti)} digit is reserved`
    const noted = desk.unreadable.add("unreadable", text, this.desks.now)
    if (noted !== undefined) this.desks.note(desk, epoch, noted, "warning")
    if (isAnswered) return this.refusals.refuse(desk, epoch, index, "formatError")
    desk.traffic.unmatched++
    this.desks.record.unmatched("unmatched", 0, desk, epoch, "reserved message type", index)
    link.release(epoch)
  }

  private answer(desk: Desk, epoch: number, index: MessageIndex): void {
    if (!this.deliveries.answer(desk, epoch, index)) this.requests.answer(desk, epoch, index)
  }
}
