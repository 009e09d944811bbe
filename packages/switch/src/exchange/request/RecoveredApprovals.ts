/**
 * What a start reads of approvals that have to be taken back. The last run may have ended before it could look at the last of
 * them: they are looked at again, once all is read.
 */
import type { Entry } from "../../journal/Entry.ts"
import type { Desks } from "../Desks.ts"
import { LateApprovals } from "./LateApprovals.ts"
import type { Reversals } from "./Reversals.ts"

/** An entry, and the link that it is of. */
type Said = Pick<Entry, "link" | "seq">

/** The approvals of one start. */
export class RecoveredApprovals {
  private readonly desks: Desks
  private readonly approvals: LateApprovals
  private readonly declined = new Set<number>()
  /** Entries of approvals that came late, or behind a decline, by exchange. */
  private readonly late = new Map<number, Said>()
  private readonly behindDecline = new Map<number, Said>()

  constructor(desks: Desks, reversals: Reversals) {
    this.desks = desks
    this.approvals = new LateApprovals(desks, reversals)
  }

  private isApproval({ code, link }: Pick<Entry, "code" | "link">): boolean {
    return this.desks.named(link)?.language.isSuccess(code) === true
  }

  /** A request was answered. True: it was approved. */
  answered(entry: Entry): boolean {
    const isApproval = this.isApproval(entry)
    if (!isApproval) this.declined.add(entry.exchange)
    return isApproval
  }

  /** Whether it was declined. */
  isDeclined(exchange: number): boolean {
    return this.declined.has(exchange)
  }

  /** It was answered again. */
  again(entry: Entry): void {
    const { exchange, link, seq } = entry
    if (this.declined.has(exchange) && this.isApproval(entry)) this.behindDecline.set(exchange, { link, seq })
  }

  /** It was answered when it had ended without an answer. */
  cameLate(entry: Entry): void {
    const { approvals } = this.desks
    const { exchange, link, seq } = entry
    if (!this.isApproval(entry)) return
    approvals.add(exchange)
    if (approvals.isUnseen(exchange)) this.late.set(exchange, { link, seq })
  }

  /** All is read. */
  lookAgain(): void {
    // Whose link is not there was no approval here: see `isApproval`.
    const at = ({ link }: Said) => this.desks.named(link)!
    for (const [exchange, said] of this.late) this.approvals.came(at(said), exchange, said.seq)
    for (const [exchange, said] of this.behindDecline) this.approvals.afterDecline(at(said), exchange, said.seq)
    this.declined.clear()
  }
}
