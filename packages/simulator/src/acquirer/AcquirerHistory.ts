/**
 * The acquirer's lines in its history.
 *
 * Owns what is written for each event and that nothing but a masked card number is. Decides nothing.
 */
import { type Card, maskPan } from "../chance/Cards.ts"
import type { History, HistoryLine, What } from "../history/History.ts"
import { type PartnerMessage, textOf } from "../message/PartnerMessage.ts"
import type { Connection, Timepiece } from "../partner/Session.ts"
import type { Waiting } from "./Outstanding.ts"
import type { Repeated } from "./Repeats.ts"
import type { Request } from "./Requests.ts"

type End = "approved" | "declined" | "failed" | "rejected" | "timedOut" | "linkLost"

const opOf: { readonly [E in End]: HistoryLine["op"] } = {
  approved: "ok",
  declined: "fail",
  failed: "fail",
  rejected: "fail",
  timedOut: "info",
  linkLost: "info"
}

/** Writes lines for an acquirer. */
export class AcquirerHistory {
  private readonly history: History
  private readonly time: Timepiece
  private readonly cards: ReadonlyArray<Card>

  constructor(history: History, time: Timepiece, cards: ReadonlyArray<Card>) {
    this.history = history
    this.time = time
    this.cards = cards
  }

  link(what: "linkUp" | "linkDown" | "signedOn", connection: Connection, reason?: string): void {
    this.note({ op: "info", what, epoch: connection.epoch, ...(reason === undefined ? {} : { reason }) })
  }

  sent(request: Request, connection: Connection): void {
    this.note({ op: "invoke", what: "sent", epoch: connection.epoch, ...this.facts(request) })
  }

  notSent(request: Request): void {
    this.note({ op: "fail", what: "notSent", epoch: 0, ...this.facts(request), reason: "no link signed on" })
  }

  /** `day`: DE 15 of the answer, "" when it has none; `approved`: the part that it approves. */
  ended(waiting: Waiting, what: End, code: string | undefined, day = "", approved?: number): void {
    const { request, epoch } = waiting
    const part = approved === undefined ? {} : { approved }
    const said = { ...(code === undefined ? {} : { code }), ...(day === "" ? {} : { day }), ...part }
    this.note({ op: opOf[what], what, epoch, ...this.facts(request), ...said })
  }

  attempt(connection: Connection, repeated: Repeated, mti: string): void {
    const { purpose, attempts } = repeated
    this.note({
      op: "invoke",
      what: purpose,
      epoch: connection.epoch,
      ...this.repeatedFacts(repeated),
      mti,
      attempt: attempts
    })
  }

  repeatEnded(repeated: Repeated, connection: Connection, what: "acknowledged" | "refused", code: string): void {
    const op = what === "acknowledged" ? "ok" : "fail"
    this.note({ op, what, epoch: connection.epoch, ...this.repeatedFacts(repeated), code })
  }

  unacknowledged(repeated: Repeated): void {
    this.note({ op: "info", what: "unacknowledged", epoch: 0, ...this.repeatedFacts(repeated) })
  }

  unmatched(
    what: What & ("late" | "duplicateAnswer" | "unmatched" | "mismatch"),
    connection: Connection,
    message: PartnerMessage,
    key: string,
    reason: string | undefined
  ): void {
    this.note({
      op: "info",
      what,
      epoch: connection.epoch,
      mti: message.mti,
      key,
      rrn: textOf(message, 37),
      code: textOf(message, 39),
      ...(reason === undefined ? {} : { reason })
    })
  }

  private facts(request: Request): Partial<HistoryLine> {
    return {
      kind: request.kind,
      mti: request.message.mti,
      key: request.key,
      rrn: request.rrn,
      amount: request.amount,
      pan: maskPan(this.cards[request.card]!.pan),
      ...(request.original === undefined ? {} : { original: request.original })
    }
  }

  /** A reversal carries the RRN and amount of its original, its own key, and the original's key as DE 90 does. */
  private repeatedFacts(repeated: Repeated): Partial<HistoryLine> {
    const facts = this.facts(repeated.request)
    if (repeated.purpose === "advice") return facts
    return { ...facts, mti: "0420", key: repeated.key, original: repeated.request.key, attempt: repeated.attempts }
  }

  private note(line: Omit<HistoryLine, "at">): void {
    this.history.append({ at: this.time.wall(), ...line })
  }
}
