/**
 * Answers that no open request waits for: late, a duplicate, or nobody's. They are kept, counted, and never delivered.
 */
import { type MessageIndex, mtiClass, mtiText, responseMti } from "@jinka/codec"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import { State } from "../Exchange.ts"
import { Outcome } from "../entry/RecentKeys.ts"
import type { Repeats } from "../entry/Repeats.ts"
import { LateApprovals } from "./LateApprovals.ts"
import type { Outstanding, Slot } from "./Outstanding.ts"
import type { Reversals } from "./Reversals.ts"

/**
 * Whether the message can be the answer of a request: what answers a reversal or an advice has the key of its request in many
 * networks, and says nothing of that. A reject brings our own message back.
 */
const answersRequest = ({ mti, rejectCode }: MessageIndex): boolean => {
  const said = mtiClass(rejectCode === 0 ? mti : responseMti(mti))
  return said === "response" || said === "networkManagementResponse"
}

/** The unmatched answers of one switch. */
export class UnmatchedAnswers {
  private readonly desks: Desks
  private readonly repeats: Repeats
  private readonly approvals: LateApprovals

  constructor(desks: Desks, repeats: Repeats, reversals: Reversals) {
    this.desks = desks
    this.repeats = repeats
    this.approvals = new LateApprovals(desks, reversals)
  }

  /** An answer with the match key `key[0, length)` that no open request waits for; `slot` has ended or is about to. */
  unexpected(
    target: Desk,
    epoch: number,
    index: MessageIndex,
    key: Buffer,
    length: number,
    slot: Slot | undefined,
    outstanding: Outstanding
  ): void {
    const isOfRequest = answersRequest(index)
    if (slot !== undefined && isOfRequest) {
      const isAnswered = outstanding.state(slot.id) === State.answering
      const isDeclined = isAnswered && !target.language.isSuccess(slot.endCode)
      return this.known(target, epoch, index, slot.exchange, isAnswered, isDeclined)
    }
    const sent = isOfRequest ? this.repeats.sent(target, key, length) : undefined
    if (sent !== undefined) {
      const { exchange, outcome } = sent
      const isDeclined = outcome === Outcome.refused
      return this.known(target, epoch, index, exchange, isDeclined || outcome === Outcome.answered, isDeclined)
    }
    const missing = target.language.missing(index)
    target.traffic.unmatched++
    const code = missing === undefined ? (target.language.code(index) ?? "") : `${missing} is missing`
    this.desks.record.unmatched("unmatched", 0, target, epoch, code, index)
    if (missing === undefined) return
    this.note(target, epoch, `an answer ${mtiText(index.mti)} is nobody's: ${missing}, a field of the key, is missing`)
  }

  /** Whether a request with the match key `key[0, length)` went out to the partner, and has ended. */
  hasEnded(target: Desk, key: Buffer, length: number): boolean {
    return this.repeats.sent(target, key, length) !== undefined
  }

  /** The key fits and the message does not: it is nobody's answer, and the request goes on waiting for its own. */
  foreign(target: Desk, epoch: number, index: MessageIndex, { exchange }: Slot, why: string): void {
    target.traffic.unmatched++
    this.desks.record.unmatched("unmatched", exchange, target, epoch, why, index)
    this.note(
      target,
      epoch,
      `an answer ${mtiText(index.mti)} with the key of exchange ${exchange} is not its answer: ${why}`
    )
  }

  /** It is the answer, and its origin's language cannot hold it: nobody hears of what it approved. */
  untranslated(target: Desk, epoch: number, index: MessageIndex, slot: Slot): void {
    const { approvals } = this.desks
    this.foreign(target, epoch, index, slot, "not translated")
    if (target.language.isSuccess(target.language.code(index) ?? "")) approvals.add(slot.exchange)
  }

  /** The answer was not proved to be the partner's, as `why` says; `exchange`: that of the request with its key, or 0. */
  unproved(target: Desk, epoch: number, index: MessageIndex, exchange: number, why: string): void {
    target.traffic.unmatched++
    this.desks.record.unmatched("unmatched", exchange, target, epoch, why, index)
    const whose = exchange === 0 ? "" : ` with the key of exchange ${exchange}`
    this.note(target, epoch, `an answer ${mtiText(index.mti)}${whose} is nobody's: ${why}`)
    target.link.release(epoch)
  }

  /** An answer of an exchange that has ended. `isDeclined`: what its origin was told is no approval. */
  private known(
    target: Desk,
    epoch: number,
    index: MessageIndex,
    exchange: number,
    isAnswered: boolean,
    isDeclined: boolean
  ): void {
    const code = target.language.code(index) ?? ""
    if (isAnswered) target.traffic.duplicates++
    else target.traffic.late++
    const { record } = this.desks
    const seq = record.unmatched(isAnswered ? "duplicateAnswer" : "late", exchange, target, epoch, code, index)
    if (!target.language.isSuccess(code)) return
    const saidAt = seq === 0 ? record.last + 1 : seq
    if (!isAnswered) this.approvals.came(target, exchange, saidAt)
    else if (isDeclined) this.approvals.afterDecline(target, exchange, saidAt)
  }

  private note(target: Desk, epoch: number, text: string): void {
    const noted = target.unmatchedNotices.add("unmatched", text, this.desks.now)
    if (noted !== undefined) this.desks.note(target, epoch, noted, "warning")
  }
}
